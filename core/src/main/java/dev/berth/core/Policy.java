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
 * @param queueMax how many requests may wait
 * @param maxWait the longest that a request may ask to wait
 * @param parallel how many upkeep steps may run at once in the pool; issuing has as many places of its own
 * @param perAccount how many of these at once in one provider account
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
        int queueMax,
        Duration maxWait,
        int parallel,
        int perAccount) {

    /** The shortest keepalive that may be asked for. */
    public static final Duration SHORTEST_KEEPALIVE = Duration.ofSeconds(10);

    public Policy {
        Objects.requireNonNull(provider);
        Objects.requireNonNull(settings);
        Objects.requireNonNull(retryAfter);
        Objects.requireNonNull(maxWait);
        steps = Set.copyOf(steps);
        var all = new EnumMap<Step, Limits>(Step.class);
        all.putAll(limits);
        for (var step : Step.values()) {
            all.putIfAbsent(step, Limits.DEFAULT);
        }
        limits = Map.copyOf(all);
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
