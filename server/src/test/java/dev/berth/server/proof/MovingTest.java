package dev.berth.server.proof;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.server.app.BerthServer;
import dev.berth.server.app.ServeOptions;
import dev.berth.server.app.ServerUnderTest;
import dev.berth.server.app.StartRefusedException;
import dev.berth.server.app.StoreChores;
import dev.berth.server.store.StoreCopy.Copied;
import dev.berth.server.store.TestPostgres;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A store that goes to another database, is put back from a copy, or meets a newer schema, with the whole service around it. */
class MovingTest {
    private static final String POOLS = """
            pools:
              shop:
                provider: command
                session: 1h
                on-register: adopt
                command:
                  verify: { shell: "echo verified >> $BERTH_ENVIRONMENT.log" }
                  clean: { shell: "echo cleaned >> $BERTH_ENVIRONMENT.log" }
            environments:
              - { name: shop-1, pool: shop }
              - { name: shop-2, pool: shop }
            """;

    @TempDir
    private Path folder;

    private Site site;

    @BeforeEach
    void open() {
        site = new Site(folder, "shop", POOLS);
    }

    @AfterEach
    void close() {
        site.close();
    }

    private BerthServer serve(@Nullable String store) {
        return ServerUnderTest.start(
                new ServeOptions(
                        site.configuration(),
                        site.data(),
                        "127.0.0.1",
                        0,
                        store,
                        store == null ? null : site.data().resolve("key")),
                Instant::now);
    }

    private static Api consumer(BerthServer server) {
        return new Api(server.url(), Site.CONSUMER);
    }

    private static Api operator(BerthServer server) {
        return new Api(server.url(), Site.OPERATOR);
    }

    private static void awaitAvailable(BerthServer server, String environment) {
        operator(server).awaitState(environment, "available");
    }

    private static String lend(BerthServer server) {
        var granted = consumer(server).ask("shop", "");
        assertThat(granted.status()).as(granted.text()).isEqualTo(200);
        return granted.field("id");
    }

    private static String environmentOf(BerthServer server, String allocation) {
        return consumer(server)
                .get("/allocations/" + allocation)
                .body()
                .path("environments")
                .path(0)
                .path("name")
                .asString();
    }

    private static int restorations(BerthServer server) {
        return operator(server).events("shop", "store-restored").size();
    }

    private static void awaitRestorations(BerthServer server, int expected) {
        Await.until("the store's restoration is noticed", () -> restorations(server) == expected);
    }

    private static void refused(ThrowingCallable what, int exitCode, String why) {
        assertThatThrownBy(what)
                .isInstanceOfSatisfying(
                        StartRefusedException.class,
                        refused -> assertThat(refused.exitCode())
                                .as(refused.getMessage())
                                .isEqualTo(exitCode))
                .hasMessageContaining(why);
    }

    private String lendOneOnSqlite() {
        try (var server = serve(null)) {
            awaitAvailable(server, "shop-1");
            awaitAvailable(server, "shop-2");
            return lend(server);
        }
    }

    // ---- moving

    @Test
    void aMovedServiceGoesOnWithWhatIsLentAndTrustsNothingElse() {
        var id = lendOneOnSqlite();
        try (var database = TestPostgres.createEmpty()) {
            var url = database.url().toString();
            var told = new ArrayList<Copied>();
            int generation = StoreChores.copy(site.data().toString(), url, told::add);
            assertThat(generation).isPositive();
            assertThat(told).anySatisfy(copied -> {
                assertThat(copied.table()).isEqualTo("environment");
                assertThat(copied.rows()).isEqualTo(2);
            });
            refused(() -> serve(null), 78, "was moved to " + url);
            refused(() -> StoreChores.copy(site.data().toString(), url, _ -> {}), 78, "is not empty");
            try (var server = serve(url)) {
                assertThat(consumer(server).get("/allocations/" + id).field("state"))
                        .isEqualTo("active");
                awaitRestorations(server, 1);
                awaitAvailable(server, environmentOf(server, id).equals("shop-1") ? "shop-2" : "shop-1");
                assertThat(consumer(server).release(id).status()).isEqualTo(200);
                awaitAvailable(server, "shop-1");
                awaitAvailable(server, "shop-2");
            }
            try (var server = serve(url)) {
                assertThat(restorations(server)).as("an ordinary start").isEqualTo(1);
            }
            goBack(url, generation);
        }
    }

