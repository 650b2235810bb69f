package dev.berth.server.simulation;

import dev.berth.core.Allocation;
import dev.berth.core.AllocationId;
import dev.berth.core.AllocationState;
import dev.berth.core.Claim;
import dev.berth.core.Decision;
import dev.berth.core.Environment;
import dev.berth.core.EnvironmentName;
import dev.berth.core.EnvironmentState;
import dev.berth.core.Line;
import dev.berth.core.NeedClass;
import dev.berth.core.Slice;
import dev.berth.core.Work;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A bug that is planted, to see that the simulation finds it: by changing what passes between the ledger and the store, or a provider. */
enum Bug {
    NONE("none"),
    GRANT_IGNORES_HOLDER("P1") {
        @Override
        Slice loaded(Simulation simulation, Slice.Needs needs, Slice slice) {
            if (needs.asks().isEmpty() || !simulation.timeline.chance(50)) {
                return slice;
            }
            for (var environment : slice.environments().values()) {
                if (environment.state() instanceof EnvironmentState.Allocated
                        && environment.pool() == slice.pool().number()) {
                    var seen = with(environment, new EnvironmentState.Available(null));
                    simulation.pretended.put(environment.name(), environment);
                    var free = new ArrayList<EnvironmentName>(List.of(environment.name()));
                    free.addAll(slice.free());
                    return with(slice, seen, free);
                }
            }
            return slice;
        }

        @Override
        Decision writing(Simulation simulation, Decision decision) {
            var changes = decision.environments().stream()
                    .map(change -> {
                        var real = simulation.pretended.get(change.after().name());
                        return real == null ? change : new Decision.Change<Environment>(real, change.after());
                    })
                    .toList();
            simulation.pretended.clear();
            return new Decision(
                    decision.pool(),
                    decision.allocations(),
                    changes,
                    decision.forgotten(),
                    decision.shapes(),
                    decision.lines(),
                    decision.holders(),
                    decision.keysUsed(),
                    decision.keysFreed(),
                    decision.events(),
                    decision.answers(),
                    decision.again());
        }
    },
    REPLY_BEFORE_COMMIT("P3"),
    CLEAN_UP_FORGETS_TO_REVOKE("P4"),
    RESULT_OF_A_LOST_CLAIM("P8") {
        @Override
        Slice loaded(Simulation simulation, Slice.Needs needs, Slice slice) {
            for (var name : needs.environments()) {
                var late = simulation.invariants.late.get(name);
                var environment = slice.environments().get(name);
                var work = environment == null ? null : environment.state().work();
                if (late != null && work != null && work.claim() != null) {
                    var claim = new Claim(
                            late,
                            work.claim().process(),
                            work.claim().until(),
                            work.claim().deadline());
                    var state = with(environment.state(), work, claim);
                    return state == null ? slice : with(slice, with(environment, state), slice.free());
                }
            }
            return slice;
        }
    },
    /** Who waits is not seen now and then: somebody who just comes takes what the first of them gathers. */
    TAKES_WHAT_IS_GATHERED("P6") {
        @Override
        Slice loaded(Simulation simulation, Slice.Needs needs, Slice slice) {
            return needs.asks().isEmpty() || slice.queue().isEmpty() || !simulation.timeline.chance(100)
                    ? slice
                    : with(slice, slice.allocations(), Map.of(), List.of(), slice.returns());
        }
    },
    PARTIAL_GRANT("P2") {
        @Override
        Decision writing(Simulation simulation, Decision decision) {
            var changes = decision.allocations().stream()
                    .map(change -> change.before() == null
                                    && change.after().state() instanceof AllocationState.Active active
                                    && active.grants().size() > 2
                            ? new Decision.Change<Allocation>(null, without(change.after(), active))
                            : change)
                    .toList();
            return new Decision(
                    decision.pool(),
                    changes,
                    decision.environments(),
                    decision.forgotten(),
                    decision.shapes(),
                    decision.lines(),
                    decision.holders(),
                    decision.keysUsed(),
                    decision.keysFreed(),
                    decision.events(),
                    decision.answers(),
                    decision.again());
        }
    },
    /** The time of those in whom nobody is interested any more is not looked at: they are lent something, or end too late. */
    ASLEEP_IS_GRANTED("P5|P6") {
        @Override
        Slice loaded(Simulation simulation, Slice.Needs needs, Slice slice) {
            var allocations = new HashMap<>(slice.allocations());
            for (var id : slice.queue()) {
                var allocation = slice.allocations().get(id);
                if (allocation != null
                        && allocation.state() instanceof AllocationState.Pending pending
                        && pending.interestUntil() != null
                        && !pending.interestUntil().isAfter(simulation.now())) {
                    allocations.put(id, with(allocation, later(pending, simulation.now())));
                }
            }
            return with(slice, allocations, slice.lines(), slice.queue(), slice.returns());
        }
    },
    /** The neighbours of what the batch names are not seen: one beside it is lent, or stays withheld for it. */
    NEIGHBOURS_ARE_NOT_SEEN("P1") {
        @Override
        Slice loaded(Simulation simulation, Slice.Needs needs, Slice slice) {
            if (!slice.pool().policy().isolates() || !simulation.timeline.chance(20)) {
                return slice;
            }
            var accounts = new HashSet<@Nullable String>();
            var environments = new HashMap<>(slice.environments());
            var free = new ArrayList<>(slice.free());
            free.removeIf(name -> !accounts.add(environments.get(name).record().account()));
            environments.values().removeIf(each -> each.isFree() && !free.contains(each.name()));
            return with(slice, slice.allocations(), environments, slice.lines(), slice.queue(), free, slice.returns());
        }

        @Override
        List<Shape> pools() {
            return List.of(Shape.APART);
        }
    },
    LOAN_ENDS_TOO_LATE("P6") {
        @Override
        Slice loaded(Simulation simulation, Slice.Needs needs, Slice slice) {
            var returns = new HashMap<NeedClass, List<Instant>>();
            slice.returns()
                    .forEach((need, instants) -> returns.put(
                            need,
                            instants.stream()
                                    .map(instant -> instant.plusSeconds(600))
                                    .toList()));
            return with(slice, slice.allocations(), slice.lines(), slice.queue(), returns);
        }
    };

