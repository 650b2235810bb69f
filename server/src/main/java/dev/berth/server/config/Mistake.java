package dev.berth.server.config;

import java.util.Comparator;
import java.util.Objects;

/**
 * One mistake in a configuration file.
 *
 * @param line where it is, from 1 on
 * @param column from 1 on, in characters
 * @param field the path of the key ({@code pools.release.session}); empty for the file as a whole
 * @param message what is wrong and what would be right; never a secret
 */
public record Mistake(int line, int column, String field, String message) implements Comparable<Mistake> {
    private static final Comparator<Mistake> IN_ORDER_OF_THE_FILE =
            Comparator.comparingInt(Mistake::line).thenComparingInt(Mistake::column);

    public Mistake {
        Objects.requireNonNull(field);
        Objects.requireNonNull(message);
    }

    @Override
    public int compareTo(Mistake other) {
        return IN_ORDER_OF_THE_FILE
                .thenComparing(Mistake::field)
                .thenComparing(Mistake::message)
                .compare(this, other);
    }

    @Override
    public String toString() {
        return "line " + line + ", column " + column + ": " + (field.isEmpty() ? "" : field + " ") + message;
    }
}
