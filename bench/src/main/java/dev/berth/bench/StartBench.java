package dev.berth.bench;

import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * From the start of the process to the first 200 of {@code /healthz/ready}, and resident memory; of {@code ./berth} and of the smallest
 * service on the same HTTP server, each with a start-up cache.
 */
final class StartBench {
    static final String READY = "/healthz/ready";
    private static final Duration PATIENCE = Duration.ofMinutes(3);
    private static final Duration POLLING = Duration.ofMillis(1);
    private static final Duration IDLING = Duration.ofSeconds(2);
    private static final String BERTH = "berth serve";
    private static final String HELLO = "hello world";
    private static final String START = "start to ready, ms";
    private static final String IDLE = "resident idle, MiB";

    private final Report report;
    private final Effort effort;

    StartBench(Report report, Effort effort) {
        this.report = report;
        this.effort = effort;
    }

    void run() throws Exception {
        report.section("Start and memory");
        var root = System.getProperty("berth.root");
        try (var stores = new Stores()) {
            var hello = hello(stores.folder());
            var contenders = new LinkedHashMap<String, Contest.Contender>();
            contenders.put(HELLO, time -> started(hello, null));
            if (root != null) {
                var berth = Path.of(root, "berth").toString();
                finish(List.of(berth, "--version")); // builds it where that is necessary
                contenders.put(BERTH, time -> started(serve(stores, berth), time));
                contenders.put("berth --version", time -> Map.of("ms", finish(List.of(berth, "--version"))));
            }
            var medians = new Contest(report, effort).run(contenders);
            if (root != null) {
                for (var figure : List.of(START, IDLE)) {
                    report.ratio(
                            figure + ": " + BERTH + " / " + HELLO,
                            of(medians, BERTH, figure) / of(medians, HELLO, figure),
                            null);
                }
            }
        }
    }

    private static double of(Map<String, Map<String, Double>> medians, String contender, String figure) {
        return Objects.requireNonNull(
                Objects.requireNonNull(medians.get(contender)).get(figure));
    }

    private List<String> serve(Stores stores, String berth) throws IOException {
        var folder = Files.createTempDirectory(stores.folder(), "start-");
        var config = Service.configuration(folder, effort.sizes().getFirst());
        return List.of(
                berth,
                "serve",
                "--config",
                config.toString(),
                "--data",
                folder.resolve("data").toString(),
                "--port");
    }

    /** The command that starts it, but for the port. Its start-up cache is made where the class path is one of archives. */
    private static List<String> hello(Path folder) throws IOException {
        var jars = Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator, -1))
                .filter(StartBench::isForHello)
                .toList();
        var command = new ArrayList<String>();
        command.add(Child.java());
        if (jars.stream().allMatch(jar -> jar.endsWith(".jar"))) {
            var cache = folder.resolve("hello.aot");
            finish(List.of(
                    Child.java(),
                    "-XX:AOTCacheOutput=" + cache,
                    "-cp",
                    String.join(File.pathSeparator, jars),
                    Hello.class.getName(),
                    "0",
                    "train"));
            command.add("-XX:AOTCache=" + cache);
        }
        command.addAll(List.of("-cp", String.join(File.pathSeparator, jars), Hello.class.getName()));
        return command;
    }

    private static boolean isForHello(String entry) {
        var name = Path.of(entry).getFileName().toString();
        return name.startsWith("helidon-") || name.startsWith("berth-bench") || !name.endsWith(".jar");
    }

    /** Runs a command to its end. Returns how many milliseconds it took. */
    private static double finish(List<String> command) throws IOException {
        long began = System.nanoTime();
        var process = quiet(command).start();
        try {
            if (!process.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS) || process.exitValue() != 0) {
                throw new IOException("failed: " + command);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        } finally {
            process.destroyForcibly();
        }
        return (System.nanoTime() - began) / 1e6;
    }

    private static ProcessBuilder quiet(List<String> command) {
        return new ProcessBuilder(command)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .redirectError(ProcessBuilder.Redirect.DISCARD);
    }

    /**
     * Starts a service.
     *
     * @param load how long to put load on it; null for not at all
     */
    private Map<String, Double> started(List<String> command, @Nullable Duration load) throws IOException {
        int port = freePort();
        var whole = new ArrayList<>(command);
        whole.add(String.valueOf(port));
        long began = System.nanoTime();
        var process = quiet(whole).start();
        try {
            awaitReady(port, process);
            var figures = new LinkedHashMap<String, Double>();
            figures.put(START, (System.nanoTime() - began) / 1e6);
            LockSupport.parkNanos(IDLING.toNanos());
            figures.put(IDLE, Child.resident(process.pid()) / 1048576.0);
            if (load != null) {
                load(URI.create("http://127.0.0.1:" + port), load);
                figures.put("resident after load, MiB", Child.resident(process.pid()) / 1048576.0);
            }
            return figures;
        } finally {
            process.destroy();
            awaitEnd(process);
        }
    }

    private void load(URI url, Duration time) throws IOException {
        try (var caller = new Caller(url)) {
            caller.awaitAvailable(effort.sizes().getFirst());
        }
        var exchanges = IntStream.range(0, effort.callers())
                .mapToObj(i -> new Pairs(Service.TOKEN, i))
                .toList();
        try (var load = new Load(url, exchanges)) {
            load.closed(time);
        }
    }

    private static void awaitEnd(Process process) throws IOException {
        try {
            if (!process.waitFor(20, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new IOException("it does not stop");
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    private static void awaitReady(int port, Process process) throws IOException {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!isReady(port)) {
            if (!process.isAlive() || System.nanoTime() > end) {
                throw new IOException("it did not start");
            }
            LockSupport.parkNanos(POLLING.toNanos());
        }
    }

    private static boolean isReady(int port) {
        try (var socket = new Socket()) {
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 1_000);
            socket.getOutputStream()
                    .write(("GET " + READY + " HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
            return new String(socket.getInputStream().readNBytes(12), StandardCharsets.US_ASCII).endsWith(" 200");
        } catch (IOException e) {
            return false; // nobody listens yet
        }
    }
}
