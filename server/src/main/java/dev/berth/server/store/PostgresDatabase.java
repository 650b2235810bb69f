package dev.berth.server.store;

import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * PostgreSQL: a few connections, all alike, of which some are for those who write and some for those who read, so that neither waits
 * for the other. Transactions are READ COMMITTED: whoever has locked a pool's row sees all that was committed before, and what spans
 * pools is guarded by the unique indexes.
 *
 * <p>A lane is made for each use of a connection. The statements that it prepared are closed with it, which costs nothing: the driver
 * keeps them, and the server's plans of them, with the connection.
 */
final class PostgresDatabase implements Database {
    private static final Logger LOG = LoggerFactory.getLogger(PostgresDatabase.class);
    private static final int WRITERS = 2;
    private static final int READERS = 6;
    static final int LANES = WRITERS + READERS;

    /** Of whoever waits for its turn: as long as it is bearable, and no longer than a call is held for. */
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    /** For so long nobody waits for a connection after somebody did in vain: a queue of such waits would last for minutes. */
    private static final Duration AWAY = Duration.ofSeconds(1);

    /** Other for a copy that was restored, and on a server that took over: its timeline is another one. */
    static final String ORIGIN = """
            (SELECT system_identifier FROM pg_control_system()) || '/' || \
            left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) || '/' || \
            (SELECT oid FROM pg_database WHERE datname = current_database()) || '/' || CAST(CAST('pool' AS regclass) AS oid)""";

    private final HikariDataSource source;
    private final PostgresNotifications.Connections lasting;
    private final String origin;
    /** By the clock that only goes forward. */
    private final AtomicReference<@Nullable Long> awayUntilNanos = new AtomicReference<>();

    /** Fair, which the pool of connections is not: under load some would not get one for seconds. */
    private final Semaphore writers = new Semaphore(WRITERS, true);

    private final Semaphore readers = new Semaphore(READERS, true);

    /**
     * @param source closed with this
     * @param lasting connections beside it, that are not of the pool
     * @param origin how the database is asked where the store comes from: {@link #ORIGIN}, or a constant where that is not to be told
     */
    PostgresDatabase(HikariDataSource source, PostgresNotifications.Connections lasting, String origin) {
        this.source = source;
        this.lasting = lasting;
        this.origin = origin;
    }

    /**
     * Of the classes 22, a value that a column cannot hold, 23, a constraint, and 40, a transaction that was rolled back because of
     * another one.
     */
    static boolean isConflict(SQLException e) {
        var state = e.getSQLState();
        return state != null
                && (state.startsWith("22") || state.startsWith("23") || state.startsWith("40"))
                && !state.equals("40003"); // whose outcome is not known
    }

    @Override
    public Session begin() {
        await(writers);
        try {
            return new Writing(connect(false));
        } catch (RuntimeException e) {
            writers.release();
            throw e;
        }
    }

    @Override
    public <T extends @Nullable Object> T read(Function<Lane, T> query) {
        await(readers);
        try {
            var reading = new Borrowed(connect(true));
            try {
                return query.apply(reading.lane);
            } finally {
                reading.giveBack(false);
            }
        } finally {
            readers.release();
        }
    }

    private static void await(Semaphore turns) {
        try {
            if (!turns.tryAcquire(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new StoreException("no connection to the database came free within " + PATIENCE);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new StoreException("interrupted while waiting for a connection", e);
        }
    }

    /** A transaction begins with its first statement, at no cost of its own, where each statement is not its own. */
    private Connection connect(boolean autoCommit) {
        var until = awayUntilNanos.get();
        if (until != null && System.nanoTime() - until < 0) {
            throw new StoreException("no connection to the database, since a moment ago there was none");
        }
        try {
            var connection = source.getConnection();
            connection.setAutoCommit(autoCommit);
            awayUntilNanos.set(null);
            return connection;
        } catch (SQLException e) {
            awayUntilNanos.set(System.nanoTime() + AWAY.toNanos());
            throw new StoreException("no connection to the database: " + e.getMessage(), e);
        }
    }

    /** A connection, for now. */
    private final class Borrowed {
        private final Connection connection;
        final Lane lane;

        Borrowed(Connection connection) {
            this.connection = connection;
            this.lane = new Lane(connection, PostgresDatabase::isConflict, true);
        }

        /** One that failed in any way is not used again: it may be broken, or lead to a server that was the primary once. */
        void giveBack(boolean isBroken) {
            if (isBroken || lane.hasFailed()) {
                source.evictConnection(connection);
            }
            try {
                lane.close();
            } catch (StoreException e) {
                LOG.debug("a connection cannot be given back: {}", e.toString());
            }
        }
    }

    private final class Writing implements Session {
        private final Connection connection;
        private final Borrowed borrowed;
        private boolean over;
        private boolean broken;

        Writing(Connection connection) {
            this.connection = connection;
            this.borrowed = new Borrowed(connection);
        }

        @Override
        public Lane lane() {
            return borrowed.lane;
        }

        /** A transaction that has failed already is rolled back by COMMIT: the driver makes that an exception too. */
        @Override
        public CompletableFuture<Void> commitAsync() {
            try {
                connection.commit();
                over = true;
                return Durable.ALREADY;
            } catch (SQLException e) {
                broken = true;
                throw new StoreException("COMMIT failed: " + e.getMessage(), e);
            }
        }

        @Override
        public void close() {
            try {
                if (!over) {
                    rollBack();
                }
                borrowed.giveBack(broken);
            } finally {
                writers.release();
            }
        }

        /** Where that fails the connection is broken, and the database rolls back by itself. */
        private void rollBack() {
            try {
                connection.rollback();
            } catch (SQLException e) {
                broken = true;
                LOG.debug("a transaction cannot be rolled back: {}", e.toString());
            }
        }
    }

    @Override
    public String lockingClause() {
        return " FOR UPDATE";
    }

    @Override
    public Store.Moment moment(Lane lane) {
        return lane.one(
                        row -> new Store.Moment(
                                Instant.ofEpochMilli(row.getLong(1)),
                                Generations.entered(
                                        lane,
                                        row.getInt(2),
                                        row.getString(3),
                                        row.getString(4),
                                        row.getLong(1) / 1000)),
                        "SELECT CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS bigint), number, origin, "
                                + origin + " FROM generation WHERE moved_to IS NULL")
                .orElseThrow(() -> new StoreException("the store was moved away"));
    }

    @Override
    public Optional<Notifications> notifications(String process) {
        return Optional.of(new PostgresNotifications(process, lasting));
    }

    @Override
    public void close() {
        source.close();
    }
}
