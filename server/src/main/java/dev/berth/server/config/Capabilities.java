package dev.berth.server.config;

import dev.berth.core.Value;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Checks what a record says under {@code capabilities}, and makes of it what requests are compared with. */
final class Capabilities {
    static final int DEEPEST = 8;
    static final int MOST_KEYS = 100;
    static final int MOST_ITEMS = 1000;
    static final int LONGEST_KEY = 100;
    static final int LONGEST_TEXT = 1000;

    private final Mistakes mistakes;

    Capabilities(Mistakes mistakes) {
        this.mistakes = mistakes;
    }

    /** Notes what no capability can be. */
    void check(String path, Yaml value) {
        if (value.height() > DEEPEST) {
            mistakes.add(value, path, "is nested deeper than " + DEEPEST + " levels");
            return;
        }
        switch (value) {
            case Yaml.Mapping mapping -> mapping(path, mapping);
            case Yaml.Sequence sequence -> {
                if (sequence.items().size() > MOST_ITEMS) {
                    mistakes.add(
                            sequence,
                            path,
                            "has %d values, may have %d"
                                    .formatted(sequence.items().size(), MOST_ITEMS));
                    return;
                }
                for (int i = 0; i < sequence.items().size(); i++) {
                    check(path + "[" + i + "]", sequence.items().get(i));
                }
            }
            case Yaml.Scalar scalar -> scalar(path, scalar);
        }
    }

    private void mapping(String path, Yaml.Mapping mapping) {
        if (mapping.entries().size() > MOST_KEYS) {
            mistakes.add(
                    mapping,
                    path,
                    "has %d keys, may have %d".formatted(mapping.entries().size(), MOST_KEYS));
            return;
        }
        for (Yaml.Entry entry : mapping.entries()) {
            String key = entry.key().text();
            if (key.isEmpty() || key.length() > LONGEST_KEY) {
                mistakes.add(
                        entry.key(),
                        path,
                        "has a name of %d characters, may have 1 to %d".formatted(key.length(), LONGEST_KEY));
            }
            check(Section.child(path, Keys.shown(key)), entry.value());
        }
    }

    private void scalar(String path, Yaml.Scalar scalar) {
        if (scalar.type() != Yaml.Type.TEXT) {
            return;
        }
        if (scalar.text().equals("*")) {
            mistakes.add(scalar, path, "is \"*\", which means any value in a request: say which value it is");
        } else if (scalar.text().length() > LONGEST_TEXT) {
            mistakes.add(
                    scalar,
                    path,
                    "has %d characters, may have %d".formatted(scalar.text().length(), LONGEST_TEXT));
        }
    }

    /** The same as the rules compare them; of JSON values as {@link Json} makes them. */
    static Map<String, Value> values(Map<?, ?> object) {
        Map<String, Value> values = new TreeMap<>();
        object.forEach((key, value) -> values.put(String.valueOf(key), value(value)));
        return values;
    }

    private static Value value(@Nullable Object json) {
        return switch (json) {
            case null -> new Value.Nothing();
            case String text -> new Value.Text(text);
            case Boolean flag -> new Value.Flag(flag);
            case BigInteger number -> new Value.Number(new BigDecimal(number));
            case Double number -> new Value.Number(BigDecimal.valueOf(number));
            case List<?> list -> {
                List<Value> values = new ArrayList<>();
                list.forEach(item -> values.add(value(item)));
                yield new Value.Many(values);
            }
            case Map<?, ?> map -> Value.of(values(map));
            default -> throw new IllegalStateException("no JSON value: " + json.getClass());
        };
    }
}
