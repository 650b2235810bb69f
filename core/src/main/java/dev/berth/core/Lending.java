package dev.berth.core;

import dev.berth.core.AllocationState.Active;
import dev.berth.core.AllocationState.Granting;
import dev.berth.core.AllocationState.Pending;
import dev.berth.core.AllocationState.Setbacks;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Who gets environments, keeps them and gives them back. */
final class Lending {
    /** What issuing may take on top of its own attempts, while our own credentials or an endpoint are down. */
    private static final Duration GRANTING_GRACE = Duration.ofMinutes(2);

    private static final Duration SHORTEST_DURATION = Duration.ofSeconds(1);

    private final Working working;
    private final Instant now;
    /** What nobody who waits counts on, for those who come after them; null for everything. */
    private @Nullable Set<EnvironmentName> spare;

    Lending(Working working) {
        this.working = working;
        this.now = working.now;
    }

    // ---- asking

    Answer ask(Command.Ask ask) {
        var request = ask.request();
        var key = request.key() == null ? null : new KeyUse.Key(ask.principal(), request.key());
        var use = key == null ? null : working.find(key);
        var earlier = use == null ? null : working.find(use.allocation());
        if (use != null && earlier != null) {
            return repeat(use, earlier, request);
        }
        var refused = refusal(request);
        if (refused != null) {
            return refused;
        }
        var allocation = new Allocation(
                ask.id(),
                working.poolName(),
                ask.principal(),
                request,
                working.nextTurn(),
                now,
                request.keepalive() == null ? working.policy().keepalive() : request.keepalive(),
                new Pending(now.plus(request.maxWait()), Setbacks.NONE));
        if (grant(allocation)) {
            remember(key, allocation);
            return new Answer.Current(working.allocation(allocation.id()));
        }
        if (!request.maxWait().isPositive()) {
            return nothingFree();
        }
        if (working.waiting() >= working.policy().queueMax()) {
            return new Answer.Refused(
                    Refusal.QUEUE_FULL,
                    "%d requests wait for pool '%s', which is as many as it allows"
                            .formatted(working.waiting(), working.poolName()),
                    null);
        }
        working.put(allocation);
        remember(key, allocation);
        countOn(allocation);
        working.event(
                Event.Type.ALLOCATION_REQUESTED,
                allocation.id(),
                null,
                allocation.principal(),
                Map.of("requester", request.requester(), "count", String.valueOf(request.count())));
        return new Answer.Current(allocation);
    }

    private Answer repeat(KeyUse use, Allocation earlier, Request request) {
        if (!use.digest().equals(request.digest())) {
            return new Answer.Refused(
                    Refusal.IDEMPOTENCY_KEY_REUSED,
                    "This Idempotency-Key was used for another request: allocation " + earlier.id(),
                    null);
        }
        if (earlier.state() instanceof AllocationState.Ended ended) {
            return new Answer.Refused(
                    Refusal.IDEMPOTENCY_KEY_SPENT,
                    "Allocation %s, made under this Idempotency-Key, has ended: %s"
                            .formatted(earlier.id(), ended.reason().slug()),
                    earlier);
        }
        return new Answer.Current(earlier);
    }

    /** What the pool as configured can never do. */
    private Answer.@Nullable Refused refusal(Request request) {
        var policy = working.policy();
        if (!working.listed()) {
            return new Answer.Refused(Refusal.NO_SUCH_POOL, "No pool '%s'".formatted(working.poolName()), null);
        }
        if (request.count() > working.total()) {
            return new Answer.Refused(
                    Refusal.UNSATISFIABLE,
                    "environments: %d asked for, and pool '%s' has %d"
                            .formatted(request.count(), working.poolName(), working.total()),
                    null);
        }
        var session = policy.session();
        if (request.duration() != null && request.duration().compareTo(SHORTEST_DURATION) < 0) {
            return outOfRange("duration: at least " + SHORTEST_DURATION);
        }
        if (request.keepalive() != null && request.keepalive().compareTo(Policy.SHORTEST_KEEPALIVE) < 0) {
            return outOfRange("keepalive: at least " + Policy.SHORTEST_KEEPALIVE);
        }
        if (request.duration() != null && session != null && request.duration().compareTo(session) > 0) {
            return outOfRange("duration: at most the pool's session, " + session);
        }
        if (request.keepalive() != null
                && session != null
                && request.keepalive().compareTo(session) > 0) {
            return outOfRange("keepalive: at most the pool's session, " + session);
        }
        if (request.maxWait().compareTo(policy.maxWait()) > 0) {
            return outOfRange("maxWait: at most " + policy.maxWait());
        }
        return null;
    }

