package dev.berth.core;

import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What is asked for.
 *
 * @param requester free text naming who asked
 * @param need which environments, all or nothing
 * @param duration how long they are wanted; null for the pool's session
 * @param keepalive how long without a sign of life; null for the pool's
 * @param maxWait how long to wait in the queue; zero for not at all
 * @param priority the higher, the earlier in the queue
 * @param labels a JSON object of strings, shown again and opaque to the rules
 * @param key the caller's idempotency key; null for none
 * @param digest of the whole request by meaning, to tell a repeat from another request under the same key
 */
public record Request(
        String requester,
        NeedClass need,
        @Nullable Duration duration,
        @Nullable Duration keepalive,
        Duration maxWait,
        int priority,
        String labels,
        @Nullable String key,
        String digest) {
    public Request {
        Objects.requireNonNull(requester);
        Objects.requireNonNull(need);
        Objects.requireNonNull(maxWait);
        Objects.requireNonNull(labels);
        Objects.requireNonNull(digest);
    }

    /** How many environments. */
    public int count() {
        return need.count();
    }

    /** The same for another need. */
    public Request needing(NeedClass other) {
        return new Request(requester, other, duration, keepalive, maxWait, priority, labels, key, digest);
    }

    Request prioritised(int other) {
        return new Request(requester, need, duration, keepalive, maxWait, other, labels, key, digest);
    }
}
