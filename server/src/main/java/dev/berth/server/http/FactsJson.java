package dev.berth.server.http;

import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonToken;

/**
 * What a record says of an environment, on the wire: everything, but the connection is told apart from the rest and to its holder
 * alone.
 *
 * @param facts a JSON object
 */
record FactsJson(String facts) {
    private static final String CONNECTION = "connection";
    private static final String CAPABILITIES = "capabilities";
    /** Written by Berth itself beside the facts: a fact of such a name would be a second one. */
    private static final Set<String> OURS = Set.of(
            CONNECTION,
            "name",
            "pool",
            "epoch",
            "access", // has connections too
            "credentials",
            "env",
            "state",
            "since",
            "retiring",
            "holder",
            "principal",
            "allocation",
            "reason",
            "report",
            "step",
            "retiredAt",
            "history");

    /** Writes the fields into the object that is being written; {@code capabilities} always. */
    void write(JsonGenerator json) {
        boolean capabilities = false;
        try (var fields = Json.read(facts)) {
            fields.nextToken();
            while (fields.nextToken() == JsonToken.PROPERTY_NAME) {
                var name = fields.currentName();
                fields.nextToken();
                if (OURS.contains(name)) {
                    fields.skipChildren();
                    continue;
                }
                capabilities |= name.equals(CAPABILITIES);
                json.writeName(name);
                json.copyCurrentStructure(fields);
            }
        }
        if (!capabilities) {
            json.writeName(CAPABILITIES);
            json.writeStartObject();
            json.writeEndObject();
        }
    }

    /** The account that it is in; null where there is none. */
    @Nullable
    String account() {
        try (var fields = Json.read(facts)) {
            fields.nextToken();
            while (fields.nextToken() == JsonToken.PROPERTY_NAME) {
                var name = fields.currentName();
                var value = fields.nextToken();
                if (name.equals("account") && value == JsonToken.VALUE_STRING) {
                    return fields.getString();
                }
                fields.skipChildren();
            }
        }
        return null;
    }

    /** Writes the value of {@code connection}; null where there is none. */
    void writeConnection(JsonGenerator json) {
        try (var fields = Json.read(facts)) {
            fields.nextToken();
            while (fields.nextToken() == JsonToken.PROPERTY_NAME) {
                var name = fields.currentName();
                fields.nextToken();
                if (name.equals(CONNECTION)) {
                    json.copyCurrentStructure(fields);
                    return;
                }
                fields.skipChildren();
            }
        }
        json.writeNull();
    }
}
