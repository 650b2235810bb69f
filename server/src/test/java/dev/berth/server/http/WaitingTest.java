package dev.berth.server.http;

import static dev.berth.server.http.Service.ALICE;
import static dev.berth.server.http.Service.BOB;
import static dev.berth.server.http.Service.policy;
import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.core.Command;
import dev.berth.core.Step;
import dev.berth.server.http.Service.Answered;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class WaitingTest extends ServiceTest {

    @BeforeEach
    void pools() {
        service.pool("release", policy(), 1);
        service.pool("slow", Service.with(Set.of(Step.ISSUE)), 3);
    }

    private CompletableFuture<Answered> waiting(String token, String pool, int seconds) {
        return service.later(
                token,
                "POST",
                "/allocations",
                want(pool, "\"maxWait\":\"10m\""),
                request -> request.header("Prefer", "respond-async, wait=" + seconds));
    }

    private static String path(Answered answer) {
        return "/allocations/" + answer.body().path("id").asString();
    }

    private void untilQueued(int length) {
        Waits.untilTrue(() -> service.store
                        .pool(new dev.berth.core.PoolName("release"))
                        .orElseThrow()
                        .waiting()
                == length);
    }

    @Test
    void aHeldRequestIsAnsweredWhenItIsGranted() {
        var first = service.ask(ALICE, "release");
        var held = waiting(BOB, "release", 60);
        untilQueued(1);
        assertThat(held).isNotDone();
        service.call(ALICE, "DELETE", path(first), null);
        var granted = held.join();
        assertThat(granted.status()).isEqualTo(200);
        assertThat(granted.header("Preference-Applied")).isEqualTo("wait=60");
        assertThat(granted.body().path("environment").path("name").asString()).isEqualTo("release-1");
    }

    @Test
    void manyHeldRequestsAreServedInTheirOrderAndNoneMissesItsTurn() {
        var first = service.ask(ALICE, "release");
        var held = new ArrayList<CompletableFuture<Answered>>();
        for (int i = 0; i < 8; i++) {
            held.add(waiting(BOB, "release", 60));
            untilQueued(i + 1);
        }
        var owner = ALICE;
        var last = first;
        for (var next : held) {
            service.call(owner, "DELETE", path(last), null);
            last = next.join();
            owner = BOB;
            assertThat(last.status()).isEqualTo(200);
        }
    }

    @Test
    void withoutPreferTheAnswerComesAtOnce() {
        service.ask(ALICE, "release");
        var pending = service.call(BOB, "POST", "/allocations", want("release", "\"maxWait\":\"10m\""));
        assertThat(pending.status()).isEqualTo(202);
        assertThat(pending.header("Location")).isEqualTo("/berth" + path(pending));
        assertThat(pending.body().path("state").asString()).isEqualTo("pending");
        assertThat(pending.body().path("queue").path("position").intValue()).isEqualTo(1);
        assertThat(pending.body().path("environment").isNull()).isTrue();
        var second = service.call(BOB, "POST", "/allocations", want("release", "\"maxWait\":\"10m\""));
        assertThat(second.body().path("queue").path("position").intValue()).isEqualTo(2);
    }

    @Test
    void withoutMaxWaitPreferDoesNothing() {
        service.ask(ALICE, "release");
        var refused = service.call(
                BOB, "POST", "/allocations", want("release", ""), request -> request.header("Prefer", "wait=30"));
        assertThat(refused.status()).isEqualTo(423);
    }

    @Test
    void aHoldThatEndsFirstGivesThePendingAllocation() {
        service.ask(ALICE, "release");
        var pending = waiting(BOB, "release", 0).join();
        assertThat(pending.status()).isEqualTo(202);
        assertThat(pending.header("Preference-Applied")).isEqualTo("wait=0");
        var again = waiting(BOB, "release", 1).join();
        assertThat(again.status()).isEqualTo(202);
    }

    @Test
    void aHeldRequestWhoseWaitRunsOutIs423() {
        service.ask(ALICE, "release");
        var held = waiting(BOB, "release", 60);
        untilQueued(1);
        service.pass(Duration.ofSeconds(5)); // within what is no outage
        for (int i = 0; i < 130; i++) {
            service.pass(Duration.ofSeconds(5));
        }
        var refused = held.join();
        assertThat(refused.status()).isEqualTo(423);
        assertThat(refused.header("Retry-After")).isEqualTo("20");
    }

    @Test
    void aHeldLookIsAnsweredWhenTheStateChanges() {
        var first = service.ask(ALICE, "release");
        var pending = service.call(BOB, "POST", "/allocations", want("release", "\"maxWait\":\"10m\""));
        var held = service.later(BOB, "GET", path(pending), null, request -> request.header("Prefer", "wait=60"));
        Waits.untilTrue(() -> service.api.held() == 1);
        service.call(ALICE, "DELETE", path(first), null);
        var seen = held.join();
        assertThat(seen.body().path("state").asString()).isEqualTo("active");
        assertThat(seen.header("Preference-Applied")).isEqualTo("wait=60");
        Waits.untilTrue(() -> service.api.held() == 0);

        var ending = service.later(BOB, "GET", path(pending), null, request -> request.header("Prefer", "wait=60"));
        Waits.untilTrue(() -> service.api.held() == 1);
        service.call(BOB, "POST", path(pending) + "/keepalive", null); // no change of state
        service.call(BOB, "DELETE", path(pending), null);
        assertThat(ending.join().body().path("state").asString()).isEqualTo("ended");
        var over = service.call(BOB, "GET", path(pending), null, request -> request.header("Prefer", "wait=60"));
        assertThat(over.body().path("state").asString()).isEqualTo("ended");
    }

    @Test
    void grantingIsHeldWithoutPreferUntilAccessIsThere() {
        var asked = service.later(ALICE, "POST", "/allocations", want("slow", ""), request -> request);
        var step = Waits.until(() -> service.claimIfAny("slow"));
        Waits.untilTrue(() -> service.api.held() == 1);
        assertThat(asked).isNotDone();
        service.issue("slow", step);
        assertThat(asked.join().status()).isEqualTo(200);
    }

    @Test
    void accessThatCannotBeIssuedIs503() {
        var asked = service.later(ALICE, "POST", "/allocations", want("slow", ""), request -> request);
        for (int environment = 0; environment < 3; environment++) {
            for (int attempt = 0; attempt < 3; attempt++) {
                var step = Waits.until(() -> {
                    service.pass(Duration.ofSeconds(1));
                    return service.claimIfAny("slow");
                });
                service.report("slow", step, new Command.Result.Failed("no keys left", "secret report"));
            }
        }
        var failed = asked.join();
        assertThat(failed.status()).as(failed.text()).isEqualTo(503);
        assertThat(failed.code()).isEqualTo("access-failed");
        assertThat(failed.header("Retry-After")).isEqualTo("7");
        assertThat(failed.text()).doesNotContain("secret report");
    }

    @Test
    void theSameKeyJoinsTheWait() {
        var first = service.ask(ALICE, "release");
        var keyed = new ArrayList<CompletableFuture<Answered>>();
        for (int i = 0; i < 3; i++) {
            keyed.add(service.later(
                    BOB,
                    "POST",
                    "/allocations",
                    want("release", "\"maxWait\":\"10m\""),
                    request -> request.header("Prefer", "wait=60").header("Idempotency-Key", "k")));
        }
        Waits.untilTrue(() -> service.api.heldRequests() == 3);
        service.call(ALICE, "DELETE", path(first), null);
        assertThat(keyed.stream().map(answer -> answer.join().body()).distinct())
                .hasSize(1);
    }

    @Test
    void aServiceThatStopsAnswersWhatItHolds() {
        service.ask(ALICE, "release");
        var held = waiting(BOB, "release", 60);
        untilQueued(1);
        Waits.untilTrue(() -> service.api.held() == 1);
        service.api.close();
        assertThat(held.join().status()).isEqualTo(202);
        assertThat(waiting(BOB, "release", 60).join().status()).isEqualTo(202);
    }

    @Test
    void aFullQueueIs429() {
        service.ask(ALICE, "release");
        for (int i = 0; i < 10; i++) {
            service.call(BOB, "POST", "/allocations", want("release", "\"maxWait\":\"10m\""));
        }
        var refused = service.call(BOB, "POST", "/allocations", want("release", "\"maxWait\":\"10m\""));
        assertThat(refused.status()).isEqualTo(429);
        assertThat(refused.code()).isEqualTo("queue-full");
        assertThat(refused.header("Retry-After")).isEqualTo("20");
    }
}
