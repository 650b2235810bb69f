package dev.berth.server.simulation;

import dev.berth.core.Allocation;
import dev.berth.core.AllocationId;
import dev.berth.core.AllocationState;
import dev.berth.core.Answer;
import dev.berth.core.ClaimId;
import dev.berth.core.Decision;
import dev.berth.core.EndReason;
import dev.berth.core.Environment;
import dev.berth.core.EnvironmentName;
import dev.berth.core.EnvironmentState;
import dev.berth.core.Event;
import dev.berth.core.KeyUse;
import dev.berth.core.Pool;
import dev.berth.core.Refusal;
import dev.berth.core.Step;
import dev.berth.providers.StepResult;
import dev.berth.server.store.Store;
import dev.berth.server.store.Store.EnvironmentQuery;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The promises of the design, by their numbers: held against every commit, every answer and the environments as they really are. */
final class Invariants {
    private final Store store;
    private final Timeline timeline;
    private final Map<Integer, PoolShadow> pools = new HashMap<>();
    private final Map<EnvironmentName, Environment> environments = new HashMap<>();
    private final Map<AllocationId, Allocation> live = new HashMap<>();
    private final Map<EnvironmentName, AllocationId> holders = new HashMap<>();
    private final Map<KeyUse.Key, AllocationId> keys = new HashMap<>();
    private final Set<String> finished = new HashSet<>();
    /** Who has the claim as far as was committed. */
    private final Map<EnvironmentName, String> claims = new HashMap<>();
    /** Environments that themselves failed, or lost workers, since they were last at rest. */
    private final Set<EnvironmentName> excused = new HashSet<>();
    /** Allocations whose clients always gave signs of life while somebody was there to hear them. */
    private final Set<AllocationId> faithful = new HashSet<>();
    /** Allocations whose clients came for them, and were told that they have them. */
    private final Set<AllocationId> collected = new HashSet<>();
    /** Who waits when nobody else comes any more, and would wait longer than all others together could take. */
    private final Set<AllocationId> patient = new HashSet<>();
    /** Signs of interest that were given and not answered yet, by allocation or by principal and key. */
    private final Map<Object, Integer> signs = new HashMap<>();
    /** Workers that came too late, by environment: for a planted bug only. */
    final Map<EnvironmentName, ClaimId> late = new HashMap<>();

    private @Nullable World world;
    private @Nullable String violation;
    private final boolean watchesTurns;
    private long commands;
    private long grants;

    /**
     * @param watchesTurns whether every commit is held to the order of the queue
     */
    Invariants(Store store, Timeline timeline, boolean watchesTurns) {
        this.watchesTurns = watchesTurns;
        this.store = store;
        this.timeline = timeline;
    }

    private static final class PoolShadow {
        final Map<EnvironmentState.Name, Integer> counts = new HashMap<>();
        final Set<AllocationId> pending = new HashSet<>();
        /** Of callers who keep asking. */
        final Set<AllocationId> places = new HashSet<>();

        long events;

        @Nullable
        Turns turns;

        @Nullable
        Pool row;
    }

    void watch(World observed) {
        world = observed;
    }

    @Nullable
    String violation() {
        return violation;
    }

    long commands() {
        return commands;
    }

    long grants() {
        return grants;
    }

    int living() {
        return live.size();
    }

    void check(boolean holds, String promise, Supplier<String> detail) {
        if (!holds && violation == null) {
            violation = promise + ": " + detail.get() + " (at " + timeline.millis() + " ms, after " + commands
                    + " commands)";
        }
    }

    // ---- commits

