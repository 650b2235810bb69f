package dev.berth.core;

import dev.berth.core.EnvironmentState.Allocated;
import dev.berth.core.EnvironmentState.Checking;
import dev.berth.core.EnvironmentState.Cleaning;
import dev.berth.core.EnvironmentState.Idle;
import dev.berth.core.Transitions.Trigger;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Upkeep: who may do which step now, and what its result makes of the environment. */
final class Maintenance {
    private static final int FAILURES_THAT_OPEN = 3;
    private static final Duration PROBE_EVERY = Duration.ofMinutes(1);
    private static final Duration CHECK_AGAIN = Duration.ofMinutes(1);

    private final Working working;
    private final Lending lending;
    private final Instant now;

    Maintenance(Working working, Lending lending) {
        this.working = working;
        this.lending = lending;
        this.now = working.now;
    }

    // ---- claims

    Answer claim(Command.ClaimWork command) {
        var policy = working.policy();
        var ids = command.ids().iterator();
        var steps = new ArrayList<Answer.Assignment>();
        boolean more = false;
        for (var name : working.slice().work()) {
            var environment = working.find(name);
            var work = environment == null ? null : environment.state().work();
            if (environment == null || work == null || !work.claimable(now)) {
                continue;
            }
            if (work.isHopeless()) {
                if (work.isStill(
                        now)) { // else the last worker may still be at it: nothing is decided before its time is up
                    failed(
                            environment,
                            work,
                            "its worker was lost %d times"
                                    .formatted(work.inMotion().size()),
                            null);
                }
                continue;
            }
            boolean issue = work.step() == Step.ISSUE;
            boolean takeOver = work.claim() != null; // its place is taken already
            if (!takeOver && working.claims(issue) >= policy.parallel()) {
                continue;
            }
            var account = issue || takeOver ? null : environment.record().account();
            if (account != null && working.busy(account) >= policy.perAccount()) {
                continue;
            }
            if (!ids.hasNext()) {
                more = true;
                break;
            }
            if (!mayTry()) {
                break;
            }
            steps.add(assign(environment, work, ids.next(), command.process()));
        }
        return new Answer.Claimed(steps, more);
    }

    /** With the breaker open, one step at a time probes whether it works again. */
    private boolean mayTry() {
        var breaker = working.breaker();
        if (breaker.openUntil() == null) {
            return true;
        }
        if (breaker.openUntil().isAfter(now)) {
            return false;
        }
        working.breaker(new Pool.Breaker(breaker.failures(), now.plus(PROBE_EVERY)));
        return true;
    }

    private Answer.Assignment assign(Environment environment, Work work, ClaimId id, String process) {
        var timeout = working.policy().limits(work.step()).timeout();
        var deadline = now.plus(timeout).plus(Claim.GRACE);
        var claim = new Claim(id, process, now.plus(Claim.LEASE), deadline);
        var claimed = work.claimedBy(claim);
        if (work.claim() != null) {
            event(Event.Type.CLAIM_LOST, environment, Map.of("step", slug(work.step())));
        }
        var next = environment.in(at(environment.state(), claimed), now);
        working.move(Trigger.CLAIMED, environment, next);
        event(Event.Type.STEP_STARTED, environment, Map.of("step", slug(work.step())));
        return new Answer.Assignment(
                next, profile(environment, work.step()), claimed, claim, timeout, claimed.unfenced());
    }

    private @Nullable String profile(Environment environment, Step step) {
        var tenant = step == Step.ISSUE || step == Step.REVOKE ? environment.tenant() : null;
        var allocation = tenant == null ? null : working.find(tenant.allocation());
        if (allocation != null) {
            for (var grant : allocation.state().grants()) {
                if (grant.environment().equals(environment.name()) && grant.epoch() == environment.epoch()) {
                    return grant.profile();
                }
            }
        }
        return null;
    }

    Answer renew(Command.RenewClaims command) {
        var lost = new HashSet<ClaimId>();
        for (var held : command.held()) {
            var environment = working.find(held.environment());
            var work = environment == null ? null : environment.state().work();
            // Past its deadline anybody may take over, renewed or not: its worker has to stop.
            if (environment == null || work == null || !isHeldBy(work, held.claim()) || work.isStill(now)) {
                lost.add(held.claim());
                continue;
            }
            var renewed = environment.in(at(environment.state(), work.renewed(now)), now);
            working.move(Trigger.CLAIMED, environment, renewed);
        }
        return new Answer.Renewed(lost);
    }

