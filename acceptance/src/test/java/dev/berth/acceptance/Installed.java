package dev.berth.acceptance;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** What is installed below the build's folder, once for each content of the files that say what. */
final class Installed {
    private static final Path SOURCES = Path.of("src/test").toAbsolutePath();
    private static final Path TARGET = Path.of("target/installed").toAbsolutePath();
    private static final String STAMP = "installed";

    private Installed() {}

    /**
     * A folder with copies of the files, in which the installation was run.
     *
     * @param name of the folder below {@code src/test} and below the build's
     * @param install is given the folder; throws where it fails, and is tried again by the next who asks
     */
    static Path folder(String name, Consumer<Path> install) {
        var source = SOURCES.resolve(name);
        var target = TARGET.resolve(name);
        try {
            Files.createDirectories(target.getParent());
            var lock = target.resolveSibling(target.getFileName() + ".lock");
            // Tests of several classes may run at once, in several processes.
            try (var channel = FileChannel.open(lock, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                    var _ = channel.lock()) {
                var wanted = content(source);
                var stamp = target.resolve(STAMP);
                if (!Files.exists(stamp) || !Files.readString(stamp).equals(wanted)) {
                    delete(target);
                    copy(source, target);
                    install.accept(target);
                    Files.writeString(stamp, wanted);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return target;
    }

    private static List<Path> files(Path folder) throws IOException {
        try (Stream<Path> all = Files.walk(folder)) {
            return all.filter(Files::isRegularFile).sorted().toList();
        }
    }

    private static String content(Path folder) throws IOException {
        var content = new StringBuilder();
        for (var file : files(folder)) {
            content.append(folder.relativize(file)).append('\n').append(Files.readString(file));
        }
        return content.toString();
    }

    private static void copy(Path from, Path to) throws IOException {
        for (var file : files(from)) {
            var copy = to.resolve(from.relativize(file));
            Files.createDirectories(copy.getParent());
            Files.copy(file, copy, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    private static void delete(Path folder) throws IOException {
        if (Files.exists(folder)) {
            try (Stream<Path> all = Files.walk(folder)) {
                for (var one : all.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(one);
                }
            }
        }
    }
}
