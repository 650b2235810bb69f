package dev.berth.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A JVM of its own, that runs a service and says its address on its first line. Ended with this one. */
final class Child implements AutoCloseable {
    private static final String READY = "ready ";

    private final Process process;
    private final BufferedReader lines;
    private final URI url;

    private Child(Process process, BufferedReader lines, URI url) {
        this.process = process;
        this.lines = lines;
        this.url = url;
    }

    /** Starts a main class on this JVM's class path; returns when it is ready. */
    static Child start(Class<?> main, List<String> options, String... arguments) throws IOException {
        var command = new ArrayList<String>();
        command.add(java());
        command.add("--enable-native-access=ALL-UNNAMED");
        command.add("--sun-misc-unsafe-memory-access=allow");
        command.addAll(options);
        command.add("-cp");
        command.add(System.getProperty("java.class.path"));
        command.add(main.getName());
        command.addAll(List.of(arguments));
        var process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        var lines = process.inputReader(StandardCharsets.UTF_8);
        for (var line = lines.readLine(); line != null; line = lines.readLine()) {
            if (line.startsWith(READY)) {
                return new Child(process, lines, URI.create(line.substring(READY.length())));
            }
        }
        process.destroyForcibly();
        throw new IOException(main.getSimpleName() + " did not start");
    }

    static String java() {
        return Path.of(System.getProperty("java.home"), "bin", "java").toString();
    }

    /** What a child calls when it can be called; it ends when whoever started it is gone. */
    static void ready(URI url, AutoCloseable service) throws Exception {
        System.out.println(READY + url);
        System.out.flush();
        while (System.in.read() >= 0) {}
        service.close();
        System.exit(0);
    }

    URI url() {
        return url;
    }

    /** The time that its threads have had on a processor so far. */
    Duration cpu() {
        return process.toHandle().info().totalCpuDuration().orElse(Duration.ZERO);
    }

    /** Its resident memory, in bytes. */
    static long resident(long pid) throws IOException {
        for (var line : Files.readAllLines(Path.of("/proc/" + pid + "/status"))) {
            if (line.startsWith("VmRSS:")) {
                return 1024 * Long.parseLong(line.replaceAll("[^0-9]", ""));
            }
        }
        throw new IOException("no VmRSS of " + pid);
    }

    long resident() throws IOException {
        return resident(process.pid());
    }

    @Override
    public void close() throws IOException {
        process.getOutputStream().close();
        try {
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
        lines.close();
    }
}
