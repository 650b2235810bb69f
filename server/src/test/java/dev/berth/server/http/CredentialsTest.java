package dev.berth.server.http;

import static dev.berth.server.http.Service.ALICE;
import static dev.berth.server.http.Service.BOB;
import static dev.berth.server.http.Service.OPERATOR;
import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.core.Step;
import dev.berth.providers.Provider;
import dev.berth.providers.StepResult;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** Fresh access in place of what expires. */
class CredentialsTest extends ServiceTest {
    private static final String ASK = "{\"pool\":\"release\",\"requester\":\"job\",\"maxWait\":\"1m\"}";

    private String granted() {
        return granted(Map.of("password", Service.SECRET));
    }

    private String granted(Map<String, Object> credentials) {
        service.pool("release", Service.with(Set.of(Step.ISSUE)), 1);
        var asked = service.later(ALICE, "POST", "/allocations", ASK, UnaryOperator.identity());
        Waits.untilTrue(() -> {
            var step = service.claimIfAny("release");
            if (step != null) {
                service.issue("release", step, credentials);
            }
            return asked.isDone();
        });
        return asked.join().body().path("id").asString();
    }

    private Service.Answered refresh(String token, String id) {
        return service.call(token, "POST", "/allocations/" + id + "/credentials", null);
    }

    @Test
    void theHolderGetsFreshAccessForTheGrantThatItHas() {
        var id = granted();
        service.fresh.set((grant, held) -> new StepResult.Access(
                Map.of("password", "fresh-" + grant.epoch() + "-" + held.getAsBoolean()),
                null,
                Map.of("PGPASSWORD", "fresh")));
        var answer = refresh(ALICE, id);
        assertThat(answer.status()).as(answer.text()).isEqualTo(200);
        assertThat(answer.body().at("/credentials/password").asString()).isEqualTo("fresh-1-true");
        assertThat(answer.body().at("/environments/0/credentials/password").asString())
                .isEqualTo("fresh-1-true");
        assertThat(answer.body().at("/environments/0/env/PGPASSWORD").asString())
                .isEqualTo("fresh");
        assertThat(answer.body().at("/environments/0/connection/host").asString())
                .as("what does not change stays")
                .isEqualTo("192.0.2.9");
    }

    @Test
    void whatDoesNotExpireStaysAsItWasIssued() {
        var id = granted();
        var answer = refresh(ALICE, id);
        assertThat(answer.body().at("/environments/0/credentials/password").asString())
                .isEqualTo(Service.SECRET);
    }

    @Test
    void whatHasExpiredIsNotShownAsIfItWorked() {
        var id = granted(Map.of("password", Service.SECRET, "expiration", "2026-07-01T13:00:00Z"));
        var shown = service.call(ALICE, "GET", "/allocations/" + id, null).body();
        assertThat(shown.at("/environments/0/credentials/password").asString()).isEqualTo(Service.SECRET);
        assertThat(shown.at("/environments/0").has("accessExpired")).isFalse();

        service.now.set(Instant.parse("2026-07-01T13:00:00Z"));
        var later = service.call(ALICE, "GET", "/allocations/" + id, null);
        assertThat(later.body().at("/environments/0/accessExpired").asBoolean()).isTrue();
        assertThat(later.body().path("credentials").isNull()).isTrue();
        assertThat(later.body().at("/environments/0/connection/host").asString())
                .isEqualTo("192.0.2.9");
        assertThat(later.text()).doesNotContain(Service.SECRET, "PGHOST");

        service.fresh.set((grant, held) -> new StepResult.Access(
                Map.of("password", "fresh", "expiration", "2026-07-01T14:00:00Z"), null, Map.of()));
        assertThat(refresh(ALICE, id).body().at("/credentials/password").asString())
                .isEqualTo("fresh");
    }

    @Test
    void nobodyElseGetsAny() {
        var id = granted();
        assertThat(refresh(BOB, id).code()).isEqualTo("no-such-allocation");
        assertThat(refresh(OPERATOR, id).code()).isEqualTo("forbidden");
        assertThat(refresh(ALICE, "x").code()).isEqualTo("no-such-allocation");
    }

    @Test
    void thereIsNoneBeforeAccessIsThereAndNoneAfterTheEnd() {
        var id = granted();
        var waiting = service.call(ALICE, "POST", "/allocations", ASK)
                .body()
                .path("id")
                .asString();
        assertThat(refresh(ALICE, waiting).code()).isEqualTo("not-active");

        service.now.updateAndGet(now -> now.plus(Duration.ofHours(4)));
        assertThat(refresh(ALICE, id).code()).as("its end is not processed yet").isEqualTo("lease-lost");
        service.call(ALICE, "DELETE", "/allocations/" + id, null);
        assertThat(refresh(ALICE, id).code()).isEqualTo("lease-lost");
    }

    @Test
    void whatCannotBeHadNowMayBeAskedForAgain() {
        var id = granted();
        service.fresh.set((grant, held) -> {
            throw new Provider.RefreshFailed("throttled");
        });
        var answer = refresh(ALICE, id);
        assertThat(answer.status()).isEqualTo(503);
        assertThat(answer.code()).isEqualTo("access-failed");
        assertThat(answer.header("Retry-After")).isEqualTo("7");
        assertThat(answer.body().path("detail").asString()).contains("throttled");

        service.fresh.set((grant, held) -> {
            throw new IllegalStateException("secret words");
        });
        assertThat(refresh(ALICE, id).text()).contains("defect of the provider").doesNotContain("secret words");
    }

    /** It would not work: but who gets it would not know that. */
    @Test
    void whatWasMadeWhileItEndedIsNotHandedOut() throws Exception {
        var id = granted();
        var asked = new CountDownLatch(1);
        var ended = new CountDownLatch(1);
        service.fresh.set((grant, held) -> {
            asked.countDown();
            ended.await();
            return new StepResult.Access(Map.of("password", "late"), null, Map.of());
        });
        var answer =
                service.later(ALICE, "POST", "/allocations/" + id + "/credentials", null, UnaryOperator.identity());
        asked.await();
        service.call(ALICE, "DELETE", "/allocations/" + id, null);
        ended.countDown();
        assertThat(answer.join().code()).isEqualTo("lease-lost");
        assertThat(Objects.requireNonNull(answer.join().text())).doesNotContain("late");
    }
}
