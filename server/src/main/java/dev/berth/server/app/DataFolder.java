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
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/** The folder that holds all a service keeps. Locked: two services on one folder would each believe that they are alone. */
final class DataFolder implements AutoCloseable {
    private final Path path;
    private final FileChannel channel;
    private final FileLock lock;

    private DataFolder(Path path, FileChannel channel, FileLock lock) {
        this.path = path;
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
            return new DataFolder(path.toAbsolutePath(), channel, lock);
        } catch (IOException e) {
            throw new StartRefusedException(75, "The data folder " + path + " cannot be used: " + e.getMessage(), e);
        }
    }

    private static @Nullable FileLock tryLock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException e) {
            return null; // by this very process
        }
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

    /** Tells commands on this machine where the service is. */
    void announce(URI url) throws IOException {
        var text = JsonMapper.shared()
                .writeValueAsString(
                        new Endpoint(url.toString(), ProcessHandle.current().pid()));
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

    private record Endpoint(String url, long pid) {}

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
