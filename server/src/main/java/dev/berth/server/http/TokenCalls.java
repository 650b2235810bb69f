package dev.berth.server.http;

import dev.berth.core.Event;
import dev.berth.server.auth.AccessKeyDesk;
import dev.berth.server.auth.AwsAuthenticator;
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
    /** The most bytes of a body that a stranger sends. */
    static final int LOGIN_LIMIT = 32 << 10;

    private static final int MOST_HEADERS = 30;
    private static final int LONGEST_HEADER = 8 << 10;
    private static final Duration OF_LOGIN = Duration.ofHours(1);
    private static final Duration LATER = Duration.ofMinutes(1);
    private static final byte[] NOTHING = "{}".getBytes(StandardCharsets.US_ASCII);

    private final TokenDesk desk;
    private final AccessKeyDesk accessKeys;
    private final AwsAuthenticator aws;
    private final Journal journal;

    TokenCalls(TokenDesk desk, AccessKeyDesk accessKeys, AwsAuthenticator aws, Journal journal) {
        this.desk = desk;
        this.accessKeys = accessKeys;
        this.aws = aws;
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
        return shown(created);
    }

    private static Reply shown(TokenDesk.Created created) {
        return Reply.json(201, json -> {
            json.writeStartObject();
            fields(json, created.token());
            json.writeStringProperty("token", created.secret());
            json.writeEndObject();
        });
    }

    /** Gives a token to whom AWS names. */
    Reply exchange(Call call) {
        var login = new Login();
        BodyReader.read(call.body(), login::field, login::check);
        if (login.url == null) {
            throw new IllegalStateException("a body without mistakes has a URL");
        }
        var signed = new AwsAuthenticator.Signed(login.url, login.headers, login.body);
        var principal = call.here(Answering.known(aws.exchange(signed)));
        var created = desk.createOfLogin(principal, login.expires == null ? OF_LOGIN : login.expires)
                .orElseThrow(() -> Problem.retry(
                        ErrorCode.RATE_LIMITED, "Too many tokens of this principal's logins are good", LATER));
        tell(principal, BEARER, created.token());
        return shown(created);
    }

    private static final class Login {
        private @Nullable String url;
        private @Nullable String method;
        private @Nullable Map<String, String> headers;
        private @Nullable String body;
        private @Nullable Duration expires;

        void field(BodyReader in, String name) {
            switch (name) {
                case "url" -> url = in.text(name, LOGIN_LIMIT);
                case "method" -> method = in.text(name, LONGEST_NAME);
                case "headers" -> headers = in.texts(name, MOST_HEADERS, LONGEST_HEADER);
                case "body" -> body = in.text(name, LONGEST_HEADER);
                case "expires" -> expires = in.duration(name);
                default -> in.unknown(name);
            }
        }

        void check(BodyReader in) {
            if (url == null) {
                in.mistake("url", "is needed");
            }
            if ((headers == null) != (body == null)) {
                in.mistake(
                        headers == null ? "headers" : "body", "is needed: a POST has both, a pre-signed URL neither");
            }
            var meant = headers == null && body == null ? "GET" : "POST";
            if (method != null && !method.equals(meant)) {
                in.mistake("method", "must be GET for a pre-signed URL, and POST with headers and a body");
            }
            if (expires != null && (!expires.isPositive() || expires.compareTo(OF_LOGIN) > 0)) {
                in.mistake("expires", "must be from 1s to 1h");
            }
        }
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
