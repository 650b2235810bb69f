package dev.berth.core;

import static dev.berth.core.EnvironmentState.Name.ALLOCATED;
import static dev.berth.core.EnvironmentState.Name.AVAILABLE;
import static dev.berth.core.EnvironmentState.Name.CHECKING;
import static dev.berth.core.EnvironmentState.Name.CLEANING;
import static dev.berth.core.EnvironmentState.Name.DIRTY;
import static dev.berth.core.EnvironmentState.Name.RETIRED;
import static dev.berth.core.EnvironmentState.Name.WITHHELD;

import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Every legal transition of an environment, as data. What is not here is a defect, and stops the decision before anything is written.
 */
public final class Transitions {

    /** What moves an environment. */
    public enum Trigger {
        REGISTERED,
        RECORDED,
        GRANTED,
        VACATED,
        CLAIMED,
        STEP_DONE,
        STEP_FAILED,
        CHECK_DUE,
        OPERATOR_CLEAN,
        OPERATOR_VERIFY,
        QUARANTINED,
        DRAINED,
        /** Another environment of its account went or came back, or its pool lends as many of an account as there are now. */
        SEPARATED,
        STORE_RESTORED
    }

    private static final Map<Trigger, Map<EnvironmentState.Name, Set<EnvironmentState.Name>>> TABLE =
            new EnumMap<>(Trigger.class);
    private static final Set<EnvironmentState.Name> AT_FIRST = EnumSet.of(AVAILABLE, CLEANING);

    static {
        allow(Trigger.REGISTERED, RETIRED, AVAILABLE, CLEANING, DIRTY);
        for (var state : EnumSet.complementOf(EnumSet.of(RETIRED))) {
            allow(Trigger.RECORDED, state, state);
        }
        allow(Trigger.GRANTED, AVAILABLE, ALLOCATED);
        allow(Trigger.VACATED, ALLOCATED, CLEANING, AVAILABLE, DIRTY, RETIRED);
        allow(Trigger.CLAIMED, ALLOCATED, ALLOCATED);
        allow(Trigger.CLAIMED, CLEANING, CLEANING);
        allow(Trigger.CLAIMED, CHECKING, CHECKING);
        allow(Trigger.STEP_DONE, ALLOCATED, ALLOCATED);
        allow(Trigger.STEP_DONE, CLEANING, CLEANING, AVAILABLE, DIRTY, RETIRED);
        allow(Trigger.STEP_DONE, CHECKING, CHECKING, AVAILABLE, DIRTY, RETIRED);
        allow(Trigger.STEP_FAILED, ALLOCATED, ALLOCATED);
        allow(Trigger.STEP_FAILED, CLEANING, CLEANING, DIRTY, RETIRED);
        allow(Trigger.STEP_FAILED, CHECKING, CLEANING, DIRTY, RETIRED);
        allow(Trigger.CHECK_DUE, AVAILABLE, CHECKING);
        allow(Trigger.CHECK_DUE, WITHHELD, CHECKING);
        allow(Trigger.OPERATOR_CLEAN, AVAILABLE, CLEANING, AVAILABLE);
        allow(Trigger.OPERATOR_CLEAN, WITHHELD, CLEANING, AVAILABLE);
        allow(Trigger.OPERATOR_CLEAN, CLEANING, CLEANING, AVAILABLE, RETIRED);
        allow(Trigger.OPERATOR_CLEAN, CHECKING, CLEANING, AVAILABLE, RETIRED);
        allow(Trigger.OPERATOR_CLEAN, DIRTY, CLEANING, AVAILABLE);
        allow(Trigger.OPERATOR_VERIFY, AVAILABLE, CHECKING, AVAILABLE);
        allow(Trigger.OPERATOR_VERIFY, WITHHELD, CHECKING, AVAILABLE);
        allow(Trigger.OPERATOR_VERIFY, DIRTY, CHECKING, AVAILABLE);
        allow(Trigger.QUARANTINED, AVAILABLE, DIRTY);
        allow(Trigger.QUARANTINED, WITHHELD, DIRTY);
        allow(Trigger.QUARANTINED, ALLOCATED, ALLOCATED);
        allow(Trigger.QUARANTINED, CLEANING, CLEANING);
        allow(Trigger.QUARANTINED, CHECKING, CHECKING);
        allow(Trigger.DRAINED, AVAILABLE, RETIRED);
        allow(Trigger.DRAINED, WITHHELD, RETIRED);
        allow(Trigger.DRAINED, ALLOCATED, ALLOCATED);
        allow(Trigger.DRAINED, CLEANING, CLEANING);
        allow(Trigger.DRAINED, CHECKING, CHECKING);
        allow(Trigger.DRAINED, DIRTY, RETIRED);
        allow(Trigger.DRAINED, RETIRED, RETIRED);
        allow(Trigger.SEPARATED, AVAILABLE, WITHHELD);
        allow(Trigger.SEPARATED, WITHHELD, WITHHELD, AVAILABLE);
        allow(Trigger.STORE_RESTORED, AVAILABLE, CLEANING, AVAILABLE);
        allow(Trigger.STORE_RESTORED, WITHHELD, CLEANING, AVAILABLE);
        allow(Trigger.STORE_RESTORED, CLEANING, CLEANING, AVAILABLE, DIRTY, RETIRED);
        allow(Trigger.STORE_RESTORED, CHECKING, CLEANING, AVAILABLE, DIRTY, RETIRED);
        allow(Trigger.STORE_RESTORED, DIRTY, DIRTY);
    }

    private Transitions() {}

    private static void allow(Trigger trigger, EnvironmentState.Name from, EnvironmentState.Name... to) {
        TABLE.computeIfAbsent(trigger, _ -> new EnumMap<>(EnvironmentState.Name.class))
                .put(from, EnumSet.copyOf(Set.of(to)));
    }

    /** Where the trigger may take an environment in this state; empty where it may not happen at all. Null: a new environment. */
    public static Set<EnvironmentState.Name> targets(Trigger trigger, EnvironmentState.@Nullable Name from) {
        if (from == null) {
            return trigger == Trigger.REGISTERED ? AT_FIRST : Set.of();
        }
        return TABLE.getOrDefault(trigger, Map.of()).getOrDefault(from, Set.of());
    }

    static void check(Trigger trigger, @Nullable Environment before, Environment after) {
        var from = before == null ? null : before.state().name();
        var to = after.state().name();
        if (!targets(trigger, from).contains(to)) {
            throw new IllegalStateException(
                    "no transition %s from %s to %s (environment %s)".formatted(trigger, from, to, after.name()));
        }
    }
}
