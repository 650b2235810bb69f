package dev.berth.server.store;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;

/** No statement that runs often may look at more rows when the pool or its history grows: also as PostgreSQL plans them. */
class PostgresPlanTest {
    /** Pools beside the one that is used, each as large: the planner knows that one pool is a part of all there is. */
    private static final int OTHERS = 24;

    /** Few rows, whatever the size of the pools. */
    private static final Set<String> FEW = Set.of("pool", "batch", "token");

    private final Set<String> statements = Collections.synchronizedSet(new LinkedHashSet<>());

    @Test
    void whatRunsOftenGoesByIndex() throws Exception {
        try (var database = TestPostgres.create();
                var store = new SqlStore(new PostgresDatabase(
                        recording(database), () -> recording(database).getConnection(), PostgresDatabase.ORIGIN))) {
            var pool = BusyStore.fill(store);
            multiply(database);
            statements.clear();
            BusyStore.runAll(store, pool);
            assertThat(statements).hasSizeGreaterThan(40);
            var scans = new LinkedHashMap<String, List<String>>();
            try (var connection = simple(database)) {
                for (var sql : List.copyOf(statements)) {
                    var plan = plan(connection, sql);
                    if (plan.stream().anyMatch(line -> readsAll(line) || (sorts(line) && !sortsFew(sql)))) {
                        scans.put(sql, plan);
                    }
                }
            }
            assertThat(scans).isEmpty();
        }
    }

    private static boolean readsAll(String line) {
        int at = line.indexOf("Seq Scan on ");
        return at >= 0
                && !FEW.contains(line.substring(at + "Seq Scan on ".length()).split(" ", 2)[0]);
    }

    private static boolean sorts(String line) {
        return line.contains("Sort  (");
    }

    /** Few ever had the same identity; pools, tokens and claims are few; of a pool's lines and shapes all are wanted. */
    private static boolean sortsFew(String sql) {
        return sql.contains("identity = ?")
                || sql.contains("FROM pool")
                || sql.contains("FROM token")
                || sql.contains("claimed = 1 AND issuing")
                || sql.contains("FROM line WHERE pool = ? ORDER BY")
                || sql.contains("FROM shape_count WHERE pool = ? ORDER BY");
    }

    private HikariDataSource recording(TestPostgres database) {
        var source = (DataSource) Proxy.newProxyInstance(
                getClass().getClassLoader(),
                new Class<?>[] {DataSource.class},
                (proxy, method, arguments) -> method.getReturnType() == Connection.class
                        ? BusyStore.recording(database.connect(), statements)
                        : method.getReturnType() == int.class ? 0 : null);
        var config = new HikariConfig();
        config.setDataSource(source);
        config.setMaximumPoolSize(PostgresDatabase.LANES);
        return new HikariDataSource(config);
    }

    /** Copies the pool's rows to other pools, and makes history. */
    private static void multiply(TestPostgres database) {
        database.run("""
                CREATE TEMP TABLE e AS SELECT * FROM environment;
                CREATE TEMP TABLE a AS SELECT * FROM allocation;
                DO $$ BEGIN
                    FOR other IN 1001..%d LOOP
                        UPDATE e SET pool = other, name = split_part(name, '/', 1) || '/' || other,
                            identity = split_part(identity, '/', 1) || '/' || other,
                            account = CASE WHEN mod(turn, 2) = 0 THEN 'account' || mod(turn, 500) END;
                        INSERT INTO environment SELECT * FROM e;
                        UPDATE a SET pool = other, id = other || '-' || split_part(id, '-', 2) || '-' || split_part(id, '-', 3);
                        INSERT INTO allocation SELECT * FROM a;
                        INSERT INTO ended_allocation
                            SELECT id, pool, principal, requester, count, need, needs, duration, asked_keepalive, max_wait, priority,
                                labels, idempotency_key, digest, sharer, arrival, rank, created_at, keepalive, created_at, NULL,
                                created_at, 'released', NULL, NULL FROM a;
                        INSERT INTO idempotency_key SELECT 'ann', id, id, digest FROM a;
                        INSERT INTO event SELECT other, n, n, 'allocated' FROM generate_series(1, 4000) AS n;
                        INSERT INTO environment_event SELECT pool, turn, name FROM e;
                        INSERT INTO holder SELECT other, 'holder' || n, 0, 0, 0, n, n FROM generate_series(1, 1000) AS n;
                        INSERT INTO line SELECT other, 'need' || n, '', NULL, 1 FROM generate_series(1, 200) AS n;
                        INSERT INTO shape_count SELECT other, 'shape' || n, 1, 1, 1, 1, 1 FROM generate_series(1, 200) AS n;
                    END LOOP;
                    INSERT INTO shape SELECT 'shape' || n, '{}' FROM generate_series(1, 4000) AS n;
                    INSERT INTO configuration SELECT n, repeat('x', 1000), 'digest' || n, n FROM generate_series(1, 1000) AS n;
                END $$;
                ANALYZE""".formatted(1000 + OTHERS));
    }

    /** Where the driver sends words as they are. */
    private static Connection simple(TestPostgres database) throws SQLException {
        return DriverManager.getConnection(database.url().jdbc() + "?preferQueryMode=simple", "postgres", "");
    }

    /** As it is planned once, for whatever values. */
    private static List<String> plan(Connection connection, String sql) throws SQLException {
        var parameters = new AtomicInteger();
        var numbered = Pattern.compile("\\?").matcher(sql).replaceAll(_ -> "\\$" + parameters.incrementAndGet());
        var lines = new ArrayList<String>();
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery("EXPLAIN (GENERIC_PLAN) " + numbered)) {
            while (rows.next()) {
                lines.add(rows.getString(1));
            }
        }
        return lines;
    }
}
