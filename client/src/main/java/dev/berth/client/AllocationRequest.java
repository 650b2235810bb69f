package dev.berth.client;

import java.time.Duration;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What to ask for. Immutable; two calls with the same request join the same allocation, because both carry its key.
 *
 * @param pool the pool's name
 * @param requester free text naming who asks, such as a job's URL
 * @param count how many environments, all or none
 * @param duration how long the session may last, or null for the pool's
 * @param keepalive after how long a silence the allocation ends, or null for the pool's
 * @param maxWait how long to wait in the queue, or null for not at all
 * @param idempotencyKey what makes a repetition of the request the same request
 */
public record AllocationRequest(
        String pool,
        String requester,
        int count,
        @Nullable Duration duration,
        @Nullable Duration keepalive,
        @Nullable Duration maxWait,
        String idempotencyKey) {

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
        if (count < 1) {
            throw new IllegalArgumentException("count must be at least 1, not " + count);
        }
    }

    /** Starts a request for one environment of {@code pool} on behalf of {@code requester}. */
    public static Builder of(String pool, String requester) {
        return new Builder(pool, requester);
    }

    /** Collects what a request may say. Not for use by several threads. */
    public static final class Builder {
        private final String pool;
        private final String requester;
        private int count = 1;
        private @Nullable Duration duration;
        private @Nullable Duration keepalive;
        private @Nullable Duration maxWait;
        private @Nullable String idempotencyKey;

        private Builder(String pool, String requester) {
            this.pool = pool;
            this.requester = requester;
        }

        /** How many environments, all or none; 1 unless said. */
        public Builder count(int environments) {
            this.count = environments;
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

        /** What makes a repetition the same request; a random one is made where null. */
        public Builder idempotencyKey(@Nullable String key) {
            this.idempotencyKey = key;
            return this;
        }

        /** The request. */
        public AllocationRequest build() {
            String key = idempotencyKey == null ? UUID.randomUUID().toString() : idempotencyKey;
            return new AllocationRequest(pool, requester, count, duration, keepalive, maxWait, key);
        }
    }
}
