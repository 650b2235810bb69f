package dev.berth.server.store;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import com.zaxxer.hikari.util.DriverDataSource;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Properties;
import java.util.Set;
import java.util.function.UnaryOperator;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Opens the store in a PostgreSQL, which several processes may share. */
public final class PostgresStore {
    private static final Logger LOG = LoggerFactory.getLogger(PostgresStore.class);
    static final Migrations MIGRATIONS = new Migrations("postgresql", true);

    private static final int OLDEST = 14;

    /** How long somebody waits for a connection, where there is none: a service that is away should say so. */
    private static final Duration CONNECTING = Duration.ofSeconds(3);
    /** How long a batch waits for a pool that another process has. */
    private static final Duration LOCKING = Duration.ofSeconds(10);

    private static final Duration STATEMENT = Duration.ofSeconds(15);
    /**
     * A process that stops in mid transaction (it was suspended, or its network is gone) keeps nobody waiting for longer: less than
     * somebody waits for a lock.
     */
    private static final Duration IDLE_IN_TRANSACTION = Duration.ofSeconds(8);
    /** Longer than any of the above: they are answered by the database, and this is for one that answers nothing any more. */
    private static final Duration SILENCE = Duration.ofSeconds(25);

    /** Not there, not allowed, not supported. */
    private static final Set<String> UNKNOWN_FUNCTION = Set.of("42883", "42501", "0A000");

    private PostgresStore() {}

    /**
     * Opens the store, brought up to date where necessary.
     *
     * @param environment the process's environment, by name, for the password
     * @throws StoreException where it cannot be reached
     * @throws UnknownSchemaException where it holds something else, or what another version made
     * @throws UnfitDatabaseException where it can be, and cannot be used like this
     */
    public static Store open(PostgresUrl url, UnaryOperator<@Nullable String> environment) {
        return new SqlStore(database(url, environment));
    }

    static Database database(PostgresUrl url, UnaryOperator<@Nullable String> environment) {
        var properties = properties(url, environment);
        var plain = plain(url, properties);
        var durability = check(url, plain);
        MIGRATIONS.apply(plain);
        Generations.checkThatItIsHere(plain, url.toString());
        return new PostgresDatabase(pool(url, properties, durability), lasting(url, properties), origin(url, plain));
    }

    /** Connections one by one to a database that can be the store. */
    static DataSource checked(PostgresUrl url, UnaryOperator<@Nullable String> environment) {
        var properties = properties(url, environment);
        properties.setProperty("reWriteBatchedInserts", "true");
        var plain = plain(url, properties);
        check(url, plain);
        return plain;
    }

    /** Connections one by one, to be kept, by which a server that answers nothing any more is noticed. */
    private static PostgresNotifications.Connections lasting(PostgresUrl url, Properties properties) {
        var bounded = new Properties();
        bounded.putAll(properties);
        bounded.setProperty("socketTimeout", seconds(SILENCE));
        return plain(url, bounded)::getConnection;
    }

    /** An engine that only speaks like PostgreSQL may not tell. */
    private static String origin(PostgresUrl url, DataSource source) {
        try (var connection = source.getConnection();
                var statement = connection.prepareStatement("SELECT " + PostgresDatabase.ORIGIN);
                var row = statement.executeQuery()) {
            row.next();
            return PostgresDatabase.ORIGIN;
        } catch (SQLException e) {
            if (!UNKNOWN_FUNCTION.contains(String.valueOf(e.getSQLState()))) {
                throw failure(url, e);
            }
            LOG.warn("{} does not tell when it was restored, or another server took over: {}", url, said(e));
            return "'-'";
        }
    }

    private static Properties properties(PostgresUrl url, UnaryOperator<@Nullable String> environment) {
        var properties = url.properties(environment);
        properties.setProperty("targetServerType", "primary");
        properties.setProperty("connectTimeout", seconds(CONNECTING));
        properties.setProperty("loginTimeout", seconds(CONNECTING.multipliedBy(2)));
        properties.setProperty("tcpKeepAlive", "true");
        return properties;
    }

    private static String seconds(Duration duration) {
        return String.valueOf(duration.toSeconds());
    }

    /** Connections one by one, without any bound for what is done: a migration may take its time. */
    private static DataSource plain(PostgresUrl url, Properties properties) {
        return new DriverDataSource(url.jdbc(), null, properties, null, null);
    }

