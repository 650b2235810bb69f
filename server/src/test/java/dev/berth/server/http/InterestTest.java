package dev.berth.server.http;

import static dev.berth.server.http.Service.ALICE;
import static dev.berth.server.http.Service.BOB;
import static dev.berth.server.http.Service.OPERATOR;
import static dev.berth.server.http.Service.policy;
import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.core.AllocationId;
import dev.berth.core.AllocationState.Active;
import dev.berth.core.AllocationState.Pending;
import dev.berth.core.PoolName;
import dev.berth.server.http.Service.Answered;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Who waits is served as long as somebody is interested, and what nobody comes for goes to others. */
class InterestTest extends ServiceTest {
    private static final Duration LIVENESS = Service.QUEUE.liveness();
    private static final Duration BEAT = Duration.ofSeconds(5);

    @BeforeEach
    void pools() {
        service.pool("release", policy(), 1);
    }

    private static String path(Answered answer) {
        return "/allocations/" + answer.body().path("id").asString();
    }

    private Answered queued(String token) {
        var queued = service.call(token, "POST", "/allocations", want("release", "\"maxWait\":\"1h\""));
        assertThat(queued.status()).isEqualTo(202);
        return queued;
    }

    /** As the store has it: looking by a call would be interest. */
    private dev.berth.core.Allocation stored(Answered answer) {
        return service.store
                .allocation(new AllocationId(answer.body().path("id").asString()))
                .orElseThrow();
    }

    private Pending pending(Answered answer) {
        return (Pending) stored(answer).state();
    }

    private long commits() {
        return service.store
                .pool(new PoolName("release"))
                .orElseThrow()
                .touchedAt()
                .toEpochMilli();
    }

    /** Time passes in steps that are no outage. */
    private void pass(Duration time) {
        for (var passed = Duration.ZERO; passed.compareTo(time) < 0; passed = passed.plus(BEAT)) {
            service.pass(BEAT);
        }
    }

    private void release(String token, Answered held) {
        assertThat(service.call(token, "DELETE", path(held), null).status()).isEqualTo(200);
    }

    private CompletableFuture<Answered> held(String token, String method, String path, String body) {
        return service.later(token, method, path, body, request -> request.header("Prefer", "wait=60"));
    }

    @Test
    void whoIsNotAskedForIsPassedOverAndKeepsItsPlace() {
        var first = service.ask(ALICE, "release");
        var silent = queued(BOB);
        pass(LIVENESS.plus(BEAT));
        assertThat(pending(silent).interestUntil()).isNull();
        var other = queued(ALICE);
        release(ALICE, first);
        assertThat(stored(other).state()).isInstanceOf(Active.class);

        assertThat(service.call(BOB, "GET", path(silent), null)
                        .body()
                        .path("state")
                        .asString())
                .isEqualTo("pending");
        assertThat(pending(silent).interestUntil()).isNotNull();
        var later = queued(ALICE);
        release(ALICE, other);
        assertThat(stored(silent).state()).as("it was first").isInstanceOf(Active.class);
        assertThat(stored(later).state()).isInstanceOf(Pending.class);
    }

    @Test
    void aLookOfOthersIsNoInterest() {
        service.ask(ALICE, "release");
        var silent = queued(BOB);
        pass(LIVENESS.plus(BEAT));
        service.call(OPERATOR, "GET", path(silent), null);
        service.call(BOB, "GET", "/allocations", null);
        assertThat(pending(silent).interestUntil()).isNull();
        service.call(BOB, "POST", path(silent) + "/keepalive", null);
        assertThat(pending(silent).interestUntil()).isNotNull();
    }

    @Test
    void interestIsNotedOnceInAThirdOfItsTime() {
        service.ask(ALICE, "release");
        var asked = queued(BOB);
        var noted = pending(asked).interestUntil();
        pass(BEAT.multipliedBy(2));
        long commits = commits();
        service.now.updateAndGet(now -> now.plusSeconds(5));
        service.call(BOB, "GET", path(asked), null);
        assertThat(pending(asked).interestUntil()).isEqualTo(noted);
        assertThat(commits()).as("the ledger was not asked").isEqualTo(commits);
        service.now.updateAndGet(now -> now.plusSeconds(6));
        service.call(BOB, "GET", path(asked), null);
        assertThat(pending(asked).interestUntil()).isAfter(noted);
        assertThat(commits()).isGreaterThan(commits);
    }

