package dev.berth.cli;

import java.util.LinkedHashMap;
import java.util.Map;

/** An event in one line for people. */
final class EventText {
    private EventText() {}

    /** When, where and what first; then whatever else is told. */
    static String line(Map<String, Object> fields) {
        Map<String, Object> rest = new LinkedHashMap<>(fields);
        StringBuilder line = new StringBuilder();
        for (String first : new String[] {"at", "pool", "type"}) {
            Object value = rest.remove(first);
            if (value != null) {
                line.append(line.isEmpty() ? "" : "  ").append(Text.clean(value.toString()));
            }
        }
        rest.remove("cursor");
        Object data = rest.remove("data");
        rest.forEach((name, value) -> append(line, name, value));
        if (data instanceof Map<?, ?> facts) {
            facts.forEach((name, value) -> append(line, name.toString(), value));
        }
        return line.toString();
    }

    private static void append(StringBuilder line, String name, Object value) {
        line.append("  ")
                .append(Text.clean(name))
                .append('=')
                .append(Text.clean(value instanceof String text ? text : Json.MAPPER.writeValueAsString(value)));
    }
}
