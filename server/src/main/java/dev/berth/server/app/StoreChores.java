package dev.berth.server.app;

import dev.berth.server.auth.AccessVault;
import dev.berth.server.auth.Authenticator;
import dev.berth.server.auth.Directory;
import dev.berth.server.auth.Principal;
import dev.berth.server.auth.TokenDesk;
import dev.berth.server.ledger.LedgerException;
import dev.berth.server.store.PostgresUrl;
import dev.berth.server.store.SqliteStore;
import dev.berth.server.store.Store;
import dev.berth.server.store.StoreCopy;
import dev.berth.server.store.StoreException;
import dev.berth.server.store.StorePlace;
import dev.berth.server.store.UnfitDatabaseException;
import dev.berth.server.store.UnknownSchemaException;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** What is done with a store as a whole, beside serving it. Each refuses with a {@link StartRefusedException}. */
public final class StoreChores {
    private StoreChores() {}

    /**
     * Brings a schema up to date.
     *
     * @param store the URL of a PostgreSQL, or the path of a data folder
     * @return what it was, and is now
     */
    public static StorePlace.Versions migrate(String store) {
        return at(store, true, place -> place.migrate());
    }

    /** What {@link #migrate} would do. Changes nothing, also where a service runs. */
    public static StorePlace.Versions versions(String store) {
        return explained(() -> (PostgresUrl.isOne(store)
                        ? StorePlace.postgres(PostgresUrl.parse(store), System::getenv)
                        : StorePlace.sqlite(store, file(Path.of(store))))
                .versions());
    }

    /**
     * Moves a store to another, empty database, and marks it so that it is served no more.
     *
     * @param from the URL of a PostgreSQL, or the path of a data folder or of its database
     * @param to the URL of a PostgreSQL, or the path of a data folder
     * @param told of each table
     * @return the generation that the copy begins with
     */
    public static int copy(String from, String to, Consumer<StoreCopy.Copied> told) {
        if (!PostgresUrl.isOne(from) && Files.notExists(file(Path.of(from)))) {
            throw new StartRefusedException(78, "There is no database " + file(Path.of(from)) + " to be copied.");
        }
        if (!PostgresUrl.isOne(to) && Files.isRegularFile(Path.of(to))) {
            throw new StartRefusedException(78, to + " is a file: give a data folder, or the URL of a PostgreSQL.");
        }
        return at(from, false, source -> at(to, true, target -> StoreCopy.copy(source, target, told)));
    }

    /**
     * Copies the database of a data folder, also while a service runs, as it is at one instant.
     *
     * @param to a file that is not there yet
     */
    public static void backup(Path data, Path to) {
        try {
            explained(() -> {
                try {
                    SqliteStore.backup(file(data), to.toAbsolutePath());
                } catch (FileAlreadyExistsException e) {
                    throw new StartRefusedException(78, to + " is there already, and is left as it is.", e);
                } catch (NoSuchFileException e) {
                    throw new StartRefusedException(78, e.getMessage() + " is not there.", e);
                }
                return List.of();
            });
        } catch (IOException e) {
            throw new StartRefusedException(75, "The copy cannot be written: " + e.getMessage(), e);
        }
    }

    /**
     * Has a store take another key in place of one that is lost. Access that is stored under that one cannot be read any more.
     *
     * @param store the URL of a PostgreSQL, or the path of a data folder
     * @param keyFile which is there
     */
    public static void replaceKey(String store, Path keyFile) {
        if (Files.notExists(keyFile)) {
            throw new StartRefusedException(78, "The key file " + keyFile + " is missing.");
        }
        AccessVault vault;
        try {
            vault = AccessVault.open(keyFile);
        } catch (AccessVault.UnusableKey e) {
            throw new StartRefusedException(78, e.getMessage() + ".", e);
        }
        if (PostgresUrl.isOne(store)) {
            try (var opened = Stores.postgres(store)) {
                replaceKey(opened, vault);
            }
            return;
        }
        var folder = DataFolder.open(Path.of(store));
        try (var opened = Stores.sqlite(folder.database(), SqliteStore.Synchronous.FULL)) {
            replaceKey(opened, vault);
        } finally {
            folder.close();
        }
    }

    private static void replaceKey(Store store, AccessVault vault) {
        explained(() -> {
            store.replaceKeyCheck(vault.check());
            return List.of();
        });
    }

    /**
     * A new token of the built-in admin, by which somebody gets in where no principal is configured.
     *
     * @param store the URL of a PostgreSQL
     * @param expires after how long it stops working; null for never
     */
    public static TokenDesk.Created adminToken(String store, @Nullable Duration expires) {
        try (var opened = Stores.postgres(store)) {
            var now = now(opened);
            var directory = Directory.of(List.of());
            var authenticator = new Authenticator(opened, () -> directory, () -> now);
            return new TokenDesk(opened, () -> directory, authenticator, () -> now, new SecureRandom())
                    .create(Principal.ADMIN.name(), expires)
                    .orElseThrow();
        } catch (StoreException | LedgerException e) {
            throw new StartRefusedException(69, "--store: " + e.getMessage(), e);
        }
    }

    private static Instant now(Store store) {
        try (var transaction = store.begin()) {
            return Objects.requireNonNull(transaction.moment().now(), "a PostgreSQL tells the time");
        }
    }

    /** The database of a data folder, where it is not named itself. */
    private static Path file(Path path) {
        return Files.isRegularFile(path) ? path : path.resolve("berth.db");
    }

    /** Works on a store; on one in a data folder, while no service has the folder. */
    private static <T> T at(String store, boolean making, Function<StorePlace, T> work) {
        if (PostgresUrl.isOne(store)) {
            return explained(() -> work.apply(StorePlace.postgres(PostgresUrl.parse(store), System::getenv)));
        }
        var path = Path.of(store).toAbsolutePath().normalize();
        var folder = Files.isRegularFile(path) ? Objects.requireNonNull(path.getParent()) : path;
        // A copy that lies somewhere is nobody's.
        var locked = making || Files.exists(folder.resolve("lock")) ? DataFolder.open(folder) : null;
        try {
            return explained(() -> work.apply(StorePlace.sqlite(path.toString(), file(path))));
        } finally {
            if (locked != null) {
                locked.close();
            }
        }
    }

    @FunctionalInterface
    private interface Work<T, E extends Exception> {
        T run() throws E;
    }

    private static <T, E extends Exception> T explained(Work<T, E> work) throws E {
        try {
            return work.run();
        } catch (UnfitDatabaseException e) {
            throw new StartRefusedException(78, e.getMessage() + ".", e);
        } catch (UnknownSchemaException e) {
            throw new StartRefusedException(78, "The database " + e.getMessage() + ".", e);
        } catch (StoreException e) {
            throw new StartRefusedException(69, String.valueOf(e.getMessage()), e);
        }
    }
}
