package dev.berth.core;

import dev.berth.core.AllocationState.Active;
import dev.berth.core.AllocationState.Granting;
import dev.berth.core.AllocationState.Pending;
import dev.berth.core.AllocationState.Polling;
import dev.berth.core.AllocationState.Setbacks;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Who gets environments, keeps them and gives them back. */
final class Lending {
    /** What issuing may take on top of its own attempts, while our own credentials or an endpoint are down. */
    private static final Duration GRANTING_GRACE = Duration.ofMinutes(2);

    private static final Duration SHORTEST_DURATION = Duration.ofSeconds(1);

    private final Working working;
    private final Instant now;
    private final Queue queue;
    private final Predicate<AllocationId> waitsHere;

    /**
     * @param waitsHere as {@link Rules#decide} has it
     */
    Lending(Working working, Predicate<AllocationId> waitsHere) {
        this.working = working;
        this.waitsHere = waitsHere;
        this.queue = new Queue(working, this);
        this.now = working.now;
    }

    // ---- asking

    Answer ask(Command.Ask ask) {
        var request = ask.request();
        var key = request.key() == null ? null : new KeyUse.Key(ask.principal(), request.key());
        var use = key == null ? null : working.find(key);
        var earlier = use == null ? null : working.find(use.allocation());
        if (use != null && earlier != null) {
            return repeat(use, earlier, ask);
        }
        var refused = refusal(ask);
        if (refused != null) {
            return refused;
        }
        boolean waits = request.maxWait().isPositive();
        var place = working.place(Slice.Place.of(ask));
        var allocation = asked(ask);
        var over = overQuota(allocation);
        var pick = over == null
                ? queue.choose(place == null ? allocation : place, allocation, waits || place != null)
                : null;
        if (pick != null) {
            if (place != null) {
                working.forget(place);
            }
            grant(allocation, pick, ask.address());
            remember(key, allocation);
            queue.took(pick, place);
            return new Answer.Current(working.allocation(allocation.id()));
        }
        if (waits) {
            return queued(allocation, key, place, ask.address());
        }
        if (over != null) {
            return over;
        }
        keepPlace(allocation, place);
        return new Answer.Refused(
                Refusal.NO_ENVIRONMENT_AVAILABLE,
                "No environments available in pool '%s'".formatted(working.poolName()),
                null);
    }

    private Allocation asked(Command.Ask ask) {
        var request = ask.request();
        var policy = working.policy();
        return new Allocation(
                ask.id(),
                working.poolName(),
                ask.principal(),
                request,
                working.slice().pool().policy().sharer(ask.principal(), ask.label()), // whose holder the slice has
                working.nextTurn(),
                Allocation.rank(now, request.priority(), policy.queue().aging()),
                now,
                request.keepalive() == null ? policy.keepalive() : request.keepalive(),
                new Pending(
                        now.plus(request.maxWait()),
                        now.plus(policy.queue().liveness()),
                        now.plus(ask.open()),
                        Setbacks.NONE));
    }

    private Answer queued(
            Allocation allocation, KeyUse.@Nullable Key key, @Nullable Allocation place, @Nullable String address) {
        var refused = noRoom(allocation);
        if (refused != null) {
            return refused;
        }
        if (place != null) {
            working.forget(place); // it has one in the queue now
        }
        working.put(allocation);
        remember(key, allocation);
        queue.join(allocation);
        var request = allocation.request();
        working.event(
                Event.Type.ALLOCATION_REQUESTED,
                allocation.id(),
                null,
                allocation.principal(),
                Working.from(
                        address, Map.of("requester", request.requester(), "count", String.valueOf(request.count()))));
        return new Answer.Current(allocation);
    }

    /** Why it cannot wait; null where it can. */
    private Answer.@Nullable Refused noRoom(Allocation allocation) {
        var policy = working.policy();
        var quota = policy.quota(allocation.principal()).queued();
        if (quota != null && working.holder(allocation.principal()).queued() >= quota) {
            return new Answer.Refused(
                    Refusal.QUOTA_EXCEEDED,
                    "%d requests of %s wait for pool '%s', which is as many as it may have there"
                            .formatted(quota, allocation.principal(), working.poolName()),
                    null,
                    policy.retryAfter());
        }
        if (working.waiting() >= policy.queue().max()) {
            return new Answer.Refused(
                    Refusal.QUEUE_FULL,
                    "%d requests wait for pool '%s', which is as many as it allows"
                            .formatted(working.waiting(), working.poolName()),
                    null);
        }
        return hasLine(allocation)
                ? null
                : new Answer.Refused(
                        Refusal.QUEUE_FULL,
                        "environments: requests for as many different needs as pool '%s' allows wait already"
                                .formatted(working.poolName()),
                        null);
    }

