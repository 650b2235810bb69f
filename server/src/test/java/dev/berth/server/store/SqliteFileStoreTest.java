package dev.berth.server.store;

import static dev.berth.server.store.Samples.NOON;
import static dev.berth.server.store.Samples.policy;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.core.PoolName;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The contract on a file, with the settings of production. */
class SqliteFileStoreTest extends StoreContract {
    private static final int TOKENS = 20_000;

    @TempDir
    Path folder;

    @Override
    Store open() {
        return SqliteStore.open(file(), SqliteStore.Synchronous.FULL);
    }

    @Test
    void readsDuringAnOpenTransactionSeeWhatIsCommitted() {
        readDuringAnOpenTransaction();
    }

    private Path file() {
        return folder.resolve("berth.db");
    }

    @Test
    void allIsThereAfterOpeningItAgain() {
        store.close();
        store = open();
        assertThat(store.pools()).containsExactly(pool);
        try (var transaction = store.begin()) {
            assertThat(transaction.create(new PoolName("next"), policy(), NOON).number())
                    .isGreaterThan(pool.number());
        }
    }

    @Test
    void aClosedStoreIsNotUsable() {
        store.close();
        assertThat(store.isUsable()).isFalse();
        store = open();
    }

    @Test
    void aFileThatIsNoDatabaseIsRefused() throws Exception {
        var other = folder.resolve("text.db");
        Files.writeString(other, "not a database, but long enough to be looked at as one\n".repeat(100));
        assertThatThrownBy(() -> SqliteStore.open(other, SqliteStore.Synchronous.FULL))
                .isInstanceOf(StoreException.class);
    }

    @Test
    void theLogIsCopiedBesideTheWriterAndDoesNotGrowWithoutEnd() throws Exception {
        store.close();
        store = SqliteStore.open(file(), SqliteStore.Synchronous.OFF);
        long before = Files.size(file());
        for (int i = 0; i < TOKENS; i++) {
            store.addToken(new Store.Token("token-" + i, "ci", "hash-" + i, NOON, null, null));
        }
        // Each of these commits writes three pages at least, one of the table and one of each index.
        assertThat(Files.size(log())).isLessThan(TOKENS * 3L * 4096 / 2);
        long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        while (Files.size(file()) < before + TOKENS * 20L) {
            assertThat(System.nanoTime()).as("the log is copied in time").isLessThan(deadline);
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
        }
        assertThat(store.tokens()).hasSize(TOKENS);
    }

    private Path log() {
        return folder.resolve("berth.db-wal");
    }

    @Test
    void whoeverElseWritesFailsTheTransactionAndNotTheStore() throws Exception {
        try (var other = DriverManager.getConnection("jdbc:sqlite:" + file());
                var statement = other.createStatement()) {
            statement.execute("DROP TABLE event");
        }
        assertThatThrownBy(() -> store.events(Map.of(), 1)).isInstanceOf(StoreException.class);
        assertThat(store.isUsable()).isTrue();
    }
}
