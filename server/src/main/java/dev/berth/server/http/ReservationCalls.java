package dev.berth.server.http;

import dev.berth.core.Allocation;
import dev.berth.core.AllocationState.Active;
import dev.berth.core.AllocationState.Ended;
import dev.berth.core.AllocationState.Granting;
import dev.berth.core.AllocationState.Pending;
import dev.berth.core.AllocationState.Polling;
import dev.berth.core.Answer;
import dev.berth.core.NeedClass;
import dev.berth.core.PoolName;
import dev.berth.core.Request;
import dev.berth.server.auth.AllocationDesk;
import dev.berth.server.auth.Authenticator;
import dev.berth.server.auth.Principal;
import dev.berth.server.ledger.LedgerException;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The calls under {@code /reservations}, word for word those of acctpool
 * (https://github.com/dolph/ibm-cloud-account-pool): a reservation is an allocation of one environment that waits in the queue.
 */
final class ReservationCalls {
    private static final Logger LOG = LoggerFactory.getLogger(ReservationCalls.class);
    private static final String PATH = "/reservations/";
    private static final String TYPE = "free";
    private static final Set<String> POST_QUERY = Set.of(Dialect.TOKEN, "duration", "type");
    private static final Set<String> QUERY = Set.of(Dialect.TOKEN);
    private static final String REQUESTER = "account-pool reservation";
    /** Longer than any session can be; so many digits are a number in any case. */
    private static final int MOST_DIGITS = 7;

    private final AllocationDesk desk;
    private final Authenticator authenticator;

    ReservationCalls(AllocationDesk desk, Authenticator authenticator) {
        this.desk = desk;
        this.authenticator = authenticator;
    }

    Reply post(Call call) {
        call.allowQuery(POST_QUERY);
        if (call.body().length > 0) {
            throw new Problem(ErrorCode.INVALID_REQUEST, "A reservation has no body: its parameters are in the query");
        }
        var principal = call.principal();
        var asked = call.query("type");
        var type = asked == null ? TYPE : asked;
        var duration = minutes(call.query("duration"));
        var longest = desk.longestWait(type).orElseThrow(ReservationCalls::unknownType);
        var request = new Request(REQUESTER, NeedClass.ONE, duration, null, longest, 0, "{}", null, "");
        var made = made(desk.ask(principal, type, request, Map.of(), Duration.ZERO), type);
        expectCollection(principal, made);
        return Reply.empty(302)
                .with(HeaderValues.create(HeaderNames.LOCATION, PATH + made.id() + query(call)))
                .with(Dialect.NO_REFERRER);
    }

    private static @Nullable Duration minutes(@Nullable String text) {
        if (text == null) {
            return null;
        }
        boolean number = text.length() <= MOST_DIGITS && text.chars().allMatch(c -> c >= '0' && c <= '9');
        int minutes = number ? Integer.parseInt(text) : 0;
        if (minutes < 1) {
            throw Problem.field("duration", "must be a whole number of minutes, at least 1");
        }
        return Duration.ofMinutes(minutes);
    }

    private static Problem unknownType() {
        return Problem.field("type", "there are no such accounts for this token");
    }

    private Allocation made(Answer answer, String type) {
        return switch (answer) {
            case Answer.Current(Allocation allocation) -> allocation;
            case Answer.Refused refused ->
                throw switch (refused.refusal()) {
                    case NO_SUCH_POOL -> unknownType();
                    case OUT_OF_RANGE -> new Problem(ErrorCode.INVALID_REQUEST, refused.detail());
                    default -> Problem.refused(refused, desk.retryAfter(new PoolName(type)));
                };
            case Answer.Acted _, Answer.Done _, Answer.Claimed _, Answer.Renewed _, Answer.Reported _ ->
                throw new IllegalStateException("a request is answered by " + answer.getClass());
        };
    }

    /** Nothing but its address is told now: what was granted at once has to be collected like what is granted later. */
    private void expectCollection(Principal principal, Allocation made) {
        if (!(made.state() instanceof Active || made.state() instanceof Granting)) {
            return;
        }
        try {
            desk.leave(principal, made, true);
        } catch (LedgerException e) {
            // It is made, and its caller can collect it: refused now, nobody would know it.
            LOG.debug("{} need not be collected: {}", made.id(), e.toString());
        }
    }

    /** A token of the query is repeated, so that who follows is let in; one of the header is sent again by who follows. */
    private static String query(Call call) {
        var token = call.query(Dialect.TOKEN);
        return token == null || call.header(HeaderNames.AUTHORIZATION) != null
                ? ""
                : "?" + Dialect.TOKEN + "=" + URLEncoder.encode(token, StandardCharsets.UTF_8);
    }

    Reply get(Call call) {
        call.allowQuery(QUERY);
        var principal = call.principal();
        var reservation = polled(principal, own(call));
        var state = reservation.state();
        if (state instanceof Ended ended) {
            throw new Problem(
                    ErrorCode.LEASE_LOST,
                    "The reservation has ended: " + ended.reason().slug());
        }
        return Reply.json(200, json -> {
                    json.writeStartObject();
                    json.writeStringProperty("id", reservation.id().value());
                    json.writeStringProperty("type", reservation.pool().value());
                    var duration = duration(reservation);
                    if (duration == null) {
                        json.writeNullProperty("duration");
                    } else {
                        json.writeNumberProperty(
                                "duration", duration.plusMillis(59_999).toMinutes());
                    }
                    Json.instant(json, "expiration", expiration(reservation));
                    json.writeName(Dialect.TOKEN);
                    json.writeStartObject();
                    json.writeStringProperty("id", tokenId(call));
                    json.writeEndObject();
                    Json.text(json, "account", account(reservation));
                    json.writeName("credentials");
                    Json.value(json, credentials(principal, reservation));
                    json.writeEndObject();
                })
                .with(Dialect.NO_REFERRER);
    }

    Reply delete(Call call) {
        call.allowQuery(QUERY);
        var released = desk.release(call.principal(), own(call).id().value(), null);
        if (released instanceof Answer.Refused refused) {
            throw Problem.refused(refused);
        }
        return Reply.empty(204).with(Dialect.NO_REFERRER);
    }

    private Allocation own(Call call) {
        var found = desk.find(call.path("id"))
                .orElseThrow(() -> new Problem(ErrorCode.NO_SUCH_ALLOCATION, "There is no such reservation"));
        if (!call.principal().owns(found)) {
            throw new Problem(ErrorCode.UNAUTHENTICATED, "It is another's");
        }
        return found;
    }

    /** Notes that somebody polls it, which is all the interest and all the sign of life that there is of these callers. */
    private Allocation polled(Principal principal, Allocation reservation) {
        if (!(reservation.state() instanceof Active) || reservation.keepalive() == null) {
            return desk.attend(principal, reservation, Duration.ZERO);
        }
        return switch (desk.keepAlive(principal, reservation.id().value())) {
            case Answer.Current(Allocation now) -> now;
            case Answer.Refused refused -> throw Problem.refused(refused);
            case Answer.Acted _, Answer.Done _, Answer.Claimed _, Answer.Renewed _, Answer.Reported _ ->
                throw new IllegalStateException("a sign of life is answered by something else");
        };
    }

    /** Null where the pool's session has no end. */
    private @Nullable Duration duration(Allocation reservation) {
        var asked = reservation.request().duration();
        return asked == null ? desk.session(reservation.pool()).orElse(null) : asked;
    }

    private static @Nullable Instant expiration(Allocation reservation) {
        return switch (reservation.state()) {
            case Active active ->
                active.hold() == null ? active.expiresAt() : active.hold().until();
            case Pending _, Granting _, Polling _, Ended _ -> null;
        };
    }

    /** What the configuration says of it; the environment's name where that names no account. */
    private static @Nullable String account(Allocation reservation) {
        if (!(reservation.state() instanceof Active active)) {
            return null;
        }
        var grant = active.grants().getFirst();
        var account = new FactsJson(grant.facts()).account();
        return account == null ? grant.environment().value() : account;
    }

    /** Null until it is granted; then an object, though it be an empty one, since who polls waits for it. */
    private @Nullable Map<String, Object> credentials(Principal principal, Allocation reservation) {
        if (!desk.showsAccess(principal, reservation)) {
            return null;
        }
        var access = desk.access(reservation, reservation.state().grants().getFirst());
        return access.isExpiredAt(desk.now()) ? Map.of() : Objects.requireNonNullElse(access.credentials(), Map.of());
    }

    private String tokenId(Call call) {
        var token = call.query(Dialect.TOKEN);
        var authorization = Dialect.ACCOUNT_POOL.authorization(
                call.header(HeaderNames.AUTHORIZATION), token == null ? List.of() : List.of(token));
        return authenticator.tokenId(authorization).orElse(call.principal().name());
    }
}