    private static Answer.Refused outOfRange(String detail) {
        return new Answer.Refused(Refusal.OUT_OF_RANGE, detail, null);
    }

    private Answer.Refused nothingFree() {
        return new Answer.Refused(
                Refusal.NO_ENVIRONMENT_AVAILABLE,
                "No environments available in pool '%s'".formatted(working.poolName()),
                null);
    }

    private void remember(KeyUse.@Nullable Key key, Allocation allocation) {
        if (key != null) {
            working.use(new KeyUse(key, allocation.id(), allocation.request().digest()));
        }
    }

    // ---- granting

    /** Grants all it asks for, or changes nothing. */
    private boolean grant(Allocation allocation) {
        var pending = (Pending) allocation.state();
        var setbacks = pending.setbacks();
        var chosen = working.pick(allocation.request().count(), setbacks.avoid(), spare);
        if (chosen == null) {
            return false;
        }
        boolean issues = working.policy().steps().contains(Step.ISSUE);
        var grants = new ArrayList<Grant>(chosen.size());
        for (var environment : chosen) {
            var work = issues ? Work.fresh(Step.ISSUE, now) : null;
            var lent = environment.lentTo(allocation.tenant(), new EnvironmentState.Allocated(work), now);
            working.move(Transitions.Trigger.GRANTED, environment, lent);
            grants.add(new Grant(lent.name(), lent.epoch(), lent.record().facts(), null));
        }
        var state = issues
                ? new Granting(grants, pending.until(), now.plus(longestIssuing()), setbacks)
                : active(allocation, grants);
        var granted = allocation.in(state);
        working.put(granted);
        working.event(
                Event.Type.ALLOCATION_GRANTED,
                granted.id(),
                null,
                granted.principal(),
                Map.of("requester", granted.request().requester(), "environments", names(grants)));
        return true;
    }

    private Duration longestIssuing() {
        var limits = working.policy().limits(Step.ISSUE);
        return limits.timeout().multipliedBy(limits.attempts()).plus(GRANTING_GRACE);
    }

    private Active active(Allocation allocation, List<Grant> grants) {
        var duration = allocation.request().duration() == null
                ? working.policy().session()
                : allocation.request().duration();
        return alive(allocation, new Active(grants, now, duration == null ? null : now.plus(duration), null));
    }

    /** With a fresh interval until the next sign of life, which never goes past the session's end. */
    private Active alive(Allocation allocation, Active active) {
        if (allocation.keepalive() == null) {
            return active;
        }
        var by = now.plus(allocation.keepalive());
        var end = active.expiresAt();
        return new Active(active.grants(), active.grantedAt(), end, end == null || by.isBefore(end) ? by : end);
    }

    /** Access of one environment is there; when it is the last one, the allocation becomes active. */
    void issued(Environment environment, @Nullable Sealed access) {
        var tenant = environment.tenant();
        if (tenant == null || !(working.allocation(tenant.allocation()).state() instanceof Granting granting)) {
            throw new IllegalStateException("environment " + environment.name() + " is issued for nobody");
        }
        var allocation = working.allocation(tenant.allocation());
        var grants = granting.grants().stream()
                .map(grant ->
                        grant.environment().equals(environment.name()) && access != null ? grant.with(access) : grant)
                .toList();
        boolean ready = grants.stream()
                .allMatch(grant ->
                        working.environment(grant.environment()).state().work() == null);
        if (!ready) {
            working.put(
                    allocation.in(new Granting(grants, granting.until(), granting.giveUpAt(), granting.setbacks())));
            return;
        }
        working.put(allocation.in(active(allocation, grants)));
        working.event(
                Event.Type.ALLOCATION_ACTIVE,
                allocation.id(),
                null,
                allocation.principal(),
                Map.of("environments", names(grants)));
    }