    void committed(Decision decision) {
        commands += decision.answers().size();
        var pool = pools.computeIfAbsent(decision.pool().number(), missing -> new PoolShadow());
        decision.environments().forEach(change -> environment(pool, change.before(), change.after()));
        // what was given back first, then what was given
        decision.forgotten().forEach(place -> pool.places.remove(place.id()));
        for (var change : decision.allocations()) {
            leave(pool, change.before(), change.after());
        }
        for (var change : decision.allocations()) {
            enter(pool, change.before(), change.after());
        }
        if (decision.pool().policy().isolates()) {
            decision.environments().forEach(change -> neighbours(change.after()));
        } else if (watchesTurns) {
            if (pool.turns == null) {
                pool.turns = new Turns(this);
            }
            pool.turns.committed(decision);
        }
        decision.events().forEach(event -> event(pool, event));
        for (var change : decision.environments()) {
            var work = change.after().state().work();
            if (work == null || work.claim() == null) {
                claims.remove(change.after().name());
            } else {
                claims.put(change.after().name(), work.claim().id().value());
            }
        }
        counts(pool, decision.pool());
    }

    private void environment(PoolShadow pool, @Nullable Environment before, Environment after) {
        var known = environments.get(after.name());
        if (known != null && before != null) {
            claimed(before, after);
            check(after.epoch() >= known.epoch(), "P8", () -> "the epoch of " + after.name() + " went back");
            tally(pool, known, -1);
        }
        environments.put(after.name(), after);
        tally(pool, after, 1);
        if (after.state() instanceof EnvironmentState.Available) {
            excused.remove(after.name());
        }
        if (after.quarantine() != null) {
            excused.add(after.name());
        }
    }

    /** Of its account nothing else is lent or free while it is out, and it is free when nothing else is out. */
    private void neighbours(Environment environment) {
        var account = environment.record().account();
        var ofAccount = environments.values().stream()
                .filter(each -> each.pool() == environment.pool()
                        && account != null
                        && account.equals(each.record().account()))
                .toList();
        var states = ofAccount.stream()
                .map(each -> each.state() instanceof EnvironmentState.Checking(var _, var because) && because != null
                        ? EnvironmentState.Name.DIRTY
                        : each.state().name())
                .toList();
        long lent =
                states.stream().filter(EnvironmentState.Name.ALLOCATED::equals).count();
        boolean isOut = lent > 0
                || states.contains(EnvironmentState.Name.CLEANING)
                || states.contains(EnvironmentState.Name.DIRTY);
        check(
                lent < 2 && !(isOut && states.contains(EnvironmentState.Name.AVAILABLE)),
                "P1",
                () -> "of one account are lent or free at once: " + ofAccount);
        check(
                isOut || !states.contains(EnvironmentState.Name.WITHHELD),
                "P5",
                () -> "withheld for nothing: " + ofAccount);
    }

    private void claimed(Environment before, Environment after) {
        var was = before.state().work();
        var is = after.state().work();
        if (was != null
                && was.claim() != null
                && is != null
                && is.claim() != null
                && !was.claim().id().equals(is.claim().id())) {
            excused.add(after.name()); // a worker was lost
        }
    }

    private static void tally(PoolShadow pool, Environment environment, int by) {
        pool.counts.merge(environment.state().name(), by, Integer::sum);
    }

    private void leave(PoolShadow pool, @Nullable Allocation before, Allocation after) {
        if (before == null) {
            return;
        }
        pool.pending.remove(before.id());
        for (var grant : before.state().grants()) {
            boolean kept = !after.hasEnded()
                    && after.state().grants().stream()
                            .anyMatch(still -> still.environment().equals(grant.environment()));
            if (!kept) {
                holders.remove(grant.environment(), before.id());
            }
        }
        if (after.hasEnded()) {
            live.remove(after.id());
            var key = key(after);
            if (key != null) {
                keys.remove(key, after.id());
            }
            var reason = ((AllocationState.Ended) after.state()).reason();
            check(
                    reason != EndReason.KEEPALIVE_LOST || !faithful.contains(after.id()),
                    "P10",
                    () -> after.id() + " lost its keepalive, though signs of life were given whenever they could be");
            check(
                    reason != EndReason.NOT_COLLECTED || !collected.contains(after.id()),
                    "P5",
                    () -> after.id() + " was not collected, though its client came for it: " + after);
            check(
                    reason != EndReason.WAIT_TIMEOUT || !patient.contains(after.id()) || !before.isAwake(),
                    "P6",
                    () -> after + " was never served, though its client stayed interested and all others went home");
            faithful.remove(after.id());
            collected.remove(after.id());
            patient.remove(after.id());
        }
    }

