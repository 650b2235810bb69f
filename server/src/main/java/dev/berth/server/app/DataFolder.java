package dev.berth.server.app;

import java.io.IOException;
import java.net.URI;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/** The folder that holds all a service keeps. Locked: two services on one folder would each believe that they are alone. */
final class DataFolder implements AutoCloseable {
    private static final Pattern ID = Pattern.compile("[0-9a-z]{13}");

    private final Path path;
    private final FileChannel channel;
    private final FileLock lock;
    private final String id;

    private DataFolder(Path path, String id, FileChannel channel, FileLock lock) {
        this.path = path;
        this.id = id;
        this.channel = channel;
        this.lock = lock;
    }

    /** Makes the folder where it is missing, and locks it until it is closed or the process ends. */
    static DataFolder open(Path path) {
        try {
            if (Files.notExists(path)) {
                Files.createDirectories(
                        path, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            }
            var channel = FileChannel.open(path.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            var lock = tryLock(channel);
            if (lock == null) {
                channel.close();
                throw new StartRefusedException(
                        75, "The data folder " + path + " is in use by another berth: stop that one, or give --data.");
            }
            return new DataFolder(path.toAbsolutePath(), id(path), channel, lock);
        } catch (IOException e) {
            throw new StartRefusedException(75, "The data folder " + path + " cannot be used: " + e.getMessage(), e);
        }
    }

    /** Made once: what runs on this machine for this folder is told by it from what other replicas run. */
    private static String id(Path path) throws IOException {
        var file = path.resolve("id");
        if (Files.notExists(file)) {
            var draft = path.resolve("id.new");
            var bits = new SecureRandom().nextLong() & Long.MAX_VALUE;
            Files.writeString(draft, "%13s".formatted(Long.toString(bits, 36)).replace(' ', '0'));
            Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE);
        }
        var id = Files.readString(file);
        if (!ID.matcher(id).matches()) {
            throw new IOException(file + " is damaged");
        }
        return id;
    }

    private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException e) {
            return null; // by this very process
        }
    }

    /** Letters and digits. Another folder's does not begin with it. */
    String id() {
        return id;
    }

    Path path() {
        return path;
    }

    Path database() {
        return path.resolve("berth.db");
    }

    Path key() {
        return path.resolve("key");
    }

    /** Where the programs that run are recorded, so that they can be ended after a crash. */
    Path runningPrograms() {
        return path.resolve("running");
    }

    /** Where the first start leaves a token for whoever owns the folder. */
    Path adminToken() {
        return path.resolve("admin-token");
    }

    /**
     * Tells commands on this machine where the service is.
     *
     * @param certificate SHA-256 of the certificate that it shows, in hexadecimal; null where it speaks plain HTTP
     */
    void announce(URI url, @Nullable String certificate) throws IOException {
        var text = JsonMapper.shared()
                .writeValueAsString(
                        new Endpoint(url.toString(), ProcessHandle.current().pid(), certificate));
        var draft = path.resolve("endpoint.json.new");
        Files.writeString(draft, text);
        Files.move(draft, endpoint(), StandardCopyOption.ATOMIC_MOVE);
    }

    void withdraw() throws IOException {
        Files.deleteIfExists(endpoint());
    }

    private Path endpoint() {
        return path.resolve("endpoint.json");
    }

    private record Endpoint(String url, long pid, @Nullable String certificate) {}

    @Override
    public void close() {
        try {
            lock.release();
            channel.close();
        } catch (IOException e) {
            throw new IllegalStateException("the lock of " + path + " cannot be released", e);
        }
    }
}
