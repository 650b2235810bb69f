package dev.berth.server.auth;

import dev.berth.core.Allocation;
import dev.berth.core.AllocationId;
import dev.berth.core.AllocationState;
import dev.berth.core.Answer;
import dev.berth.core.Command;
import dev.berth.core.Grant;
import dev.berth.core.Policy;
import dev.berth.core.PoolName;
import dev.berth.core.Refusal;
import dev.berth.core.Request;
import dev.berth.server.ledger.Ledger;
import dev.berth.server.ledger.TimeSource;
import dev.berth.server.store.Store;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * What principals may do with allocations. An allocation that is none of the caller's business is one that does not exist. Every
 * method throws {@link dev.berth.server.ledger.LedgerException}.
 */
public final class AllocationDesk {
    private static final Duration SHORTEST_SESSION = Duration.ofSeconds(1);

    private final Ledger ledger;
    private final Store store;
    private final AccessDesk access;
    private final TimeSource time;
    private final RandomGenerator random;

    /**
     * @param random a {@link java.security.SecureRandom} in production: ids are made of it
     */
    public AllocationDesk(Ledger ledger, Store store, AccessDesk access, TimeSource time, RandomGenerator random) {
        this.ledger = ledger;
        this.store = store;
        this.access = access;
        this.time = time;
        this.random = random;
    }

    /** Asks for environments: {@link Answer.Current}, or refused. */
    public Answer ask(Principal principal, String pool, Request request) {
        var name = PoolName.isValid(pool) ? new PoolName(pool) : null;
        if (name == null || !principal.mayBorrowFrom(name)) {
            return noSuchPool(pool);
        }
        var number = Reads.of(() -> ledger.numberOf(name));
        if (number.isEmpty()) {
            return noSuchPool(pool);
        }
        if (request.duration() != null && request.duration().compareTo(SHORTEST_SESSION) < 0) {
            return new Answer.Refused(Refusal.OUT_OF_RANGE, "duration: at least 1s", null);
        }
        if (request.keepalive() != null && request.keepalive().compareTo(Policy.SHORTEST_KEEPALIVE) < 0) {
            return new Answer.Refused(Refusal.OUT_OF_RANGE, "keepalive: at least 10s", null);
        }
        var id = AllocationId.create(number.get(), time.now(), random);
        return ledger.call(name, new Command.Ask(id, principal.name(), request, Duration.ZERO, null, false));
    }

    static Answer noSuchPool(String pool) {
        return new Answer.Refused(Refusal.NO_SUCH_POOL, "No pool '%s'".formatted(pool), null);
    }

    /** A sign of life: {@link Answer.Current}, or refused. */
    public Answer keepAlive(Principal principal, String id) {
        return command(id, allocation -> new Command.KeepAlive(allocation, principal.caller()));
    }

    /** Moves the session's end: {@link Answer.Current}, or refused. */
    public Answer extend(Principal principal, String id, Instant until) {
        return command(id, allocation -> new Command.Extend(allocation, principal.caller(), until));
    }

    /** Ends it: {@link Answer.Current}, or refused. */
    public Answer release(Principal principal, String id, @Nullable String outcome) {
        return command(id, allocation -> new Command.Release(allocation, principal.caller(), outcome));
    }

    private Answer command(String text, Function<AllocationId, Command> command) {
        var id = AllocationId.parse(text);
        var pool = id.flatMap(one -> Reads.of(() -> ledger.poolOf(one)));
        if (id.isEmpty() || pool.isEmpty()) {
            return new Answer.Refused(Refusal.NO_SUCH_ALLOCATION, "No allocation " + text, null);
        }
        return ledger.call(pool.get(), command.apply(id.get()));
    }

    /** The allocation as it is now; empty where there is none that the principal may see. */
    public Optional<Allocation> find(Principal principal, String id) {
        return AllocationId.parse(id)
                .flatMap(parsed -> Reads.of(() -> store.allocation(parsed)))
                .filter(principal::sees);
    }

    /**
     * Which allocations to list.
     *
     * @param pool null for every pool
     * @param state as {@link Store.AllocationQuery} has it
     * @param requester null for any
     * @param cursor null for the first page
     */
    public record Query(
            @Nullable PoolName pool,
            @Nullable String state,
            @Nullable String requester,
            @Nullable String cursor,
            int limit) {}

    /** Newest first; those alone that the principal may see. */
    public Page<Allocation> list(Principal principal, Query query) {
        var whose = principal.seesAll() ? null : principal.name();
        var found = Reads.of(() -> store.allocations(new Store.AllocationQuery(
                query.pool(), query.state(), query.requester(), whose, query.cursor(), query.limit())));
        return new Page<>(found.items(), found.next());
    }

    /** Its place in the queue, 1 for the first; empty where it does not wait. */
    public Optional<Integer> position(Allocation allocation) {
        if (!(allocation.state() instanceof AllocationState.Pending)) {
            return Optional.empty();
        }
        return Optional.of(
                1 + Reads.of(() -> store.waitingBefore(allocation.id().poolNumber(), allocation.arrival())));
    }

    /** Whether access of this allocation is shown to the principal: it is the one who holds it. */
    public boolean showsAccess(Principal principal, Allocation allocation) {
        return allocation.state() instanceof AllocationState.Active && principal.owns(allocation);
    }

    /** What the holder is told of one of its environments. Only where {@link #showsAccess} says so. */
    public HolderAccess access(Allocation allocation, Grant grant) {
        return access.of(allocation, grant);
    }

    public Instant now() {
        return time.now();
    }
}
