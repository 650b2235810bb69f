package dev.berth.client;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
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
 * @param keepaliveBy when it ends unless a sign of life comes, or null where keepalive is off
 * @param endedAt when it ended, or null before
 * @param endReason why it ended, or null before
 * @param outcome what its holder said about the work, or null
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
        @Nullable Instant endedAt,
        @Nullable String endReason,
        @Nullable String outcome,
        List<LentEnvironment> environments,
        @Nullable QueuePlace queue,
        String json) {

    /** Takes a copy of the list. */
    public Allocation {
        environments = List.copyOf(environments);
    }

    /** Tells which allocation it is; never its access. */
    @Override
    public String toString() {
        return "Allocation[" + id + ", " + state.wire() + ", pool " + pool + "]";
    }
}
