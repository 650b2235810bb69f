package dev.berth.server.http;

import dev.berth.core.Event;
import dev.berth.server.auth.Journal;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Set;
import tools.jackson.core.JsonGenerator;

/** The calls under {@code /config}. Their body is YAML. */
final class ConfigurationCalls {
    static final int BODY_LIMIT = 16 << 20;
    private static final String ALLOW_REMOVALS = "allow-removals";

    private final ConfigurationDesk desk;
    private final Journal journal;

    ConfigurationCalls(ConfigurationDesk desk, Journal journal) {
        this.desk = desk;
        this.journal = journal;
    }

    Reply diff(Call call) {
        call.allowQuery(Set.of());
        return reply(desk.diff(text(call)));
    }

    Reply put(Call call) {
        call.allowQuery(Set.of(ALLOW_REMOVALS));
        var allow = call.query(ALLOW_REMOVALS);
        if (allow != null && !allow.equals("true") && !allow.equals("false")) {
            throw Problem.field(ALLOW_REMOVALS, "must be true or false");
        }
        var admin = call.principal();
        var outcome = desk.apply(text(call), "true".equals(allow), admin.name());
        if (outcome instanceof ConfigurationDesk.Change change) {
            journal.note(Event.Type.CONFIGURATION_APPLIED, admin, Map.of("digest", change.digest()));
        }
        return reply(outcome);
    }

    private static String text(Call call) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(call.body()))
                    .toString();
        } catch (CharacterCodingException _) {
            throw Problem.of(ErrorCode.CONFIGURATION_INVALID, List.of(new Problem.Mistake(null, "is not UTF-8", null)));
        }
    }

    private static Reply reply(ConfigurationDesk.Outcome outcome) {
        return switch (outcome) {
            case ConfigurationDesk.Change change ->
                Reply.json(200, json -> {
                    json.writeStartObject();
                    json.writeStringProperty("digest", change.digest());
                    names(json, "pools", change.pools());
                    names(json, "register", change.register());
                    names(json, "deregister", change.deregister());
                    names(json, "change", change.change());
                    json.writeEndObject();
                });
            case ConfigurationDesk.Invalid invalid ->
                throw Problem.of(
                        ErrorCode.CONFIGURATION_INVALID,
                        invalid.mistakes().stream()
                                .map(mistake -> new Problem.Mistake(
                                        mistake.field(), mistake.message(), mistake.line() > 0 ? mistake.line() : null))
                                .toList());
            case ConfigurationDesk.MassRemoval removal -> throw new Problem(ErrorCode.MASS_REMOVAL, removal.detail());
        };
    }

    private static void names(JsonGenerator json, String field, List<String> names) {
        json.writeName(field);
        json.writeStartArray();
        names.forEach(json::writeString);
        json.writeEndArray();
    }
}
