package dev.berth.cli;

import dev.berth.client.Allocation;
import dev.berth.client.QueuePlace;
import dev.berth.client.WaitListener;
import java.io.PrintStream;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Shows how a wait goes on: on a terminal one line that is drawn anew every second, elsewhere (a CI log) a line when something changed, at
 * most every 30 s.
 */
final class Progress implements WaitListener, AutoCloseable {
    private static final long QUIET_SECONDS = 30;
    private static final Duration ESTIMATE_MOVED = Duration.ofMinutes(1);

    /** Goes to the beginning of the line and empties it. */
    private static final String CLEAR = "\r\u001b[K";
    /** Whether a line that is too long for the terminal goes on in the next one, where it could not be drawn over. */
    private static final String WRAP_OFF = "\u001b[?7l";

    private static final String WRAP_ON = "\u001b[?7h";

    private final PrintStream err;
    private final boolean live;
    private final String pool;
    private final LongSupplier nanos;
    private final long startedAt;
    private final CountDownLatch closed = new CountDownLatch(1);
    private @Nullable News news;
    private @Nullable News shown;
    /** By kind of news: that the service went away is told though the position was told just now. */
    private long waitingShownAt = -QUIET_SECONDS;

    private long troubleShownAt = -QUIET_SECONDS;
    private @Nullable ServiceClock clock;
    private boolean drawn;

    /** What is to be told. */
    private record News(
            @Nullable QueuePlace queue, @Nullable String trouble) {
        boolean tellsMoreThan(@Nullable News before) {
            if (before == null || before.isTrouble() != isTrouble()) {
                return true;
            }
            if (queue == null || before.queue == null) {
                return (queue == null) != (before.queue == null)
                        || (trouble != null && !trouble.equals(before.trouble));
            }
            return queue.position() != before.queue.position()
                    || !Text.orDash(queue.waitingFor()).equals(Text.orDash(before.queue.waitingFor()))
                    || moved(before.queue.grantAtP50(), queue.grantAtP50())
                    || moved(before.queue.grantAtP90(), queue.grantAtP90());
        }

        boolean isTrouble() {
            return trouble != null;
        }

        private static boolean moved(@Nullable Instant from, @Nullable Instant to) {
            if (from == null || to == null) {
                return (from == null) != (to == null);
            }
            return Duration.between(from, to).abs().compareTo(ESTIMATE_MOVED) > 0;
        }
    }

    /** The service's time, from an instant that it told; this machine's clock may be set otherwise. */
    private record ServiceClock(Instant told, long atNanos) {
        Instant at(long nanos) {
            return told.plusNanos(nanos - atNanos);
        }
    }

    /** Shows nothing by itself: see {@link #tick}. */
    Progress(PrintStream err, boolean live, String pool, LongSupplier nanos) {
        this.err = err;
        this.live = live;
        this.pool = pool;
        this.nanos = nanos;
        this.startedAt = nanos.getAsLong();
    }

    /** Begins to show a wait that begins now. */
    static Progress start(Surroundings around, String pool) {
        Progress progress = new Progress(around.err(), around.liveErr(), pool, System::nanoTime);
        Thread.ofVirtual().name("berth-progress").start(progress::keepTicking);
        return progress;
    }

    @Override
    public synchronized void waiting(Allocation pending) {
        if (clock == null && pending.createdAt() != null) {
            // The request was made just now, so this is what the service's clock says.
            clock = new ServiceClock(pending.createdAt(), nanos.getAsLong());
        }
        news = new News(pending.queue(), null);
        tick();
    }

    @Override
    public synchronized void trouble(RuntimeException cause) {
        news = new News(null, Text.clean(String.valueOf(cause.getMessage())));
        tick();
    }

    private void keepTicking() {
        try {
            while (!closed.await(1, TimeUnit.SECONDS)) {
                tick();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Shows what there is to be shown now. */
    synchronized void tick() {
        News now = news;
        if (now == null || closed.getCount() == 0) {
            return;
        }
        long second = TimeUnit.NANOSECONDS.toSeconds(nanos.getAsLong() - startedAt);
        if (live) {
            // What does not fit goes into the last column, one over the other: a blank at the end leaves no stray
            // letter there.
            err.print(CLEAR + WRAP_OFF + line(now, second) + " " + WRAP_ON);
            err.flush();
            drawn = true;
            return;
        }
        long before = now.isTrouble() ? troubleShownAt : waitingShownAt;
        if (second - before < QUIET_SECONDS || !now.tellsMoreThan(shown)) {
            return;
        }
        err.println(line(now, second));
        shown = now;
        if (now.isTrouble()) {
            troubleShownAt = second;
        } else {
            waitingShownAt = second;
        }
    }

    private String line(News now, long second) {
        StringBuilder line =
                new StringBuilder("berth: pool ").append(Text.clean(pool)).append(": waiting ");
        line.append(Text.duration(Duration.ofSeconds(second)));
        QueuePlace queue = now.queue();
        if (now.isTrouble()) {
            line.append(", ").append(now.trouble()).append("; trying again");
        } else if (queue == null) {
            line.append(" for access to be issued");
        } else {
            append(line, queue);
        }
        return line.toString();
    }

    private void append(StringBuilder line, QueuePlace queue) {
        if (queue.position() > 0) {
            line.append(", position ").append(queue.position());
        }
        String estimate = clock == null ? "" : estimate(queue, clock.at(nanos.getAsLong()));
        if (!estimate.isEmpty()) {
            line.append(", ").append(estimate);
        }
        if (queue.waitingFor() != null) {
            line.append("; ").append(Text.clean(queue.waitingFor()));
        }
    }

    /** When it is granted, in words: {@code about 4 min, 9 in 10 by 12 min}; empty where nothing is known. */
    static String estimate(QueuePlace queue, Instant now) {
        String half = fromNow(queue.grantAtP50(), now);
        String most = fromNow(queue.grantAtP90(), now);
        if (half == null) {
            return most == null ? "" : "9 in 10 by " + most;
        }
        String about = half.isEmpty() ? "any moment" : "about " + half;
        return most == null || most.equals(half) ? about : about + ", 9 in 10 by " + most;
    }

    /** Empty for a moment that is here. */
    private static @Nullable String fromNow(@Nullable Instant when, Instant now) {
        if (when == null) {
            return null;
        }
        Duration left = Duration.between(now, when);
        return left.isPositive() ? Text.roughly(left) : "";
    }

    /** Ends the display and leaves an empty line where it was drawn on a terminal. */
    @Override
    public synchronized void close() {
        closed.countDown();
        if (drawn) {
            err.print(CLEAR);
            err.flush();
            drawn = false;
        }
    }
}
