package dev.berth.client;

import org.jspecify.annotations.Nullable;

/**
 * Which environments to list; a null leaves its field open.
 *
 * @param pool only this pool's
 * @param state only those in this state
 * @param cursor where the last page ended
 * @param limit at most so many
 */
public record EnvironmentQuery(
        @Nullable String pool,
        @Nullable String state,
        @Nullable String cursor,
        @Nullable Integer limit) {

    /** All of them, from the start. */
    public static EnvironmentQuery all() {
        return new EnvironmentQuery(null, null, null, null);
    }
}
