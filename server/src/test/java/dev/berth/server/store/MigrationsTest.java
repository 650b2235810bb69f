package dev.berth.server.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MigrationsTest {
    @TempDir
    private Path folder;

    @Test
    void theStoreKnowsWhichMigrationIsTheLast() throws Exception {
        var migrations = Path.of(
                Objects.requireNonNull(SqliteStore.class.getResource("sqlite")).toURI());
        try (var files = Files.list(migrations)) {
            assertThat(files.map(file -> file.getFileName().toString())
                            .filter(name -> name.startsWith("V"))
                            .mapToInt(name -> Integer.parseInt(name.substring(1, name.indexOf("__"))))
                            .max())
                    .hasValue(Integer.parseInt(SqliteStore.NEWEST_MIGRATION));
        }
    }

    @Test
    void aFileWhoseLastMigrationFailedIsNotTakenAsUpToDate() throws Exception {
        var file = folder.resolve("berth.db");
        SqliteStore.open(file, SqliteStore.Synchronous.FULL).close();
        try (var connection = DriverManager.getConnection("jdbc:sqlite:" + file);
                var statement = connection.createStatement()) {
            statement.executeUpdate("UPDATE flyway_schema_history SET success = 0");
        }
        assertThatThrownBy(() -> SqliteStore.open(file, SqliteStore.Synchronous.FULL))
                .isInstanceOf(StoreException.class);
    }
}
