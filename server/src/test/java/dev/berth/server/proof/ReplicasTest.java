package dev.berth.server.proof;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.server.app.BerthServer;
import dev.berth.server.app.ServeOptions;
import dev.berth.server.app.ServerUnderTest;
import dev.berth.server.auth.AccessVault;
import dev.berth.server.store.TestPostgres;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two services on one PostgreSQL, each with a file of its own, and wall clocks that differ by minutes. */
class ReplicasTest {
    private static final String LAB = """
            pools:
              lab: { provider: fixed, session: 1h }
            environments:
              - { name: board-1, pool: lab, connection: { host: board-1 } }
            """;
    private static final String SHOP = LAB + """
              - { name: board-2, pool: lab, connection: { host: board-2 } }
            """;

    @TempDir
    private Path folder;

    private TestPostgres database;
    private Site first;
    private Site second;

    @BeforeEach
    void open() throws Exception {
        database = TestPostgres.create();
        first = new Site(folder.resolve("first"), "lab", LAB);
        second = new Site(folder.resolve("second"), "lab", LAB);
        AccessVault.open(folder.resolve("key"));
    }

    @AfterEach
    void close() throws Exception {
        database.close();
    }

    private BerthServer serve(Site site, Duration ahead) {
        var options = new ServeOptions(
                site.configuration(),
                site.data(),
                "127.0.0.1",
                0,
                database.url().toString(),
                folder.resolve("key"));
        return ServerUnderTest.start(options, () -> Instant.now().plus(ahead));
    }

    @Test
    void whoWaitsAtOneIsWokenByWhatHappensAtTheOther() throws Exception {
        try (var one = serve(first, Duration.ZERO);
                var other = serve(second, Duration.ofMinutes(7))) {
            var here = new Api(one.url(), Site.CONSUMER);
            var there = new Api(other.url(), Site.CONSUMER);
            var held = here.ask("lab", "").field("id");
            long waking = 0;
            int times = 30;
            for (int i = 0; i < times; i++) {
                var from = i % 2 == 0 ? here : there;
                var to = i % 2 == 0 ? there : here;
                var waiting =
                        CompletableFuture.supplyAsync(() -> to.ask("lab", ",\"maxWait\": \"1m\"", "Prefer", "wait=60"));
                Await.until(
                        "it waits",
                        () -> from.get("/pools/lab")
                                        .body()
                                        .path("queue")
                                        .path("length")
                                        .asInt()
                                == 1);
                long began = System.nanoTime();
                assertThat(from.release(held).status()).isEqualTo(200);
                var granted = waiting.get(60, TimeUnit.SECONDS);
                waking += System.nanoTime() - began;
                assertThat(granted.status()).as(granted.text()).isEqualTo(200);
                held = granted.field("id");
            }
            assertThat(Duration.ofNanos(waking))
                    .as("a slow look alone would take two seconds for each")
                    .isLessThan(Duration.ofSeconds(times));
        }
    }

    @Test
    void aConfigurationThatOnePutsInForceTheOtherTakesUpAndAnOldFileDoesNotUndoIt() {
        try (var _ = serve(first, Duration.ZERO)) {
            try (var other = serve(second, Duration.ZERO)) {
                first.configure("lab", SHOP);
                Await.until(
                        "the other knows the new environment",
                        () -> new Api(other.url(), Site.OPERATOR)
                                        .get("/environments/board-2")
                                        .status()
                                == 200);
            }
            try (var again = serve(second, Duration.ZERO)) { // its file is the old one
                var operator = new Api(again.url(), Site.OPERATOR);
                operator.awaitState("board-2", "available");
                assertThat(operator.events("lab", "environment-retiring")).isEmpty();
            }
        }
    }

    @Test
    void afterARestoreNothingIsLentThatWasNotVerifiedAgain() throws Exception {
        long epoch;
        try (var one = serve(first, Duration.ZERO)) {
            var consumer = new Api(one.url(), Site.CONSUMER);
            var granted = consumer.ask("lab", "");
            epoch = granted.body().path("environments").path(0).path("epoch").asLong();
            consumer.release(granted.field("id"));
            database.run("UPDATE generation SET origin = 'where it was before'");
            var next = consumer.ask("lab", "");
            assertThat(next.status()).as(next.text()).isEqualTo(200);
            assertThat(next.body().path("environments").path(0).path("epoch").asLong())
                    .as("beyond any that a lost commit can have given")
                    .isGreaterThan(epoch + 1_000_000);
        }
    }
}
