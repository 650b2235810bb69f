package dev.berth.cli;

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

    boolean json() {
        return format == Format.JSON;
    }
}
