package dev.berth.server.proof;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A folder with everything of one service: configuration, tokens, programs, the data folder and what its processes wrote. */
final class Site implements AutoCloseable {
    static final String CONSUMER = "a-token-of-the-consumer";
    static final String OPERATOR = "a-token-of-the-operator";

    final Path folder;
    private final List<Child> children = new ArrayList<>();

    /**
     * @param pools the names of its pools
     * @param yaml the configuration but for its principals
     */
    Site(Path folder, String pools, String yaml) {
        this.folder = folder;
        write("consumer-token", CONSUMER);
        write("operator-token", OPERATOR);
        configure(pools, yaml);
    }

    void configure(String pools, String yaml) {
        write("berth.yaml", yaml + """
            principals:
              - name: consumer
                roles: [consumer]
                pools: [%s]
                token: { file: consumer-token }
              - name: operator
                roles: [operator, admin]
                token: { file: operator-token }
            """.formatted(pools));
    }

    Path path(String name) {
        return folder.resolve(name);
    }

    Path configuration() {
        return path("berth.yaml");
    }

    Path data() {
        return path("data");
    }

    void write(String name, String text) {
        try {
            Files.createDirectories(path(name).getParent());
            Files.writeString(path(name), text);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    String read(String name) {
        try {
            return Files.readString(path(name));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A shell program. */
    void program(String name, String text) {
        write(name, "#!/bin/sh\nset -eu\n" + text);
        try {
            Files.setPosixFilePermissions(path(name), PosixFilePermissions.fromString("rwxr-xr-x"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The words of a JVM that runs a main class with the class path of this test, and is quick to start. */
    static List<String> java(Class<?> main) {
        return List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Xmx256m",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                System.getProperty("java.class.path"),
                main.getName());
    }

    /** Starts a service, and waits until it listens. */
    Child serve() {
        return serve(List.of(), data(), 0, "FULL");
    }

    /**
     * Starts a service, and waits until it listens.
     *
     * @param wrapper words that go before
     * @param aheadSeconds how far its wall clock is ahead
     */
    Child serve(List<String> wrapper, Path data, long aheadSeconds, String synchronous) {
        var child = launch(wrapper, data, aheadSeconds, synchronous);
        child.awaitListening();
        return child;
    }

    Child launch(List<String> wrapper, Path data, long aheadSeconds, String synchronous) {
        return launch(wrapper, data, aheadSeconds, synchronous, List.of());
    }

    /**
     * Starts one of several services on a PostgreSQL.
     *
     * @param store its URL
     * @param key the file of the key that all of them have
     */
    Child launchReplica(Path data, long aheadSeconds, String store, Path key) {
        return launch(List.of(), data, aheadSeconds, "FULL", List.of(store, key.toString()));
    }

    private Child launch(
            List<String> wrapper, Path data, long aheadSeconds, String synchronous, List<String> storeAndKey) {
        var words = new ArrayList<>(wrapper);
        words.addAll(java(dev.berth.server.app.ServerUnderTest.class));
        var told = path("told-" + children.size());
        words.addAll(List.of(
                data.toString(),
                configuration().toString(),
                told.toString(),
                Long.toString(aheadSeconds),
                synchronous));
        words.addAll(storeAndKey);
        var child = new Child(
                start(words, "server-" + children.size() + ".log"), told, path("server-" + children.size() + ".log"));
        children.add(child);
        return child;
    }

    private Process start(List<String> words, String log) {
        try {
            return new ProcessBuilder(words)
                    .redirectErrorStream(true)
                    .redirectOutput(path(log).toFile())
                    .start();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot run " + words.getFirst(), e);
        }
    }

    /** Kills what still runs. */
    @Override
    public void close() {
        children.forEach(Child::kill9);
    }

    /** A service's process. */
    static final class Child {
        private final Process process;
        private final Path told;
        private final Path log;
        private long pid;
        private @Nullable URI url;

        Child(Process process, Path told, Path log) {
            this.process = process;
            this.told = told;
            this.log = log;
            this.pid = process.pid();
        }

        void awaitListening() {
            Await.until("the service listens", () -> {
                if (!process.isAlive()) {
                    throw new AssertionError("it ended with " + process.exitValue() + ":\n" + log());
                }
                return Files.exists(told);
            });
            try {
                var words = Files.readString(told).split(" ", -1);
                pid = Long.parseLong(words[0]);
                url = URI.create(words[1]);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        /** Of the service itself, also where something else runs it. */
        long pid() {
            return pid;
        }

        URI url() {
            if (url == null) {
                throw new IllegalStateException("it does not listen yet");
            }
            return url;
        }

        Api consumer() {
            return new Api(url(), CONSUMER);
        }

        Api operator() {
            return new Api(url(), OPERATOR);
        }

        String log() {
            try {
                return Files.readString(log);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        int awaitExit() {
            try {
                assertThat(process.waitFor(120, TimeUnit.SECONDS)).as("it ends").isTrue();
                return process.exitValue();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IllegalStateException(e);
            }
        }

        /** SIGKILL, and waits until it is gone. */
        void kill9() {
            ProcessHandle.of(pid).ifPresent(ProcessHandle::destroyForcibly);
            if (pid == process.pid()) {
                process.destroyForcibly();
            }
            awaitExit();
        }
    }
}