    /** Whether there is a line that it can wait in, or room for another. */
    private boolean hasLine(Allocation allocation) {
        var own = allocation.line();
        var lines = working.lines();
        if (own.need().isEmpty()) {
            int special = lines.stream()
                    .filter(line -> line.need() == null)
                    .mapToInt(Line::waiting)
                    .sum();
            return special < Search.MOST_SPECIAL;
        }
        var needs = lines.stream().map(Line::need).filter(Objects::nonNull).collect(Collectors.toSet());
        return needs.contains(allocation.request().need()) || needs.size() < Search.MOST_NEEDS;
    }

    /** In case it asks again. */
    private void keepPlace(Allocation allocation, @Nullable Allocation place) {
        if (place != null && place.state() instanceof Polling was) {
            if (was.isNews(place.createdAt(), now)) {
                working.put(place.in(new Polling(now, null, was.misses(), true)));
            }
        } else if (working.polling() < working.policy().queue().max() && hasLine(allocation)) {
            working.put(allocation.in(new Polling(now, null, 0, false)));
        }
    }

    /** Why its principal gets no more now; null where it does. */
    private Answer.@Nullable Refused overQuota(Allocation allocation) {
        if (!queue.isOverQuota(allocation)) {
            return null;
        }
        var quota = working.policy().quota(allocation.principal()).held();
        var holder = working.holder(allocation.principal());
        return new Answer.Refused(
                Refusal.QUOTA_EXCEEDED,
                "%s holds %d environments of pool '%s', and may hold %d at once"
                        .formatted(allocation.principal(), holder.held(), working.poolName(), quota),
                null,
                holder.held() == 0 ? null : givenBackIn(allocation.principal()));
    }

    private Duration givenBackIn(String principal) {
        var first = working.slice().givenBack().get(principal);
        var retryAfter = working.policy().retryAfter();
        return first == null || !first.isAfter(now.plus(retryAfter)) ? retryAfter : Duration.between(now, first);
    }

