package dev.berth.core;

import dev.berth.core.AllocationState.Active;
import dev.berth.core.AllocationState.Ended;
import dev.berth.core.AllocationState.Granting;
import dev.berth.core.AllocationState.Pending;
import dev.berth.core.EnvironmentState.Allocated;
import dev.berth.core.EnvironmentState.Available;
import dev.berth.core.EnvironmentState.Cleaning;
import dev.berth.core.EnvironmentState.Retired;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Holds every decision against the promises, before and after it is written to a {@link NaiveStore}. */
final class StoreCheck {
    private final NaiveStore store;

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
        long number = before.events();
        for (var event : decision.events()) {
            that(event.number() == ++number, "event %d where %d comes next", event.number(), number);
        }
        that(after.events() == number, "the pool's last event is %d, not %d", number, after.events());
        that(after.touchedAt().equals(now), "touched at %s", after.touchedAt());
        that(after.sequence() >= before.sequence(), "the sequence went back");
        var granted = new HashMap<Allocation, List<Grant>>();
        for (var change : decision.environments()) {
            environment(before, after, change);
        }
        for (var change : decision.allocations()) {
            allocation(change, granted);
        }
        decision.keysFreed().forEach(store.keys::remove);
        decision.keysUsed().forEach(use -> store.keys.put(use.key(), use));
        store.pools.put(after.number(), after);
        holders();
        counts(after);
        keys(decision);
        identities();
        granted.forEach((allocation, grants) -> order(before, after, allocation, grants));
        for (int i = 0; i < commands.size(); i++) {
            answer(commands.get(i), decision.answers().get(i));
        }
    }

    private void environment(Pool poolBefore, Pool poolAfter, Decision.Change<Environment> change) {
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
            steps(poolBefore.policy(), poolAfter.policy(), before, after);
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

    private void allocation(Decision.Change<Allocation> change, Map<Allocation, List<Grant>> granted) {
        var before = change.before();
        var after = change.after();
        var stored = store.find(after.id());
        that(Objects.equals(before, stored), "%s is not stored as it was decided on", after.id());
        that(before == null || !before.hasEnded(), "%s had ended", after.id());
        if (before != null) {
            that(before.arrival() == after.arrival(), "%s lost its place", after.id());
        }
        boolean had = before != null && !before.state().grants().isEmpty();
        if (!had && !after.hasEnded() && !after.state().grants().isEmpty()) {
            granted.put(after, after.state().grants());
        }
        store.live.remove(after.id());
        (after.hasEnded() ? store.ended : store.live).put(after.id(), after);
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
                counted.getOrDefault(EnvironmentState.Name.DIRTY, 0),
                retiring);
        that(recount.equals(pool.counts()), "counts are %s, and the pool says %s", recount, pool.counts());
        that(issuing == pool.issuing(), "%d are issued under claims, and the pool says %d", issuing, pool.issuing());
        that(maintained == pool.maintained(), "%d steps run, and the pool says %d", maintained, pool.maintained());
        long waiting = store.queue(pool).count();
        that(waiting == pool.waiting(), "%d wait, and the pool says %d", waiting, pool.waiting());
    }

    private void holders() {
        Set<EnvironmentName> held = new HashSet<>();
        for (var allocation : store.live.values()) {
            var grants = allocation.state().grants();
            boolean waits = allocation.state() instanceof Pending;
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
                case Pending _ -> {}
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
            if (allocation.request().key() == null) {
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

    /** Nobody later takes what an earlier one that still waits counts on. */
    private void order(Pool before, Pool after, Allocation granted, List<Grant> grants) {
        for (var waiting : store.queue(after).toList()) {
            if (waiting.arrival() < granted.arrival() && waiting.state() instanceof Pending pending) {
                boolean needsThem = grants.stream()
                        .anyMatch(grant -> !pending.setbacks().avoid().contains(grant.environment()));
                that(
                        !needsThem || isBlocked(waiting, pending, before) || isBlocked(waiting, pending, after),
                        "%s was served before %s, which came first",
                        granted.id(),
                        waiting.id());
            }
        }
    }

    /** Whether nothing but a person can satisfy it. */
    private boolean isBlocked(Allocation waiting, Pending pending, Pool pool) {
        var counts = pool.counts();
        long avoided = pending.setbacks().avoid().stream()
                .map(store.environments::get)
                .filter(environment -> isLendable(environment, pool))
                .count();
        return waiting.request().count() > counts.total() - counts.dirty() - counts.retiring() - avoided;
    }

    private static boolean isLendable(@Nullable Environment environment, Pool pool) {
        return environment != null
                && environment.pool() == pool.number()
                && !environment.isRetiring()
                && switch (environment.state().name()) {
                    case AVAILABLE, ALLOCATED, CLEANING, CHECKING -> true;
                    case DIRTY, RETIRED -> false;
                };
    }

    private void answer(Command command, Answer answer) {
        boolean fits = switch (command) {
            case Command.Ask _, Command.KeepAlive _, Command.Extend _, Command.Release _ ->
                answer instanceof Answer.Current || answer instanceof Answer.Refused;
            case Command.Act _ -> answer instanceof Answer.Acted || answer instanceof Answer.Refused;
            case Command.ClaimWork _ -> answer instanceof Answer.Claimed;
            case Command.RenewClaims _ -> answer instanceof Answer.Renewed;
            case Command.Report _ -> answer instanceof Answer.Reported;
            case Command.Enact _,
                    Command.Delist _,
                    Command.Register _,
                    Command.Deregister _,
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
        for (var waiting : store.queue(pool).toList()) {
            var pending = (Pending) waiting.state();
            if (isBlocked(waiting, pending, pool)) {
                continue;
            }
            long usable = store.inPool(pool)
                    .filter(Environment::isFree)
                    .filter(environment -> !pending.setbacks().avoid().contains(environment.name()))
                    .count();
            that(usable < waiting.request().count(), "%s waits though enough is free", waiting.id());
            break; // who comes later waits for this one
        }
    }

    @SuppressWarnings("AnnotateFormatMethod") // the annotation would be a dependency for a test alone
    private static void that(boolean holds, String format, @Nullable Object... arguments) {
        if (!holds) {
            throw new AssertionError(format.formatted(arguments));
        }
    }
}
