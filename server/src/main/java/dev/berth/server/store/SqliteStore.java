package dev.berth.server.store;

import dev.berth.core.Allocation;
import dev.berth.core.AllocationId;
import dev.berth.core.Decision;
import dev.berth.core.Environment;
import dev.berth.core.EnvironmentName;
import dev.berth.core.ForecastPool;
import dev.berth.core.Holder;
import dev.berth.core.Policy;
import dev.berth.core.Pool;
import dev.berth.core.PoolName;
import dev.berth.core.ShapeCount;
import dev.berth.core.Slice;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import java.util.zip.CRC32;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.CoreErrorCode;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.exception.FlywayValidateException;
import org.jspecify.annotations.Nullable;
import org.sqlite.SQLiteConfig;
import org.sqlite.SQLiteDataSource;
import org.sqlite.SQLiteErrorCode;
import org.sqlite.SQLiteException;

/**
 * The store in one SQLite file: write-ahead log, a sync before each commit returns. One connection writes; a few read, beside it and
 * without waiting for it.
 */
public final class SqliteStore implements Store {
    private static final int READERS = 4;
    /** Where it was made as it stands here, Flyway has nothing to do, and would take half a second of each start to find that out. */
    static final String NEWEST_MIGRATION = "1";

    /** Of pages in memory, in KiB: the writer looks up rows all over the tables, readers a few at a time. */
    private static final int WRITER_CACHE = 64 * 1024;

    private static final int READER_CACHE = 4 * 1024;
    private static final Duration BUSY = Duration.ofSeconds(10);
    /** Statistics look at so many loans, the newest first. */
    private static final int MOST_STATISTICS = 2_000;
    /** Beyond what any pool's queue may hold in practice: a bound for the case that one does. */
    private static final int MOST_WAITING = 100_000;

    private static final int MOST_HOLDERS = 10_000;

    private final Lane writer;
    /** Fair: a caller that came first is not starved by those that come often. */
    private final ReentrantLock writing = new ReentrantLock(true);

    private final @Nullable BlockingQueue<Lane> readers;
    private final @Nullable Checkpoints checkpoints;
    private final Rows rows = new Rows();
    private final Map<Integer, PoolName> names = new ConcurrentHashMap<>();

    /** All on one connection. */
    SqliteStore(Lane only) {
        this.writer = only;
        this.readers = null;
        this.checkpoints = null;
    }

    private SqliteStore(Lane writer, BlockingQueue<Lane> readers, Lane checkpoints) {
        this.writer = writer;
        this.readers = readers;
        this.checkpoints = new Checkpoints(checkpoints, writing);
        writer.one(row -> true, "PRAGMA wal_autocheckpoint = " + Checkpoints.LONGEST);
    }

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
     */
    public static SqliteStore open(Path file, Synchronous synchronous) {
        var source = source(file, synchronous, WRITER_CACHE);
        migrate(source);
        var reading = source(file, synchronous, READER_CACHE);
        try {
            var readers = new ArrayBlockingQueue<Lane>(READERS, true);
            for (int i = 0; i < READERS; i++) {
                readers.add(new Lane(reading.getConnection()));
            }
            return new SqliteStore(new Lane(source.getConnection()), readers, new Lane(reading.getConnection()));
        } catch (SQLException e) {
            throw new StoreException("cannot open " + file, e);
        }
    }

