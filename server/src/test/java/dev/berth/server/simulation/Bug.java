package dev.berth.server.simulation;

import dev.berth.core.Claim;
import dev.berth.core.Decision;
import dev.berth.core.Environment;
import dev.berth.core.EnvironmentName;
import dev.berth.core.EnvironmentState;
import dev.berth.core.Slice;
import dev.berth.core.Work;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
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
    };

    private final String promise;

    Bug(String promise) {
        this.promise = promise;
    }

    /** The promise that it breaks. */
    String promise() {
        return promise;
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
            case EnvironmentState.Available _, EnvironmentState.Dirty _, EnvironmentState.Retired _ -> null;
        };
    }

    private static Slice with(Slice slice, Environment environment, List<EnvironmentName> free) {
        var environments = new HashMap<>(slice.environments());
        environments.put(environment.name(), environment);
        return new Slice(
                slice.pool(),
                slice.allocations(),
                environments,
                slice.identities(),
                slice.shapes(),
                slice.lines(),
                slice.holders(),
                slice.givenBack(),
                slice.queue(),
                free,
                slice.places(),
                slice.census(),
                slice.returns(),
                slice.due(),
                slice.work(),
                slice.keys(),
                slice.busyAccounts(),
                slice.complete());
    }
}
