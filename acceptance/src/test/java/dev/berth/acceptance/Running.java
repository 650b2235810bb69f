package dev.berth.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/** A process that a test started, with what it printed so far. Whoever starts it closes it. */
record Running(Process process, Path out, Path err) implements AutoCloseable {
    /** Longer than anything takes on a busy machine. */
    static final Duration PATIENCE = Duration.ofMinutes(2);

    private static final Duration POLLING = Duration.ofMillis(20);

    /**
     * Starts a program.
     *
     * @param folder where it runs, and where what it prints is kept
     * @param variables beside those of this process
     */
    static Running start(Path folder, Map<String, String> variables, List<String> line) {
        try {
            Files.createDirectories(folder);
            Path out = Files.createTempFile(folder, "run-", ".out");
            Path err = Files.createTempFile(folder, "run-", ".err");
            ProcessBuilder builder = new ProcessBuilder(line)
                    .directory(folder.toFile())
                    .redirectInput(Path.of("/dev/null").toFile())
                    .redirectOutput(out.toFile())
                    .redirectError(err.toFile());
            builder.environment().keySet().removeIf(name -> name.startsWith("BERTH_") || name.startsWith("AWS_"));
            builder.environment().putAll(variables);
            return new Running(builder.start(), out, err);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Runs a program to its end, which has to be a good one within the time, and tells what it printed. */
    static String done(Path folder, Map<String, String> variables, Duration within, List<String> line) {
        try (Running running = start(folder, variables, line)) {
            int code = running.exitCode(within);
            assertThat(code)
                    .as(() -> line.getFirst() + " ... " + line.getLast() + " said " + running.printed())
                    .isZero();
            return running.output();
        }
    }

    String output() {
        return read(out);
    }

    String errors() {
        return read(err);
    }

    String printed() {
        return output() + errors();
    }

    /** Waits for its end. */
    int exitCode(Duration within) {
        try {
            assertThat(process.waitFor(within.toMillis(), TimeUnit.MILLISECONDS))
                    .as(() -> "ends in time; it said: " + printed())
                    .isTrue();
            return process.exitValue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /** Waits until it is so, and fails with what this process printed where that takes too long. */
    void await(BooleanSupplier condition) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        try {
            while (!condition.getAsBoolean()) {
                assertThat(System.nanoTime() - deadline)
                        .as(() -> "waited too long; it said: " + printed())
                        .isNegative();
                var _ = process.waitFor(POLLING.toMillis(), TimeUnit.MILLISECONDS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /** As {@code kill -9}, all that it started included. */
    @Override
    public void close() {
        List<ProcessHandle> all = Stream.concat(process.descendants(), Stream.of(process.toHandle()))
                .toList();
        all.forEach(ProcessHandle::destroyForcibly);
        all.forEach(one -> one.onExit().join());
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
