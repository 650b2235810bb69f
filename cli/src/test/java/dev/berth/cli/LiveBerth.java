package dev.berth.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.client.BerthClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** A real service as a process of its own on a folder of the test's, and real {@code berth} processes that call it. */
final class LiveBerth implements AutoCloseable {
    private static final Path ROOT = Path.of("").toAbsolutePath().getParent();
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    private final Path folder;
    private final List<Running> started = new ArrayList<>();
    private String url = "";
    private int count;

    /** One {@code berth} process, with what it printed so far. */
    record Running(Process process, Path outFile, Path errFile) {
        String out() {
            return read(outFile);
        }

        String err() {
            return read(errFile);
        }

        /** Waits for its end; the same names as what it was started by. */
        int exitCode() throws InterruptedException {
            assertThat(process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                    .as(() -> "ends in time; it said: " + err())
                    .isTrue();
            return process.exitValue();
        }

        void signal(String name) throws IOException, InterruptedException {
            assertThat(new ProcessBuilder("/bin/sh", "-c", "kill -" + name + " " + process.pid())
                            .start()
                            .waitFor())
                    .isZero();
        }

        /** As a machine that is gone: the process and all that it started. */
        void vanish() {
            List<ProcessHandle> all = Stream.concat(Stream.of(process.toHandle()), process.descendants())
                    .toList();
            all.forEach(ProcessHandle::destroyForcibly);
            all.forEach(one -> one.onExit().join());
        }
    }

    LiveBerth(Path folder) {
        this.folder = folder;
    }

    Path path(String name) {
        return folder.resolve(name);
    }

    String url() {
        return url;
    }

    /** A configuration of pools of scratch folders; each name of an environment begins with its pool's. */
    static String configuration(Map<String, Integer> pools, Path folder) {
        String policies = pools.keySet().stream()
                .map(name -> """
                          %s:
                            provider: command
                            session: 10m
                            hold: { max: 1h, quota: 1 }
                            command:
                              directory: %s
                              issue: [./issue.sh]
                              revoke: [./revoke.sh]
                              clean: [./clean.sh]
                              verify: [./verify.sh]
                              variables: { SCRATCH_HOME: %s }
                        """.formatted(name, ROOT.resolve("examples/scratch"), folder.resolve("scratch")))
                .collect(Collectors.joining());
        StringBuilder environments = new StringBuilder();
        pools.forEach((name, size) -> {
            for (int i = 1; i <= size; i++) {
                environments.append("  - { name: %s-%d, pool: %s }%n".formatted(name, i, name));
            }
        });
        return "pools:\n" + policies + "environments:\n" + environments;
    }

    void configure(String yaml) throws IOException {
        Files.writeString(path("berth.yaml"), yaml);
    }

    /** Starts the service, on the port that it had before if it had one. */
    Running serve(String... more) throws IOException {
        String port = url.isEmpty() ? "0" : url.substring(url.lastIndexOf(':') + 1);
        Running running = berth(Stream.concat(
                        Stream.of("serve", "--config", path("berth.yaml").toString(), "--port", port), Stream.of(more))
                .toArray(String[]::new));
        await(
                () -> running.err().contains("berth: serving ")
                        || !running.process().isAlive(),
                running);
        assertThat(running.err()).contains("berth: serving ");
        url = running.err()
                .lines()
                .filter(line -> line.startsWith("berth: serving "))
                .map(line -> line.substring("berth: serving ".length()))
                .findFirst()
                .orElseThrow();
        return running;
    }

    /** Starts {@code berth} with these arguments; it finds the service by the data folder. */
    Running berth(String... args) throws IOException {
        return berth(Map.of(), args);
    }

    Running berth(Map<String, String> variables, String... args) throws IOException {
        // Whoever started the tests in the background may have had them ignore SIGINT, which children inherit.
        List<String> line = new ArrayList<>(List.of("env", "--default-signal=INT"));
        line.addAll(OwnProcess.line());
        line.addAll(List.of(args));
        count++;
        Path out = path(count + "-" + args[0] + ".out");
        Path err = path(count + "-" + args[0] + ".err");
        ProcessBuilder builder = new ProcessBuilder(line)
                .directory(folder.toFile())
                .redirectInput(Path.of("/dev/null").toFile())
                .redirectOutput(out.toFile())
                .redirectError(err.toFile());
        OwnProcess.strip(builder.environment(), path("home"));
        builder.environment().put("BERTH_DATA", path("data").toString());
        builder.environment().putAll(variables);
        Running running = new Running(builder.start(), out, err);
        started.add(running);
        return running;
    }

    /** Runs {@code berth} to its end, which has to be a good one, and tells what it printed. */
    String done(String... args) throws IOException, InterruptedException {
        Running running = berth(args);
        assertThat(running.exitCode()).as(running::err).isZero();
        return running.out();
    }

    /** Waits until the pool has so many environments to lend. Asked from here: a process for each look would take long. */
    void awaitAvailable(String pool, int wanted) {
        BerthClient client = client();
        await(() ->
                client.pools().pools().stream().anyMatch(one -> one.name().equals(pool) && one.available() >= wanted));
    }

    /** The built-in admin. */
    BerthClient client() {
        return BerthClient.at(URI.create(url))
                .token(() -> read(path("data/admin-token")).strip())
                .build();
    }

    static void await(BooleanSupplier condition, Running... told) {
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime())
                    .as(() -> "waited too long; they said: "
                            + Stream.of(told).map(one -> one.out() + one.err()).toList())
                    .isLessThan(deadline);
            pause();
        }
    }

    /** Between two looks: who spins takes half of a small machine from those it waits for. */
    static void pause() {
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
    }

    static String read(Path file) {
        try {
            return Files.exists(file) ? Files.readString(file) : "";
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        started.forEach(Running::vanish);
    }
}
