package dev.berth.server.store;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.function.UnaryOperator;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** Where a store is, or is to be: for what is done with it as a whole, while nobody serves it. */
public final class StorePlace {
    private final String name;
    private final @Nullable Path file;
    private final Migrations migrations;
    private final @Nullable DataSource database;

    private StorePlace(String name, @Nullable Path file, Migrations migrations, @Nullable DataSource database) {
        this.name = name;
        this.file = file;
        this.migrations = migrations;
        this.database = database;
    }

    /**
     * A SQLite file, which nobody else uses meanwhile; made by the first who needs it.
     *
     * @param name how it is told about
     */
    public static StorePlace sqlite(String name, Path file) {
        return new StorePlace(name, file, SqliteStore.MIGRATIONS, null);
    }

    /**
     * A database on a PostgreSQL.
     *
     * @param environment the process's environment, by name, for the password
     * @throws StoreException where it cannot be reached
     * @throws UnfitDatabaseException where it can be, and cannot be a store
     */
    public static StorePlace postgres(PostgresUrl url, UnaryOperator<@Nullable String> environment) {
        return new StorePlace(url.toString(), null, PostgresStore.MIGRATIONS, PostgresStore.checked(url, environment));
    }

    /**
     * What a schema was, and what this version of berth makes of it.
     *
     * @param from null for a new database
     */
    public record Versions(@Nullable String from, String to) {
        /** Whether there is nothing to be done: the schema may also be newer. */
        public boolean isUpToDate() {
            return from != null && Integer.parseInt(from) >= Integer.parseInt(to);
        }

        public boolean isNewer() {
            return from != null && Integer.parseInt(from) > Integer.parseInt(to);
        }
    }

    /** Without a password. */
    public String name() {
        return name;
    }

    /** Whether there is a database at all. */
    public boolean exists() {
        return file == null || Files.exists(file);
    }

    /**
     * Changes nothing.
     *
     * @throws StoreException where it cannot be told
     */
    public Versions versions() {
        return new Versions(exists() ? migrations.versionOf(source()) : null, migrations.version());
    }

    /**
     * Brings the schema up to date. Of several who do so at once one does it, and the others wait.
     *
     * @return what it was before
     * @throws UnknownSchemaException where it holds something else, or what another version made: it is left as it is
     * @throws StoreException where it cannot be done
     */
    public Versions migrate() {
        var before = versions();
        migrations.apply(source());
        return before;
    }

    DataSource source() {
        return file == null ? Objects.requireNonNull(database) : SqliteStore.plain(file);
    }

    boolean isPostgres() {
        return file == null;
    }

    /** The highest generation that is known to have been in use there, beside what the store itself says. */
    int notedGeneration() {
        return file == null
                ? 0
                : new Mark(file).read().map(Mark.Progress::generation).orElse(0);
    }
}
