package dev.berth.server.store;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Moves a store to another database: all of it or nothing, in one transaction there. What arrived is read back and compared before it
 * counts. The source is marked first, and then the copy is committed, so that never are there two that can be served; a process that ends
 * between the two leaves a source that the same copy can be made of again.
 */
public final class StoreCopy implements AutoCloseable {
    private static final int BATCH = 500;
    private static final Duration ENDING = Duration.ofSeconds(5);

    /**
     * A table, and what its rows are ordered by wherever they are read.
     *
     * @param key of columns, with commas
     */
    record Table(String name, String key) {}

    /** All but {@code generation}, which tells the copies apart. */
    static final List<Table> TABLES = List.of(
            new Table("pool", "number"),
            new Table("shape", "digest"),
            new Table("shape_count", "pool, shape"),
            new Table("environment", "name"),
            new Table("allocation", "id"),
            new Table("line", "pool, need, holder"),
            new Table("holder", "pool, name"),
            new Table("ended_allocation", "id"),
            new Table("idempotency_key", "principal, key"),
            new Table("event", "pool, number"),
            new Table("environment_event", "pool, number, environment"),
            new Table("batch", "process"),
            new Table("token", "id"),
            new Table("access_key", "id"),
            new Table("baseline", "identity, version"),
            new Table("finding", "identity"),
            new Table("configuration", "sequence"));

    private final StorePlace from;
    private final StorePlace to;
    private final Connection reading;
    private final Connection writing;

    /**
     * A table that was copied and compared.
     *
     * @param digest SHA-256 of its rows in order, in lower-case hexadecimal
     */
    public record Copied(String table, long rows, String digest) {}

    private StoreCopy(StorePlace from, StorePlace to) throws SQLException {
        this.from = from;
        this.to = to;
        this.reading = from.source().getConnection();
        try {
            this.writing = to.source().getConnection();
        } catch (SQLException e) {
            reading.close();
            throw e;
        }
    }

    /**
     * Moves everything. Nobody may serve either of them meanwhile.
     *
     * @param told of each table when it is copied
     * @return the generation that the copy begins with
     * @throws UnfitDatabaseException where the source was moved to somewhere else before or is in use, or the target is not empty
     * @throws UnknownSchemaException where one of them holds something else, or what another version made
     * @throws StoreException where it cannot be done; the target stays empty
     */
    public static int copy(StorePlace from, StorePlace to, Consumer<Copied> told) {
        if (!from.exists()) {
            throw new UnfitDatabaseException(from.name() + " is not there");
        }
        if (from.name().equals(to.name())) {
            throw new UnfitDatabaseException(from.name() + " cannot be copied to itself");
        }
        from.migrate();
        to.migrate();
        try (var copy = new StoreCopy(from, to)) {
            return copy.run(told);
        } catch (SQLException e) {
            throw new StoreException("cannot copy %s to %s: %s".formatted(from.name(), to.name(), e.getMessage()), e);
        }
    }

    private int run(Consumer<Copied> told) throws SQLException {
        take(reading, from);
        take(writing, to);
        int generation = Generations.next(Math.max(startOf(reading), from.notedGeneration()), now());
        checkThatItIsEmpty();
        for (var table : TABLES) {
            var sent = send(table);
            var arrived = digest(writing, table, columns(writing, table));
            if (!sent.equals(arrived)) {
                throw new StoreException(
                        "the copy of the table %s is not like it: %d rows became %d, digest %s became %s"
                                .formatted(table.name(), sent.rows(), arrived.rows(), sent.digest(), arrived.digest()));
            }
            told.accept(sent);
        }
        if (to.isPostgres()) {
            execute(
                    writing,
                    "SELECT setval(pg_get_serial_sequence('pool', 'number'), max(number)) FROM pool HAVING count(*) > 0");
        }
        try (var statement =
                writing.prepareStatement("UPDATE generation SET number = ?, origin = NULL, key_check = ?")) {
            statement.setInt(1, generation);
            statement.setString(2, keyCheck());
            statement.executeUpdate();
        }
        finish();
        return generation;
    }

