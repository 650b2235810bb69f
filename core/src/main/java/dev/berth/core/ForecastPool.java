package dev.berth.core;

import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A pool at an instant, as far as a forecast needs it.
 *
 * @param waiting requests that wait, in any order
 * @param shapes how many environments have which shape, all of them
 * @param busy environments that are neither free nor dirty nor draining; where that is not all of them, those that are back first
 * @param holders principals and sharers of the pool, by name
 */
public record ForecastPool(
        Instant now,
        Policy policy,
        List<Waiting> waiting,
        List<ShapeCount> shapes,
        List<Busy> busy,
        Map<String, Holder> holders,
        History history) {
    /** Who came first, were priority counted as having come earlier. */
    static final Comparator<Waiting> BY_RANK =
            Comparator.comparingLong(Waiting::rank).thenComparingLong(Waiting::arrival);

    public ForecastPool {
        Objects.requireNonNull(now);
        Objects.requireNonNull(policy);
        waiting = List.copyOf(waiting);
        shapes = List.copyOf(shapes);
        busy = List.copyOf(busy);
        holders = Map.copyOf(holders);
        Objects.requireNonNull(history);
    }

    /**
     * A request that waits.
     *
     * @param sharer whose share of the pool it counts as
     * @param rank its place in the order, the lowest first; the arrival decides between equals
     * @param until when it gives up
     * @param interestUntil until when somebody is known to be interested in it; null when nobody is
     * @param duration asked for; null for the pool's session
     */
    public record Waiting(
            AllocationId id,
            String principal,
            String sharer,
            NeedClass need,
            int priority,
            long rank,
            long arrival,
            Instant createdAt,
            Instant until,
            @Nullable Instant interestUntil,
            @Nullable Duration duration) {
        public Waiting {
            Objects.requireNonNull(id);
            Objects.requireNonNull(principal);
            Objects.requireNonNull(sharer);
            Objects.requireNonNull(need);
            Objects.requireNonNull(createdAt);
            Objects.requireNonNull(until);
        }
    }

    /**
     * An environment that is lent again some time.
     *
     * @param shape the digest of its shape
     * @param since when it was lent, or when its upkeep began
     * @param withheld whether that is true of another environment of its account, for which it waits
     * @param loan who has it; null while it is in upkeep
     */
    public record Busy(
            EnvironmentName name,
            String shape,
            @Nullable String account,
            Instant since,
            boolean withheld,
            @Nullable Loan loan) {
        public Busy {
            Objects.requireNonNull(name);
            Objects.requireNonNull(shape);
            Objects.requireNonNull(since);
        }
    }

    /**
     * By whom an environment is held.
     *
     * @param backBy when it ends at the latest; null where that is not known
     */
    public record Loan(
            AllocationId allocation,
            String requester,
            String principal,
            String sharer,
            @Nullable Instant backBy) {
        public Loan {
            Objects.requireNonNull(allocation);
            Objects.requireNonNull(requester);
            Objects.requireNonNull(principal);
            Objects.requireNonNull(sharer);
        }
    }

    /**
     * What happened lately.
     *
     * @param loans that ended
     * @param upkeep times from a loan's end until its environment could be lent again
     * @param requests that were made, without those that wait or hold something still
     */
    public record History(List<Past> loans, List<Duration> upkeep, List<Asked> requests) {
        public static final History NONE = new History(List.of(), List.of(), List.of());

        public History {
            loans = List.copyOf(loans);
            upkeep = List.copyOf(upkeep);
            requests = List.copyOf(requests);
        }
    }

    /**
     * A request that was made.
     *
     * @param sharer whose share of the pool it counted as
     * @param duration asked for; null for the pool's session
     */
    public record Asked(
            Instant at,
            String principal,
            String sharer,
            NeedClass need,
            int priority,
            @Nullable Duration duration) {
        public Asked {
            Objects.requireNonNull(at);
            Objects.requireNonNull(principal);
            Objects.requireNonNull(sharer);
            Objects.requireNonNull(need);
        }
    }

    /**
     * A loan that ended.
     *
     * @param allowed how long it might have lasted; null for as long as it liked
     */
    public record Past(Duration lasted, @Nullable Duration allowed) {
        public Past {
            Objects.requireNonNull(lasted);
        }
    }

    /** Those who wait, the first to be served first, as the rules of the queue have it now. */
    List<Waiting> inOrder() {
        if (!isFair()) {
            return waiting.stream().sorted(BY_RANK).toList();
        }
        return waiting.stream()
                .sorted(Comparator.comparingLong(this::level)
                        .reversed()
                        .thenComparingDouble(this::share)
                        .thenComparing(BY_RANK))
                .toList();
    }

    boolean isFair() {
        return policy.queue().order() == Policy.Queueing.Order.FAIR;
    }

    Holder holder(String name) {
        var known = holders.get(name);
        return known == null ? Holder.unknown(name, now) : known;
    }

    private long level(Waiting request) {
        var served = holder(request.sharer()).servedAt();
        var since = served.isAfter(request.createdAt()) ? served : request.createdAt();
        return request.priority()
                + Math.floorDiv(
                        Duration.between(since, now).toMillis(),
                        policy.queue().aging().toMillis());
    }

    private double share(Waiting request) {
        var holder = holder(request.sharer());
        return holder.usedAt(now, policy.queue().halfLife()) + holder.held() * Order.MINUTES_AHEAD;
    }

    /** Whether it is passed over, since nobody is known to be interested in it. */
    boolean isAsleep(Waiting request) {
        return request.interestUntil() == null || !request.interestUntil().isAfter(now);
    }

    /** How many environments its principal may have at once; null for as many as there are. */
    @Nullable
    Integer mostHeld(String principal) {
        return policy.quota(principal).held();
    }

    boolean isOverQuota(Waiting request) {
        var most = mostHeld(request.principal());
        return most != null
                && holder(request.principal()).held() + request.need().count() > most;
    }
}
