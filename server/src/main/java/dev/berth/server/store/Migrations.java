package dev.berth.server.store;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.zip.CRC32;
import javax.sql.DataSource;
import org.flywaydb.core.Flyway;
import org.flywaydb.core.api.CoreErrorCode;
import org.flywaydb.core.api.FlywayException;
import org.flywaydb.core.api.exception.FlywayValidateException;
import org.jspecify.annotations.Nullable;

/**
 * Brings a database's schema up to date. Of several processes that do so at once, one does, and the others wait for it.
 *
 * @param folder below this package, with the migrations of one kind of database
 * @param files all of them in their order, {@code VVERSION__NAME.sql}
 * @param newerIsFine whether a newer version of berth may have been here: processes of both use the database while they are replaced one
 *     by one
 */
record Migrations(String folder, List<String> files, boolean newerIsFine) {
    /** Those that there are, for each kind of database. */
    private static final List<String> ALL = List.of(
            "V1__ledger.sql",
            "V2__access_keys.sql",
            "V3__key_check.sql",
            "V4__baselines.sql",
            "V5__withheld.sql",
            "V6__pages.sql");

    Migrations {
        files = List.copyOf(files);
    }

    /** All of them. */
    Migrations(String folder, boolean newerIsFine) {
        this(folder, ALL, newerIsFine);
    }

    /** One that was done, as Flyway notes it. */
    private record Done(String version, int checksum) {}

    /** The whole schema, as it comes to be. */
    String text() {
        return files.stream().map(this::text).collect(Collectors.joining("\n"));
    }

    private String text(String file) {
        try (var in = Migrations.class.getResourceAsStream(folder + "/" + file)) {
            if (in == null) {
                throw new IllegalStateException("the migration " + file + " is missing");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new StoreException("cannot read the schema", e);
        }
    }

    /** Of the newest one. */
    String version() {
        return version(files.getLast());
    }

    private static String version(String file) {
        return file.substring(1, file.indexOf("__"));
    }

    /** As Flyway does it, from the lines without their ends. */
    int checksum(String file) {
        var crc = new CRC32();
        text(file).lines().forEach(line -> crc.update(line.getBytes(StandardCharsets.UTF_8)));
        return (int) crc.getValue();
    }

    /**
     * @throws UnknownSchemaException where the database holds something else, or what another version made: it is left as it is
     * @throws StoreException where it cannot be done
     */
    void apply(DataSource source) {
        if (isUpToDate(source)) {
            return;
        }
        try {
            Flyway.configure(Migrations.class.getClassLoader())
                    .dataSource(source)
                    .locations("classpath:dev/berth/server/store/" + folder)
                    .target(version())
                    .ignoreMigrationPatterns(newerIsFine ? new String[] {"*:future"} : new String[0])
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

    /** Which version the database is of, by the last migration that was done; null where it is new. */
    @Nullable
    String versionOf(DataSource source) {
        try (var connection = source.getConnection();
                var statement = connection.createStatement();
                var last = statement.executeQuery(
                        "SELECT version, success FROM flyway_schema_history ORDER BY installed_rank DESC LIMIT 1")) {
            return last.next() && last.getBoolean(2) ? last.getString(1) : null;
        } catch (SQLException e) {
            if (String.valueOf(e.getMessage()).contains("flyway_schema_history")) {
                return null; // there is no such table, in whatever language the database says so
            }
            throw new StoreException("cannot tell the version of the schema: " + e.getMessage(), e);
        }
    }

    private List<Done> all() {
        return files.stream()
                .map(file -> new Done(version(file), checksum(file)))
                .toList();
    }

    /** Where it was made as it stands here, Flyway has nothing to do, and would take half a second of each start to find that out. */
    private boolean isUpToDate(DataSource source) {
        try (var connection = source.getConnection();
                var statement = connection.createStatement();
                var row = statement.executeQuery(
                        "SELECT version, checksum, success FROM flyway_schema_history ORDER BY installed_rank")) {
            var done = new ArrayList<Done>();
            while (row.next()) {
                if (!row.getBoolean(3)) {
                    return false;
                }
                done.add(new Done(row.getString(1), row.getInt(2)));
            }
            return done.equals(all());
        } catch (SQLException e) {
            return false; // a new database has no such table; where something else is wrong, Flyway tells it
        }
    }
}
