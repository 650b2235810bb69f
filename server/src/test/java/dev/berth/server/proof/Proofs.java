package dev.berth.server.proof;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** How much is tried, and where it is written down. {@code ./prove} makes {@code docs/proofs.md} of it. */
final class Proofs {
    private static final int ROUNDS_IN_CI = 5;

    private Proofs() {}

    static int rounds() {
        return Integer.getInteger("berth.rounds", ROUNDS_IN_CI);
    }

    /** Whether the time is there for what CI cuts short. */
    static boolean full() {
        return rounds() > ROUNDS_IN_CI;
    }

    /** Another one each time, unless it is given; printed by whoever uses it. */
    static long seed() {
        return Long.getLong("berth.seed", System.nanoTime());
    }

    /** Writes down what was shown. */
    static void record(String what, String result) {
        try {
            var folder = Files.createDirectories(Path.of("target", "proofs"));
            Files.writeString(
                    folder.resolve(what.replaceAll("[^A-Za-z0-9]+", "-") + ".md"),
                    "| %s | %s |\n".formatted(what, result));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
