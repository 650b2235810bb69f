package dev.berth.server.auth;

import dev.berth.core.Allocation;
import dev.berth.core.AllocationId;
import dev.berth.core.AllocationState.Active;
import dev.berth.core.AllocationState.Ended;
import dev.berth.core.AllocationState.Granting;
import dev.berth.core.AllocationState.Pending;
import dev.berth.core.AllocationState.Polling;
import dev.berth.core.Answer;
import dev.berth.core.Command;
import dev.berth.core.Decision;
import dev.berth.core.EndReason;
import dev.berth.core.Grant;
import dev.berth.core.Policy;
import dev.berth.core.PoolName;
import dev.berth.core.Refusal;
import dev.berth.core.Request;
import dev.berth.providers.Provider;
import dev.berth.server.ledger.Ledger;
import dev.berth.server.ledger.TimeSource;
import dev.berth.server.store.Store;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * What principals may do with allocations. An allocation that is none of the caller's business is one that does not exist. Every
 * method throws {@link dev.berth.server.ledger.LedgerException}.
 */
public final class AllocationDesk implements Ledger.Listener {
    private static final Duration SHORTEST_SESSION = Duration.ofSeconds(1);
    private static final Duration RETRY_AFTER = Duration.ofSeconds(20);
    private static final Duration SHORTEST_HOLD = Duration.ofMinutes(1);
    private static final int MOST_ENVIRONMENTS = 1000;
    /** Where it takes a search to tell which environment is for what. */
    private static final int MOST_SEARCHED = 100;

    private final Ledger ledger;
    private final Store store;
    private final AccessDesk access;
    private final TimeSource time;
    private final RandomGenerator random;
    /** As of each pool's last commit in this process. */
    private final Map<PoolName, Policy> policies = new ConcurrentHashMap<>();

    /**
     * Is told of the ledger's commits from then on.
     *
     * @param random a {@link java.security.SecureRandom} in production: ids are made of it
     */
    public AllocationDesk(Ledger ledger, Store store, AccessDesk access, TimeSource time, RandomGenerator random) {
        this.ledger = ledger;
        this.store = store;
        this.access = access;
        this.time = time;
        this.random = random;
        ledger.addListener(this);
    }

    @Override
    public void committed(PoolName pool, Decision decision) {
        policies.put(pool, decision.pool().policy());
    }

    /** How the pool lends, as far as this process was told; empty where there is no such pool. */
    private Optional<Policy> policy(PoolName pool) {
        var known = policies.get(pool);
        if (known == null) {
            // What a commit tells meanwhile is newer.
            Reads.of(() -> store.pool(pool)).ifPresent(read -> policies.putIfAbsent(pool, read.policy()));
            known = policies.get(pool);
        }
        return Optional.ofNullable(known);
    }

    /** What who found nothing free in the pool is told to wait. */
    public Duration retryAfter(PoolName pool) {
        return policy(pool).map(Policy::retryAfter).orElse(RETRY_AFTER);
    }

    /** How long a request may wait in the pool at most; empty where there is no such pool. */
    public Optional<Duration> longestWait(String pool) {
        return PoolName.isValid(pool)
                ? policy(new PoolName(pool)).map(policy -> policy.queue().maxWait())
                : Optional.empty();
    }

    /** How long an allocation of the pool lasts that did not say; empty where it has no end, or there is no such pool. */
    public Optional<Duration> session(PoolName pool) {
        return policy(pool).map(Policy::session);
    }