    private final String promise;

    Bug(String promise) {
        this.promise = promise;
    }

    /** The promise that it breaks; of several, which is seen first is chance. */
    String promise() {
        return promise;
    }

    /** Where it is looked for. */
    List<Shape> pools() {
        return Shape.TOGETHER;
    }

    Slice loaded(Simulation simulation, Slice.Needs needs, Slice slice) {
        return slice;
    }

    Decision writing(Simulation simulation, Decision decision) {
        return decision;
    }

    private static Environment with(Environment environment, EnvironmentState state) {
        return new Environment(
                environment.pool(),
                environment.record(),
                environment.epoch(),
                environment.drain(),
                environment.quarantine(),
                environment.since(),
                environment.order(),
                environment.tenant(),
                state);
    }

    private static @Nullable EnvironmentState with(EnvironmentState state, Work work, Claim claim) {
        var other = new Work(
                work.step(), work.failures(), work.stalls(), work.dueAt(), claim, work.unfenced(), work.settling());
        return switch (state) {
            case EnvironmentState.Allocated allocated -> new EnvironmentState.Allocated(other, allocated.backAt());
            case EnvironmentState.Cleaning _ -> new EnvironmentState.Cleaning(other);
            case EnvironmentState.Checking checking -> new EnvironmentState.Checking(other, checking.dirtyBecause());
            case EnvironmentState.Idle _, EnvironmentState.Dirty _, EnvironmentState.Retired _ -> null;
        };
    }

    private static AllocationState.Pending later(AllocationState.Pending pending, Instant now) {
        return new AllocationState.Pending(
                pending.until(), now.plusSeconds(1), pending.openUntil(), pending.setbacks());
    }

    private static Allocation without(Allocation allocation, AllocationState.Active active) {
        return with(
                allocation,
                new AllocationState.Active(
                        active.grants().subList(1, active.grants().size()),
                        active.grantedAt(),
                        active.expiresAt(),
                        active.keepaliveBy(),
                        active.collectBy(),
                        active.loan(),
                        active.hold()));
    }

    private static Allocation with(Allocation allocation, AllocationState state) {
        return new Allocation(
                allocation.id(),
                allocation.pool(),
                allocation.principal(),
                allocation.request(),
                allocation.sharer(),
                allocation.arrival(),
                allocation.rank(),
                allocation.createdAt(),
                allocation.keepalive(),
                state);
    }

    private static Slice with(Slice slice, Environment environment, List<EnvironmentName> free) {
        var environments = new HashMap<>(slice.environments());
        environments.put(environment.name(), environment);
        return with(slice, slice.allocations(), environments, slice.lines(), slice.queue(), free, slice.returns());
    }

    private static Slice with(
            Slice slice,
            Map<AllocationId, Allocation> allocations,
            Map<Line.Key, Line> lines,
            List<AllocationId> queue,
            Map<NeedClass, List<Instant>> returns) {
        return with(slice, allocations, slice.environments(), lines, queue, slice.free(), returns);
    }

    private static Slice with(
            Slice slice,
            Map<AllocationId, Allocation> allocations,
            Map<EnvironmentName, Environment> environments,
            Map<Line.Key, Line> lines,
            List<AllocationId> queue,
            List<EnvironmentName> free,
            Map<NeedClass, List<Instant>> returns) {
        return new Slice(
                slice.pool(),
                allocations,
                environments,
                slice.identities(),
                slice.shapes(),
                slice.fit(),
                lines,
                slice.holders(),
                slice.givenBack(),
                queue,
                free,
                slice.places(),
                slice.census(),
                returns,
                slice.due(),
                slice.work(),
                slice.keys(),
                slice.busyAccounts(),
                slice.complete());
    }
}
