package dev.berth.core;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Collection;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.Map;
import java.util.function.BiConsumer;

/** Writes values as JSON, the same text for the same value, so that its digest can stand for it. */
final class JsonText {
    private static final int DIGEST_BYTES = 12; // 96 bits: no two of any pool's are ever the same by chance

    private JsonText() {}

    static void value(StringBuilder out, Value value) {
        switch (value) {
            case Value.Text(var text) -> string(out, text);
            case Value.Number(var number) -> out.append(number);
            case Value.Flag(var flag) -> out.append(flag);
            case Value.Nothing _ -> out.append("null");
            case Value.Many(var values) -> array(out, values, JsonText::value);
            case Value.Fields(var fields) -> object(out, fields, JsonText::value);
        }
    }

    static <T> void object(StringBuilder out, Map<String, T> fields, BiConsumer<StringBuilder, T> write) {
        out.append('{');
        for (Iterator<Map.Entry<String, T>> all = fields.entrySet().iterator(); all.hasNext(); ) {
            var field = all.next();
            string(out, field.getKey());
            out.append(':');
            write.accept(out, field.getValue());
            if (all.hasNext()) {
                out.append(',');
            }
        }
        out.append('}');
    }

    static <T> void array(StringBuilder out, Collection<T> values, BiConsumer<StringBuilder, T> write) {
        out.append('[');
        for (Iterator<T> all = values.iterator(); all.hasNext(); ) {
            write.accept(out, all.next());
            if (all.hasNext()) {
                out.append(',');
            }
        }
        out.append(']');
    }

    static void string(StringBuilder out, String text) {
        out.append('"');
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '"' || c == '\\') {
                out.append('\\').append(c);
            } else if (c < ' ') {
                out.append("\\u%04x".formatted((int) c));
            } else {
                out.append(c);
            }
        }
        out.append('"');
    }

    static String digest(String text) {
        try {
            var hash = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(Arrays.copyOf(hash, DIGEST_BYTES));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