    /** The same the other way, with one database on each side that was served. */
    private void goBack(String url, int generation) {
        var other = folder.resolve("other");
        assertThat(StoreChores.copy(url, other.toString(), _ -> {})).isGreaterThan(generation);
        refused(() -> serve(url), 78, "was moved to " + other);
        try (var database = TestPostgres.createEmpty()) {
            refused(() -> StoreChores.copy(url, database.url().toString(), _ -> {}), 78, "was moved to " + other);
            assertThat(StoreChores.copy(other.toString(), database.url().toString(), _ -> {}))
                    .isGreaterThan(generation + 1);
        }
    }

    @Test
    void aServedStoreIsNotMoved() {
        try (var database = TestPostgres.createEmpty();
                var next = TestPostgres.createEmpty()) {
            try (var server = serve(null)) {
                awaitAvailable(server, "shop-1");
                refused(
                        () -> StoreChores.copy(
                                site.data().toString(), database.url().toString(), _ -> {}),
                        75,
                        "in use by another berth");
                lend(server);
            }
            StoreChores.copy(site.data().toString(), database.url().toString(), _ -> {});
            try (var server = serve(database.url().toString())) {
                refused(
                        () -> StoreChores.copy(
                                database.url().toString(), next.url().toString(), _ -> {}),
                        78,
                        "is in use");
                assertThat(consumer(server).ask("shop", "").status()).isIn(200, 423);
            }
        }
    }

    @Test
    void aCopyThatFailsLeavesBothAsTheyWere() {
        var id = lendOneOnSqlite();
        try (var database = TestPostgres.createEmpty()) {
            var url = database.url().toString();
            assertThatThrownBy(() -> StoreChores.copy(site.data().toString(), url, copied -> {
                        if (copied.table().equals("configuration")) {
                            throw new IllegalStateException("the power failed");
                        }
                    }))
                    .hasMessage("the power failed");
            try (var server = serve(null)) {
                assertThat(restorations(server)).isZero();
                assertThat(consumer(server).get("/allocations/" + id).field("state"))
                        .isEqualTo("active");
            }
            StoreChores.copy(site.data().toString(), url, _ -> {});
        }
    }

    @Test
    void whatIsNotThereIsNotCopied() {
        var nowhere = folder.resolve("nowhere").toString();
        refused(() -> StoreChores.copy(nowhere, folder.resolve("to").toString(), _ -> {}), 78, "There is no database");
        assertThat(folder.resolve("to")).doesNotExist();
        assertThat(folder.resolve("nowhere")).doesNotExist();
    }

    // ---- putting back

    @Test
    void aStoreThatWasPutBackTrustsNothingThatIsNotLent() throws Exception {
        var backup = folder.resolve("backup.db");
        try (var server = serve(null)) {
            awaitAvailable(server, "shop-1");
            awaitAvailable(server, "shop-2");
            StoreChores.backup(site.data(), backup);
            refused(() -> StoreChores.backup(site.data(), backup), 78, "is there already");
            lend(server);
        }
        putBack(backup);
        int first = restored();
        putBack(backup);
        int second = restored();
        assertThat(second).isGreaterThan(first);
        assertThat(restored()).isEqualTo(second);
    }

    /** Who copies the file in another way leaves no word in it. */
    @Test
    void alsoACopyThatWasMadeByOtherMeansIsNoticed() throws Exception {
        var copy = folder.resolve("copy.db");
        try (var server = serve(null)) {
            awaitAvailable(server, "shop-1");
            awaitAvailable(server, "shop-2");
        }
        Files.copy(site.data().resolve("berth.db"), copy);
        try (var server = serve(null)) {
            assertThat(restorations(server)).isZero();
            lend(server);
        }
        putBack(copy);
        assertThat(restored()).isPositive();
    }

    /** The generation that a service finds itself in, after the one restoration that it knows of. */
    private int restored() {
        try (var server = serve(null)) {
            awaitRestorations(server, 1);
            var restored = operator(server).events("shop", "store-restored").getFirst();
            awaitAvailable(server, "shop-1");
            awaitAvailable(server, "shop-2");
            assertThat(restorations(server)).isEqualTo(1);
            return Integer.parseInt(restored.path("data").path("generation").asString());
        }
    }

