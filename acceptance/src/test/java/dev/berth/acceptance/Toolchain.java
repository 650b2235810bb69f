package dev.berth.acceptance;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;

/** A program of the machine that tests need beside the JDK. */
enum Toolchain {
    NODE("node", "nodejs"),
    NPM("npm", "npm"),
    PYTHON("python3", "python3-venv"),
    CURL("curl", "curl");

    private final String program;
    private final String debian;

    Toolchain(String program, String debian) {
        this.program = program;
        this.debian = debian;
    }

    /**
     * Where it is.
     *
     * @throws MissingException naming every program that is missing, not this one alone
     */
    Path path() {
        return find().orElseThrow(Toolchain::missing);
    }

    private Optional<Path> find() {
        var folders = System.getenv().getOrDefault("PATH", "").split(File.pathSeparator, -1);
        return Arrays.stream(folders)
                .filter(folder -> !folder.isEmpty())
                .map(folder -> Path.of(folder, program))
                .filter(Files::isExecutable)
                .findFirst();
    }

    /**
     * Makes sure of all of them.
     *
     * @throws MissingException where one is missing
     */
    static void require() {
        if (!Arrays.stream(values()).allMatch(tool -> tool.find().isPresent())) {
            throw missing();
        }
    }

    private static MissingException missing() {
        var missing =
                Arrays.stream(values()).filter(tool -> tool.find().isEmpty()).toList();
        return new MissingException(
                "The acceptance tests need %s, which PATH does not have: install it (Debian: apt-get install %s), or leave these tests out with -Dacceptance=off."
                        .formatted(
                                missing.stream().map(tool -> tool.program).collect(Collectors.joining(" and ")),
                                missing.stream().map(tool -> tool.debian).collect(Collectors.joining(" "))));
    }

    /** A program is missing; the message is a sentence that says which and what to do. */
    static final class MissingException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        private MissingException(String message) {
            super(message, null, false, false);
        }
    }
}
