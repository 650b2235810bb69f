package dev.berth.core;

import dev.berth.core.Environment.Drain;
import dev.berth.core.EnvironmentState.Allocated;
import dev.berth.core.EnvironmentState.Available;
import dev.berth.core.EnvironmentState.Checking;
import dev.berth.core.EnvironmentState.Cleaning;
import dev.berth.core.EnvironmentState.Dirty;
import dev.berth.core.EnvironmentState.Idle;
import dev.berth.core.EnvironmentState.Retired;
import dev.berth.core.Transitions.Trigger;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What configuration and operators do: policies, registration, draining, actions on environments. */
final class Registry {
    private final Working working;
    private final Lending lending;
    private final Instant now;

    Registry(Working working, Lending lending) {
        this.working = working;
        this.lending = lending;
        this.now = working.now;
    }

    // ---- configuration

    Answer enact(Command.Enact command) {
        if (!working.listed() || !working.policy().equals(command.policy())) {
            working.enact(command.policy());
            working.list(true);
            working.event(Event.Type.POOL_CONFIGURED, null, null, null, Map.of());
        }
        return new Answer.Done();
    }

    Answer delist() {
        if (working.listed()) {
            working.list(false);
            working.event(Event.Type.POOL_DELISTED, null, null, null, Map.of());
        }
        return new Answer.Done();
    }

    Answer register(Command.Register command) {
        command.records().forEach(this::register);
        return new Answer.Done();
    }

    /** Does what can be done now: the rest when the same record is offered again, once what is in its way has drained. */
    private void register(Registration record) {
        var known = working.find(record.name());
        var thing = working.findThing(record.identity());
        if (known == null || known.state() instanceof Retired) {
            boolean here = thing != null && !(thing.state() instanceof Retired);
            boolean stays = known != null
                    && known.state() instanceof Retired retired
                    && retired.byOperator()
                    && known.record().digest().equals(record.digest());
            if (!here && !stays) { // while it is here under another name, it drains first
                come(known == null ? thing : known, thing, record);
            }
        } else if (known.pool() != working.poolNumber()) {
            return; // drains in its old pool first
        } else if (!known.record().identity().equals(record.identity())) {
            if (known.drain() != Drain.DEREGISTERED) {
                drain(known, Drain.DEREGISTERED); // the name means another thing now: the old one goes first
            }
        } else {
            renew(known, record);
        }
    }

    /**
     * @param before the row that it takes over: that of its name, or else its own under another name; null for none
     * @param thing what is known of the same thing: its dirt comes with it, and its epoch goes on
     */
    private void come(@Nullable Environment before, @Nullable Environment thing, Registration record) {
        long epoch = Math.max(before == null ? 0 : before.epoch(), thing == null ? 0 : thing.epoch());
        var tenant = thing == null ? null : thing.tenant();
        var dirtyBecause = thing != null && thing.state() instanceof Retired retired ? retired.dirtyBecause() : null;
        var first = working.policy().firstFrom(working.policy().adopt() ? Step.VERIFY : Step.REVOKE);
        EnvironmentState state;
        if (dirtyBecause != null) {
            state = new Dirty(dirtyBecause, null);
        } else if (first == null) {
            state = new Available(null);
        } else {
            state = new Cleaning(Work.fresh(first, now));
        }
        var arrived = new Environment(
                working.poolNumber(), record, epoch, null, null, now, working.nextTurn(), tenant, state);
        working.move(Trigger.REGISTERED, before, arrived);
        working.event(Event.Type.ENVIRONMENT_REGISTERED, null, record.name(), null, Map.of());
    }

    /** The record of one that is here: changed perhaps, and back perhaps from being gone. */
    private void renew(Environment known, Registration record) {
        boolean changed = !known.record().digest().equals(record.digest());
        boolean back = known.drain() == Drain.DEREGISTERED || (known.drain() == Drain.OPERATOR && changed);
        if (!changed && !back) {
            return;
        }
        var next = known.recorded(known.pool(), record);
        working.move(Trigger.RECORDED, known, back ? next.draining(null) : next);
        working.event(Event.Type.ENVIRONMENT_CHANGED, null, record.name(), null, Map.of());
    }

    Answer restored(Command.Restored command) {
        if (command.generation() <= working.generation()) {
            return new Answer.Done();
        }
        working.enterGeneration(command.generation());
        for (var name : List.copyOf(working.slice().environments().keySet())) {
            var environment = working.find(name);
            if (environment != null && environment.pool() == working.poolNumber()) {
                switch (environment.state()) {
                    case Idle _, Cleaning _, Checking _ -> {
                        var work = environment.state().work();
                        lending.enter(
                                Trigger.STORE_RESTORED,
                                environment.ofGeneration(command.generation()),
                                Step.REVOKE,
                                0,
                                work == null ? List.of() : work.inMotion());
                    }
                    case Dirty _ -> working.move(Trigger.STORE_RESTORED, environment, environment);
                    case Allocated _, Retired _ -> {}
                }
            }
        }
        working.event(
                Event.Type.STORE_RESTORED,
                null,
                null,
                null,
                Map.of("generation", String.valueOf(command.generation())));
        return new Answer.Done();
    }

