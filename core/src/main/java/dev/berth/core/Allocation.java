package dev.berth.core;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The exclusive grant, or the wish for one, of one or more environments of a pool to one requester.
 *
 * @param principal who authenticated
 * @param sharer whose share of the pool it counts as, for the order of the queue; empty where that makes no difference
 * @param arrival the number of its coming
 * @param rank its place in the queue, the lowest first: when it came, in milliseconds since 1970, less one {@code aging} for every
 *     step of its priority. {@code arrival} decides between equals
 * @param keepalive its keepalive in force: the request's, or else the pool's at the time of asking; null for off
 */
public record Allocation(
        AllocationId id,
        PoolName pool,
        String principal,
        Request request,
        String sharer,
        long arrival,
        long rank,
        Instant createdAt,
        @Nullable Duration keepalive,
        AllocationState state) {

    public Allocation {
        Objects.requireNonNull(id);
        Objects.requireNonNull(pool);
        Objects.requireNonNull(principal);
        Objects.requireNonNull(request);
        Objects.requireNonNull(sharer);
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
        return new Allocation(id, pool, principal, request, sharer, arrival, rank, createdAt, keepalive, next);
    }

    /**
     * The line it waits in, where it waits. Callers who keep asking have lines of their own: as nothing is gathered for them, any number of
     * them may be before one who waits.
     */
    public Line.Key line() {
        var need = request.need();
        var digest = state instanceof AllocationState.Polling ? need.digest() + "?" : need.digest();
        return new Line.Key(need.isSpecial() ? "" : digest, sharer);
    }

    /** Whether it waits in its line, and is not passed over. */
    public boolean isAwake() {
        return switch (state) {
            case AllocationState.Pending pending -> pending.interestUntil() != null;
            case AllocationState.Polling polling -> polling.awake();
            case AllocationState.Granting _, AllocationState.Active _, AllocationState.Ended _ -> false;
        };
    }

    /** Whether the person may read its access and end it, or did so: a second time is no error. */
    public boolean isHeldFor(String person) {
        return switch (state) {
            case AllocationState.Active active ->
                active.hold() != null && active.hold().to().contains(person);
            case AllocationState.Ended ended -> ended.heldFor().contains(person);
            case AllocationState.Pending _, AllocationState.Polling _, AllocationState.Granting _ -> false;
        };
    }

    Allocation prioritised(int priority, Duration aging) {
        return new Allocation(
                id,
                pool,
                principal,
                request.prioritised(priority),
                sharer,
                arrival,
                rank(createdAt, priority, aging),
                createdAt,
                keepalive,
                state);
    }

    static long rank(Instant createdAt, int priority, Duration aging) {
        return createdAt.toEpochMilli() - priority * aging.toMillis();
    }

    Allocation ended(EndReason reason, @Nullable String outcome, Instant now) {
        var grants = state.grants().stream().map(grant -> grant.with(null)).toList();
        var active = state instanceof AllocationState.Active was ? was : null;
        var hold = active == null ? null : active.hold();
        return in(new AllocationState.Ended(
                active == null ? List.of() : grants,
                active == null ? null : active.grantedAt(),
                hold != null ? hold.until() : active == null ? null : active.expiresAt(),
                now,
                reason,
                outcome,
                hold == null ? Set.of() : hold.to()));
    }
}
