package dev.berth.server.http;

import java.io.ByteArrayOutputStream;
import java.time.Instant;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonEncoding;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonFactory;

/** Writes JSON by hand: the answers are few, and the frequent ones must be fast. */
final class Json {
    static final int DEEPEST = 32;
    static final int MOST_DIGITS = 100;
    static final int LONGEST_NAME = 1_000;

    static final JsonFactory FACTORY = JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(DEEPEST)
                    .maxNumberLength(MOST_DIGITS)
                    .maxNameLength(LONGEST_NAME)
                    .build())
            .build();

    private Json() {}

    static byte[] write(Consumer<JsonGenerator> content) {
        var out = new ByteArrayOutputStream(1024);
        try (var json = FACTORY.createGenerator(ObjectWriteContext.empty(), out, JsonEncoding.UTF8)) {
            content.accept(json);
        }
        return out.toByteArray();
    }

    static JsonParser read(byte[] text) {
        return FACTORY.createParser(ObjectReadContext.empty(), text);
    }

    static JsonParser read(String text) {
        return FACTORY.createParser(ObjectReadContext.empty(), text);
    }

    static void text(JsonGenerator json, String name, @Nullable String value) {
        if (value == null) {
            json.writeNullProperty(name);
        } else {
            json.writeStringProperty(name, value);
        }
    }

    static void instant(JsonGenerator json, String name, @Nullable Instant value) {
        text(json, name, value == null ? null : InstantText.of(value));
    }

    /** Values of the kinds that JSON knows, and nothing else. */
    static void value(JsonGenerator json, @Nullable Object value) {
        switch (value) {
            case null -> json.writeNull();
            case String text -> json.writeString(text);
            case Boolean truth -> json.writeBoolean(truth);
            case Integer number -> json.writeNumber(number);
            case Long number -> json.writeNumber(number);
            case java.math.BigInteger number -> json.writeNumber(number);
            case java.math.BigDecimal number -> json.writeNumber(number);
            case Number number -> json.writeNumber(number.doubleValue());
            case java.util.Map<?, ?> map -> {
                json.writeStartObject();
                map.forEach((name, field) -> {
                    json.writeName(String.valueOf(name));
                    value(json, field);
                });
                json.writeEndObject();
            }
            case Iterable<?> list -> {
                json.writeStartArray();
                list.forEach(element -> value(json, element));
                json.writeEndArray();
            }
            default -> throw new IllegalStateException("not a JSON value: " + value.getClass());
        }
    }
}
