package dev.berth.server.proof;

import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/** Where clients learn the addresses of the service, and wait while there is none. */
final class Gate {
    /** A call may be held for a minute, and is given up after that; this is for a machine that is late besides. */
    private static final Duration LONGEST_CALL = Duration.ofSeconds(90);

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private List<URI> urls = List.of();
    private int parked;
    private volatile boolean over;

    /** Any of the addresses, but for this one that was found dead; waits where there is no other. */
    URI pass(@Nullable URI dead, RandomGenerator random) throws InterruptedException {
        lock.lock();
        try {
            parked++;
            changed.signalAll();
            var alive = alive(dead);
            while (alive.isEmpty()) {
                changed.await();
                alive = alive(dead);
            }
            parked--;
            return alive.get(random.nextInt(alive.size()));
        } finally {
            lock.unlock();
        }
    }

    private List<URI> alive(@Nullable URI dead) {
        return urls.stream().filter(url -> !url.equals(dead)).toList();
    }

    void open(URI at) {
        open(List.of(at));
    }

    void open(List<URI> at) {
        lock.lock();
        try {
            urls = List.copyOf(at);
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Lets nobody through any more, and waits until so many clients stand before it. */
    void close(int clients) throws InterruptedException {
        lock.lock();
        try {
            urls = List.of();
            long nanos = LONGEST_CALL.toNanos();
            while (parked < clients && nanos > 0) {
                nanos = changed.awaitNanos(nanos);
            }
            if (parked < clients) {
                throw new AssertionError(parked + " of " + clients + " clients came back to the gate");
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
        return LONGEST_CALL.toMillis();
    }
}