    @Test
    void aGrantThatNobodyComesForEnds() {
        var first = service.ask(ALICE, "release");
        var absent = service.call(
                BOB,
                "POST",
                "/allocations",
                want("release", "\"maxWait\":\"1h\""),
                request -> request.header("Idempotency-Key", "k"));
        release(ALICE, first);
        assertThat(((Active) stored(absent).state()).collectBy()).isNotNull();
        pass(LIVENESS.plus(BEAT));
        var ended = service.call(BOB, "GET", path(absent), null);
        assertThat(ended.body().path("endReason").asString()).isEqualTo("not-collected");
        var again = service.call(
                BOB,
                "POST",
                "/allocations",
                want("release", "\"maxWait\":\"1h\""),
                request -> request.header("Idempotency-Key", "k"));
        assertThat(again.status()).as("the key is free").isEqualTo(200);
        assertThat(path(again)).isNotEqualTo(path(absent));
    }

    @Test
    void whoFetchesItsGrantKeepsIt() {
        var first = service.ask(ALICE, "release");
        var asked = queued(BOB);
        release(ALICE, first);
        assertThat(service.call(BOB, "GET", path(asked), null)
                        .body()
                        .path("state")
                        .asString())
                .isEqualTo("active");
        assertThat(((Active) stored(asked).state()).collectBy()).isNull();
        pass(LIVENESS.plus(BEAT));
        assertThat(stored(asked).state()).isInstanceOf(Active.class);
    }

    @Test
    void whoComesBackAndIsServedAtOnceKeepsWhatItIsShown() {
        var first = service.ask(ALICE, "release");
        var silent = queued(BOB);
        pass(LIVENESS.plus(BEAT));
        release(ALICE, first);
        assertThat(service.call(BOB, "GET", path(silent), null)
                        .body()
                        .path("state")
                        .asString())
                .isEqualTo("active");
        assertThat(((Active) stored(silent).state()).collectBy()).isNull();
    }

    @Test
    void whatIsAnsweredToAHeldRequestIsCollected() {
        var first = service.ask(ALICE, "release");
        var held = held(BOB, "POST", "/allocations", want("release", "\"maxWait\":\"1h\""));
        Waits.untilTrue(() -> service.api.held() == 1);
        release(ALICE, first);
        var granted = held.join();
        assertThat(granted.status()).isEqualTo(200);
        assertThat(((Active) stored(granted).state()).collectBy()).isNull();
        pass(LIVENESS.plus(BEAT));
        assertThat(stored(granted).state()).isInstanceOf(Active.class);
    }

    @Test
    void aRepeatByKeyIsInterestAndFetchesTheGrant() {
        var first = service.ask(ALICE, "release");
        UnaryOperator<java.net.http.HttpRequest.Builder> key = request -> request.header("Idempotency-Key", "k");
        var body = want("release", "\"maxWait\":\"1h\"");
        var asked = service.call(BOB, "POST", "/allocations", body, key);
        pass(LIVENESS.plus(BEAT));
        assertThat(pending(asked).interestUntil()).isNull();
        assertThat(service.call(BOB, "POST", "/allocations", body, key).status())
                .isEqualTo(202);
        assertThat(pending(asked).interestUntil()).isNotNull();
        release(ALICE, first);
        assertThat(service.call(BOB, "POST", "/allocations", body, key).status())
                .isEqualTo(200);
        assertThat(((Active) stored(asked).state()).collectBy()).isNull();
    }

    @Test
    void aWaitThatIsHeldOpenKeepsItsInterestUp() {
        var first = service.ask(ALICE, "release");
        var held = held(BOB, "POST", "/allocations", want("release", "\"maxWait\":\"1h\""));
        Waits.untilTrue(() -> service.api.held() == 1);
        pass(LIVENESS.multipliedBy(3)); // passed over in between, which wakes the one that waits
        release(ALICE, first);
        assertThat(held.join().status()).isEqualTo(200);
    }

    // ---- who goes away

    /** Sends a request, and waits until it is held. */
    private Socket waiting(String token, String method, String path, String headers, String body) throws IOException {
        int before = service.api.heldRequests();
        var socket = new Socket(InetAddress.getLoopbackAddress(), service.port());
        socket.getOutputStream()
                .write(
                        "%s %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nPrefer: wait=60\r\n%sContent-Length: %d\r\n\r\n%s"
                                .formatted(method, path, token, headers, body.length(), body)
                                .getBytes(StandardCharsets.US_ASCII));
        Waits.untilTrue(() -> service.api.heldRequests() == before + 1);
        return socket;
    }

    private Answered only(String token) {
        var all = service.call(token, "GET", "/allocations", null).body().path("allocations");
        assertThat(all.size()).isEqualTo(1);
        return new Answered(200, all.get(0), "", java.util.Map.of());
    }

    private int queueLength() {
        return service.store.pool(new PoolName("release")).orElseThrow().waiting();
    }

