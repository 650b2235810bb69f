package dev.berth.server.store;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A PostgreSQL of the test's own, which writes what it commits to the disk and may be stopped and started again. */
public final class OwnPostgres implements AutoCloseable {
    /** Longer than it takes to recover from a crash on a busy machine. */
    static final Duration STARTING = Duration.ofSeconds(90);

    private static final String DATABASE = "berth";

    private final Path data;
    private final Map<String, String> settings;
    private EmbeddedPostgres server;

    private OwnPostgres(Path data, Map<String, String> settings) {
        this.data = data;
        this.settings = settings;
        this.server = begin();
    }

    /** How it is stopped. */
    public enum Stop {
        /** Connections are ended, and what is in the memory is written to the disk. */
        FAST,
        /** As by a crash: the next start recovers from the log. */
        IMMEDIATE
    }

    /**
     * Makes one, with an empty database.
     *
     * @param data a folder that is not there yet
     */
    public static OwnPostgres create(Path data) {
        return create(data, Map.of());
    }

    /**
     * @param settings as in postgresql.conf
     */
    static OwnPostgres create(Path data, Map<String, String> settings) {
        var made = new OwnPostgres(data, settings);
        try (var connection = DriverManager.getConnection(jdbc(made.port(), "postgres"));
                var statement = connection.createStatement()) {
            statement.execute("CREATE DATABASE " + DATABASE + " TEMPLATE template0");
            return made;
        } catch (SQLException e) {
            made.close();
            throw new IllegalStateException("the database cannot be made", e);
        }
    }

    private EmbeddedPostgres begin() {
        try {
            var builder = EmbeddedPostgres.builder();
            settings.forEach(builder::setServerConfig);
            return builder.setDataDirectory(data)
                    .setCleanDataDirectory(false)
                    // both are off here unless they are asked for
                    .setServerConfig("fsync", "on")
                    .setServerConfig("synchronous_commit", "on")
                    .setPGStartupWait(STARTING)
                    .start();
        } catch (IOException e) {
            throw new UncheckedIOException("PostgreSQL cannot be started in " + data, e);
        }
    }

    public int port() {
        return server.getPort();
    }

    /** By way of somebody who listens on that port. */
    public PostgresUrl url(int port) {
        return new PostgresUrl("postgres", "localhost:" + port, DATABASE, Map.of(), null);
    }

    /** A connection beside the store. */
    public Connection connect() throws SQLException {
        return DriverManager.getConnection(jdbc(port(), DATABASE));
    }

    private static String jdbc(int port, String database) {
        return "jdbc:postgresql://localhost:" + port + "/" + database + "?user=postgres";
    }

    /** Stops it; returns once it has stopped. */
    public void stop(Stop how) {
        try {
            if (how == Stop.IMMEDIATE) {
                signal("QUIT");
            }
            server.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void signal(String name) throws IOException {
        var pid = Long.parseLong(
                Files.readAllLines(data.resolve("postmaster.pid")).getFirst());
        try {
            var process = ProcessHandle.of(pid).orElseThrow();
            new ProcessBuilder("kill", "-" + name, Long.toString(pid)).start().waitFor();
            process.onExit().get(60, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        } catch (ExecutionException | TimeoutException e) {
            throw new IOException("PostgreSQL did not stop", e);
        }
    }

    /** Starts it again, on another port, since the one before may be somebody else's by now; returns once it can be used. */
    public void start() {
        server = begin();
    }

    @Override
    public void close() {
        stop(Stop.FAST);
    }
}
