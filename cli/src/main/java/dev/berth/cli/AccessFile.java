package dev.berth.cli;

import dev.berth.client.Allocation;
import dev.berth.client.LentEnvironment;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/** The access of an allocation, as the wrapped command is given it: a private file and variables. */
final class AccessFile implements AutoCloseable {
    private static final Pattern VARIABLE = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*");

    private final Path folder;
    private final Path file;

    private AccessFile(Path folder, Path file) {
        this.folder = folder;
        this.file = file;
    }

    /** Writes the file into a folder that nobody else can look into, in memory where the system offers that. */
    static AccessFile write(Allocation allocation, Map<String, String> env) throws IOException {
        String runtime = env.get("XDG_RUNTIME_DIR");
        var mine = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
        Path folder = runtime != null && Files.isWritable(Path.of(runtime))
                ? Files.createTempDirectory(Path.of(runtime), "berth-run-", mine)
                : Files.createTempDirectory("berth-run-", mine);
        AccessFile access = new AccessFile(folder, folder.resolve("access.json"));
        try (SeekableByteChannel channel = Files.newByteChannel(
                access.file,
                Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))) {
            ByteBuffer bytes = ByteBuffer.wrap(allocation.json().getBytes(StandardCharsets.UTF_8));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
        } catch (IOException e) {
            access.close();
            throw e;
        }
        return access;
    }

    Path file() {
        return file;
    }

    /** The variables for the wrapped command. Those of a second environment end in {@code _2}, and so on. */
    Map<String, String> variables(Allocation allocation) {
        Map<String, String> variables = new LinkedHashMap<>();
        List<LentEnvironment> environments = allocation.environments();
        for (int i = 0; i < environments.size(); i++) {
            String suffix = i == 0 ? "" : "_" + (i + 1);
            environments.get(i).env().forEach((name, value) -> {
                if (VARIABLE.matcher(name).matches() && value.indexOf('\0') < 0) {
                    variables.put(name + suffix, value);
                }
            });
        }
        // Last, so that no provider's variable can take their place.
        variables.put("BERTH_ALLOCATION", allocation.id());
        variables.put("BERTH_ACCESS_FILE", file.toString());
        return variables;
    }

    @Override
    public void close() {
        try {
            Files.deleteIfExists(file);
            Files.deleteIfExists(folder);
        } catch (IOException e) {
            // The command put something else into the folder, or the folder is gone. The secret file went first.
        }
    }
}
