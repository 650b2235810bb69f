package dev.berth.client;

import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Durations as requests and configuration write them: {@code 20s}, {@code 90m}, {@code 1h30m}, {@code 7d}. */
public final class WireDuration {
    private static final Pattern FORM =
            Pattern.compile("(?:(\\d{1,9})d)?(?:(\\d{1,9})h)?(?:(\\d{1,9})m)?(?:(\\d{1,9})s)?");

    private WireDuration() {}

    /**
     * Reads a duration.
     *
     * @throws IllegalArgumentException for anything but whole days, hours, minutes and seconds in this order
     */
    public static Duration parse(String text) {
        Matcher form = FORM.matcher(text);
        if (text.isEmpty() || !form.matches()) {
            throw new IllegalArgumentException(
                    "'" + text + "' is not a duration: write it like 20s, 90m, 3h, 1h30m or 7d");
        }
        return Duration.ofDays(part(form, 1))
                .plusHours(part(form, 2))
                .plusMinutes(part(form, 3))
                .plusSeconds(part(form, 4));
    }

    private static long part(Matcher form, int group) {
        String digits = form.group(group);
        return digits == null ? 0 : Long.parseLong(digits);
    }

    /** Writes a duration in whole seconds, rounding up so that nothing asked for is cut off. */
    public static String format(Duration duration) {
        long seconds = duration.getNano() == 0 ? duration.getSeconds() : duration.getSeconds() + 1;
        if (seconds <= 0) {
            return "0s";
        }
        StringBuilder text = new StringBuilder();
        append(text, seconds / 3600, 'h');
        append(text, seconds / 60 % 60, 'm');
        append(text, seconds % 60, 's');
        return text.toString();
    }

    private static void append(StringBuilder text, long amount, char unit) {
        if (amount > 0) {
            text.append(amount).append(unit);
        }
    }
}
