package dev.berth.server.store;

import static dev.berth.server.store.Samples.NOON;
import static dev.berth.server.store.Samples.environment;
import static dev.berth.server.store.Samples.free;
import static dev.berth.server.store.Samples.policy;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.core.EnvironmentName;
import dev.berth.core.Pool;
import dev.berth.core.PoolName;
import dev.berth.server.store.CuttingProxy.At;
import dev.berth.server.store.Samples.Draft;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The connection is cut in the middle of COMMIT: what became of it is found out, and never told before it is sure. */
class PostgresCommitTest {
    private static final EnvironmentName E = new EnvironmentName("e");

    private final TestPostgres database = TestPostgres.emptied();
    private final CuttingProxy proxy = new CuttingProxy(database.port());
    private final Store store = database.open();
    private final Store cut = PostgresStore.open(database.url(proxy.port()), TestPostgres::noVariable);
    private Pool pool;

    @BeforeEach
    void pool() {
        try (var transaction = store.begin()) {
            pool = transaction.create(new PoolName("pool"), policy(), NOON);
            transaction.commit();
        }
    }

    @AfterEach
    void close() throws IOException {
        proxy.close();
        cut.close();
        store.close();
    }

    private void commit(String batch, At at) {
        proxy.cut(at);
        try (var transaction = cut.begin()) {
            transaction.lock(pool.name());
            transaction.write(
                    new Draft(pool).add(environment(pool, "e", free())).decision(), pool);
            transaction.stamp(batch, NOON);
            assertThatThrownBy(transaction::commit).isInstanceOf(StoreException.class);
        }
        proxy.cut(At.NEVER);
    }

    @ParameterizedTest
    @CsvSource({"BEFORE_COMMIT, false", "AFTER_COMMIT, true"})
    void whetherItWasCommittedIsFoundOut(At at, boolean committed) {
        commit("p/1", at);
        assertThat(cut.committed("p/1")).isEqualTo(committed);
        assertThat(store.environment(E).isPresent()).isEqualTo(committed);
    }

    /** Also for the first batch of a process, which leaves a row where there was none to be locked. */
    @ParameterizedTest
    @CsvSource({
        "COMMIT_ON_ITS_WAY, true, true",
        "COMMIT_ON_ITS_WAY, false, true",
        "NEWS_ON_ITS_WAY, true, false",
        "NEWS_ON_ITS_WAY, false, false"
    })
    void aTransactionThatIsStillOpenAtTheOtherEndIsWaitedFor(At at, boolean isFirst, boolean committed)
            throws Exception {
        if (!isFirst) {
            try (var transaction = store.begin()) {
                transaction.stamp("p/1", NOON);
                transaction.commit();
            }
        }
        commit("p/2", at);
        var found = CompletableFuture.supplyAsync(() -> cut.committed("p/2"));
        awaitSomebodyWaiting();
        assertThat(found).isNotDone();
        proxy.release();
        assertThat(found.get(60, TimeUnit.SECONDS)).isEqualTo(committed);
        assertThat(store.environment(E).isPresent()).isEqualTo(committed);
    }

    private void awaitSomebodyWaiting() throws Exception {
        long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        while (database.waiting() == 0) {
            assertThat(System.nanoTime()).as("somebody waits in time").isLessThan(deadline);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aStoreThatWentAwayIsUsedAgainWhenItIsBack(boolean whileIdle) {
        assertThat(cut.isUsable()).isTrue();
        if (!whileIdle) {
            var transaction = cut.begin();
            assertThat(transaction.lock(pool.name())).isPresent();
            proxy.goAway();
            assertThatThrownBy(() -> transaction.stamp("p/1", NOON)).isInstanceOf(StoreException.class);
            transaction.close();
        } else {
            proxy.goAway();
        }
        assertThat(cut.isUsable()).isFalse();
        assertThatThrownBy(cut::begin).isInstanceOf(StoreException.class);
        proxy.comeBack();
        long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        while (!cut.isUsable()) {
            assertThat(System.nanoTime()).as("usable again in time").isLessThan(deadline);
        }
        assertThat(cut.pools()).hasSize(1);
        try (var transaction = cut.begin()) { // nobody else holds the pool
            assertThat(transaction.lock(pool.name())).isPresent();
            transaction.stamp("p/2", NOON);
            transaction.commit();
        }
        assertThat(cut.committed("p/2")).isTrue();
        assertThat(cut.committed("p/1")).isFalse();
    }

    @Test
    void connectionsThatTheServerEndsAreReplaced() {
        database.run(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()");
        long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        while (!store.isUsable()) {
            assertThat(System.nanoTime()).as("usable again in time").isLessThan(deadline);
        }
        assertThat(store.committed("p/1")).isFalse();
    }
}
