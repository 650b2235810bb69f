package dev.berth.server.store;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.flywaydb.core.Flyway;
import org.jspecify.annotations.Nullable;

/** A database in the PostgreSQL that the tests of this JVM share: begun by the first that needs it, and ended with the JVM. */
public final class TestPostgres implements AutoCloseable {
    private static final AtomicInteger MADE = new AtomicInteger();

    private final String name;

    private TestPostgres(String name) {
        this.name = name;
    }

    private static final class Server {
        static final EmbeddedPostgres SERVER = start();
        static final String TEMPLATE = template();
        static final TestPostgres COMMON = create();

        private Server() {}

        private static EmbeddedPostgres start() {
            try {
                return EmbeddedPostgres.builder()
                        .setServerConfig("synchronous_commit", "on") // which is off here unless it is asked for
                        .setPGStartupWait(OwnPostgres.STARTING)
                        .start();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        /** With the tables, so that those of each test are copied rather than made. */
        private static String template() {
            run("postgres", "CREATE DATABASE berth_template");
            PostgresStore.open(url("berth_template", SERVER.getPort()), TestPostgres::noVariable)
                    .close();
            return "berth_template";
        }

        private static void run(String database, String sql) {
            try (var connection = connect(database);
                    var statement = connection.createStatement()) {
                statement.execute(sql);
            } catch (SQLException e) {
                throw new IllegalStateException(sql, e);
            }
        }

        private static Connection connect(String database) throws SQLException {
            return DriverManager.getConnection(
                    "jdbc:postgresql://localhost:" + SERVER.getPort() + "/" + database, "postgres", "");
        }
    }

    /** A new one with the tables of the store, all empty. */
    public static TestPostgres create() {
        return create("TEMPLATE " + Server.TEMPLATE);
    }

    /** With the tables of the store, all empty: the same each time, which must not be closed. Quicker than a new one. */
    static TestPostgres emptied() {
        Server.COMMON.run("""
                DO $$ BEGIN
                    EXECUTE (SELECT 'TRUNCATE ' || string_agg(quote_ident(tablename), ', ') || ' RESTART IDENTITY'
                        FROM pg_tables WHERE schemaname = 'public' AND tablename NOT IN ('flyway_schema_history', 'generation'));
                END $$""");
        return Server.COMMON;
    }

    /** A new one without any tables. */
    public static TestPostgres createEmpty() {
        return create("TEMPLATE template0");
    }

    /** A new one, made with these options of CREATE DATABASE. */
    static TestPostgres create(String options) {
        var name = "test_" + MADE.incrementAndGet();
        Server.run("postgres", "CREATE DATABASE " + name + " " + options);
        return new TestPostgres(name);
    }

    /** Another one with all that this one has. Nobody may be connected to this one. */
    public TestPostgres copy() {
        return create("TEMPLATE " + name);
    }

    /** Brings the tables to what a next version of berth might make of them. */
    public void migrateToNext() {
        Flyway.configure()
                .dataSource(url().jdbc(), "postgres", "")
                .locations("classpath:dev/berth/server/store/postgresql", "classpath:dev/berth/server/store/next")
                .loggers("slf4j")
                .load()
                .migrate();
    }

    String name() {
        return name;
    }

    public int port() {
        return Server.SERVER.getPort();
    }

    public PostgresUrl url() {
        return url(name, port());
    }

    /** By way of somebody who listens on that port. */
    public PostgresUrl url(int port) {
        return url(name, port);
    }

    private static PostgresUrl url(String database, int port) {
        return new PostgresUrl("postgres", "localhost:" + port, database, Map.of(), null);
    }

    /** The store in it. */
    public Store open() {
        return PostgresStore.open(url(), TestPostgres::noVariable);
    }

    static @Nullable String noVariable(String name) {
        return null;
    }

    /** A connection beside the store. */
    Connection connect() throws SQLException {
        return Server.connect(name);
    }

    /** How many transactions wait for a lock that another one holds. */
    public int waiting() throws SQLException {
        try (var connection = connect();
                var statement = connection.createStatement();
                var row = statement.executeQuery("SELECT count(*) FROM pg_stat_activity"
                        + " WHERE datname = current_database() AND wait_event_type = 'Lock'")) {
            row.next();
            return row.getInt(1);
        }
    }

    public void run(String sql) {
        Server.run(name, sql);
    }

    /** Removes it, whoever still uses it. */
    @Override
    public void close() {
        Server.run("postgres", "DROP DATABASE " + name + " WITH (FORCE)");
    }
}
