package dev.berth.core;

import java.time.Instant;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Something that happened in a pool.
 *
 * @param number in commit order, without gaps, within the pool
 * @param data further facts by name; no secrets
 */
public record Event(
        long number,
        Instant at,
        Type type,
        @Nullable AllocationId allocation,
        @Nullable EnvironmentName environment,
        @Nullable String principal,
        Map<String, String> data) {
    public Event {
        Objects.requireNonNull(at);
        Objects.requireNonNull(type);
        data = Map.copyOf(data);
    }

    /** What happened. */
    public enum Type {
        ALLOCATION_REQUESTED,
        ALLOCATION_GRANTED,
        ALLOCATION_ACTIVE,
        ALLOCATION_UNDONE,
        ALLOCATION_EXTENDED,
        ALLOCATION_HELD,
        ALLOCATION_PRIORITISED,
        ALLOCATION_ENDED,
        ENVIRONMENT_REGISTERED,
        ENVIRONMENT_CHANGED,
        ENVIRONMENT_RETIRING,
        ENVIRONMENT_RETIRED,
        ENVIRONMENT_AVAILABLE,
        ENVIRONMENT_QUARANTINED,
        ENVIRONMENT_DIRTY,
        STEP_STARTED,
        STEP_DONE,
        STEP_FAILED,
        STEP_UNAVAILABLE,
        CLAIM_LOST,
        OPERATOR_ACTED,
        BASELINE_KEPT,
        POOL_CONFIGURED,
        POOL_DELISTED,
        CONFIGURATION_APPLIED,
        CONFIGURATION_REFUSED,
        TOKEN_CREATED,
        TOKEN_REVOKED,
        CLOCK_JUMPED,
        STORE_RESTORED,
        BREAKER_OPENED,
        BREAKER_CLOSED,
        OUTAGE_SURVIVED;

        /** As it is written on the wire and in the store. */
        public String slug() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }

        public static Type of(String slug) {
            return valueOf(slug.toUpperCase(Locale.ROOT).replace('-', '_'));
        }
    }
}
