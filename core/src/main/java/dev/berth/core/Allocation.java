package dev.berth.core;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The exclusive grant, or the wish for one, of one or more environments of a pool to one requester.
 *
 * @param principal who authenticated
 * @param arrival its place in the order of the pool's requests
 * @param keepalive its keepalive in force: the request's, or else the pool's at the time of asking; null for off
 */
public record Allocation(
        AllocationId id,
        PoolName pool,
        String principal,
        Request request,
        long arrival,
        Instant createdAt,
        @Nullable Duration keepalive,
        AllocationState state) {

    public Allocation {
        Objects.requireNonNull(id);
        Objects.requireNonNull(pool);
        Objects.requireNonNull(principal);
        Objects.requireNonNull(request);
        Objects.requireNonNull(createdAt);
        Objects.requireNonNull(state);
    }

    public Tenant tenant() {
        return new Tenant(id, request.requester(), principal);
    }

    public boolean hasEnded() {
        return state instanceof AllocationState.Ended;
    }

    Allocation in(AllocationState next) {
        return new Allocation(id, pool, principal, request, arrival, createdAt, keepalive, next);
    }

    Allocation ended(EndReason reason, @Nullable String outcome, Instant now) {
        var grants = state.grants().stream().map(grant -> grant.with(null)).toList();
        var active = state instanceof AllocationState.Active was ? was : null;
        return in(new AllocationState.Ended(
                active == null ? List.of() : grants,
                active == null ? null : active.grantedAt(),
                active == null ? null : active.expiresAt(),
                now,
                reason,
                outcome));
    }
}
