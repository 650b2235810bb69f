package dev.berth.providers.command;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.core.Step;
import dev.berth.providers.Kind.InvalidSettings;
import dev.berth.providers.Kind.Record;
import dev.berth.providers.Kind.Secrets;
import dev.berth.providers.Provider;
import dev.berth.providers.StepResult;
import dev.berth.providers.Task;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

/** A folder with a pool of one environment, {@code env-1}, whose programs are shell texts running in that folder. */
final class Lab {
    static final Duration AMPLE = Duration.ofSeconds(60);

    /** What the server's environment is said to be: the machine's path and a secret that must not go on. */
    static final Map<String, String> SERVER = Map.of(
            "PATH", "/usr/local/bin:/usr/bin:/bin", "HOME", "/tmp", "LANG", "C.UTF-8", "DATABASE_PASSWORD", "hunter2");

    /** Of a task that is told no other. */
    static final String CLAIM = claim("1");

    final Path folder;
    final Path runs;
    final CommandKind kind;

    Lab(Path folder) {
        this.folder = folder;
        this.runs = folder.resolve("runs");
        this.kind = new CommandKind(folder, runs, "", SERVER);
    }

    Provider provider(Map<String, Object> settings) {
        Map<String, Record> records = Map.of(
                "env-1",
                new Record(
                        Map.of(),
                        new Secrets(
                                Map.of("root-password", "s3cret-of-record"),
                                Map.of("guest", Map.of("guest-password", "s3cret-of-guest"), "none", Map.of()))));
        try {
            return kind.create("pool", settings, records);
        } catch (InvalidSettings e) {
            throw new AssertionError(e);
        }
    }

    StepResult shell(Step step, String text) throws InterruptedException {
        return shell(step, text, task(CLAIM));
    }

    StepResult shell(Step step, String text, Task task) throws InterruptedException {
        return provider(Map.of(Settings.key(step), Map.of("shell", text))).run(step, task);
    }

    /** No two runs of the tests have the same: processes are looked for by it, on the whole of the machine. */
    static String claim(String name) {
        return "lab" + ProcessHandle.current().pid() + "-" + name;
    }

    static Task task(String claim) {
        return task(claim, AMPLE, () -> true);
    }

    static Task task(String claim, Duration timeout, BooleanSupplier held) {
        Map<String, Object> facts = new HashMap<>(Map.of("region", "here", "name", "not this one"));
        return new Task("env-1", facts, 7, new Task.Holder("a-1", "job \"5\"", "ci", null), claim, timeout, held);
    }

    /** The number that a program wrote to a file as its own; waits for it. */
    long pid(String file) {
        Path path = folder.resolve(file);
        await(() -> {
            try {
                return Files.exists(path) && Files.readString(path).endsWith("\n");
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        try {
            return Long.parseLong(Files.readString(path).strip());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    List<String> records() {
        try (var files = Files.list(runs)) {
            return files.map(file -> file.getFileName().toString()).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static boolean runs(long pid) {
        return ProcessTable.ofThisMachine()
                .find(pid)
                .filter(row -> !row.ended())
                .isPresent();
    }

    static void await(BooleanSupplier condition) {
        long deadline = System.nanoTime() + AMPLE.toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("a minute is enough").isLessThan(deadline);
            LockSupport.parkNanos(2_000_000);
        }
    }
}
