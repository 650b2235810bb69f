package dev.berth.server.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** No statement that runs often may look at more rows when the pool or its history grows. */
class QueryPlanTest {
    @TempDir
    Path folder;

    private final Set<String> statements = new LinkedHashSet<>();

    @Test
    void whatRunsOftenGoesByIndex() throws Exception {
        var file = folder.resolve("berth.db");
        SqliteStore.open(file, SqliteStore.Synchronous.OFF).close();
        try (var connection = DriverManager.getConnection("jdbc:sqlite:" + file);
                var store = new SqlStore(new SqliteDatabase(
                        new Lane(BusyStore.recording(connection, statements), SqliteDatabase::isConflict, false)))) {
            var pool = BusyStore.fill(store);
            statements.clear();
            BusyStore.runAll(store, pool);
            assertThat(statements).hasSizeGreaterThan(40);
            assertThat(statements)
                    .as("what needs make necessary")
                    .anyMatch(sql -> sql.contains("place = ?"))
                    .anyMatch(sql -> sql.contains("line = ?"))
                    .anyMatch(sql -> sql.contains("account > ? AND state = 'available'"))
                    .anyMatch(sql -> sql.contains("lendable = ? AND account = ?"))
                    .anyMatch(sql -> sql.contains("lendable = ? AND account > ?"))
                    .anyMatch(sql -> sql.contains("lendable = ? AND account IS NULL"))
                    .anyMatch(sql -> sql.contains("ORDER BY o.back_at"))
                    .anyMatch(sql -> sql.contains("MIN(CASE"))
                    .anyMatch(sql -> sql.contains("account IN"));

            var scans = new LinkedHashMap<String, String>();
            for (var sql : statements) {
                var lines = plan(connection, sql);
                for (var line : lines) {
                    // pools and processes are few, and so is what a subquery has limited, or what is inserted
                    boolean few = line.startsWith("SCAN pool")
                            || line.startsWith("SCAN batch")
                            || line.equals("SCAN about") // so far back goes a history
                            || line.endsWith("-ROW VALUES CLAUSE");
                    if (line.startsWith("SCAN") && !few && !lines.contains("CO-ROUTINE e")) {
                        scans.put(sql, line);
                    }
                    if (line.contains("TEMP B-TREE")
                            && !lines.contains("CO-ROUTINE e")
                            && !sql.contains("identity = ?")) { // few ever had the same
                        scans.put(sql, line);
                    }
                }
            }
            assertThat(scans).isEmpty();
            var free = statements.stream()
                    .filter(sql -> sql.startsWith("SELECT name FROM environment") && sql.contains("ORDER BY turn"))
                    .findFirst()
                    .orElseThrow();
            assertThat(plan(connection, free))
                    .as("which are free is told without their rows")
                    .singleElement()
                    .asString()
                    .contains("COVERING INDEX environment_free ");
        }
    }

    private static List<String> plan(Connection connection, String sql) throws SQLException {
        if (sql.startsWith("BEGIN") || sql.startsWith("COMMIT") || sql.startsWith("ROLLBACK")) {
            return List.of();
        }
        var lines = new ArrayList<String>();
        try (var statement = connection.prepareStatement("EXPLAIN QUERY PLAN " + sql);
                var rows = statement.executeQuery()) {
            while (rows.next()) {
                lines.add(rows.getString("detail"));
            }
        }
        return lines;
    }
}
