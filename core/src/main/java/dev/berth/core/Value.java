package dev.berth.core;

import java.math.BigDecimal;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;

/** The value of a capability, as JSON means it: typed, so that {@code 1} is not {@code "1"}. */
public sealed interface Value {
    /** A string. */
    record Text(String value) implements Value {
        /** Asked for, it means: present, with any value. */
        public static final Text ANY = new Text("*");

        public Text {
            Objects.requireNonNull(value);
        }
    }

    /** A number; {@code 1.0} is {@code 1}. */
    record Number(BigDecimal value) implements Value {
        public Number {
            value = value.stripTrailingZeros();
        }
    }

    /** A boolean. */
    record Flag(boolean value) implements Value {}

    /** A list. Asked for, it means: one of these. */
    record Many(List<Value> values) implements Value {
        public Many {
            values = List.copyOf(values);
        }
    }

    /** An object. Asked for, it means: every one of these fields. */
    record Fields(SortedMap<String, Value> values) implements Value {
        public Fields {
            values = Collections.unmodifiableSortedMap(new TreeMap<>(values));
        }
    }

    /** {@code null}. */
    record Nothing() implements Value {}

    /** Whether an environment whose own value is this one has what is asked for: a list contains it, an object has every field of it. */
    default boolean meets(Value asked) {
        if (asked.equals(Text.ANY)) {
            return true;
        }
        if (asked instanceof Many(var oneOf)) {
            return oneOf.stream().anyMatch(this::meets);
        }
        return switch (this) {
            case Many(var contained) -> contained.stream().anyMatch(own -> own.meets(asked));
            case Fields(var own) ->
                asked instanceof Fields(var wanted)
                        && wanted.entrySet().stream().allMatch(field -> {
                            var value = own.get(field.getKey());
                            return value != null && value.meets(field.getValue());
                        });
            case Text _, Number _, Flag _, Nothing _ -> equals(asked);
        };
    }

    /** How many single facts it states. */
    default int facts() {
        return switch (this) {
            case Many(var values) ->
                Math.max(1, values.stream().mapToInt(Value::facts).sum());
            case Fields(var values) ->
                Math.max(1, values.values().stream().mapToInt(Value::facts).sum());
            case Text _, Number _, Flag _, Nothing _ -> 1;
        };
    }

    /** As JSON text, the same for the same value. */
    default String json() {
        var text = new StringBuilder();
        JsonText.value(text, this);
        return text.toString();
    }

    /** The fields as one value. */
    static Fields of(Map<String, Value> fields) {
        return new Fields(new TreeMap<>(fields));
    }
}
