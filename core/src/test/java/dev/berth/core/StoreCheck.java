package dev.berth.core;

import dev.berth.core.AllocationState.Active;
import dev.berth.core.AllocationState.Ended;
import dev.berth.core.AllocationState.Granting;
import dev.berth.core.AllocationState.Pending;
import dev.berth.core.AllocationState.Polling;
import dev.berth.core.EnvironmentState.Allocated;
import dev.berth.core.EnvironmentState.Available;
import dev.berth.core.EnvironmentState.Cleaning;
import dev.berth.core.EnvironmentState.Dirty;
import dev.berth.core.EnvironmentState.Retired;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Holds every decision against the promises, before and after it is written to a {@link NaiveStore}. */
final class StoreCheck {
    private final NaiveStore store;
    private final Set<AllocationId> blockedBefore = new HashSet<>();
    private final Set<AllocationId> asleepBefore = new HashSet<>();
    private long sequenceBefore;

    StoreCheck(NaiveStore store) {
        this.store = store;
    }

    /** Writes a decision. Throws an {@link AssertionError} that says which promise it breaks. */
    void apply(Pool before, List<Command> commands, Decision decision, Instant now) {
        var after = decision.pool();
        that(after.number() == before.number(), "a decision about another pool");
        that(
                decision.answers().size() == commands.size(),
                "%d answers to %d commands",
                decision.answers().size(),
                commands.size());
        that(decision.answers().stream().noneMatch(Objects::isNull), "a command without an answer");
        store.queue(before)
                .filter(waiting -> waiting.state() instanceof Pending pending && isBlocked(waiting, pending, before))
                .forEach(waiting -> blockedBefore.add(waiting.id()));
        store.ofPool(before)
                .filter(waiting -> waiting.state() instanceof Pending pending && isAsleep(pending, now))
                .forEach(waiting -> asleepBefore.add(waiting.id()));
        sequenceBefore = before.sequence();
        long number = before.events();
        for (var event : decision.events()) {
            that(event.number() == ++number, "event %d where %d comes next", event.number(), number);
        }
        that(after.events() == number, "the pool's last event is %d, not %d", number, after.events());
        that(after.touchedAt().equals(now), "touched at %s", after.touchedAt());
        that(after.sequence() >= before.sequence(), "the sequence went back");
        var granted = new HashMap<Allocation, List<Grant>>();
        for (var change : decision.environments()) {
            environment(before, after, commands, change);
        }
        for (var change : decision.allocations()) {
            allocation(commands, change, granted);
        }
        for (var place : decision.forgotten()) {
            that(place.equals(store.live.remove(place.id())), "%s is not stored as it is forgotten", place.id());
            that(place.state() instanceof Polling, "%s was shown and is forgotten", place.id());
        }
        decision.shapes()
                .forEach(count -> store.shapes.put(
                        new NaiveStore.Part(after.number(), count.shape().digest()), count));
        decision.lines().forEach(line -> store.lines.put(new NaiveStore.LineOf(after.number(), line.key()), line));
        decision.holders()
                .forEach(holder -> store.holders.put(new NaiveStore.Part(after.number(), holder.name()), holder));
        decision.keysFreed().forEach(store.keys::remove);
        decision.keysUsed().forEach(use -> store.keys.put(use.key(), use));
        store.pools.put(after.number(), after);
        holders();
        accounts(after, decision);
        counts(after);
        shapes(after);
        lines(after);
        sharers(after, now);
        keys(decision);
        identities();
        var turns = turns(commands, decision);
        granted.forEach((allocation, grants) -> order(after, allocation, grants, turns));
        for (int i = 0; i < commands.size(); i++) {
            answer(commands.get(i), decision.answers().get(i));
        }
    }

