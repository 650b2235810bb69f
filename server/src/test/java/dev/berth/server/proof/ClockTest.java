package dev.berth.server.proof;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.server.app.ServeOptions;
import dev.berth.server.app.ServerUnderTest;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A clock that is set ends nobody's work early, and nobody's late by more than it should. */
class ClockTest {
    private static final Duration DAY = Duration.ofDays(1);

    private static final String POOLS = """
            pools:
              plain: { provider: fixed, session: 1h }
            environments:
              - { name: plain-1, pool: plain }
              - { name: plain-2, pool: plain }
              - { name: plain-3, pool: plain }
            """;

    @Test
    void aClockSetForwardAndBackByADayEndsNobodysWork(@TempDir Path folder) {
        var ahead = new AtomicReference<>(Duration.ZERO);
        try (var site = new Site(folder, "plain", POOLS);
                var server = ServerUnderTest.start(
                        new ServeOptions(site.configuration(), site.data(), "127.0.0.1", 0, null, null),
                        () -> Instant.now().plus(ahead.get()))) {
            var api = new Api(server.url(), Site.CONSUMER);
            var operator = new Api(server.url(), Site.OPERATOR);
            var lively = api.ask("plain", ",\"keepalive\":\"60s\"").field("id");
            var session = api.ask("plain", "").field("id");
            var silent = api.ask("plain", ",\"keepalive\":\"10s\"").field("id");

            ahead.set(DAY);
            Await.until(
                    "the jump is noticed",
                    () -> operator.events("plain", "clock-jumped").size() == 1);
            assertThat(jump(operator, 0)).isBetween(DAY.toSeconds() - 5, DAY.toSeconds() + 5);
            stillWorks(api, lively);
            assertThat(api.get("/allocations/" + session).field("state")).isEqualTo("active");

            // It goes on ending what has to end: made up for at twice the pace, so within ten seconds.
            Await.until("a lost keepalive is noticed all the same", () -> {
                stillWorks(api, lively);
                return api.get("/allocations/" + silent).field("endReason").equals("keepalive-lost");
            });

            ahead.set(DAY.negated());
            Await.until(
                    "the other jump is noticed",
                    () -> operator.events("plain", "clock-jumped").size() == 2);
            assertThat(jump(operator, 1)).isBetween(-2 * DAY.toSeconds() - 30, -2 * DAY.toSeconds() + 30);
            stillWorks(api, lively);
            assertThat(api.get("/allocations/" + session).field("state")).isEqualTo("active");
            var later = api.ask("plain", "");
            assertThat(later.status()).as(later.text()).isEqualTo(200);
            assertThat(api.release(later.field("id")).status()).isEqualTo(200);
            assertThat(api.release(lively).status()).isEqualTo(200);
            assertThat(operator.events("plain").stream()
                            .map(event -> Instant.parse(event.path("at").asString())))
                    .as("what was told never goes back")
                    .isSorted();
        }
        Proofs.record(
                "Clock set by a day",
                "forward, and back by two: told as events, nobody's work ended, a lost keepalive noticed all the same");
    }

    @Test
    void aRestartWithAClockThatWasSetBackByADayEndsNobodysWork(@TempDir Path folder) {
        try (var site = new Site(folder, "plain", POOLS)) {
            var first = site.serve(java.util.List.of(), site.data(), DAY.toSeconds(), "FULL");
            var granted = first.consumer().ask("plain", ",\"keepalive\":\"60s\"");
            var id = granted.field("id");
            first.kill9();

            var second = site.serve();
            var kept = second.consumer().must("POST", "/allocations/" + id + "/keepalive", null);
            assertThat(kept.status()).as(kept.text()).isEqualTo(200);
            assertThat(Instant.parse(kept.field("keepaliveBy")))
                    .isAfterOrEqualTo(Instant.parse(granted.field("keepaliveBy")));
            assertThat(kept.field("expiresAt")).isEqualTo(granted.field("expiresAt"));
            assertThat(second.consumer().release(id).status()).isEqualTo(200);
        }
        Proofs.record(
                "Restart with a clock a day back",
                "deadlines stand, keepalives go on from the time that was told last");
    }

    private static long jump(Api operator, int which) {
        return Long.parseLong(operator.events("plain", "clock-jumped")
                .get(which)
                .path("data")
                .path("seconds")
                .asString());
    }

    private static void stillWorks(Api api, String id) {
        var kept = api.must("POST", "/allocations/" + id + "/keepalive", null);
        assertThat(kept.status()).as(kept.text()).isEqualTo(200);
    }
}
