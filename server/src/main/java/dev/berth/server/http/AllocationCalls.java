package dev.berth.server.http;

import dev.berth.core.Allocation;
import dev.berth.core.AllocationId;
import dev.berth.core.AllocationState;
import dev.berth.core.AllocationState.Active;
import dev.berth.core.AllocationState.Ended;
import dev.berth.core.AllocationState.Granting;
import dev.berth.core.AllocationState.Pending;
import dev.berth.core.Answer;
import dev.berth.core.PoolName;
import dev.berth.server.auth.AllocationDesk;
import dev.berth.server.auth.Principal;
import io.helidon.http.Header;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The calls under {@code /allocations}. */
final class AllocationCalls {
    private static final HeaderName PREFERENCE_APPLIED = HeaderNames.create("Preference-Applied");
    private static final Duration LONGEST_GRANTING = Duration.ofSeconds(60);
    private static final int LONGEST_OUTCOME = 100;
    private static final Set<String> STATES = Set.of("pending", "granting", "active", "ended");
    private static final Set<String> LIST_QUERY = Set.of("pool", "state", "requester", "cursor", "limit");
    private static final byte[] NOTHING = "{}".getBytes(StandardCharsets.US_ASCII);
    private static final int PAGE = 100;
    private static final int LARGEST_PAGE = 1000;

    private final AllocationDesk desk;
    private final Holds holds;
    private final Function<PoolName, Duration> retryAfter;

    /**
     * @param retryAfter what who found nothing free in a pool is told to wait
     */
    AllocationCalls(AllocationDesk desk, Holds holds, Function<PoolName, Duration> retryAfter) {
        this.desk = desk;
        this.holds = holds;
        this.retryAfter = retryAfter;
    }

    // ---- asking

    Reply post(Call call) {
        var wanted = AllocationBody.read(call.body(), call.idempotencyKey());
        var hold = wanted.request().maxWait().isPositive() ? call.hold() : null;
        long began = System.nanoTime();
        var asked = current(desk.ask(call.principal(), wanted.pool(), wanted.request()), wanted.pool());
        var came = isWaited(asked.state(), hold) ? held(call, asked, state -> deadline(state, began, hold)) : asked;
        var reply = granted(call.principal(), came);
        return hold == null ? reply : reply.with(applied(hold));
    }

    private static boolean isWaited(AllocationState state, @Nullable Duration hold) {
        return state instanceof Granting || (state instanceof Pending && hold != null && hold.isPositive());
    }

    /** Until when a POST is held in this state, of {@link System#nanoTime}; empty where it is to be answered. */
    private static Optional<Long> deadline(AllocationState state, long began, @Nullable Duration hold) {
        return switch (state) {
            case Pending _ -> hold == null ? Optional.empty() : Optional.of(began + hold.toNanos());
            case Granting _ -> Optional.of(began + LONGEST_GRANTING.toNanos());
            case Active _, Ended _ -> Optional.empty();
        };
    }

    /** Waits as long as the deadline of the state says, and gives the allocation as it is then. */
    private Allocation held(Call call, Allocation first, Function<AllocationState, Optional<Long>> deadline) {
        try (var hold = holds.open(first.id(), call)) {
            if (hold == null) {
                return first;
            }
            while (true) {
                var now = desk.find(call.principal(), first.id().value())
                        .orElseThrow(() -> new Problem(ErrorCode.NO_SUCH_ALLOCATION, "No allocation " + first.id()));
                var until = deadline.apply(now.state());
                if (until.isEmpty() || hold.await(until.get()) != Holds.Woken.CHANGED) {
                    return now;
                }
            }
        }
    }

    private Reply granted(Principal principal, Allocation allocation) {
        return switch (allocation.state()) {
            case Active _ -> single(200, principal, allocation);
            case Pending _, Granting _ ->
                single(202, principal, allocation)
                        .with(HeaderValues.create(HeaderNames.LOCATION, "/allocations/" + allocation.id()));
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
                        retryAfter.apply(allocation.pool()));
            case ACCESS_FAILED ->
                Problem.retry(
                        ErrorCode.ACCESS_FAILED,
                        "Access to environments of pool '%s' could not be issued".formatted(allocation.pool()),
                        retryAfter.apply(allocation.pool()));
            case UNSATISFIABLE ->
                new Problem(
                        ErrorCode.UNSATISFIABLE,
                        "Pool '%s' can no longer satisfy this request".formatted(allocation.pool()));
            case RELEASED, SESSION_EXPIRED, KEEPALIVE_LOST, OPERATOR ->
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
        var id = call.path("id");
        var hold = call.hold();
        var principal = call.principal();
        var first = desk.find(principal, id)
                .orElseThrow(() -> new Problem(ErrorCode.NO_SUCH_ALLOCATION, "No allocation " + shown(id)));
        if (hold == null) {
            return single(200, principal, first);
        }
        long until = System.nanoTime() + hold.toNanos();
        var was = first.state().getClass();
        var came = first.state() instanceof Ended
                ? first
                : held(call, first, state -> {
                    boolean waits = state.getClass() == was || state instanceof Granting;
                    return waits ? Optional.of(until) : Optional.empty();
                });
        return single(200, principal, came).with(applied(hold));
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
        var allocation = current(desk.keepAlive(call.principal(), call.path("id")));
        return Reply.json(
                200, json -> new AllocationJson(allocation, null, desk.position(allocation), desk.now()).write(json));
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

    Reply delete(Call call) {
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
        current(desk.release(call.principal(), call.path("id"), outcome.value));
        return Reply.json(200, NOTHING);
    }

    // ---- answers

    /** The allocation that an ask of this pool came to. */
    private Allocation current(Answer answer, String pool) {
        if (answer instanceof Answer.Refused refused
                && ErrorCode.of(refused.refusal()).isRetryable()) {
            throw Problem.retry(
                    ErrorCode.of(refused.refusal()), refused.detail(), retryAfter.apply(new PoolName(pool)));
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
        var content = new AllocationJson(allocation, access, desk.position(allocation), desk.now());
        return Reply.json(status, content::write);
    }

    /** Unknown ids are repeated to the caller, but not at any length. */
    private static String shown(String id) {
        return id.length() <= 100 ? id : id.substring(0, 100) + "…";
    }
}