    private void environment(
            Pool poolBefore, Pool poolAfter, List<Command> commands, Decision.Change<Environment> change) {
        var before = change.before();
        var after = change.after();
        if (before == null) {
            that(!store.environments.containsKey(after.name()), "%s is not new", after.name());
        } else {
            that(
                    before.equals(store.environments.get(before.name())),
                    "%s is not stored as it was decided on",
                    before.name());
            that(
                    before.pool() == poolAfter.number() || before.state() instanceof Retired,
                    "%s is another pool's",
                    before.name());
            boolean lent = after.state() instanceof Allocated && !Objects.equals(before.tenant(), after.tenant());
            that(after.epoch() >= before.epoch(), "the epoch of %s went back", after.name());
            that(!lent || after.epoch() == before.epoch() + 1, "%s was lent under its old epoch", after.name());
            if (poolAfter.policy().steps().contains(Step.VERIFY) || !isVouchedFor(commands, after)) {
                steps(poolBefore.policy(), poolAfter.policy(), before, after);
            }
            store.environments.remove(before.name());
        }
        that(after.pool() == poolAfter.number(), "%s is written for another pool", after.name());
        store.environments.put(after.name(), after);
        that(
                !(after.state() instanceof Available) || (after.drain() == null && after.quarantine() == null),
                "%s is free with a mark",
                after.name());
        that(
                !(after.state() instanceof Cleaning(var work)) || work.step() != Step.ISSUE,
                "%s is issued while it is cleaned",
                after.name());
    }

    /** Whether a person says that it is well, though its pool has no step that would verify it. */
    private static boolean isVouchedFor(List<Command> commands, Environment environment) {
        return commands.stream()
                .anyMatch(command -> command instanceof Command.Act act
                        && act.action() == Command.Action.VERIFY
                        && act.environment().equals(environment.name()));
    }

    /** Nothing becomes free before every step that its pool has was done. */
    private static void steps(Policy was, Policy is, Environment before, Environment after) {
        boolean becomesFree = after.state() instanceof Available && !(before.state() instanceof Available);
        if (!becomesFree || !was.equals(is)) {
            return;
        }
        if (before.state() instanceof Allocated) {
            that(
                    is.firstFrom(Step.REVOKE) == null,
                    "%s is free and was not revoked, cleaned and verified",
                    after.name());
        }
        if (before.state() instanceof Cleaning(var work)) {
            for (var step : Step.values()) {
                that(
                        step.compareTo(work.step()) <= 0 || !is.steps().contains(step),
                        "%s is free and did not go through %s",
                        after.name(),
                        step);
            }
        }
    }

    private void allocation(
            List<Command> commands, Decision.Change<Allocation> change, Map<Allocation, List<Grant>> granted) {
        var before = change.before();
        var after = change.after();
        var stored = store.find(after.id());
        that(Objects.equals(before, stored), "%s is not stored as it was decided on", after.id());
        that(before == null || !before.hasEnded(), "%s had ended", after.id());
        if (before != null) {
            boolean ranksAnew = commands.stream()
                    .anyMatch(command ->
                            command instanceof Command.Prioritise(var id, var _, var _) && id.equals(after.id()));
            that(
                    before.arrival() == after.arrival() && (ranksAnew || before.rank() == after.rank()),
                    "%s lost its place",
                    after.id());
        }
        that(
                before == null || before.state() instanceof Polling == after.state() instanceof Polling,
                "%s is a caller's place and something else",
                after.id());
        boolean asleep = before != null && before.state() instanceof Pending pending && pending.interestUntil() == null;
        that(
                !asleep || after.state().grants().isEmpty() || isNamed(commands, before),
                "%s was served and nobody was interested",
                after.id());
        boolean had = before != null && !before.state().grants().isEmpty();
        if (!had && !after.hasEnded() && !after.state().grants().isEmpty()) {
            granted.put(after, after.state().grants());
        }
        store.live.remove(after.id());
        (after.hasEnded() ? store.ended : store.live).put(after.id(), after);
    }

    private static boolean isNamed(List<Command> commands, Allocation allocation) {
        return commands.stream()
                .anyMatch(command -> command.allocations().contains(allocation.id())
                        || (command instanceof Command.Ask ask
                                && ask.request().key() != null
                                && ask.request()
                                        .key()
                                        .equals(allocation.request().key())));
    }