    private static KeyUse.@Nullable Key key(Allocation allocation) {
        var key = allocation.request().key();
        return key == null ? null : new KeyUse.Key(allocation.principal(), key);
    }

    private void enter(PoolShadow pool, @Nullable Allocation before, Allocation after) {
        if (after.hasEnded()) {
            return;
        }
        if (after.state() instanceof AllocationState.Polling) {
            pool.places.add(after.id());
            return;
        }
        live.put(after.id(), after);
        var key = key(after);
        if (key != null) {
            var other = keys.put(key, after.id());
            check(
                    other == null || other.equals(after.id()),
                    "P7",
                    () -> "key " + key + " has " + other + " and " + after.id());
        }
        if (after.state() instanceof AllocationState.Pending) {
            pool.pending.add(after.id());
            return;
        }
        var granted = after.state().grants();
        check(
                granted.size() == after.request().count(),
                "P2",
                () -> after.id() + " has " + granted.size() + " of its environments");
        boolean fresh = before == null || before.state() instanceof AllocationState.Pending;
        for (var grant : granted) {
            var other = holders.put(grant.environment(), after.id());
            check(
                    other == null || other.equals(after.id()),
                    "P1",
                    () -> grant.environment() + " is held by " + other + " and by " + after.id());
            var environment = environments.get(grant.environment());
            check(
                    environment != null && environment.isHeldBy(after.id()) && environment.epoch() == grant.epoch(),
                    "P1",
                    () -> after.id() + " was granted " + grant.environment() + ", whose row does not say so");
            if (fresh) {
                grants++;
                clean(grant.environment(), after.id());
            }
        }
    }

    /** What is granted is as nobody had ever been there, as far as its kind has steps to see to that. */
    private void clean(EnvironmentName name, AllocationId by) {
        var thing = Objects.requireNonNull(world).thing(name.value());
        var steps = Shape.of(name).steps();
        if (steps.contains(Step.REVOKE)) {
            check(
                    thing.access.isEmpty(),
                    "P4",
                    () -> by + " was granted " + name + " with access of another: " + thing.access);
        }
        if (steps.contains(Step.CLEAN) || steps.contains(Step.VERIFY)) {
            check(thing.dirt.isEmpty(), "P4", () -> by + " was granted " + name + " with dirt of " + thing.dirt);
        }
    }

    private void event(PoolShadow pool, Event event) {
        check(event.number() == pool.events + 1, "P3", () -> "event " + event.number() + " follows " + pool.events);
        pool.events = event.number();
        var environment = event.environment();
        switch (event.type()) {
            case STEP_DONE, STEP_FAILED, STEP_UNAVAILABLE -> {
                var reason = event.data().getOrDefault("reason", "");
                boolean lost = reason.contains("worker"); // it was the rules that gave up
                // a step that the kind does not have is there to fence only
                boolean fence = environment != null
                        && Shape.of(environment).steps().stream()
                                .noneMatch(step -> step.name()
                                        .equalsIgnoreCase(event.data().get("step")));
                check(
                        lost || fence || finished.contains(claims.get(environment)),
                        "P8",
                        () -> event.type() + " of " + environment + " (" + event.data()
                                + ") was taken though the worker with the claim has not finished: "
                                + claims.get(environment));
            }
            case ENVIRONMENT_DIRTY ->
                check(
                        excused.contains(environment),
                        "P9",
                        () -> environment + " is dirty though it caused no failure: " + event.data());
            case OPERATOR_ACTED -> {
                if ("quarantine".equals(event.data().get("action"))) {
                    excused.add(environment);
                }
            }
            default -> {}
        }
    }

