package dev.berth.server.http;

import io.helidon.webserver.CloseConnectionException;
import java.io.UncheckedIOException;
import java.util.ArrayDeque;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What comes in on one connection, in the order in which it comes. While a request is held, a thread of its own reads ahead: that is
 * the one way to hear of the connection's end that works on every kind of socket, encrypted ones too, and takes nothing from the
 * requests that follow. It costs a virtual thread that is parked in a read.
 *
 * <p>At any time one thread at most reads from the socket: the reader ahead, or else the connection's own. Where
 * nothing else is said, methods are called by the connection's own thread.
 */
final class Incoming implements Supplier<byte[]> {
    /** So much is read of what follows a held request. Who sends more is noticed only when the hold ends. */
    private static final int MOST_AHEAD = 64 << 10;

    private final Supplier<byte @Nullable []> socket;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition news = lock.newCondition();
    private final ArrayDeque<byte[]> ahead = new ArrayDeque<>();
    private int bytesAhead;
    /** A thread reads ahead. It goes on when nobody watches any more, until the read that it is in is over. */
    private boolean reading;

    private @Nullable Watch watch;
    private @Nullable CloseConnectionException end;
    private volatile boolean waitedFor;

    /**
     * @param begin what was read already
     * @param socket reads something, and waits for it; null at the end
     */
    Incoming(byte[] begin, Supplier<byte @Nullable []> socket) {
        this.socket = socket;
        if (begin.length > 0) {
            ahead.add(begin);
            bytesAhead = begin.length;
        }
    }

    /**
     * What comes next; waits for it.
     *
     * @throws CloseConnectionException at the end: wherever in a request the caller went away, there is nobody to answer
     */
    @Override
    public byte[] get() {
        waitedFor = true;
        try {
            return next();
        } finally {
            waitedFor = false;
        }
    }

    /** Whether the connection's own thread waits for something to come. May be asked by any thread. */
    boolean isWaitedFor() {
        return waitedFor;
    }

    private byte[] next() {
        lock.lock();
        try {
            while (ahead.isEmpty() && reading) {
                news.await();
            }
            var next = ahead.poll();
            if (next != null) {
                bytesAhead -= next.length;
                return next;
            }
            if (end != null) {
                throw end;
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CloseConnectionException("the service closes the connection", e);
        } finally {
            lock.unlock();
        }
        return read();
    }

    private byte[] read() {
        try {
            var bytes = socket.get();
            if (bytes == null) {
                throw new CloseConnectionException("the caller closed the connection");
            }
            return bytes;
        } catch (UncheckedIOException e) {
            throw new CloseConnectionException("the connection failed", e);
        }
    }

    /** Looks for the caller's going away until it is closed. */
    final class Watch implements AutoCloseable {
        private final Runnable gone;

        private Watch(Runnable gone) {
            this.gone = gone;
        }

        @Override
        public void close() {
            lock.lock();
            try {
                watch = null;
            } finally {
                lock.unlock();
            }
        }
    }

    /**
     * Begins to watch. Only one watches at a time.
     *
     * @param gone is called once at most, by some thread, when the caller has closed the connection, or its sending side; must be quick
     */
    Watch watch(Runnable gone) {
        lock.lock();
        try {
            var begun = new Watch(gone);
            watch = begun;
            if (end != null) {
                gone.run();
            } else if (!reading && bytesAhead < MOST_AHEAD) {
                var _ = Thread.ofVirtual()
                        .name("watch for a caller's going away")
                        .start(this::readAhead);
                reading = true;
            }
            return begun;
        } finally {
            lock.unlock();
        }
    }

    private void readAhead() {
        byte[] bytes;
        do {
            try {
                bytes = read();
            } catch (CloseConnectionException e) {
                ended(e);
                return;
            } catch (RuntimeException | Error e) {
                ended(new CloseConnectionException("the connection cannot be read", e)); // nobody may wait for ever
                return;
            }
        } while (goesOnAfter(bytes));
    }

    private boolean goesOnAfter(byte[] bytes) {
        lock.lock();
        try {
            ahead.add(bytes);
            bytesAhead += bytes.length;
            reading = watch != null && bytesAhead < MOST_AHEAD;
            news.signal();
            return reading;
        } finally {
            lock.unlock();
        }
    }

    private void ended(CloseConnectionException how) {
        lock.lock();
        try {
            end = how;
            reading = false;
            news.signal();
            if (watch != null) {
                watch.gone.run();
            }
        } finally {
            lock.unlock();
        }
    }
}
