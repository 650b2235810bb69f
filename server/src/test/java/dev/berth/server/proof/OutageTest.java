package dev.berth.server.proof;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Promise 10: time in which keepalives could not be received does not count. */
class OutageTest {
    private static final String POOLS = """
            pools:
              plain: { provider: fixed, session: 1h }
            environments:
              - { name: plain-1, pool: plain }
              - { name: plain-2, pool: plain }
            """;

    @Test
    void anOutageLongerThanEveryKeepaliveEndsNobodysWork(@TempDir Path folder) {
        try (var site = new Site(folder, "plain", POOLS)) {
            var first = site.serve();
            var api = first.consumer();
            var lively = api.ask("plain", ",\"keepalive\":\"10s\"").field("id");
            var silent = api.ask("plain", ",\"keepalive\":\"10s\"").field("id");
            var deadline = Instant.parse(api.get("/allocations/" + silent).field("keepaliveBy"));
            first.kill9();

            long ahead = 0;
            if (Proofs.full()) {
                Await.until("the keepalives would be over", () -> Instant.now().isAfter(deadline.plusSeconds(2)));
            } else {
                ahead = 60; // for the next process a minute has passed
            }
            var then = Instant.now().plusSeconds(ahead);
            var second = site.serve(List.of(), site.data(), ahead, "FULL");
            var after = second.consumer().get("/allocations/" + silent);
            assertThat(after.field("state")).as(after.text()).isEqualTo("active");
            assertThat(Instant.parse(after.field("keepaliveBy")))
                    .as("it gets a fresh interval")
                    .isAfter(deadline)
                    .isAfter(then.plus(Duration.ofSeconds(2)));
            assertThat(second.operator().events("plain", "outage-survived")).isNotEmpty();

            Await.until("who stays silent now is lost", () -> {
                var kept = second.consumer().must("POST", "/allocations/" + lively + "/keepalive", null);
                assertThat(kept.status()).as(kept.text()).isEqualTo(200);
                return second.consumer()
                        .get("/allocations/" + silent)
                        .field("endReason")
                        .equals("keepalive-lost");
            });
            assertThat(second.consumer()
                            .must("POST", "/allocations/" + silent + "/keepalive", null)
                            .status())
                    .isEqualTo(410);
        }
        Proofs.record(
                "Outage longer than every keepalive",
                "all leases stand after it with a fresh interval; who stays silent then is lost after it");
    }
}
