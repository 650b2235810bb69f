package dev.berth.server.http;

import dev.berth.server.auth.EventDesk.Gap;
import dev.berth.server.auth.PoolEvent;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;

/** Events on the wire. What a provider had to report is left out for those who are no operators. */
final class EventJson {
    private static final String REPORT = "report";

    private EventJson() {}

    /**
     * Writes an event.
     *
     * @param cursor null where the event stands in no stream
     */
    static void write(JsonGenerator json, PoolEvent told, @Nullable String cursor, boolean toOperator) {
        var event = told.event();
        json.writeStartObject();
        if (cursor != null) {
            json.writeStringProperty("cursor", cursor);
        }
        json.writeStringProperty("type", event.type().slug());
        json.writeStringProperty("at", event.at().toString());
        json.writeStringProperty("pool", told.pool().value());
        json.writeNumberProperty("number", event.number());
        if (event.allocation() != null) {
            json.writeStringProperty("allocation", event.allocation().value());
        }
        if (event.environment() != null) {
            json.writeStringProperty("environment", event.environment().value());
        }
        if (event.principal() != null) {
            json.writeStringProperty("principal", event.principal());
        }
        json.writeName("data");
        json.writeStartObject();
        event.data().entrySet().stream()
                .filter(fact -> toOperator || !fact.getKey().equals(REPORT))
                .sorted(java.util.Map.Entry.comparingByKey())
                .forEach(fact -> json.writeStringProperty(fact.getKey(), fact.getValue()));
        json.writeEndObject();
        json.writeEndObject();
    }

    static void write(JsonGenerator json, Gap gap, String cursor) {
        json.writeStartObject();
        json.writeStringProperty("cursor", cursor);
        json.writeStringProperty("type", "gap");
        json.writeStringProperty("pool", gap.pool().value());
        json.writeName("data");
        json.writeStartObject();
        json.writeStringProperty("from", String.valueOf(gap.from()));
        json.writeStringProperty("to", String.valueOf(gap.to()));
        json.writeEndObject();
        json.writeEndObject();
    }
}
