package dev.berth.server.proof;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.server.app.BerthServer;
import dev.berth.server.app.ServeOptions;
import dev.berth.server.app.ServerUnderTest;
import dev.berth.server.app.StartRefusedException;
import dev.berth.server.app.StoreChores;
import dev.berth.server.auth.AccessVault;
import dev.berth.server.store.CuttingProxy;
import dev.berth.server.store.TestPostgres;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The whole service on a PostgreSQL that can go away. */
class PostgresServiceTest {
    private static final String POOLS = """
            pools:
              lab: { provider: fixed, session: 1h }
              shop:
                provider: command
                session: 1h
                on-register: adopt
                command: { clean: { shell: "exit 0" } }
            environments:
              - { name: board-1, pool: lab, connection: { host: board-1 } }
              - { name: board-2, pool: lab, connection: { host: board-2 } }
              - { name: shop-1, pool: shop }
            """;

    @TempDir
    private Path folder;

    private TestPostgres database;
    private CuttingProxy proxy;
    private Site site;

    @BeforeEach
    void open() throws Exception {
        database = TestPostgres.create();
        proxy = new CuttingProxy(database.port());
        site = new Site(folder, "lab, shop", POOLS);
        AccessVault.open(site.path("key"));
    }

    @AfterEach
    void close() throws Exception {
        proxy.close();
        database.close();
    }

    private BerthServer serve() {
        return ServerUnderTest.start(options(url(), site.path("key")), Instant::now);
    }

    private String url() {
        return database.url(proxy.port()).toString();
    }

    private ServeOptions options(String store, @Nullable Path keyFile) {
        return new ServeOptions(site.configuration(), site.data(), "127.0.0.1", 0, store, keyFile);
    }

    @Test
    void whatIsLentStaysLentAcrossAStart() {
        String id;
        try (var server = serve()) {
            var consumer = new Api(server.url(), Site.CONSUMER);
            var granted = consumer.ask("lab", "");
            assertThat(granted.status()).as(granted.text()).isEqualTo(200);
            id = granted.field("id");
            new Api(server.url(), Site.OPERATOR).awaitState("shop-1", "available");
            var cleaned = consumer.ask("shop", "");
            assertThat(cleaned.status()).as(cleaned.text()).isEqualTo(200);
            assertThat(consumer.release(cleaned.field("id")).status()).isEqualTo(200);
            new Api(server.url(), Site.OPERATOR).awaitState("shop-1", "available");
        }
        assertThat(Files.exists(site.data().resolve("berth.db"))).isFalse();
        assertThat(Files.exists(site.data().resolve("admin-token"))).isFalse();
        try (var server = serve()) {
            var consumer = new Api(server.url(), Site.CONSUMER);
            assertThat(consumer.get("/allocations/" + id).field("state")).isEqualTo("active");
            assertThat(consumer.ask("lab", "").status()).isEqualTo(200);
            assertThat(consumer.ask("lab", "").status()).isEqualTo(423);
            assertThat(consumer.release(id).status()).isEqualTo(200);
            assertThat(consumer.ask("lab", "").status()).isEqualTo(200);
        }
    }

    @Test
    void whileTheDatabaseIsAwayCallersAreToldToComeBackAndThenTheyAreServed() {
        try (var server = serve()) {
            var consumer = new Api(server.url(), Site.CONSUMER);
            assertThat(consumer.get("/healthz/ready").status()).isEqualTo(200);
            proxy.goAway();
            var ready = consumer.get("/healthz/ready");
            assertThat(ready.status()).isEqualTo(503);
            var refused = consumer.ask("lab", "");
            assertThat(refused.status()).as(refused.text()).isEqualTo(503);
            assertThat(refused.retryAfter()).isPresent();
            assertThat(consumer.get("/healthz/live").status()).isEqualTo(200);
            proxy.comeBack();
            Await.until(
                    "it is ready again", () -> consumer.get("/healthz/ready").status() == 200);
            Await.until("it lends again", () -> consumer.ask("lab", "").status() == 200);
            assertThat(consumer.ask("lab", "").status())
                    .as("who was refused took nothing")
                    .isEqualTo(200);
            assertThat(consumer.ask("lab", "").status()).isEqualTo(423);
        }
    }

    /** Without a key, nobody else could tell it the id of what it was told to wait for. */
    @Test
    void whoWaitsWhenTheDatabaseGoesAwayIsToldOfItsPlace() throws Exception {
        site.configure("lab, shop", POOLS.replace("session: 1h }", "session: 1h, queue: { liveness: 10s } }"));
        try (var server = serve()) {
            var consumer = new Api(server.url(), Site.CONSUMER);
            var held = List.of(consumer.ask("lab", ""), consumer.ask("lab", ""));
            var waiting = CompletableFuture.supplyAsync(
                    () -> consumer.ask("lab", ",\"maxWait\": \"5m\"", "Prefer", "wait=60"));
            Await.until(
                    "it waits",
                    () -> consumer.get("/pools/lab")
                                    .body()
                                    .path("queue")
                                    .path("length")
                                    .asInt()
                            == 1);
            proxy.goAway();
            var answered = waiting.get(50, TimeUnit.SECONDS);
            assertThat(answered.status()).as(answered.text()).isEqualTo(202);
            assertThat(answered.field("state")).isEqualTo("pending");
            proxy.comeBack();
            var id = answered.field("id");
            Await.until(
                    "its place can be seen",
                    () -> consumer.get("/allocations/" + id).field("state").equals("pending"));
            assertThat(consumer.release(held.getFirst().field("id")).status()).isEqualTo(200);
            Await.until(
                    "it is granted",
                    () -> consumer.get("/allocations/" + id).field("state").equals("active"));
        }
    }

    @Test
    void withoutAKeyThatOthersCanHaveTooItDoesNotStart() {
        refused(options(url(), null), 78, "--key-file");
        refused(options(url(), site.path("another-key")), 78, "another-key is missing");
        assertThat(site.path("another-key")).doesNotExist();
    }

    @Test
    void theKeyHasToFitWhatIsStored() throws Exception {
        var key = site.path("key");
        var old = site.path("old-key");
        Files.copy(key, old);
        var other = site.path("other-key");
        AccessVault.open(other);
        serve().close();
        refused(options(url(), other), 78, "other-key does not fit what is stored encrypted");

        AccessVault.rotate(key, true);
        serve().close();
        ServerUnderTest.start(options(url(), old), Instant::now).close();
        AccessVault.rotate(key, false);
        serve().close();
        refused(options(url(), old), 78, "old-key does not fit");
        serve().close();

        StoreChores.replaceKey(url(), other);
        refused(options(url(), key), 78, "does not fit");
        ServerUnderTest.start(options(url(), other), Instant::now).close();
    }

    @Test
    void aDatabaseThatIsAwayAtTheStartIsToldAsUnavailable() {
        proxy.goAway();
        refused(options(url(), site.path("key")), 69, "cannot be reached");
    }

    @Test
    void aStoreThatIsNotOneIsAMistakeOfTheConfiguration() {
        refused(options("mysql://host/db", site.path("key")), 78, "of the form postgresql://");
        refused(options("postgresql://ann:very-secret@host/db", site.path("key")), 78, "BERTH_STORE_PASSWORD");
    }

    private static void refused(ServeOptions options, int exitCode, String why) {
        assertThatThrownBy(() -> ServerUnderTest.start(options, Instant::now))
                .isInstanceOfSatisfying(
                        StartRefusedException.class,
                        refused -> assertThat(refused.exitCode()).isEqualTo(exitCode))
                .hasMessageContaining(why)
                .hasMessageNotContaining("very-secret");
    }
}
