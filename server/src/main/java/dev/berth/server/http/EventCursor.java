package dev.berth.server.http;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A place in the stream of all events: the last number seen of every pool, by the pool's number. Opaque to clients. Both numbers in
 * base 36, which is short enough for a header with hundreds of pools.
 */
final class EventCursor {
    private static final String VERSION = "1.";
    private static final int MOST_DIGITS = 12;

    private EventCursor() {}

    static String encode(Map<Integer, Long> seen) {
        var text = new StringBuilder(VERSION);
        new TreeMap<>(seen)
                .forEach((pool, number) -> text.append(Integer.toString(pool, 36))
                        .append('-')
                        .append(Long.toString(number, 36))
                        .append('.'));
        return Base64.getUrlEncoder()
                .withoutPadding()
                .encodeToString(text.toString().getBytes(StandardCharsets.US_ASCII));
    }

    /** Null where the text is no cursor. */
    static @Nullable Map<Integer, Long> decode(String cursor) {
        var seen = new TreeMap<Integer, Long>();
        try {
            var text = new String(Base64.getUrlDecoder().decode(cursor), StandardCharsets.US_ASCII);
            if (!text.startsWith(VERSION)) {
                return null;
            }
            int at = VERSION.length();
            while (at < text.length()) {
                int end = text.indexOf('.', at);
                int dash = text.indexOf('-', at);
                if (end < 0 || dash < 0 || dash > end || end - at > 2 * MOST_DIGITS) {
                    return null;
                }
                seen.put(
                        Integer.parseUnsignedInt(text.substring(at, dash), 36),
                        Long.parseUnsignedLong(text.substring(dash + 1, end), 36));
                at = end + 1;
            }
            return seen.values().stream().allMatch(number -> number >= 0 && number < 1L << 53) ? seen : null;
        } catch (IllegalArgumentException _) {
            return null;
        }
    }
}
