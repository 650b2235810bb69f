package dev.berth.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What consumers, and strangers, see of others: no more than why they wait. */
class PrivacyTest extends ServiceTest {
    /** Of alice: what nobody but her and those who see everything is to read. */
    private static final List<String> HERS = List.of("alice", "her-job", "her-team", "her-outcome", "her-key");

    private final List<String> told = new ArrayList<>();

    private Service.Answered bob(String method, String path, @Nullable String body) {
        var answer = service.call(Service.BOB, method, path, body);
        told.add(method + " " + path + ": " + answer.text());
        return answer;
    }

    private Service.Answered aliceAsks(String more) {
        return service.call(
                Service.ALICE,
                "POST",
                "/allocations",
                "{\"pool\":\"release\",\"requester\":\"her-job\",\"labels\":{\"team\":\"her-team\"}" + more + "}",
                request -> request.header("Idempotency-Key", "her-key" + more.hashCode()));
    }

    @Test
    void aConsumerWhoWaitsLearnsNothingOfWhoHoldsOrWaitsBeforeIt() {
        service.pool("release", Service.policy(), 2);
        service.pool("lab", Service.policy(), 1);
        var held = aliceAsks("").body().path("id").asString();
        var past = aliceAsks(",\"duration\":\"1h\"").body().path("id").asString();
        service.call(Service.ALICE, "DELETE", "/allocations/" + past, "{\"outcome\":\"her-outcome\"}");
        service.pass(Duration.ofSeconds(1));
        aliceAsks(",\"duration\":\"2h\"");
        var waiting = aliceAsks(",\"maxWait\":\"10m\"").body().path("id").asString();

        var own = bob("POST", "/allocations", "{\"pool\":\"release\",\"requester\":\"mine\",\"maxWait\":\"10m\"}");
        assertThat(own.status()).isEqualTo(202);
        var path = "/allocations/" + own.body().path("id").asString();
        Waits.untilTrue(() -> waitingFor(path).contains("held")); // the queue is not looked at for each call
        var seen = bob("GET", path, null);
        assertThat(seen.body().path("queue").path("position").intValue()).isEqualTo(2);
        assertThat(bob("POST", "/allocations", "{\"pool\":\"release\",\"requester\":\"mine\"}")
                        .status())
                .isEqualTo(423);
        for (var hers : List.of(held, past, waiting)) {
            for (var call : List.of("", "/keepalive", "/extend", "/hold")) {
                var answer = bob(call.isEmpty() ? "GET" : "POST", "/allocations/" + hers + call, body(call));
                assertThat(answer.status()).as(call).isEqualTo(404);
            }
            assertThat(bob("DELETE", "/allocations/" + hers, null).status()).isEqualTo(404);
            assertThat(bob("GET", "/reservations/" + hers, null).status()).isIn(401, 404);
        }
        assertThat(bob("GET", "/allocations?limit=100", null)
                        .body()
                        .path("allocations")
                        .size())
                .isEqualTo(1);
        bob("GET", "/allocations?requester=her-job&state=active", null);
        bob("GET", "/pools", null);
        assertThat(bob("GET", "/pools/release", null)
                        .body()
                        .path("queue")
                        .path("length")
                        .intValue())
                .isEqualTo(2);
        assertThat(bob("GET", "/pools/lab", null).code()).isEqualTo("no-such-pool");
        for (var closed : List.of("/events", "/environments", "/environments/release-1", "/tokens")) {
            assertThat(bob("GET", closed, null).status()).as(closed).isEqualTo(403);
        }

        var mine = List.of("requester=her-job"); // what bob himself wrote
        assertThat(told).allSatisfy(answer -> {
            var text = mine.stream().reduce(answer, (all, word) -> all.replace(word, ""));
            assertThat(HERS).noneMatch(text::contains);
        });
    }

    private String waitingFor(String path) {
        return bob("GET", path, null).body().path("queue").path("waitingFor").asString();
    }

    private static @Nullable String body(String call) {
        return switch (call) {
            case "/extend" -> "{\"until\":\"2030-01-01T00:00:00Z\"}";
            case "/hold" -> "{\"for\":\"30m\",\"to\":[\"bob\"]}";
            default -> null;
        };
    }

    @Test
    void aStrangerLearnsNumbersAlone() {
        service.pool("release", Service.policy(), 1);
        aliceAsks("");
        aliceAsks(",\"maxWait\":\"10m\"");
        for (var path : List.of("/", "/healthz/ready", "/metrics", "/openapi.json")) {
            var answer = service.call("", "GET", path, null, UnaryOperator.identity());
            assertThat(answer.status()).isEqualTo(200);
            assertThat(HERS).as(path).noneMatch(answer.text()::contains);
            if (path.equals("/")) {
                assertThat(answer.text()).doesNotContain("release");
            }
        }
    }

    @Test
    void whoSeesEverythingSeesWhoAskedAndFromWhere() {
        service.pool("release", Service.policy(), 1);
        var held = aliceAsks("").body().path("id").asString();
        aliceAsks(",\"maxWait\":\"10m\"");
        service.call(Service.OPERATOR, "DELETE", "/allocations/" + held, "{\"outcome\":\"stuck\"}");
        service.call(Service.OPERATOR, "POST", "/environments/release-1/quarantine", "{\"reason\":\"noise\"}");
        var events = service.call(Service.VIEWER, "GET", "/events?pool=release", null)
                .body()
                .path("events")
                .valueStream()
                .filter(event -> event.path("data").has("from"))
                .map(event -> event.path("type").asString() + " "
                        + event.path("principal").asString() + " "
                        + event.path("data").path("by").asString("") + " "
                        + event.path("data").path("outcome").asString("") + " "
                        + event.path("data").path("from").asString())
                .toList();
        assertThat(events)
                .containsExactly(
                        "allocation-granted alice   127.0.0.1",
                        "allocation-requested alice   127.0.0.1",
                        "allocation-ended alice olga stuck 127.0.0.1",
                        "operator-acted olga   127.0.0.1");
    }
}