    @Test
    void aWaitWithoutAKeyEndsWhenItsCallerGoes() throws IOException {
        service.ask(ALICE, "release");
        waiting(BOB, "POST", "/allocations", "", want("release", "\"maxWait\":\"1h\""))
                .close();
        Waits.untilTrue(() -> queueLength() == 0);
        var ended = service.call(BOB, "GET", "/allocations?state=ended", null)
                .body()
                .path("allocations")
                .get(0);
        assertThat(ended.path("endReason").asString()).isEqualTo("not-collected");
    }

    @Test
    void aWaitWithAKeyIsPassedOverUntilItsCallerComesBack() throws IOException {
        var first = service.ask(ALICE, "release");
        var body = want("release", "\"maxWait\":\"1h\"");
        waiting(BOB, "POST", "/allocations", "Idempotency-Key: k\r\n", body).close();
        Waits.untilTrue(() -> pending(only(BOB)).interestUntil() == null);
        release(ALICE, first);
        assertThat(stored(only(BOB)).state()).isInstanceOf(Pending.class);
        var back = service.later(
                BOB,
                "POST",
                "/allocations",
                body,
                request -> request.header("Idempotency-Key", "k").header("Prefer", "wait=60"));
        assertThat(back.join().status()).as("it is granted at once").isEqualTo(200);
    }

    @Test
    void aLookThatWasHeldIsNoInterestOnceItsCallerHasGone() throws IOException {
        service.ask(ALICE, "release");
        var asked = queued(BOB);
        waiting(BOB, "GET", path(asked), "", "").close();
        Waits.untilTrue(() -> pending(asked).interestUntil() == null);
    }

    @Test
    void whileAnotherWaitsForTheSameNobodyHasGone() throws IOException {
        var first = service.ask(ALICE, "release");
        var asked = queued(BOB);
        var stays = held(BOB, "GET", path(asked), "");
        Waits.untilTrue(() -> service.api.heldRequests() == 1);
        waiting(BOB, "GET", path(asked), "", "").close();
        Waits.untilTrue(() -> service.api.heldRequests() == 1);
        assertThat(pending(asked).interestUntil()).isNotNull();
        release(ALICE, first);
        assertThat(stays.join().body().path("state").asString()).isEqualTo("active");
        assertThat(((Active) stored(asked).state()).collectBy()).isNull();
    }

    @Test
    void whoGoesWhileLookingAtWhatItHoldsLosesNothing() throws IOException {
        var held = service.ask(ALICE, "release");
        waiting(ALICE, "GET", path(held), "", "").close();
        Waits.untilTrue(() -> service.api.heldRequests() == 0);
        assertThat(((Active) stored(held).state()).collectBy()).isNull();
        pass(LIVENESS.plus(BEAT));
        assertThat(stored(held).state()).isInstanceOf(Active.class);
    }

    @Test
    void aStrangersGoingSaysNothing() throws IOException {
        service.ask(ALICE, "release");
        var asked = queued(BOB);
        waiting(OPERATOR, "GET", path(asked), "", "").close();
        Waits.untilTrue(() -> service.api.heldRequests() == 0);
        assertThat(pending(asked).interestUntil()).isNotNull();
    }

    // ---- who keeps asking instead

    @Test
    void whoWasToldThatNothingIsFreeAndAsksAgainKeepsItsPlaceBesideTheQueue() {
        var first = service.ask(ALICE, "release");
        assertThat(service.ask(BOB, "release").status()).isEqualTo(423);
        var waiting = queued(ALICE);
        service.pass(BEAT);
        assertThat(service.ask(BOB, "release").status()).isEqualTo(423);
        release(ALICE, first);
        assertThat(stored(waiting).state())
                .as("what came free is kept for who polls")
                .isInstanceOf(Pending.class);
        var lent = service.ask(BOB, "release");
        assertThat(lent.status()).isEqualTo(200);
        release(BOB, lent);
        assertThat(stored(waiting).state()).isInstanceOf(Active.class);
    }

    @Test
    void aPlaceOfWhoPollsIsShownToNobody() {
        service.ask(ALICE, "release");
        assertThat(service.ask(BOB, "release").status()).isEqualTo(423);
        for (var path : new String[] {"/allocations", "/allocations?state=pending", "/allocations?pool=release"}) {
            assertThat(service.call(BOB, "GET", path, null)
                            .body()
                            .path("allocations")
                            .size())
                    .as(path)
                    .isZero();
        }
        assertThat(service.call(BOB, "GET", "/pools/release", null)
                        .body()
                        .path("queue")
                        .path("length")
                        .intValue())
                .isZero();
    }
}