    /** Where accounts are isolated: nothing is lent beside another of its account, and what is withheld is so for one that is out. */
    private void accounts(Pool pool, Decision decision) {
        boolean isolates = pool.policy().isolates();
        for (var environment : store.inPool(pool).toList()) {
            var others = store.inPool(pool)
                    .filter(other -> isolates
                            && other.record().account() != null
                            && other.record()
                                    .account()
                                    .equals(environment.record().account())
                            && !other.name().equals(environment.name())
                            && isOut(other))
                    .toList();
            boolean dirty = others.stream().anyMatch(other -> other.state() instanceof Dirty);
            switch (environment.state()) {
                case Available _ -> that(others.isEmpty(), "%s is free beside %s", environment.name(), others);
                case EnvironmentState.Withheld(var _, var by, var untilMended) -> {
                    that(
                            others.stream().anyMatch(other -> other.name().equals(by)),
                            "%s is withheld for %s, which is not out",
                            environment.name(),
                            by);
                    that(untilMended == dirty, "%s is withheld by %s", environment.name(), others);
                }
                default -> {}
            }
            var before = decision.environments().stream()
                    .filter(change -> change.after().name().equals(environment.name()))
                    .findFirst();
            boolean lent = environment.state() instanceof Allocated
                    && before.isPresent()
                    && (before.get().before() == null
                            || !Objects.equals(before.get().before().tenant(), environment.tenant()));
            that(!lent || others.isEmpty(), "%s was lent beside %s", environment.name(), others);
        }
    }

    private static boolean isOut(Environment environment) {
        return switch (environment.state().name()) {
            case ALLOCATED, CLEANING, DIRTY -> true;
            case CHECKING -> ((EnvironmentState.Checking) environment.state()).dirtyBecause() != null;
            case AVAILABLE, WITHHELD, RETIRED -> false;
        };
    }

    /** Where accounts are isolated, what has another one as its neighbour goes with it. */
    private Set<EnvironmentName> withNeighbours(Pool pool, Stream<EnvironmentName> names) {
        var all = new HashSet<EnvironmentName>();
        names.forEach(name -> {
            all.add(name);
            var account = store.environments.get(name).record().account();
            store.inPool(pool)
                    .filter(other -> pool.policy().isolates()
                            && account != null
                            && account.equals(other.record().account()))
                    .forEach(other -> all.add(other.name()));
        });
        return all;
    }

    private static NeedClass need(Allocation waiting, Pool pool) {
        var need = waiting.request().need();
        return pool.policy().isolates() ? need.inDifferentAccounts() : need;
    }

    private void counts(Pool pool) {
        var counted = new HashMap<EnvironmentState.Name, Integer>();
        int retiring = 0;
        int issuing = 0;
        int maintained = 0;
        for (var environment : store.inPool(pool).toList()) {
            counted.merge(environment.state().name(), 1, Integer::sum);
            retiring += environment.isRetiring() ? 1 : 0;
            boolean claimed = NaiveStore.isClaimed(environment);
            issuing += claimed && NaiveStore.isIssuing(environment) ? 1 : 0;
            maintained += claimed && !NaiveStore.isIssuing(environment) ? 1 : 0;
        }
        var recount = new Pool.Counts(
                counted.getOrDefault(EnvironmentState.Name.AVAILABLE, 0),
                counted.getOrDefault(EnvironmentState.Name.ALLOCATED, 0),
                counted.getOrDefault(EnvironmentState.Name.CLEANING, 0),
                counted.getOrDefault(EnvironmentState.Name.CHECKING, 0),
                counted.getOrDefault(EnvironmentState.Name.WITHHELD, 0),
                counted.getOrDefault(EnvironmentState.Name.DIRTY, 0),
                retiring);
        that(recount.equals(pool.counts()), "counts are %s, and the pool says %s", recount, pool.counts());
        that(issuing == pool.issuing(), "%d are issued under claims, and the pool says %d", issuing, pool.issuing());
        that(maintained == pool.maintained(), "%d steps run, and the pool says %d", maintained, pool.maintained());
        int waiting = 0;
        int polling = 0;
        int onHold = 0;
        for (var allocation : store.ofPool(pool).toList()) {
            waiting += allocation.state() instanceof Pending ? 1 : 0;
            polling += allocation.state() instanceof Polling ? 1 : 0;
            boolean held = allocation.state() instanceof Active active && active.hold() != null;
            onHold += held ? allocation.state().grants().size() : 0;
        }
        that(waiting == pool.waiting(), "%d wait, and the pool says %d", waiting, pool.waiting());
        that(polling == pool.polling(), "%d keep asking, and the pool says %d", polling, pool.polling());
        that(onHold == pool.onHold(), "%d are kept for persons, and the pool says %d", onHold, pool.onHold());
    }

