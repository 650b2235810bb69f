package dev.berth.server.proof;

import java.net.URI;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** Where clients learn the address of the service, and wait while there is none. */
final class Gate {
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private @Nullable URI url;
    private int parked;
    private volatile boolean over;

    /** The address, unless it is this one that was found dead; waits for another then. */
    URI pass(@Nullable URI dead) throws InterruptedException {
        lock.lock();
        try {
            parked++;
            changed.signalAll();
            while (url == null || url.equals(dead)) {
                changed.await();
            }
            parked--;
            return url;
        } finally {
            lock.unlock();
        }
    }

    void open(URI at) {
        lock.lock();
        try {
            url = at;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Lets nobody through any more, and waits until so many clients stand before it. */
    void close(int clients) throws InterruptedException {
        lock.lock();
        try {
            url = null;
            long nanos = Duration.ofSeconds(60).toNanos();
            while (parked < clients && nanos > 0) {
                nanos = changed.awaitNanos(nanos);
            }
            if (parked < clients) {
                throw new AssertionError(parked + " of " + clients + " clients noticed that the service is gone");
            }
        } finally {
            lock.unlock();
        }
    }

    /** Clients finish what they hold and begin nothing new. */
    void end() {
        over = true;
    }

    boolean isOver() {
        return over;
    }

    /** How long a thread may take to end. */
    static long joinMillis() {
        return TimeUnit.SECONDS.toMillis(90);
    }
}
