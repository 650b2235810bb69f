package dev.berth.server.http;

import dev.berth.core.Allocation;
import dev.berth.core.AllocationId;
import dev.berth.core.AllocationState;
import dev.berth.core.AllocationState.Active;
import dev.berth.core.AllocationState.Ended;
import dev.berth.core.AllocationState.Granting;
import dev.berth.core.AllocationState.Pending;
import dev.berth.core.AllocationState.Polling;
import dev.berth.core.Answer;
import dev.berth.core.Policy.Queueing;
import dev.berth.core.PoolName;
import dev.berth.server.auth.AllocationDesk;
import dev.berth.server.auth.Principal;
import dev.berth.server.auth.QueueDesk;
import dev.berth.server.auth.Role;
import dev.berth.server.http.Holds.Hold;
import dev.berth.server.ledger.LedgerException;
import io.helidon.http.Header;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.webserver.CloseConnectionException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The calls under {@code /allocations}. */
final class AllocationCalls {
    private static final HeaderName PREFERENCE_APPLIED = HeaderNames.create("Preference-Applied");
    private static final Duration LONGEST_GRANTING = Duration.ofSeconds(60);
    /** However short the liveness of a pool is. */
    private static final Duration SHORTEST_NAP = Duration.ofSeconds(1);

    private static final int LONGEST_OUTCOME = 100;
    private static final int MOST_PERSONS = 20;
    private static final int LONGEST_PERSON = 100;
    private static final Set<String> STATES = Set.of("pending", "granting", "active", "ended");
    private static final Set<String> LIST_QUERY = Set.of("pool", "state", "requester", "cursor", "limit");
    private static final byte[] NOTHING = "{}".getBytes(StandardCharsets.US_ASCII);
    private static final int PAGE = 100;
    private static final int LARGEST_PAGE = 1000;

    private final AllocationDesk desk;
    private final QueueDesk queues;
    private final Holds holds;
    private final Waiters waiters = new Waiters();

    AllocationCalls(AllocationDesk desk, QueueDesk queues, Holds holds) {
        this.desk = desk;
        this.queues = queues;
        this.holds = holds;
    }

    /** Whether a request of its own principal is held for it. */
    boolean isWaitedFor(AllocationId id) {
        return waiters.areFor(id);
    }

    // ---- asking

    Reply post(Call call) {
        var wanted = AllocationBody.read(call.body(), call.idempotencyKey());
        var request = wanted.request();
        var principal = call.principal();
        var hold = request.maxWait().isPositive() ? call.hold() : null;
        var open = hold == null ? Duration.ZERO : hold;
        long began = System.nanoTime();
        var asked = current(desk.ask(principal, wanted.pool(), request, wanted.labels(), open), wanted.pool());
        var reply = granted(principal, waited(call, asked, request.key() != null, began, hold));
        return hold == null ? reply : reply.with(applied(hold));
    }

    /**
     * What was asked for, as it is when it is answered. Where nobody can look after it any more (the store went away), as it was: it has
     * its place, or even its environment, and a caller who was refused would not know its id.
     */
    private Allocation waited(Call call, Allocation asked, boolean known, long began, @Nullable Duration hold) {
        try {
            var came = isWaited(asked.state(), hold)
                    ? held(call, asked, known, state -> deadline(state, began, hold))
                    : asked;
            return desk.attend(call.principal(), came, Duration.ZERO);
        } catch (LedgerException e) {
            return switch (asked.state()) {
                case Pending _, Granting _ -> asked;
                case Active _, Polling _, Ended _ -> throw e;
            };
        }
    }

    private static boolean isWaited(AllocationState state, @Nullable Duration hold) {
        return state instanceof Granting || (state instanceof Pending && hold != null && hold.isPositive());
    }

    /** Until when a POST is held in this state, of {@link System#nanoTime}; empty where it is to be answered. */
    private static Optional<Long> deadline(AllocationState state, long began, @Nullable Duration hold) {
        return switch (state) {
            case Pending _ -> hold == null ? Optional.empty() : Optional.of(began + hold.toNanos());
            case Granting _ -> Optional.of(began + LONGEST_GRANTING.toNanos());
            case Polling _, Active _, Ended _ -> Optional.empty();
        };
    }