    private void shapes(Pool pool) {
        var recount = new HashMap<String, ShapeCount>();
        for (var environment : store.inPool(pool).toList()) {
            var shape = environment.record().shape();
            var state = environment.state();
            var name = state instanceof EnvironmentState.Withheld withheld
                    ? withheld.untilMended() ? EnvironmentState.Name.DIRTY : EnvironmentState.Name.ALLOCATED
                    : state.name();
            boolean retired = name == EnvironmentState.Name.RETIRED;
            boolean lent = !retired && !environment.isRetiring();
            var one = new ShapeCount(
                    shape,
                    lent && name == EnvironmentState.Name.AVAILABLE ? 1 : 0,
                    lent && name == EnvironmentState.Name.ALLOCATED ? 1 : 0,
                    lent && (name == EnvironmentState.Name.CLEANING || name == EnvironmentState.Name.CHECKING) ? 1 : 0,
                    lent && name == EnvironmentState.Name.DIRTY ? 1 : 0,
                    !retired && environment.isRetiring() ? 1 : 0);
            recount.merge(
                    shape.digest(),
                    one,
                    (a, b) -> new ShapeCount(
                            shape,
                            a.free() + b.free(),
                            a.held() + b.held(),
                            a.upkeep() + b.upkeep(),
                            a.dirty() + b.dirty(),
                            a.draining() + b.draining()));
        }
        store.shapes.forEach((key, count) -> {
            if (key.pool() == pool.number()) {
                var counted = recount.getOrDefault(key.name(), ShapeCount.none(count.shape()));
                that(counted.equals(count), "of a shape there are %s, and the pool says %s", counted, count);
            }
        });
        recount.forEach((digest, count) -> that(
                count.total() == 0 || store.shapes.containsKey(new NaiveStore.Part(pool.number(), digest)),
                "a shape is not counted: %s",
                count));
    }

    private void lines(Pool pool) {
        var recount = new HashMap<Line.Key, Integer>();
        store.queue(pool).forEach(allocation -> recount.merge(allocation.line(), 1, Integer::sum));
        store.lines.forEach((key, line) -> {
            if (key.pool() == pool.number()) {
                int counted = recount.getOrDefault(key.key(), 0);
                that(counted == line.waiting(), "in a line are %d, and it says %s", counted, line);
                that((line.need() == null) == key.key().need().isEmpty(), "a line without its need: %s", line);
                recount.remove(key.key());
            }
        });
        that(recount.isEmpty(), "lines that nobody counts: %s", recount);
    }

    private void sharers(Pool pool, Instant now) {
        var held = new HashMap<String, Integer>();
        var queued = new HashMap<String, Integer>();
        for (var allocation : store.ofPool(pool).toList()) {
            for (var name : Set.copyOf(
                    List.of(allocation.principal()).equals(List.of(allocation.sharer()))
                                    || allocation.sharer().isEmpty()
                            ? List.of(allocation.principal())
                            : List.of(allocation.principal(), allocation.sharer()))) {
                held.merge(name, allocation.state().grants().size(), Integer::sum);
                queued.merge(name, allocation.state() instanceof Pending ? 1 : 0, Integer::sum);
            }
        }
        store.holders.forEach((key, holder) -> {
            if (key.pool() == pool.number()) {
                int has = held.getOrDefault(key.name(), 0);
                int waits = queued.getOrDefault(key.name(), 0);
                that(has == holder.held(), "%s holds %d, and the pool says %s", key.name(), has, holder);
                that(waits == holder.queued(), "%s has %d waiting, and the pool says %s", key.name(), waits, holder);
                that(
                        !holder.asOf().isAfter(now) && holder.used() >= 0,
                        "%s used what is to come: %s",
                        key.name(),
                        holder);
            }
        });
        held.forEach((name, has) -> that(
                has == 0 || store.holders.containsKey(new NaiveStore.Part(pool.number(), name)),
                "nobody knows that %s holds %d",
                name,
                has));
    }

