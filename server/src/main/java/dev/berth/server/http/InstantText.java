package dev.berth.server.http;

import java.time.Instant;
import java.time.LocalDate;

/** Instants as text, the same as {@link Instant#toString}, but without a formatter: every answer has several. */
final class InstantText {
    private static final long DAY = 86_400;
    private static final long YEAR_0 = LocalDate.of(0, 1, 1).toEpochDay() * DAY;
    private static final long YEAR_10000 = LocalDate.of(10_000, 1, 1).toEpochDay() * DAY;
    private static final int UNTIL_SECONDS = "2026-01-01T00:00:00".length();
    private static final int NANOS_OF_MILLISECOND = 1_000_000;

    private InstantText() {}

    static String of(Instant instant) {
        long second = instant.getEpochSecond();
        int nano = instant.getNano();
        // Stored instants are whole milliseconds, in years of four digits.
        if (second < YEAR_0 || second >= YEAR_10000 || nano % NANOS_OF_MILLISECOND != 0) {
            return instant.toString();
        }
        var date = LocalDate.ofEpochDay(Math.floorDiv(second, DAY));
        int ofDay = (int) Math.floorMod(second, DAY);
        var text = new char[UNTIL_SECONDS + (nano == 0 ? 1 : 5)];
        digits(text, 0, 4, date.getYear());
        text[4] = '-';
        digits(text, 5, 2, date.getMonthValue());
        text[7] = '-';
        digits(text, 8, 2, date.getDayOfMonth());
        text[10] = 'T';
        digits(text, 11, 2, ofDay / 3600);
        text[13] = ':';
        digits(text, 14, 2, ofDay / 60 % 60);
        text[16] = ':';
        digits(text, 17, 2, ofDay % 60);
        if (nano != 0) {
            text[UNTIL_SECONDS] = '.';
            digits(text, UNTIL_SECONDS + 1, 3, nano / NANOS_OF_MILLISECOND);
        }
        text[text.length - 1] = 'Z';
        return new String(text);
    }

    private static void digits(char[] text, int from, int count, int number) {
        int rest = number;
        for (int i = from + count - 1; i >= from; i--) {
            text[i] = (char) ('0' + rest % 10);
            rest /= 10;
        }
    }
}
