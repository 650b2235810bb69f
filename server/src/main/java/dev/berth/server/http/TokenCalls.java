package dev.berth.server.http;

import dev.berth.server.auth.TokenDesk;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;

/** The calls under {@code /tokens}. */
final class TokenCalls {
    private static final int LONGEST_NAME = 200;
    private static final Duration LONGEST = Duration.ofDays(3650);
    private static final byte[] NOTHING = "{}".getBytes(StandardCharsets.US_ASCII);

    private final TokenDesk desk;

    TokenCalls(TokenDesk desk) {
        this.desk = desk;
    }

    Reply post(Call call) {
        var wanted = new Wanted();
        BodyReader.read(call.body(), wanted::field, wanted::check);
        if (wanted.principal == null) {
            throw new IllegalStateException("a body without mistakes has a principal");
        }
        var created = desk.create(wanted.principal, wanted.expires)
                .orElseThrow(() -> Problem.field("principal", "there is no principal of this name"));
        return Reply.json(201, json -> {
            json.writeStartObject();
            fields(json, created.token());
            json.writeStringProperty("token", created.secret());
            json.writeEndObject();
        });
    }

    private static final class Wanted {
        private @Nullable String principal;
        private @Nullable Duration expires;

        void field(BodyReader in, String name) {
            switch (name) {
                case "principal" -> principal = in.text(name, LONGEST_NAME);
                case "expires" -> expires = in.duration(name);
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
        return Reply.json(200, json -> {
            json.writeStartObject();
            json.writeName("tokens");
            json.writeStartArray();
            tokens.forEach(token -> {
                json.writeStartObject();
                fields(json, token);
                Json.instant(json, "lastUsedAt", token.lastUsedAt());
                json.writeEndObject();
            });
            json.writeEndArray();
            json.writeEndObject();
        });
    }

    private static void fields(JsonGenerator json, TokenDesk.Known token) {
        json.writeStringProperty("id", token.id());
        json.writeStringProperty("principal", token.principal());
        json.writeStringProperty("createdAt", token.createdAt().toString());
        Json.instant(json, "expiresAt", token.expiresAt());
    }

    Reply delete(Call call) {
        var id = call.path("id");
        if (id.length() > LONGEST_NAME || !desk.revoke(id)) {
            throw new Problem(ErrorCode.NO_SUCH_TOKEN, "No such token");
        }
        return Reply.json(200, NOTHING);
    }
}
