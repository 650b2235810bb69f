package dev.berth.server.http;

import dev.berth.core.Value;
import dev.berth.server.http.Problem.Mistake;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

/**
 * Reads the JSON object of a request, field by field, and gathers what is wrong with the values, so that all of it is told at once. A
 * field that is {@code null} is one that is absent. For one thread.
 */
final class BodyReader {
    private static final int MOST_MISTAKES = 20;

    private final JsonParser parser;
    private final List<Mistake> mistakes = new ArrayList<>();
    /** Where the object that is being read is inside the whole, with a dot behind it. */
    private String path = "";

    private BodyReader(JsonParser parser) {
        this.parser = parser;
    }

    /**
     * Reads a body.
     *
     * @param field is given the name of each field, and reads its value
     * @param after what is to be checked when all fields were read
     * @throws Problem with all mistakes
     */
    static void read(byte[] body, Field field, Consumer<BodyReader> after) {
        if (!isUtf8(body)) {
            throw new Problem(ErrorCode.MALFORMED_JSON, "The body must be UTF-8");
        }
        try (var parser = Json.read(body)) {
            read(parser, field, after);
        }
    }

    /** The parser would guess UTF-16 and UTF-32 by their byte order marks and zeros. No JSON in UTF-8 begins with these. */
    private static boolean isUtf8(byte[] body) {
        for (int i = 0; i < Math.min(4, body.length); i++) {
            if (body[i] == 0 || body[i] == (byte) 0xfe || body[i] == (byte) 0xff) {
                return false;
            }
        }
        return true;
    }

    private static void read(JsonParser parser, Field field, Consumer<BodyReader> after) {
        try {
            var reader = new BodyReader(parser);
            var first = parser.nextToken();
            if (first == null) {
                throw new Problem(ErrorCode.MALFORMED_JSON, "There is no body: a JSON object is expected");
            }
            if (first != JsonToken.START_OBJECT) {
                throw Problem.of(
                        ErrorCode.INVALID_REQUEST, List.of(new Mistake(null, "The body must be a JSON object", null)));
            }
            reader.fields(field);
            if (parser.nextToken() != null) {
                throw malformed(parser, "something follows the JSON object");
            }
            after.accept(reader);
            if (!reader.mistakes.isEmpty()) {
                throw Problem.of(ErrorCode.INVALID_REQUEST, reader.mistakes);
            }
        } catch (JacksonException e) {
            var at = e.getLocation() == null ? parser.currentLocation() : e.getLocation();
            throw malformed(at.getLineNr(), at.getColumnNr(), JsonFault.of(e));
        }
    }

    /** Reads the value of one field of an object. */
    @FunctionalInterface
    interface Field {
        void read(BodyReader in, String name);
    }

    private static Problem malformed(JsonParser parser, String what) {
        var at = parser.currentTokenLocation();
        return malformed(at.getLineNr(), at.getColumnNr(), what);
    }

    private static Problem malformed(int line, int column, String what) {
        return new Problem(
                ErrorCode.MALFORMED_JSON, "Malformed JSON in line %d, column %d: %s".formatted(line, column, what));
    }

    private void fields(Field field) {
        while (parser.nextToken() != JsonToken.END_OBJECT) {
            var name = parser.currentName();
            parser.nextToken();
            field.read(this, name);
        }
    }

    /** Notes what is wrong with a field: the first thing that is, since the rest may follow from it. */
    void mistake(String name, String message) {
        var field = path + name;
        boolean known = mistakes.stream().anyMatch(mistake -> field.equals(mistake.field()));
        if (!known && mistakes.size() < MOST_MISTAKES) {
            mistakes.add(new Mistake(field, message, null));
        }
    }

    void unknown(String name) {
        mistake(shown(name), "is not a field of this request");
        parser.skipChildren();
    }

    static String shown(String name) {
        return name.length() <= 100 ? name : name.substring(0, 100) + "…";
    }

    /** Whether the value that is to be read is none. */
    boolean isNull() {
        return parser.currentToken() == JsonToken.VALUE_NULL;
    }

    private void wrong(String name, String message) {
        mistake(name, message);
        parser.skipChildren();
    }

    /** A text without control characters; null where there is none, or a wrong one. */
    @Nullable
    String text(String name, int mostBytes) {
        if (isNull()) {
            return null;
        }
        if (parser.currentToken() != JsonToken.VALUE_STRING) {
            wrong(name, "must be a text");
            return null;
        }
        var text = parser.getString();
        var fault = fault(text, mostBytes);
        if (fault != null) {
            mistake(name, fault);
            return null;
        }
        return text;
    }

