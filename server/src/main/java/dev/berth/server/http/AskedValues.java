package dev.berth.server.http;

import dev.berth.core.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/**
 * Reads what capabilities are asked for: any JSON within bounds. A list means one of its values, so that lists that mean the same
 * become the same value.
 */
final class AskedValues {
    private static final int MOST = 50;
    private static final int MOST_IN_LIST = 100;
    private static final int MOST_VALUES = 500;
    private static final int DEEPEST = 5;
    private static final int LONGEST_TEXT = 1000;
    private static final int LARGEST_SCALE = 400;
    private static final Value NOTHING = new Value.Nothing();

    private final JsonParser parser;
    private final BiConsumer<String, String> mistake;
    private int values;

    /**
     * @param parser at the beginning of an object
     * @param mistake is told of each: where, and what
     */
    AskedValues(JsonParser parser, BiConsumer<String, String> mistake) {
        this.parser = parser;
        this.mistake = mistake;
    }

    SortedMap<String, Value> read(String name) {
        var asked = fields(name, 0);
        if (asked.size() > MOST) {
            mistake.accept(name, "must have at most " + MOST + " entries");
        }
        if (values > MOST_VALUES) {
            mistake.accept(name, "must have at most " + MOST_VALUES + " values in all");
        }
        return asked;
    }

    private SortedMap<String, Value> fields(String at, int depth) {
        var fields = new TreeMap<String, Value>();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            var key = parser.currentName();
            var where = at + "." + BodyReader.shown(key);
            var fault = key.isEmpty() ? "must not be empty" : BodyReader.fault(key, LONGEST_TEXT);
            if (fault != null) {
                mistake.accept(where, "its name " + fault);
            }
            parser.nextToken();
            fields.put(key, value(where, depth + 1));
        }
        return fields;
    }

    private Value value(String at, int depth) {
        values++;
        return switch (parser.currentToken()) {
            case START_OBJECT -> depth < DEEPEST ? Value.of(fields(at, depth)) : tooDeep(at);
            case START_ARRAY -> depth < DEEPEST ? list(at, depth) : tooDeep(at);
            case VALUE_STRING -> text(at);
            case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> number(at);
            case VALUE_TRUE -> new Value.Flag(true);
            case VALUE_FALSE -> new Value.Flag(false);
            case VALUE_NULL -> NOTHING;
            case null, default -> throw new IllegalStateException("no JSON value begins with " + parser.currentToken());
        };
    }

    private Value tooDeep(String at) {
        parser.skipChildren();
        return wrong(at, "must not be deeper than " + DEEPEST + " levels");
    }

    private Value text(String at) {
        var text = parser.getString();
        var fault = BodyReader.fault(text, LONGEST_TEXT);
        return fault == null ? new Value.Text(text) : wrong(at, fault);
    }

    private Value number(String at) {
        var number = parser.getDecimalValue();
        return Math.abs((long) number.scale()) > LARGEST_SCALE
                ? wrong(at, "must not be that large or small a number")
                : new Value.Number(number);
    }

    private Value list(String at, int depth) {
        var all = new ArrayList<Value>();
        for (int i = 0; parser.nextToken() != JsonToken.END_ARRAY; i++) {
            all.add(value(at + "[" + i + "]", depth + 1));
        }
        if (all.isEmpty()) {
            return wrong(at, "must not be empty: a list means one of its values");
        }
        return all.size() > MOST_IN_LIST ? wrong(at, "must have at most " + MOST_IN_LIST + " values") : oneOf(all);
    }

    /** One of these: in whatever order they come, and however often. */
    private static Value oneOf(List<Value> values) {
        var different = new TreeMap<String, Value>();
        for (var value : values) {
            if (value.equals(Value.Text.ANY)) {
                return Value.Text.ANY;
            }
            var inner = value instanceof Value.Many(var many) ? many : List.of(value);
            inner.forEach(one -> different.put(one.json(), one));
        }
        return different.size() == 1
                ? different.firstEntry().getValue()
                : new Value.Many(List.copyOf(different.values()));
    }

    private Value wrong(String at, String what) {
        mistake.accept(at, what);
        return NOTHING;
    }
}