    /**
     * Waits as long as the deadline of the state says, and gives the allocation as it is then.
     *
     * @param known whether the caller knows how to find it again
     */
    private Allocation held(
            Call call, Allocation first, boolean known, Function<AllocationState, Optional<Long>> deadline) {
        try (var hold = holds.open(first.id(), call)) {
            if (hold == null) {
                return first;
            }
            if (first.state() instanceof Active
                    || !first.principal().equals(call.principal().name())) {
                return held(call.principal(), first, hold, deadline).orElseThrow(AllocationCalls::gone);
            }
            boolean gone = false;
            waiters.begin(first.id());
            try {
                var came = held(call.principal(), first, hold, deadline);
                gone = came.isEmpty();
                return came.orElseThrow(AllocationCalls::gone);
            } finally {
                if (waiters.end(first.id()) && gone) {
                    desk.leave(call.principal(), first, known);
                }
            }
        }
    }

    private static CloseConnectionException gone() {
        return new CloseConnectionException("the caller went away while its request was held");
    }

    /** Empty where the caller goes away. */
    private Optional<Allocation> held(
            Principal principal, Allocation first, Hold hold, Function<AllocationState, Optional<Long>> deadline) {
        while (true) {
            var now = found(principal, first.id().value());
            var until = deadline.apply(now.state());
            if (until.isEmpty()) {
                return Optional.of(now);
            }
            now = desk.attend(principal, now, Duration.ofNanos(Math.max(0, until.get() - System.nanoTime())));
            long wake = wake(now, until.get());
            switch (hold.await(wake)) {
                case GONE -> {
                    return Optional.empty();
                }
                case OVER -> {
                    boolean stops = System.nanoTime() - wake < 0;
                    if (stops || wake == until.get()) {
                        return Optional.of(now);
                    }
                }
                case CHANGED -> {}
            }
        }
    }

    /** When to look again, though nothing happened: a wait is noted as interest again and again. */
    private long wake(Allocation allocation, long until) {
        if (!(allocation.state() instanceof Pending)) {
            return until;
        }
        var every = desk.interestEvery(allocation.pool());
        long next = System.nanoTime() + Math.max(SHORTEST_NAP.toNanos(), every.toNanos());
        return next - until < 0 ? next : until;
    }

    private Allocation found(Principal principal, String id) {
        return desk.find(principal, id)
                .orElseThrow(() -> new Problem(ErrorCode.NO_SUCH_ALLOCATION, "No allocation " + shown(id)));
    }

    private Reply granted(Principal principal, Allocation allocation) {
        return switch (allocation.state()) {
            case Active _ -> single(200, principal, allocation);
            case Pending _, Granting _ ->
                single(202, principal, allocation)
                        .with(HeaderValues.create(HeaderNames.LOCATION, "/allocations/" + allocation.id()));
            case Polling _ -> throw new IllegalStateException("nobody is told of who keeps asking");
            case Ended ended -> throw over(allocation, ended);
        };
    }

    /** It ended while its request was held. */
    private Problem over(Allocation allocation, Ended ended) {
        return switch (ended.reason()) {
            case WAIT_TIMEOUT ->
                Problem.retry(
                        ErrorCode.NO_ENVIRONMENT_AVAILABLE,
                        "No environments available in pool '%s'".formatted(allocation.pool()),
                        desk.retryAfter(allocation.pool()));
            case ACCESS_FAILED ->
                Problem.retry(
                        ErrorCode.ACCESS_FAILED,
                        "Access to environments of pool '%s' could not be issued".formatted(allocation.pool()),
                        desk.retryAfter(allocation.pool()));
            case UNSATISFIABLE ->
                new Problem(
                        ErrorCode.UNSATISFIABLE,
                        "Pool '%s' can no longer satisfy this request".formatted(allocation.pool()));
            case RELEASED, SESSION_EXPIRED, KEEPALIVE_LOST, NOT_COLLECTED, OPERATOR ->
                new Problem(
                        ErrorCode.LEASE_LOST,
                        "Allocation %s has ended: %s"
                                .formatted(allocation.id(), ended.reason().slug()));
        };
    }

    private static Header applied(Duration hold) {
        return HeaderValues.create(PREFERENCE_APPLIED, "wait=" + hold.toSeconds());
    }