    /** What is wrong with a text; null where nothing is. */
    static @Nullable String fault(String text, int mostBytes) {
        if (text.length() > mostBytes || bytes(text) > mostBytes) {
            return "must have at most " + mostBytes + " bytes";
        }
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c < ' ' || c == 0x7f) {
                return "must not have control characters";
            }
            if (Character.isSurrogate(c)) {
                if (!Character.isHighSurrogate(c)
                        || i + 1 == text.length()
                        || !Character.isLowSurrogate(text.charAt(i + 1))) {
                    return "must not have half of a surrogate pair";
                }
                i++;
            }
        }
        return null;
    }

    private static int bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8).length;
    }

    /** Whether it is true; false where there is none, or a wrong one. */
    boolean flag(String name) {
        boolean yes = parser.currentToken() == JsonToken.VALUE_TRUE;
        if (!yes && !isNull() && parser.currentToken() != JsonToken.VALUE_FALSE) {
            wrong(name, "must be true or false");
        }
        return yes;
    }

    @Nullable
    Duration duration(String name) {
        var text = text(name, 100);
        if (text == null) {
            return null;
        }
        var duration = DurationText.parse(text);
        if (duration == null) {
            mistake(name, "must be a duration such as 20s, 90m, 1h30m or 7d");
        }
        return duration;
    }

    @Nullable
    Instant instant(String name) {
        var text = text(name, 100);
        if (text == null) {
            return null;
        }
        try {
            return Instant.parse(text);
        } catch (DateTimeParseException _) {
            mistake(name, "must be an instant such as 2026-07-01T12:00:00Z");
            return null;
        }
    }

    /** A whole number from {@code least} on; one beyond the range of an int is the largest int. Null where there is none. */
    @Nullable
    Integer whole(String name, int least) {
        if (isNull()) {
            return null;
        }
        if (parser.currentToken() != JsonToken.VALUE_NUMBER_INT) {
            wrong(name, "must be a whole number");
            return null;
        }
        var value = parser.getBigIntegerValue();
        if (value.signum() < 0 || (value.bitLength() < Integer.SIZE && value.intValue() < least)) {
            mistake(name, "must be at least " + least);
            return null;
        }
        return value.bitLength() < Integer.SIZE ? value.intValue() : Integer.MAX_VALUE;
    }

    /** A whole number within these bounds; null where there is none, or a wrong one. */
    @Nullable
    Integer whole(String name, int least, int most) {
        if (isNull()) {
            return null;
        }
        var value = parser.currentToken() == JsonToken.VALUE_NUMBER_INT ? parser.getBigIntegerValue() : null;
        if (value == null || value.bitLength() >= Integer.SIZE || value.intValue() < least || value.intValue() > most) {
            wrong(name, "must be a whole number from %d to %d".formatted(least, most));
            return null;
        }
        return value.intValue();
    }

    /** One object of a list. */
    interface Entry extends Field {
        /** Is called when all fields were read. */
        void check(BodyReader in);
    }

    /**
     * Reads an array of objects.
     *
     * @param entry is given each, at its beginning
     * @return how many there were; -1 where the value is no array
     */
    int objects(String name, int most, Supplier<? extends Entry> entry) {
        if (isNull()) {
            return 0;
        }
        if (parser.currentToken() != JsonToken.START_ARRAY) {
            wrong(name, "must be a list of objects");
            return -1;
        }
        var outer = path;
        int count = 0;
        while (parser.nextToken() != JsonToken.END_ARRAY) {
            if (parser.currentToken() != JsonToken.START_OBJECT) {
                wrong(name + "[" + count + "]", "must be an object");
            } else if (count >= most) {
                parser.skipChildren();
            } else {
                path = outer + name + "[" + count + "].";
                var begun = entry.get();
                fields(begun);
                begun.check(this);
                path = outer;
            }
            count++;
        }
        if (count > most) {
            mistake(name, "must have at most " + most + " entries");
        }
        return count;
    }

    /** A list of texts; null where there is none, or a wrong one. */
    @Nullable
    List<String> list(String name, int most, int mostBytes) {
        if (isNull()) {
            return null;
        }
        if (parser.currentToken() != JsonToken.START_ARRAY) {
            wrong(name, "must be a list of texts");
            return null;
        }
        var texts = new ArrayList<String>();
        for (int i = 0; parser.nextToken() != JsonToken.END_ARRAY; i++) {
            var at = name + "[" + i + "]";
            var text = text(at, mostBytes);
            if (text != null && !text.isEmpty()) {
                texts.add(text);
            } else if (text != null || isNull()) {
                mistake(at, "must be a text, and not empty");
            }
        }
        if (texts.size() > most) {
            mistake(name, "must have at most " + most + " entries");
        }
        return texts;
    }

    /** A text, or a list of texts; null where there is none, or a wrong one. */
    @Nullable
    List<String> textOrList(String name, int most, int mostBytes) {
        if (parser.currentToken() == JsonToken.START_ARRAY) {
            return list(name, most, mostBytes);
        }
        if (!isNull() && parser.currentToken() != JsonToken.VALUE_STRING) {
            wrong(name, "must be a text or a list of texts");
            return null;
        }
        var text = text(name, mostBytes);
        if (text != null && text.isEmpty()) {
            mistake(name, "must not be empty");
        }
        return text == null ? null : List.of(text);
    }

    /** What capabilities are asked for, by name; null where there are none. */
    @Nullable
    SortedMap<String, Value> capabilities(String name) {
        if (isNull()) {
            return null;
        }
        if (parser.currentToken() != JsonToken.START_OBJECT) {
            wrong(name, "must be an object");
            return null;
        }
        return new AskedValues(parser, this::mistake).read(name);
    }

    /** An object of texts, sorted by name; null where there is none. */
    @Nullable
    Map<String, String> texts(String name, int most, int mostBytes) {
        if (isNull()) {
            return null;
        }
        if (parser.currentToken() != JsonToken.START_OBJECT) {
            wrong(name, "must be an object of texts");
            return null;
        }
        var texts = new TreeMap<String, String>();
        var outer = path;
        path = outer + name + ".";
        fields((in, key) -> {
            if (key.isEmpty()) {
                mistake(key, "a name must not be empty");
            }
            var fault = fault(key, mostBytes);
            if (fault != null) {
                mistake(shown(key), "as a name, " + fault);
            }
            if (isNull()) {
                mistake(shown(key), "must be a text");
                return;
            }
            var value = text(shown(key), mostBytes);
            if (value != null) {
                texts.put(key, value);
            }
        });
        path = outer;
        if (texts.size() > most) {
            mistake(name, "must have at most " + most + " entries");
        }
        return texts;
    }
}