    /** Access could not be issued for one: the grant is undone, and the request goes back to its place without that one. */
    void undo(Environment culprit, String reason) {
        var tenant = culprit.tenant();
        if (tenant == null || !(working.allocation(tenant.allocation()).state() instanceof Granting granting)) {
            throw new IllegalStateException("environment " + culprit.name() + " is issued for nobody");
        }
        var allocation = working.allocation(tenant.allocation());
        var avoid = new HashSet<>(granting.setbacks().avoid());
        avoid.add(culprit.name());
        working.event(
                Event.Type.ALLOCATION_UNDONE,
                allocation.id(),
                culprit.name(),
                allocation.principal(),
                Map.of("reason", reason));
        if (avoid.size() >= Setbacks.MOST
                || working.total() - avoid.size() < allocation.request().count()) {
            end(allocation, EndReason.ACCESS_FAILED, null);
            return;
        }
        working.put(allocation.in(new Pending(granting.until(), new Setbacks(avoid))));
        vacate(allocation);
    }

    /**
     * Gives what is free to those who wait, in their order. Nobody takes what somebody before counts on; who can be satisfied by
     * nothing but a person's doing counts on nothing, and who can never be satisfied waits no more.
     */
    void serveQueue() {
        spare = null;
        boolean granted = false;
        boolean ended = false;
        for (var waiting : working.queue()) {
            if (!working.listed() || waiting.request().count() > working.total()) {
                end(waiting, EndReason.UNSATISFIABLE, null);
                ended = true;
            } else if (grant(waiting)) {
                granted = true;
            } else {
                countOn(waiting);
            }
        }
        boolean more = working.hasMoreWaiting();
        boolean left = (spare == null || !spare.isEmpty()) && working.count(EnvironmentState.Name.AVAILABLE) > 0;
        // With something free to begin with, all heads that a slice may have were loaded: only a change leads to
        // others.
        boolean fewLoaded = working.slice().pool().counts().available() == 0;
        if (more && (ended || !working.listed() || (left && (granted || fewLoaded)))) {
            working.leaveUnserved();
        }
        if (more) {
            spare = Set.of();
        }
    }

    /** What the next may take is now only what this one, who waits, does not want. */
    private void countOn(Allocation waiting) {
        var avoid = ((Pending) waiting.state()).setbacks().avoid();
        long avoided =
                avoid.stream().filter(name -> isLendable(working.find(name))).count();
        if (waiting.request().count() > working.lendable() - avoided) {
            return; // nothing but a person can satisfy it
        }
        spare = spare == null ? avoid : spare.stream().filter(avoid::contains).collect(Collectors.toSet());
    }

    private boolean isLendable(@Nullable Environment environment) {
        return environment != null
                && environment.pool() == working.poolNumber()
                && !environment.isRetiring()
                && !(environment.state() instanceof EnvironmentState.Dirty)
                && !(environment.state() instanceof EnvironmentState.Retired);
    }

    // ---- holding

    Answer keepAlive(Command.KeepAlive command) {
        var allocation = working.find(command.id());
        if (allocation == null || !command.caller().mayAct(allocation)) {
            return noSuchAllocation(command.id());
        }
        if (hasLapsed(allocation)) {
            return leaseLost(allocation);
        }
        if (allocation.state() instanceof Active active) {
            working.put(allocation.in(alive(allocation, active)));
        }
        return new Answer.Current(allocation);
    }

    Answer extend(Command.Extend command) {
        var allocation = working.find(command.id());
        if (allocation == null || !command.caller().mayAct(allocation)) {
            return noSuchAllocation(command.id());
        }
        if (hasLapsed(allocation)) {
            return leaseLost(allocation);
        }
        var longest = working.policy().maxSession();
        if (longest == null || !(allocation.state() instanceof Active active)) {
            return new Answer.Refused(
                    Refusal.EXTEND_NOT_ALLOWED,
                    longest == null
                            ? "Pool '%s' does not allow extending a session".formatted(working.poolName())
                            : "Only an active allocation can be extended",
                    null);
        }
        if (active.expiresAt() == null || !command.until().isAfter(active.expiresAt())) {
            return new Answer.Current(allocation);
        }
        var latest = active.grantedAt().plus(longest);
        if (command.until().isAfter(latest)) {
            return new Answer.Refused(
                    Refusal.EXTEND_TOO_FAR, "until: at the latest %s, the pool's max-session".formatted(latest), null);
        }
        // A sign of life too: the keepalive's deadline was bounded by the session's old end.
        working.put(allocation.in(
                alive(allocation, new Active(active.grants(), active.grantedAt(), command.until(), null))));
        working.event(
                Event.Type.ALLOCATION_EXTENDED,
                allocation.id(),
                null,
                command.caller().principal(),
                Map.of("until", command.until().toString()));
        return new Answer.Current(allocation);
    }