    // ---- looking

    Reply get(Call call) {
        var hold = call.hold();
        var principal = call.principal();
        var seen = found(principal, call.path("id"));
        var first = desk.attend(principal, seen, hold == null ? Duration.ZERO : hold);
        if (hold == null) {
            return single(200, principal, first);
        }
        if (first.state() instanceof Active && isNews(seen.state())) {
            return single(200, principal, first).with(applied(hold));
        }
        long until = System.nanoTime() + hold.toNanos();
        var was = first.state().getClass();
        var came = first.state() instanceof Ended
                ? first
                : held(call, first, true, state -> {
                    boolean waits = state.getClass() == was || state instanceof Granting;
                    return waits ? Optional.of(until) : Optional.empty();
                });
        return single(200, principal, desk.attend(principal, came, Duration.ZERO))
                .with(applied(hold));
    }

    /** Whether who comes with a held call to what is active by now did not know that yet: the keepalive counts from this answer. */
    private static boolean isNews(AllocationState seen) {
        return !(seen instanceof Active active) || active.collectBy() != null;
    }

    Reply list(Call call) {
        call.allowQuery(LIST_QUERY);
        var pool = call.query("pool");
        var state = call.query("state");
        if (state != null && !STATES.contains(state)) {
            throw Problem.field("state", "must be pending, granting, active or ended");
        }
        if (pool != null && !PoolName.isValid(pool)) {
            throw Problem.field("pool", "is not a pool name");
        }
        var page = desk.list(
                call.principal(),
                new AllocationDesk.Query(
                        pool == null ? null : new PoolName(pool),
                        state,
                        call.query("requester"),
                        call.cursor(text -> AllocationId.parse(text).isPresent() ? text : null),
                        call.limit(PAGE, LARGEST_PAGE)));
        var now = desk.now();
        return Reply.json(200, json -> {
            json.writeStartObject();
            json.writeName("allocations");
            json.writeStartArray();
            page.items().forEach(allocation -> new AllocationJson(allocation, null, Optional.empty(), now).write(json));
            json.writeEndArray();
            Json.text(json, "next", page.next());
            json.writeEndObject();
        });
    }

    // ---- holding and ending

    Reply keepalive(Call call) {
        var body = call.body();
        if (body.length > 0) {
            BodyReader.read(body, BodyReader::unknown, in -> {});
        }
        var principal = call.principal();
        var allocation = current(desk.keepAlive(principal, call.path("id")));
        var outlook = queues.outlook(principal, allocation);
        return Reply.json(200, json -> new AllocationJson(allocation, null, outlook, desk.now()).write(json));
    }

    Reply hold(Call call) {
        var wanted = new Object() {
            @Nullable
            Duration period;

            @Nullable
            String outcome;

            @Nullable
            List<String> to;
        };
        BodyReader.read(
                call.body(),
                (in, name) -> {
                    switch (name) {
                        case "for" -> wanted.period = in.duration(name);
                        case "outcome" -> wanted.outcome = in.text(name, LONGEST_OUTCOME);
                        case "to" -> wanted.to = in.list(name, MOST_PERSONS, LONGEST_PERSON);
                        default -> in.unknown(name);
                    }
                },
                in -> {
                    if (wanted.period == null) {
                        in.mistake("for", "is needed, a duration");
                    }
                });
        if (wanted.period == null) {
            throw new IllegalStateException("a body without mistakes has a duration");
        }
        var principal = call.principal();
        Set<String> to = wanted.to == null ? Set.of() : Set.copyOf(wanted.to);
        return single(
                200, principal, current(desk.hold(principal, call.path("id"), wanted.period, wanted.outcome, to)));
    }

    Reply patch(Call call) {
        var priority = new Object() {
            @Nullable
            Integer value;
        };
        BodyReader.read(
                call.body(),
                (in, name) -> {
                    switch (name) {
                        case "priority" ->
                            priority.value = in.whole(name, Queueing.LOWEST_PRIORITY, Queueing.HIGHEST_PRIORITY);
                        default -> in.unknown(name);
                    }
                },
                in -> {
                    if (priority.value == null) {
                        in.mistake("priority", "is needed");
                    }
                });
        if (priority.value == null) {
            throw new IllegalStateException("a body without mistakes has a priority");
        }
        var operator = call.principal();
        return single(200, operator, current(desk.prioritise(operator, call.path("id"), priority.value)));
    }