    Answer voidClaims(Command.VoidClaims command) {
        for (var name : working.slice().environments().keySet()) {
            var environment = working.find(name);
            var work = environment == null || environment.pool() != working.poolNumber()
                    ? null
                    : environment.state().work();
            if (environment != null
                    && work != null
                    && work.claim() != null
                    && !work.claim().process().equals(command.process())) {
                working.move(
                        Trigger.CLAIMED,
                        environment,
                        environment.in(at(environment.state(), work.abandoned(now)), now));
                event(Event.Type.CLAIM_LOST, environment, Map.of("step", slug(work.step())));
            }
        }
        return new Answer.Done();
    }

    // ---- results

    Answer report(Command.Report command) {
        var environment = working.find(command.environment());
        var work = environment == null ? null : environment.state().work();
        if (environment == null
                || work == null
                || !isHeldBy(work, command.claim())
                || environment.epoch() != command.epoch()) {
            return new Answer.Reported(false);
        }
        switch (command.result()) {
            case Command.Result.Done done -> {
                closeBreaker();
                done(environment, work, done);
            }
            case Command.Result.Failed failed -> {
                closeBreaker();
                failed(environment, work.reported(), failed.reason(), failed.report());
            }
            case Command.Result.Unavailable unavailable -> {
                stalled(environment, work, unavailable);
                strainBreaker(unavailable.reason());
            }
            case Command.Result.Unfenced _ -> {
                var until = work.unfenced().stream()
                        .map(Claim::deadline)
                        .max(Instant::compareTo)
                        .orElse(now);
                working.move(
                        Trigger.CLAIMED,
                        environment,
                        environment.in(at(environment.state(), work.postponed(until)), now));
            }
        }
        return new Answer.Reported(true);
    }

    private void done(Environment environment, Work work, Command.Result.Done done) {
        event(Event.Type.STEP_DONE, environment, details(work.step(), null, done.report()));
        boolean settles = done.settle().isPositive();
        var settling = work.settlingUntil(now.plus(done.settle()));
        if (environment.state() instanceof Allocated) {
            var issued = environment.in(at(environment.state(), settles ? settling : null), now);
            working.move(Trigger.STEP_DONE, environment, issued);
            lending.issued(issued, done.access());
        } else if (settles) {
            working.move(Trigger.STEP_DONE, environment, environment.in(at(environment.state(), settling), now));
        } else {
            goOn(environment, work);
        }
    }

    /** The step is done and whatever it had to settle for is over. */
    private void goOn(Environment environment, Work work) {
        if (environment.state() instanceof Checking) {
            lending.rest(Trigger.STEP_DONE, environment);
            return;
        }
        var next = work.step() == Step.REVOKE ? Step.CLEAN : work.step() == Step.CLEAN ? Step.VERIFY : null;
        if (next == null) {
            lending.rest(Trigger.STEP_DONE, environment);
        } else {
            lending.enter(
                    Trigger.STEP_DONE, environment, next, work.step() == Step.REVOKE ? 0 : work.failures(), List.of());
        }
    }

    /** What was to settle has settled. */
    void settle() {
        for (var name : working.slice().due()) {
            var environment = working.find(name);
            var work = environment == null ? null : environment.state().work();
            if (environment == null
                    || work == null
                    || !work.settling()
                    || work.dueAt().isAfter(now)) {
                continue;
            }
            if (environment.state() instanceof Allocated) {
                var issued = environment.in(at(environment.state(), null), now);
                working.move(Trigger.STEP_DONE, environment, issued);
                lending.issued(issued, null);
            } else {
                goOn(environment, work);
            }
        }
    }

    private void failed(Environment environment, Work work, String reason, @Nullable String report) {
        event(Event.Type.STEP_FAILED, environment, details(work.step(), reason, report));
        int attempts = working.policy().limits(work.step()).attempts();
        boolean again = work.failures() + 1 < attempts;
        switch (environment.state()) {
            case Allocated _ -> {
                if (again) {
                    move(environment, at(environment.state(), work.retried(Step.ISSUE, now)));
                } else {
                    var tried = environment.in(at(environment.state(), work), now);
                    working.move(Trigger.STEP_FAILED, environment, tried);
                    lending.undo(tried, reason);
                }
            }
            case Cleaning _ -> {
                if (again) {
                    // what verification did not agree to is cleaned again
                    boolean cleans = work.step() == Step.VERIFY
                            && working.policy().steps().contains(Step.CLEAN);
                    move(environment, new Cleaning(work.retried(cleans ? Step.CLEAN : work.step(), now)));
                } else {
                    lending.dirty(Trigger.STEP_FAILED, environment, slug(work.step()) + " failed: " + reason, report);
                }
            }
            case Checking checking -> {
                boolean hopeless = working.policy().firstFrom(Step.REVOKE) == null; // no step could make it better
                if (checking.dirtyBecause() != null || hopeless) {
                    lending.dirty(Trigger.STEP_FAILED, environment, slug(work.step()) + " failed: " + reason, report);
                } else {
                    lending.enter(Trigger.STEP_FAILED, environment, Step.REVOKE, 0, work.inMotion());
                }
            }
            case Idle _, EnvironmentState.Dirty _, EnvironmentState.Retired _ ->
                throw new IllegalStateException("a step failed where none is: " + environment.name());
        }
    }

