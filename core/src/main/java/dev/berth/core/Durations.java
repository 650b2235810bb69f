package dev.berth.core;

import java.time.Duration;

/** How durations are written to people: as requests and configurations write them. */
public final class Durations {
    private Durations() {}

    /**
     * The shortest text that reads as the same whole seconds, {@code 1h30m} say; {@code 0s} for less than one.
     *
     * @param duration not negative
     */
    public static String text(Duration duration) {
        var text = new StringBuilder();
        append(text, duration.toDaysPart(), 'd');
        append(text, duration.toHoursPart(), 'h');
        append(text, duration.toMinutesPart(), 'm');
        append(text, duration.toSecondsPart(), 's');
        return text.isEmpty() ? "0s" : text.toString();
    }

    private static void append(StringBuilder text, long amount, char unit) {
        if (amount > 0) {
            text.append(amount).append(unit);
        }
    }
}