    private void holders() {
        Set<EnvironmentName> held = new HashSet<>();
        for (var allocation : store.live.values()) {
            var grants = allocation.state().grants();
            boolean waits = allocation.state() instanceof Pending || allocation.state() instanceof Polling;
            that(
                    grants.size() == (waits ? 0 : allocation.request().count()),
                    "%s has %d of %d",
                    allocation.id(),
                    grants.size(),
                    allocation.request().count());
            boolean inWork = false;
            for (var grant : grants) {
                var environment = store.environments.get(grant.environment());
                that(held.add(grant.environment()), "%s is held by two", grant.environment());
                that(
                        environment != null && environment.isHeldBy(allocation.id()),
                        "%s does not know that %s holds it",
                        grant.environment(),
                        allocation.id());
                that(environment.epoch() == grant.epoch(), "%s is held under another epoch", grant.environment());
                inWork |= environment.state().work() != null;
            }
            switch (allocation.state()) {
                case Pending _, Polling _ -> {}
                case Granting _ -> that(inWork, "%s is granted and nothing is being issued", allocation.id());
                case Active active -> {
                    that(!inWork, "%s is active and something is still being issued", allocation.id());
                    that(
                            active.dueAt() != null
                                    || (allocation.request().duration() == null && allocation.keepalive() == null),
                            "%s never ends",
                            allocation.id());
                    that(
                            active.expiresAt() == null
                                    || active.keepaliveBy() == null
                                    || !active.keepaliveBy().isAfter(active.expiresAt()),
                            "the keepalive of %s goes past its session",
                            allocation.id());
                }
                case Ended _ -> throw new AssertionError("an ended one lives: " + allocation.id());
            }
        }
        for (var environment : store.environments.values()) {
            that(
                    environment.state() instanceof Allocated == held.contains(environment.name()),
                    "%s is %s, and its allocation says otherwise",
                    environment.name(),
                    environment.state().name());
        }
    }

    private void keys(Decision decision) {
        for (var change : decision.allocations()) {
            var allocation = change.after();
            if (allocation.request().key() == null || allocation.state() instanceof Polling) {
                continue;
            }
            var use = store.keys.get(
                    new KeyUse.Key(allocation.principal(), allocation.request().key()));
            boolean points = use != null && use.allocation().equals(allocation.id());
            boolean freed =
                    allocation.state() instanceof Ended ended && ended.reason().freesKey();
            that(points != freed, "the key of %s is %s", allocation.id(), freed ? "not free again" : "forgotten");
        }
    }

    private void identities() {
        Set<String> seen = new HashSet<>();
        for (var environment : store.environments.values()) {
            if (!(environment.state() instanceof Retired)) {
                that(seen.add(environment.record().identity()), "%s is the same thing as another", environment.name());
            }
        }
    }

    /** A place that was taken up, or made and perhaps taken up in the same batch, with its rank. */
    private record Turn(Slice.Place place, long rank, long arrival) {}

    private List<Turn> turns(List<Command> commands, Decision decision) {
        var turns = new ArrayList<Turn>();
        decision.forgotten()
                .forEach(place -> turns.add(new Turn(Slice.Place.of(place), place.rank(), place.arrival())));
        for (int i = 0; i < commands.size(); i++) {
            if (commands.get(i) instanceof Command.Ask ask
                    && decision.answers().get(i) instanceof Answer.Refused refused
                    && refused.refusal() == Refusal.NO_ENVIRONMENT_AVAILABLE) {
                var pool = decision.pool();
                turns.add(new Turn(
                        Slice.Place.of(ask),
                        Allocation.rank(
                                pool.touchedAt(),
                                ask.request().priority(),
                                pool.policy().queue().aging()),
                        sequenceBefore + 1 + i));
            }
        }
        return turns;
    }

