package dev.berth.server.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
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
        change(made(), "UPDATE flyway_schema_history SET success = 0");
        assertThatThrownBy(this::open).isInstanceOf(StoreException.class);
    }

    @Test
    void aFileThatThisVersionMadeIsOpenedAgainAndHasTheChecksumThatIsLookedFor() throws Exception {
        made();
        open().close();
        try (var connection = DriverManager.getConnection("jdbc:sqlite:" + file());
                var statement = connection.createStatement();
                var row = statement.executeQuery("SELECT checksum FROM flyway_schema_history WHERE version = '"
                        + SqliteStore.NEWEST_MIGRATION + "'")) {
            assertThat(row.next()).isTrue();
            assertThat(row.getInt(1)).isEqualTo(SqliteStore.checksum(SqliteStore.schema()));
        }
    }

    @Test
    void aSchemaThatWasMadeByAnEarlierTextOfTheMigrationIsNotOurs() throws Exception {
        change(made(), "UPDATE flyway_schema_history SET checksum = checksum - 1");
        assertThatThrownBy(this::open)
                .isInstanceOf(UnknownSchemaException.class)
                .hasMessage("was made by another version of berth");
    }

    @Test
    void aSchemaOfANewerVersionIsNotOurs() throws Exception {
        change(made(), """
                INSERT INTO flyway_schema_history
                    (installed_rank, version, description, type, script, checksum, installed_by, execution_time, success)
                VALUES (1000, '1000', 'more', 'SQL', 'V1000__more.sql', 7, '', 1, 1)""");
        assertThatThrownBy(this::open)
                .isInstanceOf(UnknownSchemaException.class)
                .hasMessage("was made by another version of berth");
    }

    @Test
    void aDatabaseOfSomethingElseIsNotOursAndIsLeftAsItIs() throws Exception {
        change(file(), "CREATE TABLE recipe (name TEXT)");
        assertThatThrownBy(this::open)
                .isInstanceOf(UnknownSchemaException.class)
                .hasMessage("has tables that are not berth's");
        assertThat(tables(file())).containsExactly("recipe");
    }

    @Test
    void aFileThatIsNoDatabaseIsNotOurs() throws Exception {
        Files.writeString(file(), "a letter to my aunt, which is long enough to be looked at ".repeat(100));
        assertThatThrownBy(this::open)
                .isInstanceOf(UnknownSchemaException.class)
                .hasMessage("is no SQLite database");
    }

    private Path file() {
        return folder.resolve("berth.db");
    }

    private SqliteStore open() {
        return SqliteStore.open(file(), SqliteStore.Synchronous.FULL);
    }

    private Path made() {
        open().close();
        return file();
    }

    private static void change(Path file, String sql) throws SQLException {
        try (var connection = DriverManager.getConnection("jdbc:sqlite:" + file);
                var statement = connection.createStatement()) {
            statement.executeUpdate(sql);
        }
    }

    private static List<String> tables(Path file) throws SQLException {
        var names = new ArrayList<String>();
        try (var connection = DriverManager.getConnection("jdbc:sqlite:" + file);
                var statement = connection.createStatement();
                var rows = statement.executeQuery("SELECT name FROM sqlite_master WHERE type = 'table'")) {
            while (rows.next()) {
                names.add(rows.getString(1));
            }
        }
        return names;
    }
}