    /**
     * Asks for environments: {@link Answer.Current}, or refused.
     *
     * @param labels of the request, by name
     * @param open how long the caller's connection waits for it; zero for not at all
     */
    public Answer ask(Principal principal, String pool, Request request, Map<String, String> labels, Duration open) {
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
        if (request.count() > 1 && policy(name).map(Policy::isolates).orElse(false)) {
            request = request.needing(request.need().inDifferentAccounts());
        }
        int most = request.need().isSpecial() ? MOST_SEARCHED : MOST_ENVIRONMENTS;
        if (request.count() > most) {
            return new Answer.Refused(
                    Refusal.UNSATISFIABLE,
                    "environments: at most %d in one request%s"
                            .formatted(
                                    most,
                                    request.need().isSpecial()
                                            ? " where they differ, or are of certain accounts or names"
                                            : ""),
                    null);
        }
        var sharedBy = labels.isEmpty()
                ? null
                : policy(name).map(policy -> policy.queue().shareBy()).orElse(null);
        var label = sharedBy == null ? null : labels.get(sharedBy);
        var id = AllocationId.create(number.get(), time.now(), random);
        return ledger.call(
                name,
                new Command.Ask(
                        id, principal.name(), request, open, label, principal.has(Role.OPERATOR), principal.address()));
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

    /**
     * Keeps its environments for a person: {@link Answer.Current}, or refused.
     *
     * @param outcome what the holder says of its run; null for nothing
     * @param to names of principals who may read its access and end it
     */
    public Answer hold(Principal principal, String id, Duration period, @Nullable String outcome, Set<String> to) {
        if (period.compareTo(SHORTEST_HOLD) < 0) {
            return new Answer.Refused(Refusal.OUT_OF_RANGE, "for: at least 1m", null);
        }
        return command(id, allocation -> new Command.Hold(allocation, principal.caller(), period, outcome, to));
    }

    /** Gives it another priority while it waits: {@link Answer.Current}, or refused. */
    public Answer prioritise(Principal operator, String id, int priority) {
        return command(id, allocation -> new Command.Prioritise(allocation, operator.caller(), priority));
    }

    /**
     * Notes that its own principal looks at it, where that makes a difference: it is interest while it waits, and the fetching of
     * what was granted.
     *
     * @param open how long the caller's connection waits for it; zero for not at all
     * @return as it is then
     */
    public Allocation attend(Principal principal, Allocation allocation, Duration open) {
        var seen = allocation;
        // Twice: who comes back to the queue may be served at once, and then fetches that.
        for (int i = 0; i < 2 && principal.owns(seen) && isWorthNoting(seen, open); i++) {
            var answer = ledger.call(seen.pool(), new Command.Attend(seen.id(), principal.caller(), open));
            seen = answer instanceof Answer.Current(Allocation now) ? now : seen;
        }
        return seen;
    }

    private boolean isWorthNoting(Allocation allocation, Duration open) {
        return switch (allocation.state()) {
            case Pending pending -> {
                var known = pending.interestUntil();
                yield known == null
                        || !known.isAfter(time.now().plus(noted(allocation.pool())))
                        || (open.isPositive() && time.now().plus(open).isAfter(pending.openUntil()));
            }
            case Active active -> active.collectBy() != null;
            case Granting _, Polling _, Ended _ -> false;
        };
    }

    /** Interest that lasts longer than this was noted a moment ago. */
    private Duration noted(PoolName pool) {
        return policy(pool)
                .map(policy -> policy.queue().liveness().multipliedBy(2).dividedBy(3))
                .orElse(Duration.ZERO);
    }

    /** How often interest has to be noted while a connection waits. */
    public Duration interestEvery(PoolName pool) {
        return noted(pool).dividedBy(2);
    }

    /**
     * The connection that waited for it was closed.
     *
     * @param known whether its caller knows its id
     */
    public void leave(Principal principal, Allocation allocation, boolean known) {
        if (principal.owns(allocation) && !allocation.hasEnded()) {
            ledger.call(allocation.pool(), new Command.Leave(allocation.id(), principal.caller(), known));
        }
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
        return find(id).filter(principal::sees);
    }

    /** The allocation as it is now, whoever asks; empty where there is none. For callers that tell nobody of what is not theirs. */
    public Optional<Allocation> find(String id) {
        return AllocationId.parse(id)
                .flatMap(parsed -> Reads.of(() -> store.allocation(parsed)))
                .filter(allocation -> !(allocation.state() instanceof Polling));
    }

    /** Whether it is kept for this person. */
    public boolean isHeldFor(Principal person, String id) {
        return find(person, id)
                .filter(allocation -> allocation.isHeldFor(person.name()))
                .isPresent();
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

    /** Whether access of this allocation is shown to the principal: it is who holds it, or for whom it is kept. */
    public boolean showsAccess(Principal principal, Allocation allocation) {
        return allocation.state() instanceof Active
                && (principal.owns(allocation) || allocation.isHeldFor(principal.name()));
    }

    /** What the holder is told of one of its environments. Only where {@link #showsAccess} says so. */
    public HolderAccess access(Allocation allocation, Grant grant) {
        return access.of(allocation, grant);
    }

    /** How asking for fresh access ended. */
    public sealed interface Refresh {
        /**
         * Here it is.
         *
         * @param access of each environment, in their order
         */
        record Given(Allocation allocation, List<HolderAccess> access) implements Refresh {}

        /** There is no such allocation for the caller, or it is over. */
        record Refused(Answer.Refused why) implements Refresh {}

        /** It is somebody else's. */
        record NotTheirs() implements Refresh {}

        /** It has no environments yet. */
        record NotYet() implements Refresh {}

        /** It cannot be had now. */
        record Failed(Allocation allocation, String why) implements Refresh {}
    }

    /** Makes fresh access for its holder, or for whom it is kept, in place of what expires before it ends. Blocks for a while. */
    public Refresh refresh(Principal principal, String id) {
        var found = find(principal, id);
        if (found.isEmpty()) {
            return new Refresh.Refused(
                    new Answer.Refused(Refusal.NO_SUCH_ALLOCATION, "No allocation with this id", null));
        }
        var allocation = found.get();
        if (!principal.owns(allocation) && !allocation.isHeldFor(principal.name())) {
            return new Refresh.NotTheirs();
        }
        if (allocation.state() instanceof Pending || allocation.state() instanceof Granting) {
            return new Refresh.NotYet();
        }
        if (!isHeld(allocation)) {
            return new Refresh.Refused(lost(allocation));
        }
        try {
            var fresh =
                    access.fresh(allocation, () -> find(id).filter(this::isHeld).isPresent());
            // Not to be handed out after its end, though it would not work any more.
            var now = find(principal, id).orElse(allocation);
            return isHeld(now) ? new Refresh.Given(now, fresh) : new Refresh.Refused(lost(now));
        } catch (Provider.RefreshFailed e) {
            return new Refresh.Failed(allocation, String.valueOf(e.getMessage()));
        }
    }

    /** Whether it is active, and its session's end has not come: what is due may not have been done yet. */
    private boolean isHeld(Allocation allocation) {
        return allocation.state() instanceof Active active
                && (active.expiresAt() == null || active.expiresAt().isAfter(time.now()));
    }

    private static Answer.Refused lost(Allocation allocation) {
        return new Answer.Refused(
                Refusal.LEASE_LOST,
                "Allocation %s has ended: %s"
                        .formatted(
                                allocation.id(),
                                allocation.state() instanceof Ended ended
                                        ? ended.reason().slug()
                                        : EndReason.SESSION_EXPIRED.slug()),
                null);
    }

    public Instant now() {
        return time.now();
    }
}