    /** Nobody later takes what an earlier one that still waits counts on, except as a loan. */
    private void order(Pool after, Allocation granted, List<Grant> grants, List<Turn> turns) {
        if (after.policy().queue().order() == Policy.Queueing.Order.FAIR || isLoan(granted)) {
            return; // whose turn it was cannot be told afterwards
        }
        // whoever kept asking has the place of its first time, unless it asks with a higher priority now
        var own = Slice.Place.of(granted);
        var turn = turns.stream()
                .filter(each -> each.place().equals(own)
                        && (each.rank() < granted.rank()
                                || (each.rank() == granted.rank() && each.arrival() < granted.arrival())))
                .findFirst()
                .orElse(new Turn(own, granted.rank(), granted.arrival()));
        var free = store.inPool(after).filter(Environment::isFree).toList();
        for (var waiting : store.queue(after).toList()) {
            boolean earlier = waiting.rank() < turn.rank()
                    || (waiting.rank() == turn.rank() && waiting.arrival() < turn.arrival());
            // who asks in the same batch, and has a higher priority, asked later all the same
            boolean asksLater = waiting.arrival() > sequenceBefore && waiting.arrival() > granted.arrival();
            if (!earlier || asksLater || !counts(waiting, after)) {
                continue;
            }
            var need = waiting.request().need();
            var avoid = ((Pending) waiting.state()).setbacks().avoid();
            boolean needsThem = withNeighbours(after, grants.stream().map(Grant::environment)).stream()
                    .filter(name -> !avoid.contains(name))
                    .map(store.environments::get)
                    .anyMatch(each -> wasFree(each) && need.wants(each));
            // the special count on what they can have together, which may be anything of what they want
            that(
                    !needsThem || need.isSpecial() || !countedBefore(waiting),
                    "%s was served before %s, which came first",
                    granted.id(),
                    waiting.id());
            if (needsThem || free.stream().anyMatch(each -> need.wants(each) && !avoid.contains(each.name()))) {
                return; // the first that counts on something
            }
        }
    }

    /** Of what was granted or is beside that: a neighbour that is being checked, or drains, was not there to be counted on. */
    private static boolean wasFree(Environment environment) {
        return environment.state() instanceof Allocated || environment.state() instanceof EnvironmentState.Withheld;
    }

    /** Whether it is passed over, if only from this batch on. */
    private static boolean isAsleep(Pending pending, Instant now) {
        return pending.interestUntil() == null || !pending.interestUntil().isAfter(now);
    }

    private static boolean isLoan(Allocation granted) {
        return switch (granted.state()) {
            case Active active -> active.loan();
            case Granting granting -> granting.loan();
            case Pending _, Polling _, Ended _ -> false;
        };
    }

    /** Whether it counts on anything: it waits, somebody is interested, it is in its quota, and people need not act. */
    private boolean counts(Allocation waiting, Pool after) {
        return waiting.state() instanceof Pending pending
                && pending.interestUntil() != null
                && pending.interestUntil().isAfter(after.touchedAt())
                && !isOverQuota(waiting, after)
                && !isBlocked(waiting, pending, after);
    }

    /** Whether it did so all the time: else others may have been served before it came back. */
    private boolean countedBefore(Allocation waiting) {
        return !asleepBefore.contains(waiting.id()) && !blockedBefore.contains(waiting.id());
    }

    private boolean isOverQuota(Allocation waiting, Pool pool) {
        var quota = pool.policy().quota(waiting.principal()).held();
        long held = store.ofPool(pool)
                .filter(allocation -> allocation.principal().equals(waiting.principal()))
                .mapToLong(allocation -> allocation.state().grants().size())
                .sum();
        return quota != null && held + waiting.request().count() > quota;
    }

    /** Whether nothing but a person can satisfy it. */
    private boolean isBlocked(Allocation waiting, Pending pending, Pool pool) {
        return !BruteForce.canServe(
                need(waiting, pool),
                store.inPool(pool)
                        .filter(NaiveStore::isLendable)
                        .filter(environment -> !pending.setbacks().avoid().contains(environment.name()))
                        .toList());
    }

