package dev.berth.client;

import org.jspecify.annotations.Nullable;

/**
 * Which events to read; a null leaves its field open.
 *
 * @param pool only this pool's
 * @param since only those after this cursor
 * @param limit at most so many in a page
 */
public record EventQuery(
        @Nullable String pool,
        @Nullable String since,
        @Nullable Integer limit) {

    /** All that are kept, from the oldest. */
    public static EventQuery all() {
        return new EventQuery(null, null, null);
    }
}