    Reply credentials(Call call) {
        var body = call.body();
        if (body.length > 0) {
            BodyReader.read(body, BodyReader::unknown, in -> {});
        }
        return switch (desk.refresh(call.principal(), call.path("id"))) {
            case AllocationDesk.Refresh.Given(var allocation, var access) ->
                Reply.json(200, new AllocationJson(allocation, access, Optional.empty(), desk.now())::write);
            case AllocationDesk.Refresh.Refused(var why) -> throw Problem.refused(why);
            case AllocationDesk.Refresh.NotTheirs _ ->
                throw new Problem(ErrorCode.FORBIDDEN, "Access is shown to its holder alone");
            case AllocationDesk.Refresh.NotYet _ ->
                throw new Problem(ErrorCode.NOT_ACTIVE, "The allocation has no environments yet");
            case AllocationDesk.Refresh.Failed(var allocation, var why) ->
                throw Problem.retry(
                        ErrorCode.ACCESS_FAILED,
                        "Fresh access cannot be had now: " + why,
                        desk.retryAfter(allocation.pool()));
        };
    }

    Reply extend(Call call) {
        var until = new Object() {
            @Nullable
            Instant value;
        };
        BodyReader.read(
                call.body(),
                (in, name) -> {
                    switch (name) {
                        case "until" -> until.value = in.instant(name);
                        default -> in.unknown(name);
                    }
                },
                in -> {
                    if (until.value == null) {
                        in.mistake("until", "is needed");
                    }
                });
        if (until.value == null) {
            throw new IllegalStateException("a body without mistakes has an instant");
        }
        var principal = call.principal();
        return single(200, principal, current(desk.extend(principal, call.path("id"), until.value)));
    }

    /** Whoever it is kept for may end it, whatever their role. */
    Reply delete(Call call) {
        var principal = call.principal();
        if (!principal.has(Role.CONSUMER)
                && !principal.has(Role.OPERATOR)
                && !desk.isHeldFor(principal, call.path("id"))) {
            throw new Problem(
                    ErrorCode.FORBIDDEN, "This needs the role consumer or operator, or that it is kept for the caller");
        }
        var outcome = new Object() {
            @Nullable
            String value;
        };
        var body = call.body();
        if (body.length > 0) {
            BodyReader.read(
                    body,
                    (in, name) -> {
                        switch (name) {
                            case "outcome" -> outcome.value = in.text(name, LONGEST_OUTCOME);
                            default -> in.unknown(name);
                        }
                    },
                    in -> {});
        }
        current(desk.release(principal, call.path("id"), outcome.value));
        return Reply.json(200, NOTHING);
    }

    // ---- answers

    /** The allocation that an ask of this pool came to. */
    private Allocation current(Answer answer, String pool) {
        if (answer instanceof Answer.Refused refused
                && ErrorCode.of(refused.refusal()).isRetryable()) {
            throw Problem.refused(refused, desk.retryAfter(new PoolName(pool)));
        }
        return current(answer);
    }

    private static Allocation current(Answer answer) {
        return switch (answer) {
            case Answer.Current(Allocation allocation) -> allocation;
            case Answer.Refused refused -> throw Problem.refused(refused);
            case Answer.Acted _, Answer.Done _, Answer.Claimed _, Answer.Renewed _, Answer.Reported _ ->
                throw new IllegalStateException("an allocation's command is answered by " + answer.getClass());
        };
    }

    private Reply single(int status, Principal principal, Allocation allocation) {
        var access = desk.showsAccess(principal, allocation)
                ? allocation.state().grants().stream()
                        .map(grant -> desk.access(allocation, grant))
                        .toList()
                : null;
        if (access != null) {
            waiters.told(allocation.id());
        }
        var content = new AllocationJson(allocation, access, queues.outlook(principal, allocation), desk.now());
        return Reply.json(status, content::write);
    }

    /** Unknown ids are repeated to the caller, but not at any length. */
    private static String shown(String id) {
        return id.length() <= 100 ? id : id.substring(0, 100) + "…";
    }
}