    private void answer(Command command, Answer answer) {
        boolean fits = switch (command) {
            case Command.Ask _,
                    Command.Attend _,
                    Command.Leave _,
                    Command.Hold _,
                    Command.Prioritise _,
                    Command.KeepAlive _,
                    Command.Extend _,
                    Command.Release _ -> answer instanceof Answer.Current || answer instanceof Answer.Refused;
            case Command.Act _ -> answer instanceof Answer.Acted || answer instanceof Answer.Refused;
            case Command.ClaimWork _ -> answer instanceof Answer.Claimed;
            case Command.RenewClaims _ -> answer instanceof Answer.Renewed;
            case Command.Report _ -> answer instanceof Answer.Reported;
            case Command.Enact _,
                    Command.Delist _,
                    Command.Register _,
                    Command.Deregister _,
                    Command.Restored _,
                    Command.VoidClaims _,
                    Command.Note _,
                    Command.Tick _ -> answer instanceof Answer.Done;
        };
        that(
                fits,
                "%s answered by %s",
                command.getClass().getSimpleName(),
                answer.getClass().getSimpleName());
        if (answer instanceof Answer.Current(var allocation)) {
            that(allocation.equals(store.find(allocation.id())), "%s was answered and is not stored", allocation.id());
        }
        if (answer instanceof Answer.Refused refused && refused.about() != null) {
            that(
                    store.find(refused.about().id()).hasEnded()
                            && refused.about().hasEnded(),
                    "%s was said to have ended and has not",
                    refused.about().id());
        }
    }

    /** What must hold when no further batch is asked for. */
    void rest(int number, Instant now) {
        var pool = store.pools.get(number);
        for (var allocation : store.ofPool(pool).toList()) {
            var due = allocation.state().dueAt();
            that(due == null || due.isAfter(now), "%s is over and lives", allocation.id());
        }
        for (var environment : store.inPool(pool).toList()) {
            var due = environment.state().dueAt();
            that(due == null || due.isAfter(now), "%s was due and nothing was done", environment.name());
        }
        if (pool.policy().queue().order() == Policy.Queueing.Order.FIFO) {
            nobodyWaitsForWhatIsFree(pool, now);
        }
    }

    private void nobodyWaitsForWhatIsFree(Pool pool, Instant now) {
        var free = store.inPool(pool).filter(Environment::isFree).toList();
        NeedClass gathers = null;
        Set<EnvironmentName> avoids = Set.of();
        for (var waiting : store.queue(pool).toList()) {
            if (isOverQuota(waiting, pool)) {
                continue;
            }
            var avoid = waiting.state() instanceof Pending pending
                    ? pending.setbacks().avoid()
                    : Set.<EnvironmentName>of();
            var counted = gathers;
            var countedBut = avoids;
            var counts = withNeighbours(
                    pool,
                    free.stream()
                            .filter(each -> counted != null && counted.wants(each) && !countedBut.contains(each.name()))
                            .map(Environment::name));
            var usable = free.stream()
                    .filter(each -> !avoid.contains(each.name()) && !counts.contains(each.name()))
                    .toList();
            boolean could = BruteForce.canServe(need(waiting, pool), usable);
            if (waiting.state() instanceof Polling polling) {
                that( // for who asked just now it is kept a batch later
                        !could
                                || polling.keptUntil() != null
                                || polling.askedAt().equals(now),
                        "nothing is kept for %s though enough is free",
                        waiting.id());
                if (could) {
                    return; // which of them is kept is for the rules to choose
                }
                continue;
            }
            var pending = (Pending) waiting.state();
            that(pending.interestUntil().isAfter(now), "%s is not passed over", waiting.id());
            that(!could, "%s waits though enough is free", waiting.id());
            boolean gathersNow = gathers == null
                    && !isBlocked(waiting, pending, pool)
                    && usable.stream().anyMatch(waiting.request().need()::wants);
            if (gathersNow && waiting.request().need().isSpecial()) {
                return; // which of them it counts on is for the rules to choose
            }
            if (gathersNow) {
                gathers = waiting.request().need();
                avoids = avoid;
            }
        }
    }

    @SuppressWarnings("AnnotateFormatMethod") // the annotation would be a dependency for a test alone
    private static void that(boolean holds, String format, @Nullable Object... arguments) {
        if (!holds) {
            throw new AssertionError(format.formatted(arguments));
        }
    }
}