    /** Over, or past its session's end though that was not processed yet. A keepalive that is late but not too late still counts. */
    private boolean hasLapsed(Allocation allocation) {
        return allocation.hasEnded()
                || (allocation.state() instanceof Active active
                        && active.expiresAt() != null
                        && !now.isBefore(active.expiresAt()));
    }

    private static Answer leaseLost(Allocation allocation) {
        var why =
                allocation.state() instanceof AllocationState.Ended ended ? ended.reason() : EndReason.SESSION_EXPIRED;
        return new Answer.Refused(
                Refusal.LEASE_LOST, "Allocation %s has ended: %s".formatted(allocation.id(), why.slug()), allocation);
    }

    private static Answer noSuchAllocation(AllocationId id) {
        return new Answer.Refused(Refusal.NO_SUCH_ALLOCATION, "No allocation " + id, null);
    }

    // ---- ending

    Answer release(Command.Release command) {
        var allocation = working.find(command.id());
        if (allocation == null || !command.caller().mayAct(allocation)) {
            return noSuchAllocation(command.id());
        }
        if (!allocation.hasEnded()) {
            boolean own = allocation.principal().equals(command.caller().principal());
            end(allocation, own ? EndReason.RELEASED : EndReason.OPERATOR, command.outcome());
        }
        return new Answer.Current(allocation);
    }

    private void end(Allocation allocation, EndReason reason, @Nullable String outcome) {
        working.put(allocation.ended(reason, outcome, now));
        vacate(allocation);
        var key = allocation.request().key();
        if (key != null && reason.freesKey()) {
            working.free(new KeyUse.Key(allocation.principal(), key));
        }
        var data = new HashMap<String, String>();
        data.put("reason", reason.slug());
        data.put("requester", allocation.request().requester());
        if (outcome != null) {
            data.put("outcome", outcome);
        }
        if (!allocation.state().grants().isEmpty()) {
            data.put("environments", names(allocation.state().grants()));
        }
        working.event(Event.Type.ALLOCATION_ENDED, allocation.id(), null, allocation.principal(), data);
    }

    /** Takes back all that an allocation has. */
    private void vacate(Allocation allocation) {
        for (var grant : allocation.state().grants()) {
            var environment = working.environment(grant.environment());
            if (!environment.isHeldBy(allocation.id())) {
                throw new IllegalStateException(
                        "environment %s is not held by %s".formatted(environment.name(), allocation.id()));
            }
            var issue = environment.state().work();
            enter(
                    Transitions.Trigger.VACATED,
                    environment,
                    Step.REVOKE,
                    0,
                    issue == null ? List.of() : issue.inMotion());
        }
    }

    /**
     * Takes an environment on to the first step from this one that its pool has, or to its rest when there is none left.
     *
     * @param inMotion claims of workers that may still be at it
     */
    void enter(Transitions.Trigger trigger, Environment environment, Step from, int failures, List<Claim> inMotion) {
        var step = working.policy().firstFrom(from);
        if (step == null && !inMotion.isEmpty()) {
            step = Step.REVOKE; // this kind has nothing to revoke: but whoever is in motion is fenced by the step
            // all the same
        }
        if (step == null || (environment.quarantine() != null && step != Step.REVOKE)) {
            rest(trigger, environment);
            return;
        }
        var work = new Work(step, failures, 0, now, null, inMotion, false);
        working.move(trigger, environment, environment.in(new EnvironmentState.Cleaning(work), now));
    }

