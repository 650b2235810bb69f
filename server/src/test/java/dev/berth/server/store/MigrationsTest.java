package dev.berth.server.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MigrationsTest {
    private static final String NEWER = """
            INSERT INTO flyway_schema_history
                (installed_rank, version, description, type, script, checksum, installed_by, execution_time, success)
            VALUES (1000, '1000', 'more', 'SQL', 'V1000__more.sql', 7, '', 1, true)""";

    private static final String CHECKSUMS = "SELECT checksum FROM flyway_schema_history ORDER BY installed_rank";

    @TempDir
    private Path folder;

    @Test
    void theStoreKnowsAllMigrationsAndTheirOrder() throws Exception {
        for (var migrations : List.of(SqliteStore.MIGRATIONS, PostgresStore.MIGRATIONS)) {
            var folder = Path.of(Objects.requireNonNull(Migrations.class.getResource(migrations.folder()))
                    .toURI());
            try (var files = Files.list(folder)) {
                assertThat(files.map(file -> file.getFileName().toString()).filter(name -> name.startsWith("V")))
                        .containsExactlyInAnyOrderElementsOf(migrations.files());
            }
            for (int i = 0; i < migrations.files().size(); i++) {
                assertThat(migrations.files().get(i)).startsWith("V" + (i + 1) + "__");
            }
        }
    }

    @Test
    void aPostgresThatThisVersionMadeHasTheChecksumThatIsLookedForAndANewerOneIsUsedToo() throws Exception {
        try (var database = TestPostgres.create()) {
            database.open().close();
            try (var connection = database.connect();
                    var statement = connection.createStatement();
                    var rows = statement.executeQuery(CHECKSUMS)) {
                assertThat(checksums(rows)).isEqualTo(checksums(PostgresStore.MIGRATIONS));
            }
            database.run(NEWER);
            database.open().close();
            database.run("UPDATE flyway_schema_history SET checksum = checksum - 1");
            assertThatThrownBy(database::open).isInstanceOf(UnknownSchemaException.class);
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
                var rows = statement.executeQuery(CHECKSUMS)) {
            assertThat(checksums(rows)).isEqualTo(checksums(SqliteStore.MIGRATIONS));
        }
    }

    @Test
    void aFileOfTheFirstVersionIsBroughtUpToDateAndKeepsWhatItHas() throws Exception {
        firstOnly(SqliteStore.MIGRATIONS).apply(SqliteStore.plain(file()));
        change(file(), "INSERT INTO token VALUES ('t', 'ci', 'hash', 1, NULL, NULL)");
        change(file(), "INSERT INTO idempotency_key VALUES ('ci', 'job 7', '1-a', 'digest')");
        try (var store = open()) {
            assertThat(store.tokens()).extracting(Store.Token::id).containsExactly("t");
            assertThat(store.accessKeys()).isEmpty();
        }
        open().close();
        try (var connection = DriverManager.getConnection("jdbc:sqlite:" + file());
                var statement = connection.createStatement();
                var keys = statement.executeQuery(
                        "SELECT allocation || ' ' || digest FROM idempotency_key WHERE principal = 'ci' AND key = 'job 7'")) {
            assertThat(keys.next()).isTrue();
            assertThat(keys.getString(1)).isEqualTo("1-a digest");
        }
        assertThat(StorePlace.sqlite("it", file()).versions())
                .isEqualTo(new StorePlace.Versions(SqliteStore.MIGRATIONS.version(), SqliteStore.MIGRATIONS.version()));
    }

    @Test
    void aPostgresOfTheFirstVersionIsBroughtUpToDateAndKeepsWhatItHas() throws Exception {
        try (var database = TestPostgres.createEmpty()) {
            firstOnly(PostgresStore.MIGRATIONS).apply(PostgresStore.checked(database.url(), _ -> null));
            database.run("INSERT INTO token VALUES ('t', 'ci', 'hash', 1, NULL, NULL)");
            try (var store = database.open()) {
                assertThat(store.tokens()).extracting(Store.Token::id).containsExactly("t");
                assertThat(store.accessKeys()).isEmpty();
            }
        }
    }

    /** As the version was that had no other. */
    private static Migrations firstOnly(Migrations migrations) {
        return new Migrations(migrations.folder(), migrations.files().subList(0, 1), migrations.newerIsFine());
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
        change(made(), NEWER);
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

    private Store open() {
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

    private static List<Integer> checksums(Migrations migrations) {
        return migrations.files().stream().map(migrations::checksum).toList();
    }

    private static List<Integer> checksums(ResultSet rows) throws SQLException {
        var all = new ArrayList<Integer>();
        while (rows.next()) {
            all.add(rows.getInt(1));
        }
        return all;
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
