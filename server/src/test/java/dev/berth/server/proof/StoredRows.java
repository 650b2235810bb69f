package dev.berth.server.proof;

import dev.berth.server.proof.HistoryChecker.AllocationRow;
import dev.berth.server.proof.HistoryChecker.EnvironmentRow;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.json.JsonMapper;

/**
 * What a database holds that its process left behind. Read from a copy: whoever opens the file itself would mend it, and the service
 * is to show that it can.
 *
 * @param integrity what SQLite says of the file: {@code ok}, as it is for another database
 */
record StoredRows(String integrity, List<EnvironmentRow> environments, List<AllocationRow> allocations) {

    static StoredRows of(Path data, Path copies) {
        try {
            Files.createDirectories(copies);
            var copy = copies.resolve("berth.db");
            for (var suffix : List.of("", "-wal")) {
                Files.deleteIfExists(copies.resolve("berth.db" + suffix));
                var file = data.resolve("berth.db" + suffix);
                if (Files.exists(file)) {
                    Files.copy(file, copies.resolve("berth.db" + suffix), StandardCopyOption.REPLACE_EXISTING);
                }
            }
            Files.deleteIfExists(copies.resolve("berth.db-shm"));
            return read(copy);
        } catch (IOException | SQLException e) {
            throw new IllegalStateException("the database in " + data + " cannot be read", e);
        }
    }

    private static StoredRows read(Path database) throws SQLException {
        try (var connection = DriverManager.getConnection("jdbc:sqlite:" + database);
                var statement = connection.createStatement()) {
            String integrity;
            try (var rows = statement.executeQuery("PRAGMA integrity_check")) {
                integrity = rows.getString(1);
            }
            return read(statement, integrity);
        }
    }

    /** As of one instant, whoever writes meanwhile. */
    static StoredRows of(Connection postgres) {
        try (var statement = postgres.createStatement()) {
            postgres.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
            postgres.setAutoCommit(false);
            var rows = read(statement, "ok");
            postgres.rollback();
            return rows;
        } catch (SQLException e) {
            throw new IllegalStateException("the database cannot be read", e);
        }
    }

    private static StoredRows read(Statement statement, String integrity) throws SQLException {
        var environments = new ArrayList<EnvironmentRow>();
        var allocations = new ArrayList<AllocationRow>();
        try (var rows = statement.executeQuery(
                "SELECT name, state, due_at IS NOT NULL OR work_at IS NOT NULL, detail FROM environment")) {
            while (rows.next()) {
                environments.add(new EnvironmentRow(
                        rows.getString(1), rows.getString(2), rows.getBoolean(3), rows.getString(4)));
            }
        }
        try (var rows = statement.executeQuery("SELECT id, state, due_at IS NOT NULL, grants FROM allocation")) {
            while (rows.next()) {
                var lent = new ArrayList<String>();
                var grants = rows.getString(4);
                if (grants != null) {
                    JsonMapper.shared()
                            .readTree(grants)
                            .forEach(grant -> lent.add(grant.path("environment").asString()));
                }
                allocations.add(new AllocationRow(rows.getString(1), rows.getString(2), lent, rows.getBoolean(3)));
            }
        }
        return new StoredRows(integrity, environments, allocations);
    }
}