    /** Nothing is left to be done: free, dirty by quarantine, or gone. */
    void rest(Transitions.Trigger trigger, Environment environment) {
        if (environment.quarantine() != null) {
            dirty(trigger, environment, environment.quarantine(), null);
        } else if (environment.drain() != null) {
            retire(trigger, environment, environment.drain(), null);
        } else {
            var every = working.policy().verifyEvery();
            var checkAt = every == null || !working.policy().steps().contains(Step.VERIFY)
                    ? null
                    : now.plus(spread(environment, every));
            var free = environment.freedAs(working.nextTurn(), new EnvironmentState.Available(checkAt), now);
            working.move(trigger, environment, free);
            if (!working.policy().steps().isEmpty()) {
                working.event(Event.Type.ENVIRONMENT_AVAILABLE, null, environment.name(), null, Map.of());
            }
        }
    }

    void dirty(Transitions.Trigger trigger, Environment environment, String reason, @Nullable String report) {
        var data = new HashMap<String, String>();
        data.put("reason", reason);
        if (report != null) {
            data.put("report", report);
        }
        var tenant = environment.tenant();
        working.event(
                Event.Type.ENVIRONMENT_DIRTY,
                tenant == null ? null : tenant.allocation(),
                environment.name(),
                null,
                data);
        if (environment.drain() != null) {
            retire(trigger, environment, environment.drain(), reason);
        } else {
            working.move(
                    trigger,
                    environment,
                    environment.quarantined(null).in(new EnvironmentState.Dirty(reason, report), now));
        }
    }

    void retire(
            Transitions.Trigger trigger,
            Environment environment,
            Environment.Drain because,
            @Nullable String dirtyBecause) {
        boolean byOperator = because == Environment.Drain.OPERATOR;
        working.move(
                trigger,
                environment,
                environment
                        .quarantined(null)
                        .draining(null)
                        .in(new EnvironmentState.Retired(dirtyBecause, byOperator), now));
        working.event(
                Event.Type.ENVIRONMENT_RETIRED,
                null,
                environment.name(),
                null,
                dirtyBecause == null ? Map.of() : Map.of("dirty", dirtyBecause));
    }

    /** A fifth more or less, the same for the same grant, so that checks of a pool do not come all at once. */
    private static Duration spread(Environment environment, Duration every) {
        int hash = Math.floorMod(environment.name().value().hashCode() * 31 + Long.hashCode(environment.epoch()), 401);
        return every.multipliedBy(800 + hash).dividedBy(1000);
    }

    // ---- what time does

    void expireHeld() {
        for (var current : working.ownAllocations()) {
            var due = current.state().dueAt();
            if (due == null || due.isAfter(now)) {
                continue;
            }
            switch (current.state()) {
                case Granting _ -> end(current, EndReason.ACCESS_FAILED, null);
                case Active active ->
                    end(
                            current,
                            active.expiresAt() != null && !active.expiresAt().isAfter(now)
                                    ? EndReason.SESSION_EXPIRED
                                    : EndReason.KEEPALIVE_LOST,
                            null);
                case Pending _, AllocationState.Ended _ -> {}
            }
        }
    }

    /** Ends the waits that are over, once what is free was given out. */
    void expireWaiting() {
        for (var current : working.ownAllocations()) {
            if (current.state() instanceof Pending pending && !pending.until().isAfter(now)) {
                end(current, EndReason.WAIT_TIMEOUT, null);
            }
        }
        serveQueue(); // whoever waited behind one that has gone
    }

    /** Nobody could be heard for a while: that counts against nobody. */
    void forgiveOutage() {
        var silence = Duration.between(working.slice().pool().touchedAt(), now);
        for (var allocation : working.ownAllocations()) {
            switch (allocation.state()) {
                case Pending pending ->
                    working.put(allocation.in(new Pending(pending.until().plus(silence), pending.setbacks())));
                case Granting granting ->
                    working.put(allocation.in(new Granting(
                            granting.grants(),
                            granting.until().plus(silence),
                            granting.giveUpAt().plus(silence),
                            granting.setbacks())));
                case Active active -> working.put(allocation.in(alive(allocation, active)));
                case AllocationState.Ended _ -> {}
            }
        }
        working.event(
                Event.Type.OUTAGE_SURVIVED, null, null, null, Map.of("seconds", String.valueOf(silence.toSeconds())));
    }

    private static String names(List<Grant> grants) {
        return grants.stream().map(grant -> grant.environment().value()).collect(Collectors.joining(","));
    }
}
