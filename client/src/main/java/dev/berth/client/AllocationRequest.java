package dev.berth.client;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What to ask for. Immutable; two calls with the same request join the same allocation, because both carry its key.
 *
 * @param pool the pool's name
 * @param requester free text naming who asks, such as a job's URL
 * @param environments which environments, all or none, 1 at least
 * @param distinctAccounts whether each of them has to be of another account
 * @param constraints what attributes of the environments ({@code region}, {@code account}, {@code name}) may be
 * @param duration how long the session may last, or null for the pool's
 * @param keepalive after how long a silence the allocation ends, or null for the pool's
 * @param maxWait how long to wait in the queue, or null for not at all
 * @param priority higher is served first, -100 to 100
 * @param labels what to note beside it
 * @param idempotencyKey what makes a repetition of the request the same request
 */
public record AllocationRequest(
        String pool,
        String requester,
        List<EnvironmentNeed> environments,
        boolean distinctAccounts,
        Map<String, List<String>> constraints,
        @Nullable Duration duration,
        @Nullable Duration keepalive,
        @Nullable Duration maxWait,
        int priority,
        Map<String, String> labels,
        String idempotencyKey) {
    /** The lowest priority that there is. */
    public static final int LOWEST_PRIORITY = -100;

    /** The highest priority that there is; consumers may ask for the pool's {@code max-priority} at most. */
    public static final int HIGHEST_PRIORITY = 100;

    /** Checks what the service would refuse whatever its configuration. */
    public AllocationRequest {
        Objects.requireNonNull(pool, "pool");
        Objects.requireNonNull(requester, "requester");
        Objects.requireNonNull(idempotencyKey, "idempotencyKey");
        if (pool.isEmpty()) {
            throw new IllegalArgumentException("pool must not be empty");
        }
        if (requester.isEmpty()) {
            throw new IllegalArgumentException("requester must not be empty");
        }
        environments = List.copyOf(environments);
        if (environments.isEmpty()) {
            throw new IllegalArgumentException("environments must not be empty");
        }
        if (priority < LOWEST_PRIORITY || priority > HIGHEST_PRIORITY) {
            throw new IllegalArgumentException(
                    "priority must be between " + LOWEST_PRIORITY + " and " + HIGHEST_PRIORITY + ", not " + priority);
        }
        Map<String, List<String>> copy = new LinkedHashMap<>();
        constraints.forEach((attribute, values) -> copy.put(attribute, List.copyOf(values)));
        constraints = Collections.unmodifiableMap(copy);
        labels = Collections.unmodifiableMap(new LinkedHashMap<>(labels));
    }

    /** Starts a request for one environment of {@code pool} on behalf of {@code requester}. */
    public static Builder of(String pool, String requester) {
        return new Builder(pool, requester);
    }

    /** Collects what a request may say. Not for use by several threads. */
    public static final class Builder {
        private final String pool;
        private final String requester;
        private final List<EnvironmentNeed> environments = new ArrayList<>();
        private boolean distinctAccounts;
        private final Map<String, List<String>> constraints = new LinkedHashMap<>();
        private @Nullable Duration duration;
        private @Nullable Duration keepalive;
        private @Nullable Duration maxWait;
        private int priority;
        private final Map<String, String> labels = new LinkedHashMap<>();
        private @Nullable String idempotencyKey;

        private Builder(String pool, String requester) {
            this.pool = pool;
            this.requester = requester;
        }

        /** Environments like this, beside those that were said before; one of any kind where none are said. */
        public Builder environment(EnvironmentNeed need) {
            this.environments.add(need);
            return this;
        }

        /** So many environments of any kind, beside those that were said before. */
        public Builder count(int number) {
            return environment(EnvironmentNeed.any().times(number));
        }

        /** Each environment of another account. */
        public Builder distinctAccounts(boolean distinct) {
            this.distinctAccounts = distinct;
            return this;
        }

        /** Only environments whose {@code attribute} is one of the values; any where there are none. */
        public Builder constraint(String attribute, List<String> values) {
            this.constraints.put(attribute, List.copyOf(values));
            return this;
        }

        /** How long the session may last; the pool's where null. */
        public Builder duration(@Nullable Duration longest) {
            this.duration = longest;
            return this;
        }

        /** After how long a silence the allocation ends; the pool's where null. */
        public Builder keepalive(@Nullable Duration silence) {
            this.keepalive = silence;
            return this;
        }

        /** How long to wait in the queue; not at all where null. */
        public Builder maxWait(@Nullable Duration longest) {
            this.maxWait = longest;
            return this;
        }

        /** Higher is served first; 0 unless said. */
        public Builder priority(int number) {
            this.priority = number;
            return this;
        }

        /** What to note beside the allocation. */
        public Builder label(String name, String value) {
            this.labels.put(name, value);
            return this;
        }

        /** What makes a repetition the same request; a random one is made where null. */
        public Builder idempotencyKey(@Nullable String key) {
            this.idempotencyKey = key;
            return this;
        }

        /** The request. */
        public AllocationRequest build() {
            return new AllocationRequest(
                    pool,
                    requester,
                    environments.isEmpty() ? List.of(EnvironmentNeed.any()) : environments,
                    distinctAccounts,
                    constraints,
                    duration,
                    keepalive,
                    maxWait,
                    priority,
                    labels,
                    idempotencyKey == null ? UUID.randomUUID().toString() : idempotencyKey);
        }
    }
}
