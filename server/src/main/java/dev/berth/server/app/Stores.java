package dev.berth.server.app;

import dev.berth.server.store.PostgresStore;
import dev.berth.server.store.PostgresUrl;
import dev.berth.server.store.SqliteStore;
import dev.berth.server.store.Store;
import dev.berth.server.store.StoreException;
import dev.berth.server.store.UnfitDatabaseException;
import dev.berth.server.store.UnknownSchemaException;
import java.nio.file.Path;

/** Opens the store, and says in a person's words why it cannot be. */
final class Stores {
    private Stores() {}

    static Store sqlite(Path file, SqliteStore.Synchronous synchronous) {
        try {
            return SqliteStore.open(file, synchronous);
        } catch (UnfitDatabaseException e) {
            throw new StartRefusedException(78, "The database " + e.getMessage() + ".", e);
        } catch (UnknownSchemaException e) {
            throw new StartRefusedException(
                    78,
                    "The database %s %s: start the version that made it, move the file away to begin anew, or give another folder with --data."
                            .formatted(file, e.getMessage()),
                    e);
        } catch (StoreException e) {
            throw new StartRefusedException(69, "The database " + file + " cannot be used: " + e.getMessage(), e);
        }
    }

    static Store postgres(String url) {
        try {
            return PostgresStore.open(PostgresUrl.parse(url), System::getenv);
        } catch (UnfitDatabaseException e) {
            throw new StartRefusedException(78, "--store: " + e.getMessage() + ".", e);
        } catch (UnknownSchemaException e) {
            throw new StartRefusedException(
                    78,
                    "--store: the database %s: name another one, or start the version that made it."
                            .formatted(e.getMessage()),
                    e);
        } catch (StoreException e) {
            throw new StartRefusedException(69, "--store: " + e.getMessage(), e);
        }
    }
}