    private void counts(PoolShadow shadow, Pool pool) {
        var counts = pool.counts();
        check(
                counts.available() == shadow.counts.getOrDefault(EnvironmentState.Name.AVAILABLE, 0)
                        && counts.allocated() == shadow.counts.getOrDefault(EnvironmentState.Name.ALLOCATED, 0)
                        && counts.cleaning() == shadow.counts.getOrDefault(EnvironmentState.Name.CLEANING, 0)
                        && counts.checking() == shadow.counts.getOrDefault(EnvironmentState.Name.CHECKING, 0)
                        && counts.withheld() == shadow.counts.getOrDefault(EnvironmentState.Name.WITHHELD, 0)
                        && counts.dirty() == shadow.counts.getOrDefault(EnvironmentState.Name.DIRTY, 0)
                        && pool.waiting() == shadow.pending.size()
                        && pool.polling() == shadow.places.size(),
                "P5",
                () -> "the counts of " + pool.name() + " are wrong: " + counts + ", " + pool.waiting()
                        + " waiting, " + pool.polling() + " asking, but " + shadow.counts + ", "
                        + shadow.pending.size() + ", " + shadow.places.size());
        check(pool.events() == shadow.events, "P3", () -> "the events of " + pool.name() + " have a gap");
        shadow.row = pool;
    }

    // ---- the environments as they are

    /** A worker changes something. */
    void acts(String name, Step step, long epoch) {
        var environment = environments.get(new EnvironmentName(name));
        if (environment == null) {
            return;
        }
        boolean lent = environment.state() instanceof EnvironmentState.Allocated;
        boolean older = epoch < environment.epoch();
        check(
                !(lent && step == Step.CLEAN) && !(older && step == Step.ISSUE),
                "P8",
                () -> "a worker does " + step + " of epoch " + epoch + " while " + name + " is "
                        + environment.state().name() + " at " + environment.epoch());
    }

    /** Somebody's access worked. */
    void used(String name, String allocation) {
        var holder = holders.get(new EnvironmentName(name));
        boolean revocable = Shape.of(new EnvironmentName(name)).steps().contains(Step.REVOKE);
        check(
                !revocable || holder == null || holder.value().equals(allocation),
                "P8",
                () -> "access of " + allocation + " works in " + name + ", which " + holder + " holds");
    }

    void finished(String name, String claim, StepResult result) {
        finished.add(claim);
        var environment = new EnvironmentName(name);
        if (result instanceof StepResult.Failed) {
            excused.add(environment);
        }
        var current = environments.get(environment);
        var work = current == null ? null : current.state().work();
        if (work != null && work.claim() != null && !work.claim().id().value().equals(claim)) {
            late.put(environment, new ClaimId(claim));
        }
    }

    boolean isHeldBy(String name, AllocationId allocation) {
        return allocation.equals(holders.get(new EnvironmentName(name)));
    }

    // ---- what clients see

    void faithful(AllocationId id) {
        faithful.add(id);
    }

    void unfaithful(AllocationId id) {
        faithful.remove(id);
    }

    void sign(Object of, int more) {
        signs.merge(of, more, (one, other) -> one + other == 0 ? null : one + other);
    }

    boolean hasSignUnderWay(Allocation allocation) {
        var key = key(allocation);
        return signs.containsKey(allocation.id()) || (key != null && signs.containsKey(key));
    }

    void collected(AllocationId id) {
        collected.add(id);
    }

    void given(AllocationId id) {
        collected.remove(id);
    }

    /** No faults and nobody new from here on: whoever waits and can wait so long is served. */
    void everybodyElseGoesHome(Instant longest) {
        for (var allocation : live.values()) {
            if (allocation.state() instanceof AllocationState.Pending pending
                    && pending.until().isAfter(longest)) {
                patient.add(allocation.id());
            }
        }
    }

