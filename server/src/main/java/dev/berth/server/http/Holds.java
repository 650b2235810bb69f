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

    /** Why a hold went on. */
    enum Woken {
        /** Something happened to the allocation. */
        CHANGED,
        /** The time is over, or the service stops. */
        OVER,
        /** The caller closed its connection: there is nobody who waits. */
        GONE
    }

    /** One request that is held. */
    final class Hold implements AutoCloseable {
        private final AllocationId id;
        private final Semaphore changes = new Semaphore(0);
        private final Incoming.Watch watch;
        private volatile boolean gone;

        private Hold(AllocationId id, Call call) {
            this.id = id;
            this.watch = call.watch(this::gone);
        }

        private void gone() {
            gone = true;
            changes.release();
        }

        /**
         * Waits for a change since the last call, or since this was opened.
         *
         * @param deadline of {@link System#nanoTime}
         */
        Woken await(long deadline) {
            if (closed) {
                return Woken.OVER;
            }
            try {
                boolean changed = changes.tryAcquire(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
                changes.drainPermits();
                if (gone) {
                    return Woken.GONE;
                }
                return changed && !closed ? Woken.CHANGED : Woken.OVER;
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
                return Woken.OVER;
            }
        }

        @Override
        public void close() {
            watch.close();
            byAllocation.computeIfPresent(id, (key, holds) -> {
                holds.remove(this);
                return holds.isEmpty() ? null : holds;
            });
            places.release();
        }
    }

    /** Registers a call that waits for an allocation; null where no more can be held, or the service stops. */
    @Nullable
    Hold open(AllocationId id, Call call) {
        if (closed || !places.tryAcquire()) {
            return null;
        }
        var hold = new Hold(id, call);
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
            wake(change.after().id());
        }
    }

    /** Something happened to the allocation. */
    void wake(AllocationId id) {
        var holds = byAllocation.get(id);
        if (holds != null) {
            holds.forEach(hold -> hold.changes.release());
        }
    }

    /** Something may have happened to any allocation of the pool. */
    void wake(int pool) {
        byAllocation.keySet().stream().filter(id -> id.poolNumber() == pool).forEach(this::wake);
    }

    /** The allocations that are waited for. A copy. */
    Set<AllocationId> open() {
        return Set.copyOf(byAllocation.keySet());
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