    private void move(Environment environment, EnvironmentState next) {
        working.move(Trigger.STEP_FAILED, environment, environment.in(next, now));
    }

    private void stalled(Environment environment, Work work, Command.Result.Unavailable unavailable) {
        event(
                Event.Type.STEP_UNAVAILABLE,
                environment,
                details(work.step(), unavailable.reason(), unavailable.report()));
        working.move(Trigger.CLAIMED, environment, environment.in(at(environment.state(), work.stalled(now)), now));
    }

    // ---- the circuit breaker

    private void strainBreaker(String reason) {
        var breaker = working.breaker();
        int failures = Math.min(breaker.failures() + 1, Integer.MAX_VALUE - 1);
        if (failures < FAILURES_THAT_OPEN) {
            working.breaker(new Pool.Breaker(failures, null));
            return;
        }
        if (breaker.openUntil() == null) {
            working.event(Event.Type.BREAKER_OPENED, null, null, null, Map.of("reason", reason));
        }
        working.breaker(new Pool.Breaker(failures, now.plus(PROBE_EVERY)));
    }

    private void closeBreaker() {
        if (working.breaker().openUntil() != null) {
            working.event(Event.Type.BREAKER_CLOSED, null, null, null, Map.of());
        }
        working.breaker(Pool.Breaker.CLOSED);
    }

    // ---- checks while idle

    void startChecks() {
        for (var name : working.slice().due()) {
            var environment = working.find(name);
            if (environment == null
                    || !(environment.state() instanceof Idle idle)
                    || idle.checkAt() == null
                    || idle.checkAt().isAfter(now)) {
                continue;
            }
            if (!working.policy().steps().contains(Step.VERIFY)) {
                working.move(Trigger.RECORDED, environment, environment.in(idle.checkedAt(null), now));
            } else if (mayCheck(environment)) {
                working.move(
                        Trigger.CHECK_DUE,
                        environment,
                        environment.in(new Checking(Work.fresh(Step.VERIFY, now), null), now));
            } else {
                working.move(Trigger.RECORDED, environment, environment.in(idle.checkedAt(now.plus(CHECK_AGAIN)), now));
            }
        }
    }

    /**
     * Checks take few of the free ones, none while somebody waits or nothing can be tried, none that is kept for who keeps asking, and not
     * the last one until it is long overdue.
     */
    private boolean mayCheck(Environment environment) {
        if (working.waiting() > 0 || working.breaker().openUntil() != null || lending.isKept(environment)) {
            return false;
        }
        int free = working.count(EnvironmentState.Name.AVAILABLE);
        int most = Math.max(1, free / 20);
        if (working.count(EnvironmentState.Name.CHECKING) >= most) {
            return false;
        }
        var every = working.policy().verifyEvery();
        return free > 1 || every == null || now.isAfter(environment.since().plus(every.multipliedBy(3)));
    }

    // ---- small change

    private static boolean isHeldBy(Work work, ClaimId claim) {
        return work.claim() != null && work.claim().id().equals(claim);
    }

    /** The same state with the work as it is now. */
    private static EnvironmentState at(EnvironmentState state, @Nullable Work work) {
        return switch (state) {
            case Allocated allocated -> new Allocated(work, allocated.backAt());
            case Cleaning _ -> new Cleaning(Objects.requireNonNull(work));
            case Checking checking -> new Checking(Objects.requireNonNull(work), checking.dirtyBecause());
            case Idle _, EnvironmentState.Dirty _, EnvironmentState.Retired _ ->
                throw new IllegalStateException("no work in state " + state.name());
        };
    }

    private void event(Event.Type type, Environment environment, Map<String, String> data) {
        var tenant = environment.tenant();
        working.event(
                type,
                tenant == null ? null : tenant.allocation(),
                environment.name(),
                null,
                Objects.requireNonNull(data));
    }

    private static Map<String, String> details(Step step, @Nullable String reason, @Nullable String report) {
        var details = new HashMap<String, String>();
        details.put("step", slug(step));
        if (reason != null) {
            details.put("reason", reason);
        }
        if (report != null) {
            details.put("report", report);
        }
        return details;
    }

    private static String slug(Step step) {
        return step.name().toLowerCase(java.util.Locale.ROOT);
    }
}