    // ---- what is checked before anything is changed

    /** Returns how sure a commit is, as the server has it for this user and database. */
    private static String check(PostgresUrl url, DataSource source) {
        try (var connection = source.getConnection()) {
            int version = Integer.parseInt(setting(connection, "server_version_num")) / 10_000;
            if (version < OLDEST) {
                throw new UnfitDatabaseException(
                        "%s is PostgreSQL %d: %d or newer is needed".formatted(url, version, OLDEST));
            }
            var encoding = setting(connection, "server_encoding");
            if (!encoding.equals("UTF8")) {
                throw new UnfitDatabaseException(
                        "%s is in %s: create the database with ENCODING 'UTF8'".formatted(url, encoding));
            }
            var durability = setting(connection, "synchronous_commit");
            if (durability.equals("off")) {
                throw new UnfitDatabaseException(
                        "%s has synchronous_commit = off, with which a crash takes back what was answered: set it to on, for the server, the database or the user"
                                .formatted(url));
            }
            if (setting(connection, "fsync").equals("off")) {
                LOG.warn("{} has fsync = off: a crash of its machine can lose everything", url);
            }
            return durability;
        } catch (SQLException e) {
            throw failure(url, e);
        }
    }

    private static String setting(Connection connection, String name) throws SQLException {
        try (var statement = connection.prepareStatement("SELECT current_setting(?)")) {
            statement.setString(1, name);
            try (var row = statement.executeQuery()) {
                row.next();
                return row.getString(1);
            }
        }
    }

    /** What the server says has no secret in it, nor has what the driver says where it failed to connect. */
    private static RuntimeException failure(PostgresUrl url, SQLException e) {
        var said = said(e);
        return switch (String.valueOf(e.getSQLState())) {
            case "28P01", "28000" -> noEntry(url, said, e);
            case "08004" -> // "rejected", for several reasons
                said.contains("password") ? noEntry(url, said, e) : unreachable(url, said, e);
            case "3D000" -> new UnfitDatabaseException("%s: %s: create it first".formatted(url, said), e);
            case "42501" -> new UnfitDatabaseException("%s: %s".formatted(url, said), e);
            default -> unreachable(url, said, e);
        };
    }

    private static UnfitDatabaseException noEntry(PostgresUrl url, String said, SQLException e) {
        return new UnfitDatabaseException(
                "%s does not let us in: %s; for a password, %s".formatted(url, said, PostgresUrl.WHERE_A_PASSWORD_GOES),
                e);
    }

    private static StoreException unreachable(PostgresUrl url, String said, SQLException e) {
        return new StoreException("%s cannot be reached: %s".formatted(url, said), e);
    }

    private static String said(SQLException e) {
        return String.valueOf(e.getMessage()).lines().findFirst().orElse("").replaceFirst("^FATAL: ", "");
    }

    // ---- connections

    private static HikariDataSource pool(PostgresUrl url, Properties properties, String durability) {
        var config = new HikariConfig();
        config.setPoolName("berth");
        config.setJdbcUrl(url.jdbc());
        config.setDataSourceProperties(properties);
        config.addDataSourceProperty("socketTimeout", seconds(SILENCE));
        // The few statements there are run over and over: each is planned by the server once for a connection, and kept
        // by the driver
        // when the connection goes back to the pool.
        config.addDataSourceProperty("prepareThreshold", "2");
        config.addDataSourceProperty("preparedStatementCacheQueries", "512");
        config.setMaximumPoolSize(PostgresDatabase.LANES);
        config.setMinimumIdle(PostgresDatabase.LANES);
        config.setConnectionTimeout(CONNECTING.toMillis());
        config.setValidationTimeout(CONNECTING.toMillis() - 500);
        config.setInitializationFailTimeout(-1);
        // Whatever is set for the server, the database or the user by then: these are what the store relies on.
        config.setConnectionInitSql(
                """
                SET default_transaction_isolation = 'read committed'; SET synchronous_commit = '%s';
                SET lock_timeout = %d; SET statement_timeout = %d; SET idle_in_transaction_session_timeout = %d""".formatted(durability, LOCKING.toMillis(), STATEMENT.toMillis(), IDLE_IN_TRANSACTION.toMillis()));
        return new HikariDataSource(config);
    }
}
