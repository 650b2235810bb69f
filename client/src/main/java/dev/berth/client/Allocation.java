package dev.berth.client;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The service's answer about one allocation, at the moment of the answer.
 *
 * @param id its id
 * @param state where it is in its life
 * @param pool its pool
 * @param requester who asked
 * @param createdAt when it was asked for, or null where not told
 * @param grantedAt when its session began, or null before
 * @param expiresAt when its session ends, or null where it has no end or has not begun
 * @param expiresIn the rest of the session as the service counts it, or null likewise
 * @param keepaliveBy when it ends unless a sign of life comes, or null where keepalive is off, and for others until its own caller came for it
 * @param heldUntil until when it is kept for a person after a failed run, in place of both deadlines, or null where it is not
 * @param heldFor the principals whom it is kept for, beside the one that asked for it
 * @param endedAt when it ended, or null before
 * @param endReason why it ended ({@code released}, {@code session-expired}, {@code wait-timeout}, {@code not-collected} …), or null
 *     before
 * @param outcome what its holder said about the work, or null
 * @param priority its place in the queue's order, higher first
 * @param labels what was noted beside it
 * @param environments what is lent, with access where the caller may see it
 * @param queue its place while it is pending, otherwise null
 * @param json the answer as it came; it may hold secrets
 */
public record Allocation(
        String id,
        AllocationState state,
        String pool,
        String requester,
        @Nullable Instant createdAt,
        @Nullable Instant grantedAt,
        @Nullable Instant expiresAt,
        @Nullable Duration expiresIn,
        @Nullable Instant keepaliveBy,
        @Nullable Instant heldUntil,
        List<String> heldFor,
        @Nullable Instant endedAt,
        @Nullable String endReason,
        @Nullable String outcome,
        long priority,
        Map<String, String> labels,
        List<LentEnvironment> environments,
        @Nullable QueuePlace queue,
        String json) {

    /** Takes copies of the lists and the map. */
    public Allocation {
        heldFor = List.copyOf(heldFor);
        labels = Map.copyOf(labels);
        environments = List.copyOf(environments);
    }

    /** Tells which allocation it is; never its access. */
    @Override
    public String toString() {
        return "Allocation[" + id + ", " + state.wire() + ", pool " + pool + "]";
    }
}