    private Answer repeat(KeyUse use, Allocation earlier, Command.Ask ask) {
        if (!use.digest().equals(ask.request().digest())) {
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
        boolean comesBack = earlier.state() instanceof Pending pending && pending.interestUntil() == null;
        note(earlier, ask.open());
        if (comesBack) {
            queue.serve(); // it was passed over when this batch served the queue
        }
        return new Answer.Current(earlier);
    }

    /** What the pool as configured can never do. */
    private Answer.@Nullable Refused refusal(Command.Ask ask) {
        var request = ask.request();
        var policy = working.policy();
        if (!working.listed()) {
            return new Answer.Refused(Refusal.NO_SUCH_POOL, "No pool '%s'".formatted(working.poolName()), null);
        }
        if (queue.isImpossible(request.need())) {
            return new Answer.Refused(Refusal.UNSATISFIABLE, queue.whatIsMissing(request.need()), null);
        }
        var session = policy.session();
        if (request.duration() != null && request.duration().compareTo(SHORTEST_DURATION) < 0) {
            return outOfRange("duration: at least " + Durations.text(SHORTEST_DURATION));
        }
        if (request.keepalive() != null && request.keepalive().compareTo(Policy.SHORTEST_KEEPALIVE) < 0) {
            return outOfRange("keepalive: at least " + Durations.text(Policy.SHORTEST_KEEPALIVE));
        }
        if (request.duration() != null && session != null && request.duration().compareTo(session) > 0) {
            return outOfRange("duration: at most the pool's session, " + Durations.text(session));
        }
        if (request.keepalive() != null
                && session != null
                && request.keepalive().compareTo(session) > 0) {
            return outOfRange("keepalive: at most the pool's session, " + Durations.text(session));
        }
        if (request.maxWait().compareTo(policy.queue().maxWait()) > 0) {
            return outOfRange(
                    "maxWait: at most " + Durations.text(policy.queue().maxWait()));
        }
        var quota = policy.quota(ask.principal()).held();
        if (quota != null && request.count() > quota) {
            return outOfRange("environments: at most %d at once, the quota of %s".formatted(quota, ask.principal()));
        }
        return outOfRange(request.priority(), ask.operator());
    }

    private Answer.@Nullable Refused outOfRange(int priority, boolean operator) {
        int highest = operator
                ? Policy.Queueing.HIGHEST_PRIORITY
                : working.policy().queue().maxPriority();
        return priority > highest || priority < Policy.Queueing.LOWEST_PRIORITY
                ? outOfRange("priority: from %d to %d".formatted(Policy.Queueing.LOWEST_PRIORITY, highest))
                : null;
    }

    private static Answer.Refused outOfRange(String detail) {
        return new Answer.Refused(Refusal.OUT_OF_RANGE, detail, null);
    }

    private void remember(KeyUse.@Nullable Key key, Allocation allocation) {
        if (key != null) {
            working.use(new KeyUse(key, allocation.id(), allocation.request().digest()));
        }
    }

    // ---- granting

    /** @param address where it is asked for; null where it was before */
    void grant(Allocation allocation, Queue.Pick pick, @Nullable String address) {
        var pending = (Pending) allocation.state();
        boolean issues = working.policy().steps().contains(Step.ISSUE);
        var length = length(allocation);
        var backAt = length == null ? null : now.plus(length);
        var grants = new ArrayList<Grant>(pick.chosen().size());
        for (var chosen : pick.chosen()) {
            var work = issues ? Work.fresh(Step.ISSUE, now) : null;
            var environment = chosen.environment();
            var lent = environment.lentTo(allocation.tenant(), new EnvironmentState.Allocated(work, backAt), now);
            working.move(Transitions.Trigger.GRANTED, environment, lent);
            grants.add(new Grant(lent.name(), lent.epoch(), lent.record().facts(), chosen.profile(), null));
        }
        // Who asks now is there to take what it gets; who waited in the queue may have gone.
        boolean asks = working.isNew(allocation);
        var openUntil = asks ? null : pending.openUntil();
        var granting = new Granting(
                grants, pending.until(), now.plus(longestIssuing()), openUntil, pick.loan(), pending.setbacks());
        var granted = allocation.in(issues ? granting : active(allocation, granting, asks));
        working.put(granted);
        working.event(
                Event.Type.ALLOCATION_GRANTED,
                granted.id(),
                null,
                granted.principal(),
                Working.from(
                        address, Map.of("requester", granted.request().requester(), "environments", names(grants))));
    }

    /** How long it may be held, from when its access is there; null for as long as it likes. */
    private @Nullable Duration length(Allocation allocation) {
        var asked = allocation.request().duration();
        return asked == null ? working.policy().session() : asked;
    }

    /** Whether all that it would get is clean again before then, whatever happens. */
    boolean isBackBefore(Allocation allocation, Instant latest) {
        var length = length(allocation);
        if (length == null) {
            return false;
        }
        var issuing = working.policy().steps().contains(Step.ISSUE) ? longestIssuing() : Duration.ZERO;
        var back = now.plus(issuing).plus(length).plus(working.policy().longestUpkeep());
        return !back.isAfter(latest);
    }

    private Duration longestIssuing() {
        var limits = working.policy().limits(Step.ISSUE);
        return limits.timeout().multipliedBy(limits.attempts()).plus(GRANTING_GRACE);
    }

    /**
     * With access to everything.
     *
     * @param asks whether that is the answer to who asks now, who is there to take it
     */
    private Active active(Allocation allocation, Granting granting, boolean asks) {
        var length = length(allocation);
        var collectBy = asks ? null : collectBy(allocation, granting.openUntil());
        return alive(
                allocation,
                new Active(
                        granting.grants(),
                        now,
                        length == null ? null : now.plus(length),
                        null,
                        collectBy,
                        granting.loan(),
                        null));
    }

    /**
     * By when its caller has to come for it; null where a connection waits that this process has. Of one that another process has
     * nobody knows whether it is still there: whoever has it collects what was granted before it is answered.
     *
     * @param openUntil as {@link Granting#openUntil} has it
     */
    private @Nullable Instant collectBy(Allocation allocation, @Nullable Instant openUntil) {
        boolean open = openUntil == null || openUntil.isAfter(now);
        if (open && waitsHere.test(allocation.id())) {
            return null;
        }
        return (openUntil == null ? now : later(openUntil, now))
                .plus(working.policy().queue().liveness());
    }

    /** With a fresh interval until the next sign of life, which never goes past the session's end; none until it is collected. */
    private Active alive(Allocation allocation, Active active) {
        if (allocation.keepalive() == null || active.hold() != null) {
            return active;
        }
        if (active.collectBy() != null) {
            return active.alive(null); // who does not know of it yet cannot keep it alive
        }
        var by = now.plus(allocation.keepalive());
        var end = active.expiresAt();
        return active.alive(end == null || by.isBefore(end) ? by : end);
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
            working.put(allocation.in(granting.granting(grants)));
            return;
        }
        working.put(allocation.in(active(allocation, granting.granting(grants), false)));
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
            end(allocation, EndReason.ACCESS_FAILED);
            return;
        }
        var openUntil = granting.openUntil();
        working.put(allocation.in(new Pending(
                granting.until(),
                now.plus(working.policy().queue().liveness()),
                openUntil == null ? now : openUntil,
                new Setbacks(avoid))));
        vacate(allocation);
    }

    /** Whether it is kept for a caller who keeps asking. */
    boolean isKept(Environment environment) {
        return queue.isKept(environment);
    }

    /** Returns whether that changed anything. */
    private boolean serveQueue() {
        long before = working.edits();
        queue.serve();
        return working.edits() != before;
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
            working.put(allocation.in(alive(allocation, active.collected(null))));
        } else {
            note(allocation, Duration.ZERO);
        }
        return new Answer.Current(allocation);
    }

    /** Its own principal is interested. */
    Answer attend(Command.Attend command) {
        var allocation = working.find(command.id());
        if (allocation == null || !command.caller().mayAct(allocation)) {
            return noSuchAllocation(command.id());
        }
        if (command.caller().owns(allocation)) {
            note(allocation, command.open());
        }
        return new Answer.Current(allocation);
    }

    /**
     * Interest is noted at most once per third of the time that it lasts; that a connection waits longer than is known, at once: who is
     * granted something meanwhile is there to take it.
     */
    private void note(Allocation allocation, Duration open) {
        var liveness = working.policy().queue().liveness();
        if (allocation.state() instanceof Pending pending) {
            var known = pending.interestUntil();
            boolean fresh = known != null
                    && known.isAfter(now.plus(liveness.multipliedBy(2).dividedBy(3)));
            var openUntil = later(pending.openUntil(), now.plus(open));
            if (!fresh) {
                working.put(allocation.in(pending.watched(now.plus(liveness), openUntil)));
            } else if (open.isPositive() && openUntil.isAfter(pending.openUntil())) {
                working.put(allocation.in(pending.watched(known, openUntil)));
            }
        } else if (allocation.state() instanceof Active active && active.collectBy() != null) {
            working.put(allocation.in(alive(allocation, active.collected(null))));
        }
    }

    private static Instant later(Instant one, Instant other) {
        return one.isAfter(other) ? one : other;
    }

    /** Who waited for it has gone: with a key it may come back, without one nobody knows it. */
    Answer leave(Command.Leave command) {
        var allocation = working.find(command.id());
        if (allocation == null || !command.caller().owns(allocation)) {
            return noSuchAllocation(command.id());
        }
        boolean lost = !command.known() && allocation.request().key() == null;
        switch (allocation.state()) {
            case AllocationState.Ended _, Polling _ -> {}
            case Pending _, Granting _, Active _ when lost -> end(allocation, EndReason.NOT_COLLECTED);
            case Pending pending -> working.put(allocation.in(pending.watched(null, now)));
            case Granting granting -> working.put(allocation.in(granting.watched(now)));
            case Active active ->
                working.put(allocation.in(alive(
                        allocation,
                        active.collected(now.plus(working.policy().queue().liveness())))));
        }
        return new Answer.Current(allocation);
    }

    /** Kept for a person, in place of both deadlines. */
    Answer hold(Command.Hold command) {
        var allocation = working.find(command.id());
        if (allocation == null || !command.caller().mayAct(allocation)) {
            return noSuchAllocation(command.id());
        }
        if (hasLapsed(allocation)) {
            return leaseLost(allocation);
        }
        var terms = working.policy().hold();
        if (terms == null || !(allocation.state() instanceof Active active) || active.loan()) {
            return new Answer.Refused(
                    Refusal.HOLD_NOT_ALLOWED,
                    terms == null
                            ? "Pool '%s' does not keep environments for persons".formatted(working.poolName())
                            : "Only an active allocation can be kept, and none that was lent what others wait for",
                    null);
        }
        var before = active.hold();
        if (command.period().compareTo(terms.max()) > 0) {
            return outOfRange("for: at most " + Durations.text(terms.max()));
        }
        int count = allocation.request().count();
        if (before == null && working.onHold() + count > terms.quota()) {
            return new Answer.Refused(
                    Refusal.HOLD_QUOTA_EXCEEDED,
                    "%d environments of pool '%s' are kept for persons, and %d may be"
                            .formatted(working.onHold(), working.poolName(), terms.quota()),
                    null,
                    working.policy().retryAfter());
        }
        var since = before == null ? now : before.since();
        var latest = since.plus(terms.max());
        var until = now.plus(command.period());
        var outcome = before == null || before.outcome() == null ? command.outcome() : before.outcome();
        working.put(allocation.in(active.heldFor(
                new AllocationState.Hold(since, until.isAfter(latest) ? latest : until, command.to(), outcome))));
        working.event(
                Event.Type.ALLOCATION_HELD,
                allocation.id(),
                null,
                command.caller().principal(),
                Working.from(
                        command.caller().address(),
                        Map.of(
                                "for",
                                String.join(",", command.to().stream().sorted().toList()))));
        return new Answer.Current(allocation);
    }

    /** Another place in the queue. */
    Answer prioritise(Command.Prioritise command) {
        var allocation = working.find(command.id());
        if (allocation == null || !command.caller().mayAct(allocation) || allocation.state() instanceof Polling) {
            return noSuchAllocation(command.id());
        }
        if (!(allocation.state() instanceof Pending)) {
            return new Answer.Refused(
                    Refusal.NOT_WAITING, "Allocation %s does not wait".formatted(allocation.id()), null);
        }
        var refused = outOfRange(command.priority(), command.caller().operator());
        if (refused != null) {
            return refused;
        }
        working.put(allocation.prioritised(
                command.priority(), working.policy().queue().aging()));
        working.event(
                Event.Type.ALLOCATION_PRIORITISED,
                allocation.id(),
                null,
                command.caller().principal(),
                Working.from(command.caller().address(), Map.of("priority", String.valueOf(command.priority()))));
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
        if (longest == null
                || !(allocation.state() instanceof Active active)
                || active.loan()
                || active.hold() != null) {
            return new Answer.Refused(
                    Refusal.EXTEND_NOT_ALLOWED,
                    longest == null
                            ? "Pool '%s' does not allow extending a session".formatted(working.poolName())
                            : "Only an active allocation can be extended, which is not kept for a person and was not"
                                    + " lent what others wait for",
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
        working.put(
                allocation.in(alive(allocation, active.until(command.until()).collected(null))));
        working.event(
                Event.Type.ALLOCATION_EXTENDED,
                allocation.id(),
                null,
                command.caller().principal(),
                Working.from(
                        command.caller().address(),
                        Map.of("until", command.until().toString())));
        return new Answer.Current(allocation);
    }

    /** Over, or past its session's end though that was not processed yet. A keepalive that is late but not too late still counts. */
    private boolean hasLapsed(Allocation allocation) {
        if (!(allocation.state() instanceof Active active)) {
            return allocation.hasEnded();
        }
        var end = active.hold() == null ? active.expiresAt() : active.hold().until();
        return end != null && !now.isBefore(end);
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
        if (allocation == null
                || !(command.caller().mayAct(allocation)
                        || allocation.isHeldFor(command.caller().principal()))) {
            return noSuchAllocation(command.id());
        }
        if (!allocation.hasEnded()) {
            boolean own = command.caller().owns(allocation)
                    || allocation.isHeldFor(command.caller().principal());
            end(allocation, own ? EndReason.RELEASED : EndReason.OPERATOR, command.outcome(), command.caller());
        }
        return new Answer.Current(allocation);
    }

    void end(Allocation allocation, EndReason reason) {
        end(allocation, reason, null, null);
    }

    /**
     * Ends it.
     *
     * @param by who does; null where nobody does
     */
    private void end(Allocation allocation, EndReason reason, @Nullable String said, @Nullable Caller by) {
        var held = allocation.state() instanceof Active active ? active.hold() : null;
        var outcome = said == null && held != null ? held.outcome() : said;
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
        if (by != null && !by.owns(allocation)) {
            data.put("by", by.principal());
        }
        working.event(
                Event.Type.ALLOCATION_ENDED,
                allocation.id(),
                null,
                allocation.principal(),
                Working.from(by == null ? null : by.address(), data));
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
                case Granting _ -> end(current, EndReason.ACCESS_FAILED);
                case Active active -> end(current, overBecause(active));
                case Pending _, Polling _, AllocationState.Ended _ -> {}
            }
        }
    }

    private EndReason overBecause(Active active) {
        if (active.hold() != null || isOver(active.expiresAt())) {
            return EndReason.SESSION_EXPIRED;
        }
        return isOver(active.keepaliveBy()) ? EndReason.KEEPALIVE_LOST : EndReason.NOT_COLLECTED;
    }

    private boolean isOver(@Nullable Instant deadline) {
        return deadline != null && !deadline.isAfter(now);
    }

    /** Gives out what is free, then ends the waits that are over and passes over those in whom nobody is interested. */
    void serveWaiting() {
        boolean changed = serveQueue();
        long before = working.edits();
        for (var current : working.ownAllocations()) {
            if (current.state() instanceof Pending pending) {
                if (isOver(pending.until())) {
                    end(current, EndReason.WAIT_TIMEOUT);
                } else if (isOver(pending.interestUntil())) {
                    working.put(current.in(pending.watched(null, pending.openUntil())));
                }
            } else if (current.state() instanceof Polling polling) {
                expire(current, polling);
            }
        }
        if (changed || working.edits() != before) { // else the same would come of it
            serveQueue(); // whoever waited behind one that was served or has gone
        }
    }

    private void expire(Allocation place, Polling polling) {
        boolean missed = isOver(polling.keptUntil());
        int misses = polling.misses() + (missed ? 1 : 0);
        if (isOver(polling.askedAt().plus(Polling.MEMORY).plus(Polling.NOTED_EVERY)) || misses >= Polling.MOST_MISSES) {
            working.forget(place);
        } else if (missed) {
            working.put(place.in(new Polling(polling.askedAt(), null, misses, false)));
        }
    }

    /**
     * Nobody could be heard for a while: that counts against nobody.
     *
     * @param restarted whether no process lived through it: then every connection that waited is gone
     */
    void forgiveOutage(boolean restarted) {
        var silence = Duration.between(working.slice().pool().touchedAt(), now);
        for (var allocation : working.ownAllocations()) {
            switch (allocation.state()) {
                case Pending pending ->
                    working.put(allocation.in(new Pending(
                            pending.until().plus(silence),
                            pending.interestUntil() == null
                                    ? null
                                    : pending.interestUntil().plus(silence),
                            restarted ? now : pending.openUntil(),
                            pending.setbacks())));
                case Polling polling ->
                    working.put(allocation.in(
                            new Polling(polling.askedAt().plus(silence), null, polling.misses(), polling.awake())));
                case Granting granting ->
                    working.put(allocation.in(new Granting(
                            granting.grants(),
                            granting.until().plus(silence),
                            granting.giveUpAt().plus(silence),
                            restarted ? now : granting.openUntil(),
                            granting.loan(),
                            granting.setbacks())));
                case Active active ->
                    working.put(allocation.in(alive(
                            allocation,
                            active.collected(
                                    active.collectBy() == null
                                            ? null
                                            : active.collectBy().plus(silence)))));
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
