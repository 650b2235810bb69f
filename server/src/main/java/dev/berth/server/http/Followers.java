package dev.berth.server.http;

import dev.berth.core.PoolName;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Who follows the events as they happen, of one pool or of all, and is woken by those it can see alone. */
final class Followers {
    private final Set<Follower> all = ConcurrentHashMap.newKeySet();

    /** One that follows, for one thread. */
    final class Follower implements AutoCloseable {
        private final @Nullable PoolName only;
        private final Semaphore news = new Semaphore(0);

        private Follower(@Nullable PoolName only) {
            this.only = only;
        }

        /**
         * Waits for something that happened since the last call, or since this began to follow.
         *
         * @return false when nothing did for so long; true also when the thread was interrupted, which it then still is
         */
        boolean await(Duration most) {
            try {
                boolean woken = news.tryAcquire(most.toNanos(), TimeUnit.NANOSECONDS);
                news.drainPermits();
                return woken;
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
                return true;
            }
        }

        @Override
        public void close() {
            all.remove(this);
        }
    }

    /**
     * Begins to follow.
     *
     * @param only the pool to be woken for; null for all
     */
    Follower follow(@Nullable PoolName only) {
        var follower = new Follower(only);
        all.add(follower);
        return follower;
    }

    /** Something happened in the pool. */
    void wake(PoolName pool) {
        for (var follower : all) {
            if (follower.only == null || follower.only.equals(pool)) {
                follower.news.release();
            }
        }
    }

    /** Wakes everybody, whatever they follow. */
    void wakeAll() {
        all.forEach(follower -> follower.news.release());
    }
}
