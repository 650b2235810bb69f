package dev.berth.providers.command;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A program of the operator's with its arguments.
 *
 * @param argv the program and its arguments, never empty; a program named with a slash is relative to the directory, one without is
 *     looked for on the path
 * @param directory where it runs, absolute
 * @param path directories to look in, as in the variable {@code PATH}
 */
record Program(List<String> argv, Path directory, String path) {

    Program {
        argv = List.copyOf(argv);
    }

    /** The words to execute, the program as an absolute path; as it was written when there is no such program. */
    List<String> words() {
        List<String> words = new ArrayList<>(argv);
        file().ifPresent(file -> words.set(0, file.toString()));
        return words;
    }

    /** Why it cannot be run now; empty when it can. */
    Optional<String> hindrance() {
        if (!Files.isDirectory(directory)) {
            return Optional.of("the directory " + directory + " is not there");
        }
        Optional<Path> file = file();
        if (file.isEmpty()) {
            return Optional.of("program " + argv.getFirst() + " is not on the path");
        }
        if (!Files.isRegularFile(file.get())) {
            return Optional.of("program " + file.get() + " is not there");
        }
        if (!Files.isExecutable(file.get())) {
            return Optional.of("program " + file.get() + " is not executable");
        }
        return interpreter(file.get())
                .filter(interpreter -> !Files.isExecutable(interpreter))
                .map(interpreter -> "program " + file.get() + " needs " + interpreter + ", which is not there");
    }

    private Optional<Path> file() {
        String name = argv.getFirst();
        try {
            if (name.contains("/")) {
                return Optional.of(directory.resolve(name).normalize());
            }
            for (String folder : path.split(":", -1)) {
                // An empty or relative entry means the working directory to a shell: refused here as it is nearly
                // always a mistake.
                Path file = Path.of(folder, name);
                if (file.isAbsolute() && Files.isRegularFile(file) && Files.isExecutable(file)) {
                    return Optional.of(file);
                }
            }
            return Optional.empty();
        } catch (InvalidPathException e) {
            return Optional.empty();
        }
    }

    /** What the first line of a script asks for; a kernel that finds none says that the script itself is missing. */
    private static Optional<Path> interpreter(Path file) {
        byte[] head;
        try (InputStream in = Files.newInputStream(file)) {
            head = in.readNBytes(256);
        } catch (IOException e) {
            // May be executed though not read.
            return Optional.empty();
        }
        String text = new String(head, StandardCharsets.ISO_8859_1);
        if (!text.startsWith("#!")) {
            return Optional.empty();
        }
        String line = text.substring(2).lines().findFirst().orElse("").strip();
        String interpreter = line.split("[ \t]", 2)[0];
        return interpreter.startsWith("/") ? Optional.of(Path.of(interpreter)) : Optional.empty();
    }
}
