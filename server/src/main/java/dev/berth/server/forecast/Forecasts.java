package dev.berth.server.forecast;

import dev.berth.core.Allocation;
import dev.berth.core.AllocationState;
import dev.berth.core.Forecast;
import dev.berth.core.ForecastEstimate;
import dev.berth.core.ForecastPool;
import dev.berth.core.ForecastReason;
import dev.berth.core.Holder;
import dev.berth.core.Pool;
import dev.berth.server.auth.Outlook;
import dev.berth.server.auth.Principal;
import dev.berth.server.ledger.TimeSource;
import dev.berth.server.store.Store;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Why requests wait and when they may be granted. A pool is looked at once a second at most, however many ask, and less often where
 * that takes long: one looks, the others wait for it. Who came since is a reason to look sooner, but looking takes a twentieth of the
 * time at most; until then it is told that it is last. Reads the store only; throws what it throws.
 */
public final class Forecasts {
    private static final Duration FRESH = Duration.ofSeconds(1);
    /** A pool is looked at again when so many times what that took is over. */
    private static final int REST = 20;

    private static final Duration HISTORY_FRESH = Duration.ofMinutes(1);
    /** So many busy environments of a shape are looked at. */
    private static final int MOST_BUSY = 1_000;
    /** So many holders are told. */
    private static final int MOST_HOLDERS = 3;

    private static final int LONGEST_REQUESTER = 100;

    private final Store store;
    private final TimeSource clock;
    private final LongSupplier nanos;
    private final Map<Integer, Seen> seen = new ConcurrentHashMap<>();

    /**
     * @param nanos a clock that only goes forward, to tell what is fresh
     */
    public Forecasts(Store store, TimeSource clock, LongSupplier nanos) {
        this.store = store;
        this.clock = clock;
        this.nanos = nanos;
    }

    /** What was seen of a pool. Guarded by its lock. */
    private static final class Seen {
        private final ReentrantLock lock = new ReentrantLock();
        private @Nullable Look look;
        private long lookAgainAt;
        private long lookForNewAt;
        private ForecastPool.@Nullable History history;
        private long historyAgainAt;
    }

    private record Look(Instant now, Forecast forecast) {}

    /**
     * What a principal is told of an allocation that waits; who holds what it waits for where the principal may see that. Empty where
     * it waits no more, or its pool is gone.
     */
    public Optional<Outlook> of(Principal principal, Allocation allocation) {
        var found = look(allocation, false);
        var why = found.flatMap(look -> look.forecast().why(allocation.id()));
        if (why.isEmpty()) {
            found = look(allocation, true); // it came after the last look
            why = found.flatMap(look -> look.forecast().why(allocation.id()));
        }
        if (found.isEmpty() || why.isEmpty()) {
            return unseen(allocation);
        }
        var look = found.get();
        var reason = why.get();
        var estimate = look.forecast().estimate(allocation.id());
        return Optional.of(new Outlook(
                reason.position(),
                estimate.map(ForecastEstimate::p50).orElse(null),
                estimate.map(ForecastEstimate::p90).orElse(null),
                reason.sentence(look.now()) + heldBy(principal, reason)));
    }

    /** What is told of one that came since the last look; empty where it waits no more. */
    private Optional<Outlook> unseen(Allocation allocation) {
        return store.allocation(allocation.id())
                .filter(now -> now.state() instanceof AllocationState.Pending)
                .flatMap(_ -> store.pool(allocation.pool()))
                .map(pool -> new Outlook(Math.max(1, pool.waiting()), null, null, "came a moment ago"));
    }

    /** Its own loans are known to anybody, all of them to who sees everything. */
    private static String heldBy(Principal principal, ForecastReason reason) {
        var all = reason.needs().stream()
                .flatMap(need -> need.holders().stream())
                .map(ForecastPool.Busy::loan)
                .filter(Objects::nonNull)
                .filter(loan -> principal.seesAll() || loan.principal().equals(principal.name()))
                .map(ForecastPool.Loan::requester)
                .distinct()
                .toList();
        if (all.isEmpty()) {
            return "";
        }
        var told = all.stream().limit(MOST_HOLDERS).map(Forecasts::clipped).toList();
        return "; held by " + String.join(", ", told) + (all.size() > MOST_HOLDERS ? " and others" : "");
    }

    private static String clipped(String requester) {
        return requester.length() <= LONGEST_REQUESTER
                ? requester
                : requester.substring(0, LONGEST_REQUESTER - 1) + "…";
    }

    private Optional<Look> look(Allocation allocation, boolean missing) {
        var pool = seen.computeIfAbsent(allocation.id().poolNumber(), _ -> new Seen());
        pool.lock.lock();
        try {
            long began = nanos.getAsLong();
            var last = pool.look;
            if (last != null && began - (missing ? pool.lookForNewAt : pool.lookAgainAt) < 0) {
                return Optional.of(last);
            }
            var look = store.pool(allocation.pool()).map(row -> look(row, pool));
            long ended = nanos.getAsLong();
            pool.look = look.orElse(null);
            pool.lookForNewAt = ended + REST * (ended - began);
            pool.lookAgainAt = Math.max(ended + FRESH.toNanos(), pool.lookForNewAt);
            return look;
        } finally {
            pool.lock.unlock();
        }
    }

    private Look look(Pool pool, Seen known) {
        long nanosNow = nanos.getAsLong();
        var history = known.history;
        if (history == null || nanosNow - known.historyAgainAt >= 0) {
            history = Past.of(store, pool);
            known.history = history;
            known.historyAgainAt = nanosNow + HISTORY_FRESH.toNanos();
        }
        var holders = new HashMap<String, Holder>();
        store.holders(pool.number()).forEach(holder -> holders.put(holder.name(), holder));
        var now = clock.now();
        return new Look(
                now,
                Forecast.of(new ForecastPool(
                        now,
                        pool.policy(),
                        store.queue(pool.number()).stream()
                                .map(Forecasts::waiting)
                                .toList(),
                        store.shapes(pool.number()),
                        store.busy(pool.number(), MOST_BUSY),
                        holders,
                        history)));
    }

    private static ForecastPool.Waiting waiting(Store.Waiting request) {
        return new ForecastPool.Waiting(
                request.id(),
                request.principal(),
                request.sharer(),
                request.need(),
                request.priority(),
                request.rank(),
                request.arrival(),
                request.createdAt(),
                request.until(),
                request.interestUntil(),
                request.duration());
    }
}
