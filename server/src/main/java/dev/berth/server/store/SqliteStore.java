package dev.berth.server.store;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteConfig.SynchronousMode;
import org.sqlite.SQLiteConnection;
import org.sqlite.SQLiteDataSource;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;
import org.sqlite.SQLiteOpenMode;

/** Opens the store in one SQLite file: a write-ahead log, which is synced before anybody is told of a commit. */
public final class SqliteStore {
    static final Migrations MIGRATIONS = new Migrations("sqlite", false);

    private static final int READERS = 4;
    /** Of pages in memory, in KiB: the writer looks up rows all over the tables, readers a few at a time. */
    private static final int WRITER_CACHE = 64 * 1024;

    private static final int READER_CACHE = 4 * 1024;
    private static final Duration BUSY = Duration.ofSeconds(10);

    private SqliteStore() {}

    /**
     * How sure a commit is.
     *
     * <p>{@link #FULL} is what production uses: nobody is told of a commit before the disk has it. {@link #OFF} is there to show that a
     * test sees the difference.
     */
    public enum Synchronous {
        FULL,
        OFF
    }

    /**
     * Opens the store in this file, made and brought up to date where necessary.
     *
     * @throws UnknownSchemaException where the file holds something else, or what another version made: it is left as it is
     * @throws UnfitDatabaseException where it was moved; the message tells where to
     * @throws StoreException where it cannot be used
     */
    public static Store open(Path file, Synchronous synchronous) {
        return synchronous == Synchronous.FULL
                ? open(file, SynchronousMode.FULL, new LogSync.LogFile(log(file)))
                : open(file, SynchronousMode.OFF, null);
    }

    /**
     * @param synchronous how it is brought up to date
     * @param log synced from then on, closed with the store; null for never
     */
    static Store open(Path file, SynchronousMode synchronous, LogSync.@Nullable Log log) {
        var preparing = source(file, synchronous, WRITER_CACHE);
        checkThatItIsOne(preparing);
        MIGRATIONS.apply(preparing);
        Generations.checkThatItIsHere(preparing, file.toString());
        var mark = new Mark(file);
        // The log is synced beside the writer: SQLite has to only where it begins or copies it.
        var mode = log != null ? SynchronousMode.NORMAL : SynchronousMode.OFF;
        var reading = source(file, mode, READER_CACHE);
        try {
            var readers = new ArrayList<Lane>();
            for (int i = 0; i < READERS; i++) {
                readers.add(lane(reading));
            }
            var writer = lane(source(file, mode, WRITER_CACHE));
            int generation = Generations.of(writer, origin(file), mark);
            var sync = log == null ? null : new LogSync(log);
            return new SqlStore(new SqliteDatabase(writer, readers, lane(reading), sync, generation, mark));
        } catch (IOException | SQLException e) {
            throw new StoreException("cannot open " + file, e);
        }
    }

    /** A store that is gone when it is closed: the same statements, on one connection. For simulations and measurements. */
    public static Store inMemory() {
        try {
            var source = new SQLiteDataSource(settings(SynchronousMode.OFF, WRITER_CACHE));
            source.setUrl("jdbc:sqlite::memory:");
            var lane = lane(source);
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

    /** Connections to the file, checked to be a database or to become one. */
    static DataSource plain(Path file) {
        var source = source(file, SynchronousMode.FULL, READER_CACHE);
        checkThatItIsOne(source);
        return source;
    }

    /**
     * Copies a store, also one that is served, as it is at one instant. The copy knows that it is one: where it is put back, the store
     * begins a new generation.
     *
     * @param file of the store
     * @param to made, for its owner alone; whole or not at all
     * @throws FileAlreadyExistsException where {@code to} is there
     * @throws IOException where it cannot be written
     * @throws StoreException where the store cannot be read, or not be written as a whole
     */
    public static void backup(Path file, Path to) throws IOException {
        if (Files.notExists(file)) {
            throw new NoSuchFileException(file.toString());
        }
        if (Files.exists(to)) {
            throw new FileAlreadyExistsException(to.toString());
        }
        if (to.getParent() != null && Files.notExists(to.getParent())) {
            throw new NoSuchFileException(to.getParent().toString());
        }
        var part = to.resolveSibling(to.getFileName() + ".part");
        Files.deleteIfExists(part);
        Files.createFile(part, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        try {
            try (var connection = plain(file).getConnection();
                    var statement = connection.prepareStatement("VACUUM INTO ?")) {
                statement.setString(1, part.toString());
                statement.execute();
            }
            try (var connection = DriverManager.getConnection("jdbc:sqlite:" + part);
                    var statement = connection.createStatement()) {
                statement.executeUpdate("UPDATE generation SET origin = 'a backup'");
            }
            try (var channel = FileChannel.open(part, StandardOpenOption.WRITE)) {
                channel.force(true);
            }
            Files.move(part, to);
        } catch (SQLException e) {
            throw new StoreException("cannot copy " + file + ": " + e.getMessage(), e);
        } finally {
            Files.deleteIfExists(part);
        }
    }

    /** A copy of a file is another file. One that was put back by overwriting the file is not: that is what the {@link Mark} tells. */
    private static String origin(Path file) throws IOException {
        var key = Files.readAttributes(file, BasicFileAttributes.class).fileKey();
        return String.valueOf(key);
    }

    private static Lane lane(SQLiteDataSource source) throws SQLException {
        var connection = (SQLiteConnection) source.getConnection();
        // Statements begin and end transactions: the driver would look after each one for a transaction to end.
        connection.getConnectionConfig().setAutoCommit(false);
        return new Lane(connection, SqliteDatabase::isConflict, false);
    }

    /** SQLite's own name for it, as long as a connection is open. */
    private static Path log(Path file) {
        return file.resolveSibling(file.getFileName() + "-wal");
    }

    private static SQLiteDataSource source(Path file, SynchronousMode synchronous, int cacheKibibytes) {
        var source = new SQLiteDataSource(settings(synchronous, cacheKibibytes));
        source.setUrl("jdbc:sqlite:" + file);
        return source;
    }

    private static SQLiteConfig settings(SynchronousMode synchronous, int cacheKibibytes) {
        var config = new SQLiteConfig();
        config.setOpenMode(SQLiteOpenMode.NOMUTEX); // each connection is one thread's at a time
        config.setJournalMode(SQLiteConfig.JournalMode.WAL);
        config.setSynchronous(synchronous);
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
