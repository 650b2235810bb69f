package dev.berth.server.app;

import dev.berth.server.store.SqliteStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.time.Instant;
import java.util.function.Supplier;

/** The whole service, with the machine that a test wants under it. */
public final class ServerUnderTest {
    private ServerUnderTest() {}

    /** In this process, by a wall clock of the test's. */
    public static BerthServer start(ServeOptions options, Supplier<Instant> wall) {
        return BerthServer.start(options, new BerthServer.Machine(wall, SqliteStore.Synchronous.FULL));
    }

    /**
     * As a process of its own.
     *
     * @param args the data folder; the configuration file; the file that is told the process's number and URL once it listens; how
     *     far its wall clock is ahead, in seconds; {@code FULL} or {@code OFF}; and, for one on a PostgreSQL, its URL and the file of the key
     */
    public static void main(String[] args) throws IOException, InterruptedException {
        var ahead = Duration.ofSeconds(Long.parseLong(args[3]));
        var machine =
                new BerthServer.Machine(() -> Instant.now().plus(ahead), SqliteStore.Synchronous.valueOf(args[4]));
        boolean isShared = args.length > 5;
        var options = new ServeOptions(
                Path.of(args[1]),
                Path.of(args[0]),
                "127.0.0.1",
                0,
                isShared ? args[5] : null,
                isShared ? Path.of(args[6]) : null);
        try (var server = BerthServer.start(options, machine)) {
            var told = Path.of(args[2]);
            var draft = Path.of(args[2] + ".new");
            Files.writeString(draft, ProcessHandle.current().pid() + " " + server.url());
            Files.move(draft, told, StandardCopyOption.ATOMIC_MOVE);
            server.awaitStopped();
        } catch (StartRefusedException e) {
            System.err.println(e.getMessage());
            System.exit(e.exitCode());
        }
    }
}
