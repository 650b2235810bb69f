package dev.berth.cli;

import dev.berth.client.Allocation;
import dev.berth.client.QueuePlace;
import dev.berth.client.WaitListener;
import java.io.PrintStream;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Shows how a wait goes on: on a terminal one line that is drawn anew every second, elsewhere (a CI log) a line when
 * something changed and every 30 s.
 */
final class Progress implements WaitListener, AutoCloseable {
    private static final long QUIET_SECONDS = 30;
    private static final int LONGEST_LINE = 100;

    private final PrintStream err;
    private final boolean live;
    private final String pool;
    private final long startedAt = System.nanoTime();
    private final CountDownLatch closed = new CountDownLatch(1);
    private @Nullable String news;
    private @Nullable String shown;
    private long shownAtSecond;
    private boolean drawn;

    Progress(PrintStream err, boolean live, String pool) {
        this.err = err;
        this.live = live;
        this.pool = pool;
        Thread.ofVirtual().name("berth-progress").start(this::tick);
    }

    @Override
    public synchronized void waiting(Allocation pending) {
        news = describe(pending);
        show(elapsedSeconds());
    }

    private static String describe(Allocation pending) {
        QueuePlace queue = pending.queue();
        if (queue == null) {
            return "waiting for access";
        }
        StringBuilder text = new StringBuilder("waiting, position ").append(queue.position());
        if (queue.waitingFor() != null) {
            text.append(", for ").append(Text.clean(queue.waitingFor()));
        }
        return text.toString();
    }

    @Override
    public synchronized void trouble(RuntimeException cause) {
        news = "waiting, " + Text.clean(String.valueOf(cause.getMessage())) + "; trying again";
        show(elapsedSeconds());
    }

    private void tick() {
        try {
            while (!closed.await(1, TimeUnit.SECONDS)) {
                synchronized (this) {
                    if (closed.getCount() > 0) {
                        show(elapsedSeconds());
                    }
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private long elapsedSeconds() {
        return TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - startedAt);
    }

    private void show(long second) {
        String now = news;
        if (now == null) {
            return;
        }
        boolean changed = !now.equals(shown);
        if (!live && !changed && second - shownAtSecond < QUIET_SECONDS) {
            return;
        }
        String line = "berth: pool " + pool + ": " + now + " (" + Text.duration(Duration.ofSeconds(second)) + ")";
        if (live) {
            // A line that wraps could not be drawn over.
            err.print("\r\u001b[K" + (line.length() <= LONGEST_LINE ? line : line.substring(0, LONGEST_LINE)));
            err.flush();
            drawn = true;
        } else {
            err.println(line);
        }
        shown = now;
        shownAtSecond = second;
    }

    /** Ends the display and leaves an empty line where it was drawn on a terminal. */
    @Override
    public synchronized void close() {
        closed.countDown();
        if (drawn) {
            err.print("\r\u001b[K");
            err.flush();
            drawn = false;
        }
    }
}
