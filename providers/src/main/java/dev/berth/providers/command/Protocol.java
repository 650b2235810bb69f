package dev.berth.providers.command;

import dev.berth.core.Step;
import dev.berth.providers.StepResult.Access;
import dev.berth.providers.Task;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** What is said to a program on its standard input, and what its standard output means. */
final class Protocol {
    static final Duration MAX_SETTLE = Duration.ofDays(1);

    private static final Pattern VARIABLE = Pattern.compile("[A-Za-z_][A-Za-z0-9_]{0,127}");

    private final JsonMapper json = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            // Numbers are handed on as they were written, not as what a double makes of them.
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .build();

    /**
     * What a program that ended well has to say.
     *
     * @param access of issue, null of other steps
     * @param report null for nothing
     * @param settle zero for none
     */
    record Answer(@Nullable Access access, @Nullable String report, Duration settle) {}

    /** The answer is not one. Its message tells what is wrong and never what was written, which may be secret. */
    static final class Unreadable extends Exception {
        private static final long serialVersionUID = 1L;

        Unreadable(String message) {
            super(message);
        }
    }

    String input(Step step, Task task, Map<String, String> secrets, Duration working) {
        Map<String, Object> environment = new LinkedHashMap<>(task.facts());
        environment.put("name", task.environment());
        environment.put("epoch", task.epoch());
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("step", Settings.key(step));
        all.put("environment", environment);
        all.put("allocation", allocation(task.holder()));
        if (task.holder() != null && task.holder().profile() != null) {
            all.put("profile", task.holder().profile());
        }
        all.put("claim", task.claim());
        all.put("timeoutSeconds", BigDecimal.valueOf(working.toMillis(), 3).stripTrailingZeros());
        if (!secrets.isEmpty()) {
            all.put("secrets", secrets);
        }
        return json.writeValueAsString(all) + "\n";
    }

    private static @Nullable Map<String, Object> allocation(Task.@Nullable Holder holder) {
        return holder == null
                ? null
                : Map.of(
                        "id", holder.allocation(),
                        "requester", holder.requester(),
                        "principal", holder.principal());
    }

    Answer answer(Step step, Capture.Part out) throws Unreadable {
        if (out.omitted() > 0) {
            throw new Unreadable("wrote more than " + Programs.OUT_LIMIT + " bytes to its standard output");
        }
        if (step == Step.ISSUE) {
            JsonNode object = object(out.bytes(), "write {} where there is nothing to hand out");
            known(object, Set.of("credentials", "connection", "env"));
            return new Answer(access(object), null, Duration.ZERO);
        }
        if (new String(out.bytes(), StandardCharsets.ISO_8859_1).isBlank()) {
            return new Answer(null, null, Duration.ZERO);
        }
        JsonNode object = object(out.bytes(), "write nothing, or messages to standard error");
        known(object, Set.of("report", "settleSeconds"));
        return new Answer(null, report(object.get("report")), settle(object.get("settleSeconds")));
    }

    private JsonNode object(byte[] out, String advice) throws Unreadable {
        try {
            JsonNode node = json.readTree(out);
            if (node.isObject()) {
                return node;
            }
        } catch (JacksonException e) {
            // Neither the message nor the cause goes on: they quote what they could not read.
            throw new Unreadable("wrote no JSON object to its standard output" + place(e) + "; " + advice);
        }
        throw new Unreadable("wrote no JSON object to its standard output; " + advice);
    }

    private static String place(JacksonException e) {
        return e.getLocation() == null
                ? ""
                : " (line " + e.getLocation().getLineNr() + ", column "
                        + e.getLocation().getColumnNr() + ")";
    }

    /** Tells how many, not which: in the answer to issue a misplaced secret may be a name. */
    private static void known(JsonNode object, Set<String> names) throws Unreadable {
        long unknown = object.propertyNames().stream()
                .filter(name -> !names.contains(name))
                .count();
        if (unknown > 0) {
            throw new Unreadable("wrote " + unknown + (unknown == 1 ? " field that is" : " fields that are")
                    + " not known; known are " + String.join(", ", new TreeSet<>(names)));
        }
    }

    private Access access(JsonNode object) throws Unreadable {
        Map<String, Object> credentials = map(object, "credentials");
        Map<String, String> env = new LinkedHashMap<>();
        for (Map.Entry<String, Object> variable : map(object, "env").entrySet()) {
            if (!VARIABLE.matcher(variable.getKey()).matches()) {
                throw new Unreadable("wrote an env with a name that no variable can have");
            }
            if (!(variable.getValue() instanceof String text) || text.indexOf('\0') >= 0) {
                throw new Unreadable("wrote an env with a value that is not text");
            }
            env.put(variable.getKey(), text);
        }
        return new Access(credentials, object.has("connection") ? map(object, "connection") : null, env);
    }

    private Map<String, Object> map(JsonNode object, String name) throws Unreadable {
        JsonNode node = object.get(name);
        if (node == null) {
            return Map.of();
        }
        if (!node.isObject()) {
            throw new Unreadable("wrote a " + name + " that is not an object");
        }
        Map<String, Object> values = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> entry : node.properties()) {
            if (entry.getValue().isNull()) {
                throw new Unreadable("wrote a null in " + name + "; leave out what there is not");
            }
            values.put(entry.getKey(), json.treeToValue(entry.getValue(), Object.class));
        }
        return values;
    }

    private @Nullable String report(@Nullable JsonNode node) {
        if (node == null || node.isNull()) {
            return null;
        }
        return Text.printable(node.isString() ? node.stringValue() : node.toString());
    }

    private static Duration settle(@Nullable JsonNode node) throws Unreadable {
        if (node == null || node.isNull()) {
            return Duration.ZERO;
        }
        if (!node.isNumber()
                || node.decimalValue().signum() < 0
                || node.decimalValue().compareTo(BigDecimal.valueOf(MAX_SETTLE.toSeconds())) > 0) {
            throw new Unreadable("wrote a settleSeconds that is not a number from 0 to " + MAX_SETTLE.toSeconds());
        }
        return Duration.ofMillis(node.decimalValue().movePointRight(3).longValue());
    }

    /** Joins what there is; null when there is nothing. */
    static @Nullable String reportOf(@Nullable String own, Capture.Part err) {
        String tail =
                Text.printable(new String(err.bytes(), StandardCharsets.UTF_8)).strip();
        String messages = err.omitted() > 0 ? "(" + err.omitted() + " bytes before this were left out)\n" + tail : tail;
        List<String> parts = Stream.of(own == null ? "" : own.strip(), messages)
                .filter(part -> !part.isEmpty())
                .toList();
        return parts.isEmpty() ? null : String.join("\n", parts);
    }
}
