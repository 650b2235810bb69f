package dev.berth.cli;

import java.util.List;
import java.util.function.Supplier;
import picocli.CommandLine.Option;

/** How a command prints its result. */
final class OutputOption {
    /** The forms that a result can have. */
    enum Format {
        /** For people. */
        TABLE,
        /** For programs: the service's own answer. */
        JSON
    }

    @Option(
            names = {"-o", "--output"},
            paramLabel = "table|json",
            description = "How to print the result: table (default) or json.")
    private Format format = Format.TABLE;

    /**
     * Prints a result in the form that was asked for.
     *
     * @param json the service's answer
     * @param lines the same for people
     */
    void print(Surroundings around, String json, Supplier<List<String>> lines) {
        if (json()) {
            around.out().println(Json.pretty(json));
        } else {
            lines.get().forEach(around.out()::println);
        }
    }

    boolean json() {
        return format == Format.JSON;
    }
}
