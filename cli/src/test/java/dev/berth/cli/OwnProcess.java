package dev.berth.cli;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * How tests start {@code berth} as a process of its own: many of them, so that they start from a cache of loaded and linked classes as users'
 * do. It takes class paths of jars alone, so that one is made of what was compiled here; where other modules are folders, there is none.
 */
final class OwnProcess {
    private static final List<String> OPTIONS = List.of(
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow");
    private static final List<String> JAVA = java();

    private OwnProcess() {}

    /** What comes before the arguments. */
    static List<String> line(String... options) {
        List<String> line = new ArrayList<>(JAVA);
        line.addAll(List.of(options));
        line.add(Main.class.getName());
        return line;
    }

    /** Takes out what a user of this machine has set or remembered, and would reach the process. */
    static void strip(Map<String, String> environment, Path home) {
        environment
                .keySet()
                .removeIf(name -> Stream.of("BERTH_", "AWS_", "XDG_").anyMatch(name::startsWith));
        environment.put("HOME", home.toString());
    }

    /** A file of what comes before the class, as the launcher has one for processes that start further ones. */
    static Path options(Path folder) throws IOException {
        Path file = folder.resolve("java.options");
        Files.writeString(
                file,
                JAVA.stream()
                        .skip(1)
                        .map(each -> '"' + each.replace("\\", "\\\\") + "\"\n")
                        .collect(Collectors.joining()));
        return file;
    }

    private static List<String> java() {
        List<String> plain = new ArrayList<>();
        plain.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        plain.addAll(OPTIONS);
        try {
            return cached(plain);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while a cache was made", e);
        }
    }

    private static List<String> cached(List<String> plain) throws IOException, InterruptedException {
        Path classes = Path.of("target", "classes").toAbsolutePath();
        // Under Maven the class path itself is one jar, which only names the others.
        List<Path> all = Stream.of(System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"))
                        .split(File.pathSeparator))
                .filter(entry -> !entry.isEmpty() && !entry.endsWith("test-classes"))
                .map(Path::of)
                .toList();
        if (all.stream().anyMatch(entry -> Files.isDirectory(entry) && !entry.equals(classes))) {
            return with(plain, System.getProperty("java.class.path"));
        }
        Path folder = Path.of("target", "own-process").toAbsolutePath();
        Files.createDirectories(folder);
        Path jar = folder.resolve("berth-cli.jar");
        pack(classes, jar);
        String classPath = all.stream()
                .map(entry -> entry.equals(classes) ? jar : entry)
                .map(Path::toString)
                .collect(Collectors.joining(File.pathSeparator));
        Path cache = folder.resolve("berth.aot");
        Files.deleteIfExists(cache);
        List<String> training = with(plain, classPath);
        training.add(1, "-XX:AOTCacheOutput=" + cache);
        training.addAll(List.of(
                Main.class.getName(), "run", "--pool", "p", "--wait", "0s", "--url", "http://127.0.0.1:1", "--"));
        training.add("true");
        Process trained = new ProcessBuilder(training)
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("training.log").toFile())
                .start();
        if (!trained.waitFor(2, TimeUnit.MINUTES)) {
            trained.destroyForcibly();
        }
        List<String> line = with(plain, classPath);
        if (Files.exists(cache)) {
            line.addAll(1, List.of("-XX:AOTCache=" + cache, "-Xlog:aot*=error"));
        }
        return line;
    }

    private static List<String> with(List<String> plain, String classPath) {
        List<String> line = new ArrayList<>(plain);
        line.addAll(List.of("-cp", classPath));
        return line;
    }

    private static void pack(Path classes, Path jar) throws IOException {
        try (Stream<Path> files = Files.walk(classes);
                OutputStream file = Files.newOutputStream(jar);
                JarOutputStream out = new JarOutputStream(file)) {
            for (Path each : files.filter(Files::isRegularFile).sorted().toList()) {
                out.putNextEntry(new JarEntry(classes.relativize(each).toString()));
                Files.copy(each, out);
            }
        }
    }
}
