package dev.berth.server.proof;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Promise 9: what no environment caused makes none dirty, and needs nobody to end. */
class BreakerTest {
    private static final List<String> NAMES = List.of("shop-1", "shop-2", "shop-3");

    private static final String POOLS = """
            pools:
              shop:
                provider: command
                session: 1h
                on-register: adopt
                clean: { timeout: 20s, attempts: 1 }
                command: { clean: { shell: "echo run >>runs; test -e network || { echo no network >&2; exit 75; }" } }
            environments:
              - { name: shop-1, pool: shop }
              - { name: shop-2, pool: shop }
              - { name: shop-3, pool: shop }
            """;

    @Test
    void threeFailuresInARowOpenTheBreakerAndAProbeClosesIt(@TempDir Path folder) {
        try (var site = new Site(folder, "shop", POOLS)) {
            var server = site.serve();
            NAMES.forEach(name -> server.operator().awaitState(name, "available"));
            for (int i = 0; i < NAMES.size(); i++) {
                var granted = server.consumer().ask("shop", "");
                assertThat(granted.status()).as(granted.text()).isEqualTo(200);
                server.consumer().release(granted.field("id"));
            }
            var operator = server.operator();
            Await.until(
                    "the breaker opens",
                    () -> operator.events("shop", "breaker-opened").size() == 1);
            assertThat(operator.events("shop", "breaker-opened")
                            .getFirst()
                            .path("data")
                            .path("reason")
                            .asString())
                    .contains("75");
            assertThat(operator.events("shop", "environment-dirty")).isEmpty();
            NAMES.forEach(name -> assertThat(operator.stateOf(name)).isEqualTo("cleaning"));
            assertThat(server.consumer().ask("shop", "").status()).isEqualTo(423);
            long runs = site.read("runs").lines().count();

            site.write("network", "");
            var later = server;
            if (!Proofs.full()) {
                // A probe comes once a minute: for the next process one has passed.
                server.kill9();
                assertThat(site.read("runs").lines().count())
                        .as("nothing is tried meanwhile")
                        .isEqualTo(runs);
                later = site.serve(List.of(), site.data(), 90, "FULL");
            }
            var end = later.operator();
            Await.until(
                    "a probe closes it",
                    Duration.ofSeconds(150),
                    () -> end.events("shop", "breaker-closed").size() == 1);
            NAMES.forEach(name -> end.awaitState(name, "available"));
            assertThat(end.events("shop", "environment-dirty")).isEmpty();
        }
        Proofs.record(
                "Circuit breaker",
                "three exits with 75 open it, nothing is dirty, a probe closes it"
                        + (Proofs.full() ? " within the minute" : " (after a restart, a minute later by the clock)"));
    }
}
