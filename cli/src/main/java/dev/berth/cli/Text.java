package dev.berth.cli;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Text for people: tables and durations, free of what could move a terminal's cursor. */
final class Text {
    private Text() {}

    /** Takes out control characters, which a requester's text or a script's report may hold. */
    static String clean(String text) {
        StringBuilder clean = new StringBuilder(text.length());
        text.codePoints()
                .map(c -> Character.isISOControl(c) || Character.getType(c) == Character.FORMAT ? ' ' : c)
                .forEach(clean::appendCodePoint);
        return clean.toString();
    }

    /** Rounds to what matters: {@code 45s}, {@code 3m 20s}, {@code 2h 5m}, {@code 3d 4h}. */
    static String duration(Duration duration) {
        long seconds = Math.max(0, duration.toSeconds());
        if (seconds < 60) {
            return seconds + "s";
        }
        if (seconds < 3600) {
            return seconds / 60 + "m" + rest(seconds % 60, "s");
        }
        if (seconds < 86_400) {
            return seconds / 3600 + "h" + rest(seconds / 60 % 60, "m");
        }
        return seconds / 86_400 + "d" + rest(seconds / 3600 % 24, "h");
    }

    private static String rest(long amount, String unit) {
        return amount == 0 ? "" : " " + amount + unit;
    }

    /** For what is not known better: {@code 20 s}, {@code 4 min}, {@code 2 h}, {@code 3 d}. */
    static String roughly(Duration duration) {
        long seconds = Math.max(1, duration.toSeconds());
        if (seconds < 60) {
            return rounded(seconds, 10) * 10 + " s";
        }
        if (seconds < 90 * 60) {
            return rounded(seconds, 60) + " min";
        }
        return seconds < 48 * 3600 ? rounded(seconds, 3600) + " h" : rounded(seconds, 86_400) + " d";
    }

    private static long rounded(long seconds, long unit) {
        return Math.max(1, (seconds + unit / 2) / unit);
    }

    /** A dash for what there is not. */
    static String orDash(@Nullable Object value) {
        return value == null ? "-" : value.toString();
    }

    /** Reads names with commas between them. */
    static List<String> names(String option, String text) {
        List<String> names = List.of(text.split(",", -1));
        if (names.stream().anyMatch(String::isBlank)) {
            throw new CliFailure(
                    ExitCode.USAGE,
                    option + " " + text + ": write it as one name, or several with commas between them");
        }
        return names;
    }

    /** Lays out rows under a header; the last column is not padded. */
    static List<String> table(List<String> header, List<List<String>> rows) {
        List<List<String>> all = new ArrayList<>();
        all.add(header);
        for (List<String> row : rows) {
            all.add(row.stream().map(Text::clean).toList());
        }
        int[] widths = new int[header.size()];
        for (List<String> row : all) {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], width(row.get(i)));
            }
        }
        List<String> lines = new ArrayList<>();
        for (List<String> row : all) {
            StringBuilder line = new StringBuilder();
            for (int i = 0; i < widths.length; i++) {
                line.append(row.get(i));
                if (i < widths.length - 1) {
                    line.append(" ".repeat(widths[i] - width(row.get(i)) + 2));
                }
            }
            lines.add(line.toString().stripTrailing());
        }
        return lines;
    }

    private static int width(String text) {
        return text.codePointCount(0, text.length());
    }
}
