package dev.berth.server.config;

import java.util.ArrayList;
import java.util.List;

/** Gathers the mistakes and the warnings of one file. */
final class Mistakes {
    /** More help nobody, and a large file with one thing wrong in every record would fill the memory. */
    static final int MOST = 1000;

    private final List<Mistake> mistakes = new ArrayList<>();
    private final List<Mistake> warnings = new ArrayList<>();
    private int count;

    void add(Yaml at, String field, String message) {
        add(at.line(), at.column(), field, message);
    }

    void add(int line, int column, String field, String message) {
        count++;
        if (mistakes.size() < MOST) {
            mistakes.add(new Mistake(line, column, field, message));
        }
    }

    void warn(int line, String field, String message) {
        if (warnings.size() < MOST) {
            warnings.add(new Mistake(line, 1, field, message));
        }
    }

    int count() {
        return count;
    }

    /** In the order of the file. */
    List<String> warnings() {
        return warnings.stream()
                .sorted()
                .map(warning -> "line " + warning.line() + ": " + warning.field() + " " + warning.message())
                .toList();
    }

    /** Nothing where there is no mistake. */
    void throwIfAny() throws ConfigurationInvalid {
        if (count > 0) {
            throw new ConfigurationInvalid(mistakes.stream().sorted().toList(), count - mistakes.size());
        }
    }
}
