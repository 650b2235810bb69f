package dev.berth.server.config;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/** JSON values of YAML, and their canonical text: keys sorted, no blanks. */
final class Json {
    private static final TypeReference<Map<String, Object>> OBJECT = new TypeReference<>() {};

    private final JsonMapper mapper = JsonMapper.builder().build();
    private final Mistakes mistakes;

    Json(Mistakes mistakes) {
        this.mistakes = mistakes;
    }

    /** The canonical text of a value whose maps are all sorted, as {@link #object} answers. */
    String write(Map<String, @Nullable Object> value) {
        return mapper.writeValueAsString(value);
    }

    /** Reads back what {@link #write} wrote. */
    Map<String, Object> read(String json) {
        return mapper.readValue(json, OBJECT);
    }

    /**
     * A mapping as a JSON object.
     *
     * @param nulls whether a value may be missing; where not, that is noted
     * @return nothing where something in it is wrong, which is noted
     */
    Optional<Map<String, @Nullable Object>> object(String path, Yaml value, boolean nulls) {
        if (!(value instanceof Yaml.Mapping mapping)) {
            mistakes.add(value, path, "must be a mapping, is " + value.described());
            return Optional.empty();
        }
        int before = mistakes.count();
        Map<String, @Nullable Object> object = members(path, mapping, nulls);
        return mistakes.count() == before ? Optional.of(object) : Optional.empty();
    }

    /** Any JSON value; what is wrong in it is noted. */
    @Nullable
    Object any(String path, Yaml value) {
        return value(path, value, true);
    }

    private Map<String, @Nullable Object> members(String path, Yaml.Mapping mapping, boolean nulls) {
        Map<String, @Nullable Object> object = new TreeMap<>();
        for (Yaml.Entry entry : Section.unique(path, mapping, mistakes)) {
            String key = entry.key().text();
            object.put(key, value(Section.child(path, Keys.shown(key)), entry.value(), nulls));
        }
        return object;
    }

    private @Nullable Object value(String path, Yaml value, boolean nulls) {
        return switch (value) {
            case Yaml.Mapping mapping -> members(path, mapping, nulls);
            case Yaml.Sequence sequence -> {
                List<@Nullable Object> list = new ArrayList<>();
                for (Yaml item : sequence.items()) {
                    list.add(value(path + "[" + list.size() + "]", item, nulls));
                }
                yield list;
            }
            case Yaml.Scalar scalar -> scalar(path, scalar, nulls);
        };
    }

    private @Nullable Object scalar(String path, Yaml.Scalar scalar, boolean nulls) {
        String text = scalar.text();
        return switch (scalar.type()) {
            case TEXT -> text;
            case BOOLEAN -> text.equalsIgnoreCase("true");
            case NULL -> {
                if (!nulls) {
                    mistakes.add(scalar, path, "is empty");
                }
                yield null;
            }
            case INTEGER -> number(path, scalar, text.startsWith("0x") || text.startsWith("0o"));
            case DECIMAL -> number(path, scalar, false);
        };
    }

    private Object number(String path, Yaml.Scalar scalar, boolean prefixed) {
        String text = scalar.text();
        if (text.length() > 40) {
            mistakes.add(scalar, path, "is a number of more than 40 characters: quote it");
            return 0;
        }
        if (scalar.type() == Yaml.Type.INTEGER) {
            return prefixed
                    ? new BigInteger(text.substring(2), text.charAt(1) == 'x' ? 16 : 8)
                    : new BigInteger(text.startsWith("+") ? text.substring(1) : text);
        }
        try {
            BigDecimal exact = new BigDecimal(text);
            double number = exact.doubleValue();
            if (Double.isFinite(number)) {
                if (exact.compareTo(BigDecimal.valueOf(number)) != 0) {
                    mistakes.add(scalar, path, "is a number of more digits than readers of JSON keep: quote it");
                }
                return number;
            }
        } catch (NumberFormatException e) {
            // Falls through: .nan and .inf are numbers to YAML.
        }
        mistakes.add(scalar, path, "is a number that JSON does not have");
        return 0;
    }
}