    private @Nullable String keyCheck() throws SQLException {
        try (var statement = reading.createStatement();
                var row = statement.executeQuery("SELECT key_check FROM generation")) {
            return row.next() ? row.getString(1) : null;
        }
    }

    private long now() throws SQLException {
        var seconds = from.isPostgres()
                ? "SELECT CAST(floor(extract(epoch FROM clock_timestamp())) AS bigint)"
                : "SELECT unixepoch()";
        try (var statement = reading.createStatement();
                var row = statement.executeQuery(seconds)) {
            row.next();
            return row.getLong(1);
        }
    }

    /** Begins a transaction in which nobody else does anything with the store. */
    private static void take(Connection connection, StorePlace place) throws SQLException {
        connection.setAutoCommit(false);
        if (!place.isPostgres()) {
            execute(connection, "UPDATE generation SET number = number"); // who writes has all of it
            return;
        }
        execute(connection, "SET statement_timeout = 0");
        execute(connection, "SET idle_in_transaction_session_timeout = 0");
        execute(connection, "SET lock_timeout = '10s'");
        connection.commit();
        awaitUnused(connection, place); // first, so that whoever serves it is not held up by the locks
        // Before anything is asked for: what was committed before we had the locks is seen.
        execute(connection, "LOCK TABLE generation IN ACCESS EXCLUSIVE MODE");
        for (var table : TABLES) {
            execute(connection, "LOCK TABLE " + table.name() + " IN EXCLUSIVE MODE");
        }
    }

    /** A service's connections end a little after it. One that comes later finds the generation locked, and then that it was moved. */
    private static void awaitUnused(Connection connection, StorePlace place) throws SQLException {
        long deadline = System.nanoTime() + ENDING.toNanos();
        for (int used = users(connection); used > 0; used = users(connection)) {
            if (System.nanoTime() - deadline > 0) {
                throw new UnfitDatabaseException("%s is in use, by %d connections of berth: stop all services on it"
                        .formatted(place.name(), used));
            }
            execute(connection, "SELECT pg_sleep(0.1)");
        }
    }

    private static int users(Connection connection) throws SQLException {
        try (var statement = connection.createStatement();
                var row = statement.executeQuery("""
                        SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
                            AND application_name = current_setting('application_name')""")) {
            row.next();
            return row.getInt(1);
        } finally {
            connection.commit(); // within one transaction the answer stays the same
        }
    }

    private int startOf(Connection connection) throws SQLException {
        try (var statement = connection.createStatement();
                var row = statement.executeQuery("SELECT number, moved_to FROM generation")) {
            if (!row.next()) {
                throw new StoreException(from.name() + " has no generation");
            }
            var movedTo = row.getString(2);
            if (movedTo != null && !movedTo.equals(to.name())) {
                throw new UnfitDatabaseException(from.name() + " was moved to " + movedTo + " before: copy that one");
            }
            return row.getInt(1);
        }
    }

    private void checkThatItIsEmpty() throws SQLException {
        for (var table : TABLES) {
            checkNone("SELECT 1 FROM " + table.name() + " LIMIT 1", "has rows in the table " + table.name());
        }
        checkNone("SELECT 1 FROM generation WHERE origin IS NOT NULL OR moved_to IS NOT NULL", "was served already");
    }

    private void checkNone(String sql, String otherwise) throws SQLException {
        try (var statement = writing.createStatement();
                var row = statement.executeQuery(sql)) {
            if (row.next()) {
                throw new UnfitDatabaseException(
                        "%s is not empty: it %s. Give a database of its own, that nobody has served yet"
                                .formatted(to.name(), otherwise));
            }
        }
    }

    /** By name: in the order of the target's. */
    private List<String> commonColumns(Table table) throws SQLException {
        var there = columns(writing, table);
        var here = columns(reading, table);
        if (!Set.copyOf(here).equals(Set.copyOf(there))) {
            throw new StoreException(
                    "the table %s has columns %s in %s, and %s in %s: use the same version of berth for both"
                            .formatted(
                                    table.name(), new TreeSet<>(here), from.name(), new TreeSet<>(there), to.name()));
        }
        return there;
    }