    /** A store that is gone when it is closed: the same statements, on one connection. For simulations and measurements. */
    public static SqliteStore inMemory() {
        try {
            var connection = new SQLiteDataSource(settings(Synchronous.OFF, WRITER_CACHE)) {
                @Override
                public Connection getConnection() throws SQLException {
                    return settings(Synchronous.OFF, WRITER_CACHE).createConnection("jdbc:sqlite::memory:");
                }
            }.getConnection();
            var lane = new Lane(connection);
            for (var statement : schema().split(";\\R", -1)) {
                if (!statement.isBlank()) {
                    lane.update(statement);
                }
            }
            return new SqliteStore(lane);
        } catch (SQLException e) {
            throw new StoreException("cannot open a store in memory", e);
        }
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

    private static void migrate(SQLiteDataSource source) {
        if (isUpToDate(source)) {
            return;
        }
        try {
            Flyway.configure(SqliteStore.class.getClassLoader())
                    .dataSource(source)
                    .locations("classpath:dev/berth/server/store/sqlite")
                    .ignoreMigrationPatterns(new String[0]) // not even those of a newer version, which is the default
                    .loggers("slf4j")
                    .load()
                    .migrate();
        } catch (FlywayValidateException e) {
            throw new UnknownSchemaException("was made by another version of berth", e);
        } catch (FlywayException e) {
            if (e.getErrorCode() == CoreErrorCode.NON_EMPTY_SCHEMA_WITHOUT_SCHEMA_HISTORY_TABLE) {
                throw new UnknownSchemaException("has tables that are not berth's", e);
            }
            throw new StoreException("cannot bring the database up to date", e);
        }
    }

    private static boolean isUpToDate(SQLiteDataSource source) {
        try (var connection = source.getConnection();
                var statement = connection.createStatement();
                var last = statement.executeQuery("SELECT version, success, checksum FROM flyway_schema_history"
                        + " ORDER BY installed_rank DESC LIMIT 1")) {
            return last.next()
                    && NEWEST_MIGRATION.equals(last.getString(1))
                    && last.getBoolean(2)
                    && last.getInt(3) == checksum(schema());
        } catch (SQLException e) {
            if (e instanceof SQLiteException sqlite && sqlite.getResultCode() == SQLiteErrorCode.SQLITE_NOTADB) {
                throw new UnknownSchemaException("is no SQLite database", e);
            }
            return false; // a new file has no such table; where something else is wrong, Flyway tells it
        }
    }

    /** As Flyway does it, from the lines without their ends. */
    static int checksum(String migration) {
        var crc = new CRC32();
        migration.lines().forEach(line -> crc.update(line.getBytes(StandardCharsets.UTF_8)));
        return (int) crc.getValue();
    }

    static String schema() {
        try (var in = SqliteStore.class.getResourceAsStream("sqlite/V1__ledger.sql")) {
            if (in == null) {
                throw new IllegalStateException("the schema is missing");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new StoreException("cannot read the schema", e);
        }
    }

    // ---- writing

    @Override
    public Transaction begin() {
        writing.lock();
        try {
            writer.update("BEGIN IMMEDIATE");
            return new SqliteTransaction();
        } catch (RuntimeException e) {
            writing.unlock();
            throw e;
        }
    }

    private final class SqliteTransaction implements Transaction {
        private boolean over;

        @Override
        public List<PoolName> pools() {
            return writer.list(row -> new PoolName(row.getString(1)), "SELECT name FROM pool ORDER BY name");
        }

        /** The whole database is locked by BEGIN IMMEDIATE: reading the row is enough. */
        @Override
        public Optional<Pool> lock(PoolName name) {
            return writer.one(rows::pool, "SELECT " + Rows.POOL_COLUMNS + " FROM pool WHERE name = ?", name.value());
        }

        @Override
        public Pool create(PoolName name, Policy policy, Instant now) {
            writer.updateOne("""
                    INSERT INTO pool (name, policy, listed, sequence, events, available, allocated, cleaning, checking, dirty,
                        retiring, waiting, polling, on_hold, issuing, maintained, breaker_failures, touched_at)
                    VALUES (?, ?, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ?)""", name.value(), Rows.text(policy), now);
            return lock(name).orElseThrow();
        }

        @Override
        public Slice load(Pool pool, Slice.Needs needs, Instant now) {
            return new SliceLoader(writer, rows, pool, needs, now).load();
        }

        @Override
        public void write(Decision decision, Pool before) {
            new DecisionWriter(writer).write(decision, before);
        }

        @Override
        public void stamp(String batch) {
            writer.updateOne("""
                    INSERT INTO batch (process, id) VALUES (?, ?)
                    ON CONFLICT (process) DO UPDATE SET id = excluded.id""", process(batch), batch);
        }

        @Override
        public void commit() {
            writer.update("COMMIT");
            over = true;
            long rows = writer.takeTouched();
            if (checkpoints != null) {
                checkpoints.committed(rows);
            }
        }

        @Override
        public void close() {
            try {
                if (!over) {
                    rollBack();
                }
            } finally {
                writing.unlock();
            }
        }

        /** A failed commit may have ended the transaction already: then there is nothing to roll back. */
        private void rollBack() {
            try {
                writer.update("ROLLBACK");
            } catch (StoreException e) {
                if (e.getCause() == null
                        || !String.valueOf(e.getCause().getMessage()).contains("no transaction is active")) {
                    throw e;
                }
            }
        }
    }

    /** Batch ids are made of a process and a number: {@code PROCESS/NUMBER}. */
    private static String process(String batch) {
        return batch.substring(0, Math.max(0, batch.lastIndexOf('/')));
    }

    @Override
    public boolean committed(String batch) {
        return write(
                lane -> lane.one(row -> true, "SELECT 1 FROM batch WHERE process = ? AND id = ?", process(batch), batch)
                        .orElse(false));
    }

    /** A small change of its own, beside the ledger. */
    private <T> T write(Function<Lane, T> change) {
        try (var transaction = begin()) {
            var result = change.apply(writer);
            transaction.commit();
            return result;
        }
    }

    // ---- reading

    private <T extends @Nullable Object> T read(Function<Lane, T> query) {
        if (readers == null) {
            writing.lock();
            try {
                return query.apply(writer);
            } finally {
                writing.unlock();
            }
        }
        Lane lane;
        try {
            lane = readers.take();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new StoreException("interrupted while waiting for a connection", e);
        }
        try {
            return query.apply(lane);
        } finally {
            readers.add(lane);
        }
    }

    @Override
    public List<Pool> pools() {
        return read(lane -> lane.list(rows::pool, "SELECT " + Rows.POOL_COLUMNS + " FROM pool ORDER BY name"));
    }

    @Override
    public Optional<Pool> pool(PoolName name) {
        return read(lane ->
                lane.one(rows::pool, "SELECT " + Rows.POOL_COLUMNS + " FROM pool WHERE name = ?", name.value()));
    }

    @Override
    public @Nullable Instant nextDue(int pool) {
        return read(lane -> {
            var allocation =
                    earliest(lane, "SELECT MIN(due_at) FROM allocation WHERE pool = ? AND due_at IS NOT NULL", pool);
            var environment =
                    earliest(lane, "SELECT MIN(due_at) FROM environment WHERE pool = ? AND due_at IS NOT NULL", pool);
            if (allocation == null || environment == null) {
                return allocation == null ? environment : allocation;
            }
            return allocation.isBefore(environment) ? allocation : environment;
        });
    }

    @Override
    public @Nullable Instant nextWork(int pool) {
        return read(lane -> {
            Instant next = null;
            for (boolean issuing : new boolean[] {true, false}) {
                var at = lane.one(row -> Optional.ofNullable(Rows.instant(row, 1)), """
                                SELECT MIN(work_at) FROM environment
                                WHERE pool = ? AND issuing = ? AND work_at IS NOT NULL""", pool, issuing)
                        .flatMap(found -> found)
                        .orElse(null);
                next = next == null || (at != null && at.isBefore(next)) ? at : next;
            }
            return next;
        });
    }

    private static @Nullable Instant earliest(Lane lane, String sql, int pool) {
        return lane.one(row -> Optional.ofNullable(Rows.instant(row, 1)), sql, pool)
                .flatMap(found -> found)
                .orElse(null);
    }

    private PoolName name(Lane lane, int number) {
        return names.computeIfAbsent(
                number,
                missing -> lane.one(
                                row -> new PoolName(row.getString(1)),
                                "SELECT name FROM pool WHERE number = ?",
                                missing)
                        .orElseThrow(() -> new StoreException("no pool has number " + missing)));
    }

    @Override
    public Optional<Allocation> allocation(AllocationId id) {
        // An allocation that ends between the two look-ups is found by the second.
        return read(lane -> lane.one(
                        live(lane),
                        "SELECT " + Rows.LIVE_COLUMNS + " FROM allocation WHERE id = ? AND state <> 'polling'",
                        id.value()))
                .or(() -> read(lane -> lane.one(
                        ended(lane),
                        "SELECT " + Rows.ENDED_COLUMNS + " FROM ended_allocation WHERE id = ?",
                        id.value())));
    }

    private Lane.Row<Allocation> live(Lane lane) {
        return row -> rows.live(row, name(lane, row.getInt(2)));
    }

    private Lane.Row<Allocation> ended(Lane lane) {
        return row -> rows.ended(row, name(lane, row.getInt(2)));
    }

    @Override
    public Page<Allocation> allocations(AllocationQuery query) {
        var pool = query.pool() == null ? Optional.<Pool>empty() : pool(query.pool());
        if (query.pool() != null && pool.isEmpty()) {
            return new Page<>(List.of(), null);
        }
        boolean ended = "ended".equals(query.state());
        var sql = new StringBuilder("SELECT ")
                .append(ended ? Rows.ENDED_COLUMNS : Rows.LIVE_COLUMNS)
                .append(" FROM ")
                .append(ended ? "ended_allocation" : "allocation")
                .append(ended ? " WHERE 1 = 1" : " WHERE state <> 'polling'");
        var arguments = new ArrayList<Object>();
        if (pool.isPresent()) {
            var prefix = Integer.toString(pool.get().number(), 36);
            sql.append(" AND id > ? AND id < ?");
            arguments.add(prefix + "-");
            arguments.add(prefix + ".");
        }
        if (query.state() != null && !ended) {
            sql.append(" AND state = ?");
            arguments.add(query.state());
        }
        if (query.requester() != null) {
            sql.append(" AND requester = ?");
            arguments.add(query.requester());
        }
        if (query.principal() != null) {
            sql.append(" AND principal = ?");
            arguments.add(query.principal());
        }
        if (query.cursor() != null) {
            sql.append(" AND id < ?");
            arguments.add(query.cursor());
        }
        sql.append(" ORDER BY id DESC LIMIT ?");
        arguments.add(query.limit() + 1);
        var found = read(lane -> lane.list(ended ? ended(lane) : live(lane), sql.toString(), arguments.toArray()));
        return page(found, query.limit(), last -> last.id().value());
    }

    private static <T> Page<T> page(List<T> found, int limit, Function<T, String> cursor) {
        if (found.size() <= limit) {
            return new Page<>(found, null);
        }
        var items = found.subList(0, limit);
        return new Page<>(items, cursor.apply(items.getLast()));
    }

    @Override
    public List<Waiting> queue(int pool) {
        return read(lane -> lane.list(
                        row -> new Waiting(
                                new AllocationId(row.getString(1)),
                                row.getString(2),
                                row.getString(3),
                                rows.need(row, 4, 5),
                                row.getInt(6),
                                row.getLong(7),
                                row.getLong(8),
                                Instant.ofEpochMilli(row.getLong(9)),
                                Instant.ofEpochMilli(row.getLong(10)),
                                Rows.instant(row, 11),
                                Rows.period(row, 12)),
                        """
                        SELECT id, principal, sharer, need, needs, priority, rank, arrival, created_at, until, interest_until, duration
                        FROM allocation WHERE pool = ? AND state = 'pending' ORDER BY arrival LIMIT ?""",
                        pool,
                        MOST_WAITING))
                .stream()
                .sorted(Comparator.comparingLong(Waiting::rank).thenComparingLong(Waiting::arrival))
                .toList();
    }

    @Override
    public List<ShapeCount> shapes(int pool) {
        return read(lane -> shapes(lane, pool));
    }

    private List<ShapeCount> shapes(Lane lane, int pool) {
        return lane.list(
                row -> rows.shapeCount(lane, row),
                "SELECT " + Rows.SHAPE_COUNT_COLUMNS + " FROM shape_count WHERE pool = ? ORDER BY shape",
                pool);
    }

    @Override
    public List<ForecastPool.Busy> busy(int pool, int limit) {
        return read(lane -> {
            var busy = new ArrayList<ForecastPool.Busy>();
            for (var count : shapes(lane, pool)) {
                if (count.held() > 0) {
                    busy.addAll(lane.list(
                            SqliteStore::lent, """
                            SELECT e.name, e.shape, e.account, e.since, e.tenant_allocation, e.tenant_requester, e.tenant_principal,
                                coalesce(a.sharer, ''),
                                CASE WHEN a.hold IS NULL THEN coalesce(a.expires_at, e.back_at) ELSE a.due_at END
                            FROM environment AS e LEFT JOIN allocation AS a ON a.id = e.tenant_allocation
                            WHERE e.pool = ? AND e.shape = ? AND e.back_at IS NOT NULL AND e.tenant_allocation IS NOT NULL
                            ORDER BY e.back_at LIMIT ?""", pool, count.shape().digest(), limit));
                }
            }
            busy.addAll(lane.list(
                    row -> new ForecastPool.Busy(
                            new EnvironmentName(row.getString(1)),
                            row.getString(2),
                            row.getString(3),
                            Instant.ofEpochMilli(row.getLong(4)),
                            null),
                    """
                    SELECT name, shape, account, since FROM environment
                    WHERE pool = ? AND issuing = 0 AND work_at IS NOT NULL AND drain IS NULL AND state IN ('cleaning', 'checking')
                    UNION ALL
                    SELECT name, shape, account, since FROM environment
                    WHERE pool = ? AND due_at IS NOT NULL AND work_at IS NULL AND drain IS NULL AND state IN ('cleaning', 'checking')
                    LIMIT ?""",
                    pool,
                    pool,
                    limit));
            return busy;
        });
    }

    private static ForecastPool.Busy lent(ResultSet row) throws SQLException {
        return new ForecastPool.Busy(
                new EnvironmentName(row.getString(1)),
                row.getString(2),
                row.getString(3),
                Instant.ofEpochMilli(row.getLong(4)),
                new ForecastPool.Loan(
                        new AllocationId(row.getString(5)),
                        row.getString(6),
                        row.getString(7),
                        row.getString(8),
                        Rows.instant(row, 9)));
    }

    @Override
    public List<Loan> history(int pool, int limit) {
        var prefix = Integer.toString(pool, 36);
        return read(lane -> lane.list(
                        row -> {
                            var grantedAt = Rows.instant(row, 8);
                            var endedAt = Instant.ofEpochMilli(row.getLong(9));
                            return grantedAt == null
                                    ? Optional.<Loan>empty()
                                    : Optional.of(new Loan(
                                            row.getString(1),
                                            row.getString(2),
                                            rows.need(row, 3, 4),
                                            row.getInt(5),
                                            Rows.period(row, 6),
                                            Duration.between(Instant.ofEpochMilli(row.getLong(7)), grantedAt),
                                            Duration.between(grantedAt, endedAt),
                                            endedAt));
                        },
                        """
                        SELECT principal, sharer, need, needs, priority, duration, created_at, granted_at, ended_at
                        FROM ended_allocation
                        WHERE id > ? AND id < ? ORDER BY id DESC LIMIT ?""",
                        prefix + "-",
                        prefix + ".",
                        limit))
                .stream()
                .flatMap(Optional::stream)
                .toList();
    }

    @Override
    public List<Holder> holders(int pool) {
        return read(lane -> lane.list(
                Rows::holder,
                "SELECT " + Rows.HOLDER_COLUMNS + " FROM holder WHERE pool = ? ORDER BY name LIMIT ?",
                pool,
                MOST_HOLDERS));
    }

    @Override
    public @Nullable Instant oldestWaiting(int pool) {
        return read(lane ->
                lane.one(row -> Instant.ofEpochMilli(row.getLong(1)), """
                        SELECT created_at FROM allocation WHERE pool = ? AND state = 'pending'
                        ORDER BY arrival LIMIT 1""", pool).orElse(null));
    }

    @Override
    public Statistics statistics(int pool, Instant since, Instant now) {
        var prefix = Integer.toString(pool, 36);
        record Granted(Instant createdAt, Instant grantedAt, Instant until, int count) {}
        var loans = new ArrayList<Granted>();
        var total = read(lane -> {
            for (var table : List.of("allocation", "ended_allocation")) {
                var end = table.equals("allocation") ? "NULL" : "ended_at";
                loans.addAll(lane.list(
                        row -> {
                            var endedAt = Rows.instant(row, 3);
                            return new Granted(
                                    Instant.ofEpochMilli(row.getLong(1)),
                                    Instant.ofEpochMilli(row.getLong(2)),
                                    endedAt == null ? now : endedAt,
                                    row.getInt(4));
                        },
                        "SELECT created_at, granted_at, " + end + ", count FROM " + table
                                + " WHERE id > ? AND id < ? AND granted_at IS NOT NULL ORDER BY id DESC LIMIT ?",
                        prefix + "-",
                        prefix + ".",
                        MOST_STATISTICS));
            }
            return lane.one(rows::pool, "SELECT " + Rows.POOL_COLUMNS + " FROM pool WHERE number = ?", pool)
                    .map(found -> found.counts().total())
                    .orElse(0);
        });
        var waits = loans.stream()
                .filter(loan -> loan.grantedAt().isAfter(since))
                .map(loan -> Duration.between(loan.createdAt(), loan.grantedAt()))
                .sorted()
                .toList();
        long lent = 0;
        for (var loan : loans) {
            var from = loan.grantedAt().isBefore(since) ? since : loan.grantedAt();
            lent += loan.count()
                    * Math.max(0, Duration.between(from, loan.until()).toMillis());
        }
        double whole = (double) total * Duration.between(since, now).toMillis();
        return new Statistics(
                quantile(waits, 50),
                quantile(waits, 90),
                quantile(waits, 99),
                whole <= 0 ? 0 : Math.min(1, lent / whole));
    }

    private static @Nullable Duration quantile(List<Duration> sorted, int percent) {
        return sorted.isEmpty() ? null : sorted.get((sorted.size() * percent + 99) / 100 - 1);
    }

    @Override
    public Page<Environment> environments(EnvironmentQuery query) {
        var pool = query.pool() == null ? Optional.<Pool>empty() : pool(query.pool());
        if (query.pool() != null && pool.isEmpty()) {
            return new Page<>(List.of(), null);
        }
        var sql = new StringBuilder("SELECT " + Rows.ENVIRONMENT_COLUMNS + " FROM environment WHERE ");
        var arguments = new ArrayList<Object>();
        if (query.state() == null) {
            sql.append("state <> 'retired'");
        } else {
            sql.append("state = '").append(Rows.slug(query.state())).append("'");
        }
        if (pool.isPresent()) {
            sql.append(" AND pool = ?");
            arguments.add(pool.get().number());
        }
        if (query.cursor() != null) {
            sql.append(" AND name > ?");
            arguments.add(query.cursor());
        }
        sql.append(" ORDER BY name LIMIT ?");
        arguments.add(query.limit() + 1);
        var found = read(lane -> lane.list(row -> rows.environment(lane, row), sql.toString(), arguments.toArray()));
        return page(found, query.limit(), last -> last.name().value());
    }

    @Override
    public Optional<Environment> environment(EnvironmentName name) {
        return read(lane -> lane.one(
                row -> rows.environment(lane, row),
                "SELECT " + Rows.ENVIRONMENT_COLUMNS + " FROM environment WHERE name = ?",
                name.value()));
    }

    @Override
    public List<StoredEvent> history(EnvironmentName name, int limit) {
        return read(lane -> lane.list(event(lane), "SELECT " + Rows.EVENT_COLUMNS + """
                                 FROM environment_event AS about
                                JOIN event AS e ON e.pool = about.pool AND e.number = about.number
                                WHERE about.environment = ? ORDER BY about.pool DESC, about.number DESC LIMIT ?""", name.value(), limit)).stream()
                .sorted(Comparator.comparing(
                                (StoredEvent stored) -> stored.event().at())
                        .thenComparingLong(stored -> stored.event().number())
                        .reversed())
                .toList();
    }

    private Lane.Row<StoredEvent> event(Lane lane) {
        return row -> new StoredEvent(row.getInt(1), name(lane, row.getInt(1)), Rows.event(row));
    }

    @Override
    public List<StoredEvent> events(Map<Integer, Long> after, int limit) {
        record Placed(Instant at, StoredEvent stored) {}
        var found = new ArrayList<Placed>();
        for (var pool : pools()) {
            var latest = Instant.MIN;
            for (var stored : read(lane -> lane.list(
                    event(lane),
                    "SELECT " + Rows.EVENT_COLUMNS
                            + " FROM event AS e WHERE e.pool = ? AND e.number > ? ORDER BY e.number LIMIT ?",
                    pool.number(),
                    after.getOrDefault(pool.number(), 0L),
                    limit))) {
                latest = stored.event().at().isAfter(latest) ? stored.event().at() : latest;
                found.add(new Placed(latest, stored));
            }
        }
        // Sorted by time for the eye. A pool's own order is never broken, though its clock may have gone back: whoever
        // reads on from
        // the last number would never see an event that came after it here.
        return found.stream()
                .sorted(Comparator.comparing(Placed::at)
                        .thenComparingInt(placed -> placed.stored().pool())
                        .thenComparingLong(placed -> placed.stored().event().number()))
                .limit(limit)
                .map(Placed::stored)
                .toList();
    }

    @Override
    public Map<Integer, Long> oldestEvents() {
        var oldest = new HashMap<Integer, Long>();
        for (var pool : pools()) {
            oldest.put(
                    pool.number(),
                    read(lane -> lane.one(
                                    row -> row.getLong(1),
                                    "SELECT number FROM event WHERE pool = ? ORDER BY number LIMIT 1",
                                    pool.number())
                            .orElse(pool.events() + 1)));
        }
        return oldest;
    }

    // ---- tokens

    private static final String TOKEN_COLUMNS = "id, principal, hash, created_at, expires_at, last_used_at";

    private static Token token(ResultSet row) throws SQLException {
        return new Token(
                row.getString(1),
                row.getString(2),
                row.getString(3),
                Instant.ofEpochMilli(row.getLong(4)),
                Rows.instant(row, 5),
                Rows.instant(row, 6));
    }

    @Override
    public void addToken(Token token) {
        write(lane -> lane.update(
                "INSERT INTO token (" + TOKEN_COLUMNS + ") VALUES (?, ?, ?, ?, ?, ?)",
                token.id(),
                token.principal(),
                token.hash(),
                token.createdAt(),
                token.expiresAt(),
                token.lastUsedAt()));
    }

    @Override
    public Optional<Token> tokenByHash(String hash) {
        return read(
                lane -> lane.one(SqliteStore::token, "SELECT " + TOKEN_COLUMNS + " FROM token WHERE hash = ?", hash));
    }

    @Override
    public List<Token> tokens() {
        return read(
                lane -> lane.list(SqliteStore::token, "SELECT " + TOKEN_COLUMNS + " FROM token ORDER BY created_at"));
    }

    @Override
    public boolean removeToken(String id) {
        return write(lane -> lane.update("DELETE FROM token WHERE id = ?", id)) == 1;
    }

    @Override
    public void tokenUsed(String id, Instant at) {
        write(lane -> lane.update("UPDATE token SET last_used_at = ? WHERE id = ?", at, id));
    }

    // ---- configuration

    private static final String CONFIGURATION_COLUMNS = "sequence, text, digest, since";

    private static ConfigurationInForce configuration(ResultSet row) throws SQLException {
        return new ConfigurationInForce(
                row.getLong(1), row.getString(2), row.getString(3), Instant.ofEpochMilli(row.getLong(4)));
    }

    @Override
    public Optional<ConfigurationInForce> configuration() {
        return read(lane -> lane.one(
                SqliteStore::configuration,
                "SELECT " + CONFIGURATION_COLUMNS + " FROM configuration ORDER BY sequence DESC LIMIT 1"));
    }

    @Override
    public boolean wasInForce(String digest) {
        return read(lane -> lane.one(row -> true, "SELECT 1 FROM configuration WHERE digest = ? LIMIT 1", digest)
                .orElse(false));
    }

    @Override
    public ConfigurationInForce putInForce(String text, String digest, Instant at) {
        return write(lane -> {
            lane.updateOne("INSERT INTO configuration (text, digest, since) VALUES (?, ?, ?)", text, digest, at);
            return lane.one(
                            SqliteStore::configuration,
                            "SELECT " + CONFIGURATION_COLUMNS + " FROM configuration ORDER BY sequence DESC LIMIT 1")
                    .orElseThrow();
        });
    }

    // ---- keeping house

    @Override
    public int prune(Instant before, int limit) {
        int pruned = 0;
        for (var pool : pools()) {
            int most = limit - pruned;
            if (most > 0) {
                pruned += write(lane -> {
                    int allocations = pruneAllocations(lane, pool.number(), before, most);
                    int events = pruneEvents(lane, pool.number(), before, most - allocations);
                    return allocations
                            + events
                            + pruneHolders(lane, pool.number(), before, most - allocations - events);
                });
            }
        }
        return pruned;
    }

    private int pruneAllocations(Lane lane, int pool, Instant before, int limit) {
        var prefix = Integer.toString(pool, 36);
        record Old(String id, String principal, @Nullable String key, Instant endedAt) {}
        var old = lane.list(
                row -> new Old(
                        row.getString(1), row.getString(2), row.getString(3), Instant.ofEpochMilli(row.getLong(4))),
                """
                SELECT id, principal, idempotency_key, ended_at FROM ended_allocation
                WHERE id > ? AND id < ? ORDER BY id LIMIT ?""",
                prefix + "-",
                prefix + ".",
                limit);
        int pruned = 0;
        for (var allocation : old) {
            if (allocation.endedAt().isBefore(before)) {
                lane.update("DELETE FROM ended_allocation WHERE id = ?", allocation.id());
                if (allocation.key() != null) {
                    lane.update(
                            "DELETE FROM idempotency_key WHERE principal = ? AND key = ? AND allocation = ?",
                            allocation.principal(),
                            allocation.key(),
                            allocation.id());
                }
                pruned++;
            }
        }
        return pruned;
    }

    /** Those who have nothing and had nothing since then: labels that share a pool come and go. */
    private static int pruneHolders(Lane lane, int pool, Instant before, int limit) {
        return lane.update("""
                DELETE FROM holder WHERE pool = ?1 AND name IN
                    (SELECT name FROM holder WHERE pool = ?1 AND held = 0 AND queued = 0 AND as_of < ?2 LIMIT ?3)""", pool, before, limit);
    }

    private static int pruneEvents(Lane lane, int pool, Instant before, int limit) {
        var old = lane.list(
                Rows::event,
                "SELECT " + Rows.EVENT_COLUMNS
                        + " FROM (SELECT * FROM event WHERE pool = ? ORDER BY number LIMIT ?) AS e WHERE e.at < ?",
                pool,
                limit,
                before);
        for (var event : old) {
            for (var environment : DecisionWriter.subjects(event)) {
                lane.update(
                        "DELETE FROM environment_event WHERE environment = ? AND pool = ? AND number = ?",
                        environment,
                        pool,
                        event.number());
            }
            lane.update("DELETE FROM event WHERE pool = ? AND number = ?", pool, event.number());
        }
        return old.size();
    }

    @Override
    public boolean isUsable() {
        try {
            pools();
            return true;
        } catch (StoreException e) {
            return false;
        }
    }

    @Override
    public void close() {
        if (checkpoints != null) {
            checkpoints.close();
        }
        writing.lock();
        try {
            if (readers != null) {
                var taken = new ArrayList<Lane>();
                for (int i = 0; i < READERS; i++) {
                    taken.add(readers.take());
                }
                taken.forEach(Lane::close);
                readers.addAll(taken); // who reads now is told that it is closed, rather than to wait
            }
            writer.close();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            writing.unlock();
        }
    }
}