    /** Into the same file, which does not become another one by that. */
    private void putBack(Path copy) throws Exception {
        var file = site.data().resolve("berth.db");
        Files.deleteIfExists(site.data().resolve("berth.db-wal"));
        Files.deleteIfExists(site.data().resolve("berth.db-shm"));
        var before = Files.getAttribute(file, "unix:ino");
        try (var out = Files.newOutputStream(file)) {
            Files.copy(copy, out);
        }
        assertThat(Files.getAttribute(file, "unix:ino")).isEqualTo(before);
    }

    @Test
    void neitherAStopNorAKillIsARestoration() {
        for (int i = 0; i < 3; i++) {
            var child = site.serve();
            child.operator().awaitState("shop-1", "available");
            var granted = child.consumer().ask("shop", "");
            assertThat(granted.status()).as(granted.text()).isEqualTo(200);
            assertThat(child.consumer().release(granted.field("id")).status()).isEqualTo(200);
            assertThat(child.operator().events("shop", "store-restored")).isEmpty();
            child.kill9();
        }
        try (var server = serve(null)) {
            assertThat(restorations(server)).isZero();
        }
        try (var server = serve(null)) {
            assertThat(restorations(server)).isZero();
        }
    }

    @Test
    void aDatabaseThatWasCopiedInsideItsServerTrustsNothingThatIsNotLent() {
        lendOneOnSqlite();
        try (var database = TestPostgres.createEmpty()) {
            StoreChores.copy(site.data().toString(), database.url().toString(), _ -> {});
            try (var server = serve(database.url().toString())) {
                awaitRestorations(server, 1);
            }
            try (var copy = database.copy();
                    var server = serve(copy.url().toString())) {
                awaitRestorations(server, 2);
            }
        }
    }

    // ---- schemas

    @Test
    void aServiceGoesOnWhileANewerOneMakesItsSchema() {
        lendOneOnSqlite();
        try (var database = TestPostgres.createEmpty()) {
            var url = database.url().toString();
            StoreChores.copy(site.data().toString(), url, _ -> {});
            try (var server = serve(url)) {
                database.migrateToNext();
                assertThat(StoreChores.versions(url).isNewer()).isTrue();
                useAll(server);
            }
            try (var server = serve(url)) { // of the older version, begun when the newer schema was there
                useAll(server);
            }
        }
    }

    private static void useAll(BerthServer server) {
        for (var free = operator(server)
                        .get("/allocations?pool=shop&state=active")
                        .body()
                        .path("allocations");
                !free.isEmpty();
                free = operator(server)
                        .get("/allocations?pool=shop&state=active")
                        .body()
                        .path("allocations")) {
            var id = free.path(0).path("id").asString();
            assertThat(operator(server).release(id).status()).isEqualTo(200);
        }
        awaitAvailable(server, "shop-1");
        awaitAvailable(server, "shop-2");
        var held = new ArrayList<>(List.of(lend(server), lend(server)));
        var waiting = consumer(server).ask("shop", ",\"maxWait\":\"1m\"");
        assertThat(waiting.status()).as(waiting.text()).isEqualTo(202);
        held.addFirst(waiting.field("id"));
        held.forEach(id -> assertThat(consumer(server).release(id).status()).isEqualTo(200));
    }

    @Test
    void aSchemaIsMadeWithoutServingAndToldFromWhatToWhat() {
        try (var database = TestPostgres.createEmpty()) {
            var url = database.url().toString();
            assertThat(StoreChores.versions(url).isUpToDate()).isFalse();
            var made = StoreChores.migrate(url);
            assertThat(made.from()).isNull();
            assertThat(StoreChores.versions(url).isUpToDate()).isTrue();
            assertThat(StoreChores.migrate(url).from()).isEqualTo(made.to());
        }
        assertThat(StoreChores.versions(site.data().toString()).isUpToDate()).isFalse();
        assertThat(site.data()).doesNotExist();
        assertThat(StoreChores.migrate(site.data().toString()).from()).isNull();
        assertThat(StoreChores.versions(site.data().toString()).isUpToDate()).isTrue();
    }

    @Test
    void anAdminGetsInOnAPostgres() throws Exception {
        lendOneOnSqlite();
        try (var database = TestPostgres.createEmpty()) {
            StoreChores.copy(site.data().toString(), database.url().toString(), _ -> {});
            var created = StoreChores.adminToken(database.url().toString(), null);
            assertThat(created.token().principal()).isEqualTo("admin");
            try (var server = serve(database.url().toString())) {
                assertThat(new Api(server.url(), created.secret())
                                .get("/tokens")
                                .status())
                        .isEqualTo(200);
            }
        }
    }
}
