package dev.berth.core;

import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How a pool lends.
 *
 * @param provider the kind of its environments
 * @param settings the pool's own settings of that kind, a JSON object. Opaque to the rules, and kept with the pool, so that an
 *     environment can be cleaned though its configuration is gone
 * @param steps the steps that this kind has in this pool
 * @param session how long an allocation may last; null only where the pool says {@code none}
 * @param maxSession until when an extension may go, from the grant on; null where extending is not allowed
 * @param keepalive how long an allocation goes on without a sign of life, where the request does not say; null for off
 * @param retryAfter what a refused caller is told to wait
 * @param adopt whether a new environment is only verified, not cleaned, before its first grant
 * @param limits time-out and attempts of every step there is
 * @param verifyEvery how often a free environment is verified; null for never
 * @param queue how requests wait
 * @param quota what a principal may have of the pool at once
 * @param quotas the same for those principals that differ
 * @param hold how environments are kept for a person after a failed run; null where they are not
 * @param parallel how many upkeep steps may run at once in the pool; issuing has as many places of its own
 * @param perAccount how many of these at once in one provider account
 * @param isolates whether of one provider account only one environment is out at a time
 */
public record Policy(
        String provider,
        String settings,
        Set<Step> steps,
        @Nullable Duration session,
        @Nullable Duration maxSession,
        @Nullable Duration keepalive,
        Duration retryAfter,
        boolean adopt,
        Map<Step, Limits> limits,
        @Nullable Duration verifyEvery,
        Queueing queue,
        Quota quota,
        Map<String, Quota> quotas,
        @Nullable Hold hold,
        int parallel,
        int perAccount,
        boolean isolates) {

    /** The shortest keepalive that may be asked for. */
    public static final Duration SHORTEST_KEEPALIVE = Duration.ofSeconds(10);

    public Policy {
        Objects.requireNonNull(provider);
        Objects.requireNonNull(settings);
        Objects.requireNonNull(retryAfter);
        Objects.requireNonNull(queue);
        Objects.requireNonNull(quota);
        quotas = Map.copyOf(quotas);
        steps = Set.copyOf(steps);
        var all = new EnumMap<Step, Limits>(Step.class);
        all.putAll(limits);
        for (var step : Step.values()) {
            all.putIfAbsent(step, Limits.DEFAULT);
        }
        limits = Map.copyOf(all);
    }

    public Quota quota(String principal) {
        return quotas.getOrDefault(principal, quota);
    }

    /** Whose share of the pool an allocation counts as, for the order of the queue; empty where the order tells nobody apart. */
    public String sharer(String principal, @Nullable String label) {
        if (queue.order() == Queueing.Order.FIFO) {
            return quota(principal).held() == null ? "" : principal;
        }
        return queue.shareBy() == null ? principal : queue.shareBy() + "=" + (label == null ? "" : label);
    }

    /** Whether who shares the pool by this name, and holds so many environments, gets no more for now. */
    boolean bars(String sharer, int held) {
        var most = queue.shareBy() == null ? quota(sharer).held() : null;
        return most != null && held >= most;
    }

    /** Bounds on how long what is due after a grant's end may take: every attempt of every step. */
    Duration longestUpkeep() {
        var longest = Duration.ZERO;
        for (var step : steps) {
            if (step != Step.ISSUE) {
                longest = longest.plus(
                        limits(step).timeout().multipliedBy(limits(step).attempts()));
            }
        }
        return longest;
    }

    public Limits limits(Step step) {
        return Objects.requireNonNull(limits.get(step));
    }

    /** The first of the steps from here on that this pool has; null when there is none left. */
    @Nullable
    Step firstFrom(Step from) {
        for (var step : Step.values()) {
            if (step != Step.ISSUE && step.compareTo(from) >= 0 && steps.contains(step)) {
                return step;
            }
        }
        return null;
    }

    /**
     * How requests wait.
     *
     * @param max how many
     * @param maxWait the longest that a request may ask to wait
     * @param order who goes first among those of the same priority
     * @param shareBy the label whose values share the pool where the order is fair; null for principals
     * @param halfLife after which what was used counts half, where the order is fair
     * @param aging so much waiting counts as one step of priority
     * @param liveness how long a waiting request is passed on without anybody being interested in it
     * @param maxPriority the highest priority that a consumer may ask for
     */
    public record Queueing(
            int max,
            Duration maxWait,
            Order order,
            @Nullable String shareBy,
            Duration halfLife,
            Duration aging,
            Duration liveness,
            int maxPriority) {
        public static final Queueing DEFAULT = new Queueing(
                1000,
                Duration.ofHours(24),
                Order.FIFO,
                null,
                Duration.ofHours(24),
                Duration.ofMinutes(15),
                Duration.ofSeconds(60),
                0);
        public static final int LOWEST_PRIORITY = -100;
        public static final int HIGHEST_PRIORITY = 100;

        public Queueing {
            Objects.requireNonNull(maxWait);
            Objects.requireNonNull(order);
            Objects.requireNonNull(halfLife);
            Objects.requireNonNull(aging);
            Objects.requireNonNull(liveness);
        }

        /** Who goes first. */
        public enum Order {
            /** Who came first. */
            FIFO,
            /** Who used least of the pool lately. */
            FAIR
        }
    }

    /**
     * What a principal may have at once.
     *
     * @param held environments; null for as many as there are
     * @param queued waiting requests; null for as many as the queue takes
     */
    public record Quota(@Nullable Integer held, @Nullable Integer queued) {
        public static final Quota NONE = new Quota(null, null);
    }

    /**
     * How environments are kept for a person after a failed run.
     *
     * @param max how long, from the first time that it is asked for
     * @param quota how many environments of the pool at once
     */
    public record Hold(Duration max, int quota) {
        public Hold {
            Objects.requireNonNull(max);
        }
    }

    /**
     * Bounds of one step.
     *
     * @param timeout of one attempt
     * @param attempts how often it is tried before the environment is dirty
     */
    public record Limits(Duration timeout, int attempts) {
        public static final Limits DEFAULT = new Limits(Duration.ofMinutes(10), 3);

        public Limits {
            Objects.requireNonNull(timeout);
            if (attempts < 1) {
                throw new IllegalArgumentException("attempts: at least 1");
            }
        }
    }
}
