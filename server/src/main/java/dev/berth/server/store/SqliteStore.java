package dev.berth.server.store;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteDataSource;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;

/** Opens the store in one SQLite file: write-ahead log, a sync before each commit returns. */
public final class SqliteStore {
    static final Migrations MIGRATIONS = new Migrations("sqlite", "V1__ledger.sql", false);

    private static final int READERS = 4;
    /** Of pages in memory, in KiB: the writer looks up rows all over the tables, readers a few at a time. */
    private static final int WRITER_CACHE = 64 * 1024;

    private static final int READER_CACHE = 4 * 1024;
    private static final Duration BUSY = Duration.ofSeconds(10);

    private SqliteStore() {}

    /**
     * How sure a commit is.
     *
     * <p>{@link #FULL} is what production uses. {@link #OFF} is there to show that a test sees the difference.
     */
    public enum Synchronous {
        FULL,
        OFF
    }

    /**
     * Opens the store in this file, made and brought up to date where necessary.
     *
     * @throws UnknownSchemaException where the file holds something else, or what another version made: it is left as it is
     * @throws StoreException where it cannot be used
     */
    public static Store open(Path file, Synchronous synchronous) {
        var writing = source(file, synchronous, WRITER_CACHE);
        checkThatItIsOne(writing);
        MIGRATIONS.apply(writing);
        var reading = source(file, synchronous, READER_CACHE);
        try {
            var readers = new ArrayList<Lane>();
            for (int i = 0; i < READERS; i++) {
                readers.add(lane(reading));
            }
            var writer = lane(writing);
            return new SqlStore(
                    new SqliteDatabase(writer, readers, lane(reading), Generations.of(writer, origin(file))));
        } catch (IOException | SQLException e) {
            throw new StoreException("cannot open " + file, e);
        }
    }

    /** A store that is gone when it is closed: the same statements, on one connection. For simulations and measurements. */
    public static Store inMemory() {
        try {
            var connection = settings(Synchronous.OFF, WRITER_CACHE).createConnection("jdbc:sqlite::memory:");
            var lane = new Lane(connection, SqliteDatabase::isConflict, false);
            for (var statement : MIGRATIONS.text().split(";\\R", -1)) {
                if (!statement.isBlank()) {
                    lane.update(statement);
                }
            }
            return new SqlStore(new SqliteDatabase(lane));
        } catch (SQLException e) {
            throw new StoreException("cannot open a store in memory", e);
        }
    }

    /** A copy of a file is another file, and so is one that was put back from a copy. */
    private static String origin(Path file) throws IOException {
        var key = Files.readAttributes(file, BasicFileAttributes.class).fileKey();
        return String.valueOf(key);
    }

    private static Lane lane(SQLiteDataSource source) throws SQLException {
        return new Lane(source.getConnection(), SqliteDatabase::isConflict, false);
    }

    private static SQLiteDataSource source(Path file, Synchronous synchronous, int cacheKibibytes) {
        var source = new SQLiteDataSource(settings(synchronous, cacheKibibytes));
        source.setUrl("jdbc:sqlite:" + file);
        return source;
    }

    private static SQLiteConfig settings(Synchronous synchronous, int cacheKibibytes) {
        var config = new SQLiteConfig();
        config.setJournalMode(SQLiteConfig.JournalMode.WAL);
        config.setSynchronous(
                switch (synchronous) {
                    case FULL -> SQLiteConfig.SynchronousMode.FULL;
                    case OFF -> SQLiteConfig.SynchronousMode.OFF;
                });
        config.setBusyTimeout((int) BUSY.toMillis());
        config.setCacheSize(-cacheKibibytes);
        config.setTempStore(SQLiteConfig.TempStore.MEMORY);
        config.setGetGeneratedKeys(false); // nobody asks for them, and the driver would, after every change
        return config;
    }

    private static void checkThatItIsOne(SQLiteDataSource source) {
        try (var connection = source.getConnection();
                var statement = connection.createStatement()) {
            statement.executeQuery("PRAGMA schema_version").close();
        } catch (SQLException e) {
            if (e instanceof SQLiteException sqlite && sqlite.getResultCode() == SQLiteErrorCode.SQLITE_NOTADB) {
                throw new UnknownSchemaException("is no SQLite database", e);
            }
            throw new StoreException("cannot open it", e);
        }
    }
}
