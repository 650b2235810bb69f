package dev.berth.server.http;

import dev.berth.core.Event;
import dev.berth.server.auth.AccessKeyDesk;
import dev.berth.server.auth.Journal;
import dev.berth.server.auth.Principal;
import dev.berth.server.auth.TokenDesk;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JsonGenerator;

/** The calls under {@code /tokens}. */
final class TokenCalls {
    private static final Logger LOG = LoggerFactory.getLogger(TokenCalls.class);
    private static final String BEARER = "bearer";
    private static final String SIGV4 = "sigv4";
    private static final int LONGEST_NAME = 200;
    private static final Duration LONGEST = Duration.ofDays(3650);
    private static final byte[] NOTHING = "{}".getBytes(StandardCharsets.US_ASCII);

    private final TokenDesk desk;
    private final AccessKeyDesk accessKeys;
    private final Journal journal;

    TokenCalls(TokenDesk desk, AccessKeyDesk accessKeys, Journal journal) {
        this.desk = desk;
        this.accessKeys = accessKeys;
        this.journal = journal;
    }

    Reply post(Call call) {
        var wanted = new Wanted();
        BodyReader.read(call.body(), wanted::field, wanted::check);
        if (wanted.principal == null) {
            throw new IllegalStateException("a body without mistakes has a principal");
        }
        return wanted.sigv4
                ? accessKey(call.principal(), wanted.principal, wanted.expires)
                : bearer(call.principal(), wanted.principal, wanted.expires);
    }

    private Reply bearer(Principal admin, String principal, @Nullable Duration expires) {
        var created = desk.create(principal, expires).orElseThrow(TokenCalls::noSuchPrincipal);
        tell(admin, BEARER, created.token());
        return Reply.json(201, json -> {
            json.writeStartObject();
            fields(json, created.token());
            json.writeStringProperty("token", created.secret());
            json.writeEndObject();
        });
    }

    private Reply accessKey(Principal admin, String principal, @Nullable Duration expires) {
        var created = accessKeys.create(principal, expires).orElseThrow(TokenCalls::noSuchPrincipal);
        tell(admin, SIGV4, created.key());
        return Reply.json(201, json -> {
            json.writeStartObject();
            fields(json, created.key());
            json.writeStringProperty("accessKeyId", created.key().id());
            json.writeStringProperty("secretAccessKey", created.secret());
            json.writeEndObject();
        });
    }

    private void tell(Principal admin, String kind, TokenDesk.Known created) {
        LOG.info(
                "{} {} of {} was made by {} from {}",
                kind.equals(SIGV4) ? "access key" : "token",
                created.id(),
                created.principal(),
                admin.name(),
                admin.address());
        journal.note(
                Event.Type.TOKEN_CREATED,
                admin,
                Map.of("token", created.id(), "kind", kind, "of", created.principal()));
    }

    private static Problem noSuchPrincipal() {
        return Problem.field("principal", "there is no principal of this name");
    }

    private static final class Wanted {
        private @Nullable String principal;
        private @Nullable Duration expires;
        private boolean sigv4;

        void field(BodyReader in, String name) {
            switch (name) {
                case "principal" -> principal = in.text(name, LONGEST_NAME);
                case "expires" -> expires = in.duration(name);
                case "sigv4" -> sigv4 = in.flag(name);
                default -> in.unknown(name);
            }
        }

        void check(BodyReader in) {
            if (principal == null) {
                in.mistake("principal", "is needed");
            }
            if (expires != null && (!expires.isPositive() || expires.compareTo(LONGEST) > 0)) {
                in.mistake("expires", "must be from 1s to 3650d");
            }
        }
    }

    Reply list(Call call) {
        var tokens = desk.list();
        var keys = accessKeys.list();
        return Reply.json(200, json -> {
            json.writeStartObject();
            json.writeName("tokens");
            json.writeStartArray();
            tokens.forEach(token -> listed(json, BEARER, token));
            keys.forEach(key -> listed(json, SIGV4, key));
            json.writeEndArray();
            json.writeEndObject();
        });
    }

    private static void listed(JsonGenerator json, String kind, TokenDesk.Known token) {
        json.writeStartObject();
        fields(json, token);
        json.writeStringProperty("kind", kind);
        Json.instant(json, "lastUsedAt", token.lastUsedAt());
        json.writeEndObject();
    }

    private static void fields(JsonGenerator json, TokenDesk.Known token) {
        json.writeStringProperty("id", token.id());
        json.writeStringProperty("principal", token.principal());
        json.writeStringProperty("createdAt", token.createdAt().toString());
        Json.instant(json, "expiresAt", token.expiresAt());
    }

    Reply delete(Call call) {
        var id = call.path("id");
        if (id.length() > LONGEST_NAME || !(AccessKeyDesk.isOurs(id) ? accessKeys.revoke(id) : desk.revoke(id))) {
            throw new Problem(ErrorCode.NO_SUCH_TOKEN, "No such token");
        }
        LOG.info(
                "token {} was revoked by {} from {}",
                id,
                call.principal().name(),
                call.principal().address());
        journal.note(Event.Type.TOKEN_REVOKED, call.principal(), Map.of("token", id));
        return Reply.json(200, NOTHING);
    }
}