    int loans() {
        return pools.values().stream()
                .mapToInt(pool -> pool.turns == null ? 0 : pool.turns.loans)
                .sum();
    }

    int gatherings() {
        return pools.values().stream()
                .mapToInt(pool -> pool.turns == null ? 0 : pool.turns.gatherings)
                .sum();
    }

    /** An answer is true when it is given. */
    void answered(Answer answer) {
        if (answer instanceof Answer.Current(Allocation allocation)) {
            var stored = store.allocation(allocation.id()).orElse(null);
            check(allocation.equals(stored), "P3", () -> "answered " + allocation + ", stored " + stored);
        }
    }

    /** Whoever was told that it is over is told nothing else afterwards. */
    void answeredAfterTheEnd(AllocationId id, Answer answer) {
        check(
                answer instanceof Answer.Refused refused && refused.refusal() == Refusal.LEASE_LOST,
                "P8",
                () -> id + " has ended, and was answered " + answer);
    }

    // ---- from time to time

    /** Nothing is overdue while nothing hinders anybody. */
    void nothingIsOverdue(Instant before) {
        for (var allocation : live.values()) {
            var due = allocation.state().dueAt();
            check(due == null || !due.isBefore(before), "P5", () -> allocation.id() + " should have ended at " + due);
        }
    }

    /** The store says what was committed. */
    void storeIsAsCommitted() {
        var page = store.environments(new EnvironmentQuery(null, null, null, 100_000));
        for (var stored : page.items()) {
            check(
                    stored.equals(environments.get(stored.name())),
                    "P3",
                    () -> "stored " + stored + ", committed " + environments.get(stored.name()));
        }
        for (var allocation : live.values()) {
            check(
                    allocation.equals(store.allocation(allocation.id()).orElse(null)),
                    "P3",
                    () -> allocation.id() + " was changed");
        }
    }

    /** Faults have stopped, everybody went home: nothing is lost, nothing goes on. */
    void atRest() {
        check(live.isEmpty(), "P5", () -> "still alive: " + live.values());
        var observed = Objects.requireNonNull(world);
        for (var environment : environments.values()) {
            var name = environment.name();
            boolean rests = environment.state() instanceof EnvironmentState.Available
                    || environment.state() instanceof EnvironmentState.Retired
                    || (environment.state() instanceof EnvironmentState.Checking(var _, var because)
                            && because == null);
            check(rests, "P9", () -> name + " is not at rest: " + environment.state());
            var steps = Shape.of(name).steps();
            if (environment.state() instanceof EnvironmentState.Available && steps.contains(Step.REVOKE)) {
                check(
                        observed.thing(name.value()).access.isEmpty(),
                        "P4",
                        () -> name + " is free, and somebody's access works");
            }
            if (environment.state() instanceof EnvironmentState.Available && steps.contains(Step.CLEAN)) {
                check(observed.thing(name.value()).dirt.isEmpty(), "P4", () -> name + " is free and not clean");
            }
        }
        for (var pool : pools.values()) {
            var row = Objects.requireNonNull(pool.row);
            int checking = row.counts().checking();
            check(
                    row.waiting() == 0 && row.issuing() == 0 && row.maintained() <= checking,
                    "P5",
                    () -> "not at rest: " + row);
        }
    }

    boolean isAtRest() {
        return live.isEmpty()
                && environments.values().stream()
                        .allMatch(environment -> environment.state() instanceof EnvironmentState.Available
                                || environment.state() instanceof EnvironmentState.Retired);
    }

    Iterable<Environment> environments() {
        return environments.values();
    }

    @Nullable
    Environment environment(EnvironmentName name) {
        return environments.get(name);
    }

    Iterable<Allocation> allocations() {
        return live.values();
    }
}
