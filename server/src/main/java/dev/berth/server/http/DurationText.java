package dev.berth.server.http;

import dev.berth.core.Durations;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Durations as requests write them: {@code 20s}, {@code 1h30m}, {@code 7d}; days, hours, minutes, seconds, each at most once and in this order. */
final class DurationText {
    private static final String UNITS = "dhms";
    private static final long[] SECONDS = {86_400, 3_600, 60, 1};
    private static final int MOST_DIGITS = 9;

    private DurationText() {}

    /** Null where the text is none. */
    static @Nullable Duration parse(String text) {
        long total = 0;
        int unit = -1;
        int at = 0;
        while (at < text.length()) {
            int begin = at;
            long number = 0;
            while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
                number = number * 10 + (text.charAt(at) - '0');
                at++;
                if (at - begin > MOST_DIGITS) {
                    return null;
                }
            }
            int next = at < text.length() ? UNITS.indexOf(text.charAt(at)) : -1;
            if (at == begin || next <= unit) {
                return null;
            }
            total += number * SECONDS[next];
            unit = next;
            at++;
        }
        return unit < 0 ? null : Duration.ofSeconds(total);
    }

    /** The shortest text for it; parts of a second are cut off. */
    static String format(Duration duration) {
        return Durations.text(duration);
    }
}