    Answer deregister(Command.Deregister command) {
        for (var name : command.names()) {
            var environment = working.find(name);
            if (environment == null || environment.pool() != working.poolNumber()) {
                continue;
            }
            if (environment.state() instanceof Retired retired) {
                if (retired.byOperator()) {
                    working.move(
                            Trigger.DRAINED,
                            environment,
                            environment.in(new Retired(retired.dirtyBecause(), false), now));
                }
            } else if (environment.drain() != Drain.DEREGISTERED) {
                drain(environment, Drain.DEREGISTERED);
            }
        }
        return new Answer.Done();
    }

    private void drain(Environment environment, Drain because) {
        switch (environment.state()) {
            case Idle _ -> lending.retire(Trigger.DRAINED, environment, because, null);
            case Dirty dirty -> lending.retire(Trigger.DRAINED, environment, because, dirty.reason());
            case Allocated _, Cleaning _, Checking _ -> {
                if (environment.drain() == Drain.DEREGISTERED) {
                    return; // an operator's word adds nothing: it would outlast the record's return
                }
                working.move(Trigger.DRAINED, environment, environment.draining(because));
                working.event(Event.Type.ENVIRONMENT_RETIRING, null, environment.name(), null, Map.of());
            }
            case Retired _ -> {}
        }
    }

    // ---- operators

    Answer act(Command.Act command) {
        var environment = working.find(command.environment());
        if (environment == null
                || environment.pool() != working.poolNumber()
                || environment.state() instanceof Retired) {
            return new Answer.Refused(Refusal.NO_SUCH_ENVIRONMENT, "No environment " + command.environment(), null);
        }
        boolean interrupts = command.action() == Command.Action.CLEAN || command.action() == Command.Action.VERIFY;
        if (interrupts && environment.state() instanceof Allocated) {
            return new Answer.Refused(
                    Refusal.ENVIRONMENT_ALLOCATED,
                    "Environment %s is held: end its allocation first".formatted(environment.name()),
                    null);
        }
        working.event(
                Event.Type.OPERATOR_ACTED,
                null,
                environment.name(),
                command.principal(),
                Working.from(
                        command.address(),
                        Map.of("action", command.action().name().toLowerCase(Locale.ROOT))));
        switch (command.action()) {
            case CLEAN -> clean(environment);
            case VERIFY -> verify(environment);
            case QUARANTINE ->
                quarantine(
                        environment,
                        command.reason() == null ? "quarantined by " + command.principal() : command.reason());
            case RETIRE -> drain(environment, Drain.OPERATOR);
        }
        return new Answer.Acted(working.environment(command.environment()));
    }

    private void clean(Environment environment) {
        var work = environment.state().work();
        if (environment.state() instanceof Cleaning
                && work != null
                && work.claim() != null
                && work.step() != Step.VERIFY) {
            working.move(Trigger.OPERATOR_CLEAN, environment, environment.quarantined(null));
            return; // it is being cleaned
        }
        lending.enter(
                Trigger.OPERATOR_CLEAN,
                environment.quarantined(null),
                Step.REVOKE,
                0,
                work == null ? List.of() : work.inMotion());
    }

    private void verify(Environment environment) {
        var dirtyBecause = environment.state() instanceof Dirty dirty ? dirty.reason() : null;
        if (!(environment.state() instanceof Idle) && dirtyBecause == null) {
            return; // a check is on its way
        }
        if (!working.policy().steps().contains(Step.VERIFY)) {
            lending.rest(Trigger.OPERATOR_VERIFY, environment); // nothing to ask: the operator's word it is
            return;
        }
        working.move(
                Trigger.OPERATOR_VERIFY,
                environment,
                environment.in(new Checking(Work.fresh(Step.VERIFY, now), dirtyBecause), now));
    }

    private void quarantine(Environment environment, String reason) {
        switch (environment.state()) {
            case Idle _ -> lending.dirty(Trigger.QUARANTINED, environment, reason, null);
            case Allocated _, Cleaning _, Checking _ -> {
                working.move(Trigger.QUARANTINED, environment, environment.quarantined(reason));
                working.event(
                        Event.Type.ENVIRONMENT_QUARANTINED, null, environment.name(), null, Map.of("reason", reason));
            }
            case Dirty _, Retired _ -> {}
        }
    }
}
