package dev.berth.server.http;

import dev.berth.core.AllocationId;
import dev.berth.core.Decision;
import dev.berth.core.PoolName;
import dev.berth.server.ledger.Ledger;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Requests that are held open until something happens to their allocation. Woken by commits; whoever waits reads the state anew after
 * having registered, so that no change falls between.
 */
final class Holds implements Ledger.Listener {
    private final Map<AllocationId, Set<Hold>> byAllocation = new ConcurrentHashMap<>();
    private final int most;
    private final Semaphore places;
    private volatile boolean closed;

    /**
     * @param most how many may be held at once; more are answered at once
     */
    Holds(int most) {
        this.most = most;
        places = new Semaphore(most);
    }

    /** One request that is held. */
    final class Hold implements AutoCloseable {
        private final AllocationId id;
        private final Semaphore changes = new Semaphore(0);

        private Hold(AllocationId id) {
            this.id = id;
        }

        /**
         * Waits for a change since the last call, or since this was opened.
         *
         * @param deadline of {@link System#nanoTime}
         * @return false when the time is over, or the service stops
         */
        boolean await(long deadline) {
            if (closed) {
                return false;
            }
            try {
                boolean changed = changes.tryAcquire(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
                changes.drainPermits();
                return changed && !closed;
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
                return false;
            }
        }

        @Override
        public void close() {
            byAllocation.computeIfPresent(id, (key, holds) -> {
                holds.remove(this);
                return holds.isEmpty() ? null : holds;
            });
            places.release();
        }
    }

    /** Registers; null where no more can be held, or the service stops. */
    @Nullable
    Hold open(AllocationId id) {
        if (closed || !places.tryAcquire()) {
            return null;
        }
        var hold = new Hold(id);
        byAllocation.compute(id, (key, holds) -> {
            var all = holds == null ? ConcurrentHashMap.<Hold>newKeySet() : holds;
            all.add(hold);
            return all;
        });
        return hold;
    }

    @Override
    public void committed(PoolName pool, Decision decision) {
        if (byAllocation.isEmpty()) {
            return;
        }
        for (var change : decision.allocations()) {
            var holds = byAllocation.get(change.after().id());
            if (holds != null) {
                holds.forEach(hold -> hold.changes.release());
            }
        }
    }

    /** How many allocations are waited for. */
    int allocations() {
        return byAllocation.size();
    }

    /** How many requests are held. */
    int requests() {
        return most - places.availablePermits();
    }

    /** Answers all that are held with what there is, and holds none any more. */
    void close() {
        closed = true;
        byAllocation.values().forEach(holds -> holds.forEach(hold -> hold.changes.release()));
    }
}