    private static List<String> columns(Connection connection, Table table) throws SQLException {
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery("SELECT * FROM " + table.name() + " LIMIT 0")) {
            var names = new ArrayList<String>();
            for (int i = 1; i <= rows.getMetaData().getColumnCount(); i++) {
                names.add(rows.getMetaData().getColumnName(i));
            }
            return names;
        }
    }

    private Copied send(Table table) throws SQLException {
        var columns = commonColumns(table);
        var insert = "INSERT INTO %s (%s) VALUES (%s)"
                .formatted(
                        table.name(),
                        String.join(", ", columns),
                        String.join(", ", Collections.nCopies(columns.size(), "?")));
        try (var statement = writing.prepareStatement(insert)) {
            var inserting = new Inserting(statement);
            var sent = read(reading, table, columns, inserting);
            inserting.send();
            return sent;
        }
    }

    /** Inserts rows, many with one statement. */
    private static final class Inserting implements RowSink {
        private final PreparedStatement statement;
        private int waiting;

        Inserting(PreparedStatement statement) {
            this.statement = statement;
        }

        @Override
        public void accept(List<@Nullable Object> values) throws SQLException {
            for (int i = 0; i < values.size(); i++) {
                var value = values.get(i);
                if (value == null) {
                    statement.setNull(i + 1, Types.NULL);
                } else {
                    statement.setObject(i + 1, value);
                }
            }
            statement.addBatch();
            waiting++;
            if (waiting == BATCH) {
                send();
            }
        }

        void send() throws SQLException {
            statement.executeBatch();
            waiting = 0;
        }
    }

    private static Copied digest(Connection connection, Table table, List<String> columns) throws SQLException {
        return read(connection, table, columns, _ -> {});
    }

    @FunctionalInterface
    private interface RowSink {
        void accept(List<@Nullable Object> values) throws SQLException;
    }

    /** Reads a table row by row, a few of them in memory at a time. */
    private static Copied read(Connection connection, Table table, List<String> columns, RowSink sink)
            throws SQLException {
        var digest = sha256();
        long rows = 0;
        try (var statement = connection.createStatement()) {
            statement.setFetchSize(BATCH);
            try (var row = statement.executeQuery(
                    "SELECT %s FROM %s ORDER BY %s".formatted(String.join(", ", columns), table.name(), table.key()))) {
                while (row.next()) {
                    var values = values(row, columns.size());
                    values.forEach(value -> add(digest, value));
                    sink.accept(values);
                    rows++;
                }
            }
        }
        return new Copied(table.name(), rows, HexFormat.of().formatHex(digest.digest()));
    }

    private static List<@Nullable Object> values(ResultSet row, int columns) throws SQLException {
        var values = new ArrayList<@Nullable Object>(columns);
        for (int i = 1; i <= columns; i++) {
            values.add(row.getObject(i));
        }
        return values;
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    /** Whole numbers are the same of whatever width: the databases differ in that. */
    private static void add(MessageDigest digest, @Nullable Object value) {
        switch (value) {
            case null -> digest.update((byte) 'n');
            case String text -> {
                var bytes = text.getBytes(StandardCharsets.UTF_8);
                digest.update(number('s', bytes.length));
                digest.update(bytes);
            }
            case Integer number -> digest.update(number('i', number));
            case Long number -> digest.update(number('i', number));
            case Double number -> digest.update(number('d', Double.doubleToLongBits(number)));
            default -> throw new StoreException("no column has values of " + value.getClass());
        }
    }

    private static byte[] number(char type, long value) {
        return ByteBuffer.allocate(1 + Long.BYTES)
                .put((byte) type)
                .putLong(value)
                .array();
    }

    private void finish() throws SQLException {
        try (var statement = reading.prepareStatement("UPDATE generation SET moved_to = ?")) {
            statement.setString(1, to.name());
            statement.executeUpdate();
        }
        reading.commit();
        try {
            writing.commit();
        } catch (SQLException e) {
            throw new StoreException(
                    "whether the copy was committed is not known: run the same command again, which makes it, or says that %s is not empty because it was (%s)"
                            .formatted(to.name(), e.getMessage()),
                    e);
        }
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    /** What is not committed is rolled back. */
    @Override
    public void close() throws SQLException {
        try (reading;
                writing) {
            reading.rollback();
            writing.rollback();
        }
    }
}
