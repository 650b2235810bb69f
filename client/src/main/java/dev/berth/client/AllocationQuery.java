package dev.berth.client;

import org.jspecify.annotations.Nullable;

/**
 * Which allocations to list; a null leaves its field open.
 *
 * @param pool only this pool's
 * @param state only those in this state
 * @param requester only this requester's
 * @param cursor where the last page ended
 * @param limit at most so many
 */
public record AllocationQuery(
        @Nullable String pool,
        @Nullable AllocationState state,
        @Nullable String requester,
        @Nullable String cursor,
        @Nullable Integer limit) {

    /** All of them, from the start. */
    public static AllocationQuery all() {
        return new AllocationQuery(null, null, null, null, null);
    }
}
