package dev.berth.server.http;

import static dev.berth.server.http.Service.ADMIN;
import static dev.berth.server.http.Service.ALICE;
import static dev.berth.server.http.Service.BOB;
import static dev.berth.server.http.Service.OPERATOR;
import static dev.berth.server.http.Service.SECRET;
import static dev.berth.server.http.Service.VIEWER;
import static dev.berth.server.http.Service.policy;
import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.server.http.Service.Answered;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

class AllocationsTest extends ServiceTest {

    @BeforeEach
    void pools() {
        service.pool("release", policy(), 2);
        service.pool("lab", policy(), 1);
    }

    private static JsonNode golden(String name) {
        try (var in = AllocationsTest.class.getResourceAsStream(name)) {
            return Service.JSON.readTree(new String(in.readAllBytes(), StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** With the id, which is random, replaced. */
    private static JsonNode known(Answered answer) {
        return ((ObjectNode) answer.body().deepCopy()).put("id", "ID");
    }

    private static String id(Answered answer) {
        return answer.body().path("id").asString();
    }

    @Test
    void aCursorThatNoPageGaveIsRefused() {
        for (var wrong : new String[] {"zzz", "0", "%20", "1-", "release-1"}) {
            for (var list : new String[] {"/allocations", "/allocations?state=ended", "/environments"}) {
                var refused = service.call(
                        OPERATOR, "GET", list + (list.contains("?") ? "&" : "?") + "cursor=" + wrong, null);
                assertThat(refused.status()).as(list + " " + wrong).isEqualTo(400);
                assertThat(refused.code()).isEqualTo("invalid-request");
                assertThat(refused.body().path("errors").get(0).path("field").asString())
                        .isEqualTo("cursor");
            }
        }
    }

    @Test
    void anEnvironmentIsLentKeptAliveAndGivenBack() {
        var granted = service.ask(ALICE, "release");
        assertThat(granted.status()).as(granted.text()).isEqualTo(200);
        assertThat(known(granted)).isEqualTo(golden("active.json"));
        var path = "/allocations/" + id(granted);

        var kept = service.call(ALICE, "POST", path + "/keepalive", null);
        assertThat(kept.status()).isEqualTo(200);
        assertThat(service.call(ALICE, "GET", path, null).body()).isEqualTo(granted.body());

        for (int i = 0; i < 2; i++) {
            var released = service.call(ALICE, "DELETE", path, "{\"outcome\":\"success-" + i + "\"}");
            assertThat(released.status()).isEqualTo(200);
            assertThat(released.text()).isEqualTo("{}");
        }
        assertThat(known(service.call(ALICE, "GET", path, null))).isEqualTo(golden("ended.json"));
    }

    @Test
    void standingSecretsAndVariablesAreShownToTheHolder() {
        assertThat(known(service.ask(ALICE, "lab"))).isEqualTo(golden("standing.json"));
    }

    @Test
    void accessIsShownToItsPrincipalAlone() {
        var granted = service.ask(ALICE, "lab");
        var path = "/allocations/" + id(granted);
        assertThat(granted.text()).contains(SECRET);
        assertThat(service.call(ALICE, "GET", path, null).text()).contains(SECRET);
        for (var other : new String[] {OPERATOR, VIEWER, ADMIN}) {
            var seen = service.call(other, "GET", path, null);
            assertThat(seen.status()).isEqualTo(200);
            assertThat(seen.text())
                    .doesNotContain(SECRET)
                    .doesNotContain("credentials")
                    .doesNotContain("192.0.2.7");
        }
        for (var path2 : new String[] {"/allocations", "/allocations?state=active", "/allocations?pool=lab"}) {
            assertThat(service.call(ALICE, "GET", path2, null).text())
                    .contains(id(granted))
                    .doesNotContain(SECRET)
                    .doesNotContain("192.0.2.7");
        }
        for (var path2 : new String[] {"/environments", "/environments/lab-1", "/pools", "/events"}) {
            assertThat(service.call(OPERATOR, "GET", path2, null).text())
                    .doesNotContain(SECRET)
                    .doesNotContain("192.0.2.7");
        }
        assertThat(service.call(ALICE, "POST", path + "/keepalive", null).text())
                .doesNotContain(SECRET);
        service.call(ALICE, "DELETE", path, null);
        assertThat(service.call(ALICE, "GET", path, null).text()).doesNotContain(SECRET);
    }

    @Test
    void anothersAllocationDoesNotExist() {
        var granted = service.ask(ALICE, "release");
        var path = "/allocations/" + id(granted);
        var unknown = "/allocations/" + id(granted).substring(0, id(granted).length() - 1) + "v";
        for (var one : new String[] {
            path, unknown, "/allocations/no-id-at-all", "/allocations/zzzzz0-000000000-" + "0".repeat(26)
        }) {
            for (var call : new Answered[] {
                service.call(BOB, "GET", one, null),
                service.call(BOB, "DELETE", one, null),
                service.call(BOB, "POST", one + "/keepalive", null),
                service.call(BOB, "POST", one + "/extend", "{\"until\":\"2026-07-01T13:00:00Z\"}")
            }) {
                assertThat(call.status()).as(one).isEqualTo(404);
                assertThat(call.code()).isEqualTo("no-such-allocation");
            }
        }
        assertThat(service.call(ALICE, "GET", path, null).body().path("state").asString())
                .isEqualTo("active");
        assertThat(service.call(BOB, "GET", "/allocations", null).text())
                .isEqualTo("{\"allocations\":[],\"next\":null}");
        assertThat(service.call(VIEWER, "GET", "/allocations", null).text()).contains(id(granted));
    }

    @Test
    void anOperatorEndsAnothersAllocation() {
        var granted = service.ask(ALICE, "release");
        var path = "/allocations/" + id(granted);
        assertThat(service.call(OPERATOR, "DELETE", path, null).status()).isEqualTo(200);
        assertThat(service.call(ALICE, "GET", path, null)
                        .body()
                        .path("endReason")
                        .asString())
                .isEqualTo("operator");
        var kept = service.call(ALICE, "POST", path + "/keepalive", null);
        assertThat(kept.status()).isEqualTo(410);
        assertThat(kept.code()).isEqualTo("lease-lost");
        assertThat(kept.body().path("message").asString()).contains("operator");
    }

    @Test
    void nothingFreeIs423WithThePoolsRetryAfter() {
        service.ask(ALICE, "lab");
        var refused = service.ask(ALICE, "lab");
        assertThat(refused.status()).isEqualTo(423);
        assertThat(refused.code()).isEqualTo("no-environment-available");
        assertThat(refused.body().path("message").asString()).isEqualTo("No environments available in pool 'lab'");
        assertThat(refused.header("Retry-After")).isEqualTo("20");
        assertThat(service.call(ALICE, "GET", "/allocations", null)
                        .body()
                        .path("allocations")
                        .size())
                .isEqualTo(1);
    }

    @Test
    void aPoolThatDoesNotExistAndOneOfOthersLookTheSame() {
        service.pool("others", policy(), 1);
        var missing = service.ask(BOB, "missing");
        var others = service.ask(BOB, "others");
        assertThat(missing.status()).isEqualTo(404);
        assertThat(missing.code()).isEqualTo("no-such-pool");
        assertThat(missing.body().path("message").asString().replace("missing", "others"))
                .isEqualTo(others.body().path("message").asString());
        assertThat(service.ask(BOB, "no pool!").code()).isEqualTo("no-such-pool");
    }

    @Test
    void severalEnvironmentsAreLentTogetherOrNotAtAll() {
        var both = service.call(
                ALICE,
                "POST",
                "/allocations",
                want("release", "\"environments\":[{},{\"count\":1,\"capabilities\":{}}]"));
        assertThat(both.status()).as(both.text()).isEqualTo(200);
        assertThat(both.body().path("environments").size()).isEqualTo(2);
        assertThat(both.body().path("environment").path("name"))
                .isEqualTo(both.body().path("environments").get(0).path("name"));

        var three = service.call(ALICE, "POST", "/allocations", want("release", "\"environments\":[{\"count\":3}]"));
        assertThat(three.status()).isEqualTo(422);
        assertThat(three.code()).isEqualTo("unsatisfiable");
        var huge = service.call(
                ALICE, "POST", "/allocations", want("release", "\"environments\":[{\"count\":99999999999999999999}]"));
        assertThat(huge.code()).isEqualTo("unsatisfiable");
    }

    @Test
    void whatThePoolDoesNotAllowIs422() {
        for (var more :
                new String[] {"\"duration\":\"4h\"", "\"duration\":\"0s\"", "\"keepalive\":\"9s\"", "\"maxWait\":\"2h\""
                }) {
            var refused = service.call(ALICE, "POST", "/allocations", want("release", more));
            assertThat(refused.status()).as(more).isEqualTo(422);
            assertThat(refused.code()).isEqualTo("out-of-range");
        }
    }

    @Test
    void theSessionIsExtendedAsFarAsThePoolAllows() {
        var path = "/allocations/" + id(service.ask(ALICE, "release")) + "/extend";
        var extended = service.call(ALICE, "POST", path, "{\"until\":\"2026-07-01T16:30:00Z\"}");
        assertThat(extended.body().path("expiresAt").asString()).isEqualTo("2026-07-01T16:30:00Z");
        var sooner = service.call(ALICE, "POST", path, "{\"until\":\"2026-07-01T16:00:00Z\"}");
        assertThat(sooner.body().path("expiresAt").asString()).isEqualTo("2026-07-01T16:30:00Z");
        assertThat(service.call(ALICE, "POST", path, "{\"until\":\"2026-07-01T18:00:01Z\"}")
                        .code())
                .isEqualTo("out-of-range");
        service.pass(Duration.ofHours(5));
        assertThat(service.call(ALICE, "POST", path, "{\"until\":\"2026-07-01T17:30:00Z\"}")
                        .code())
                .isEqualTo("lease-lost");
    }

    @Test
    void aKeyGivesTheSameAllocationForTheSameMeaning() {
        var first = withKey("key-1", want("release", "\"duration\":\"90m\""));
        assertThat(first.status()).isEqualTo(200);
        var again = withKey(
                "key-1",
                "{\"requester\":\"job-1\",\"duration\":\"1h30m\",\"priority\":0,\"constraints\":[],\"pool\":\"release\",\"maxWait\":\"0s\",\"environments\":[{\"count\":1}]}");
        assertThat(again.body()).isEqualTo(first.body());

        var other = withKey("key-1", want("release", "\"duration\":\"91m\""));
        assertThat(other.status()).isEqualTo(422);
        assertThat(other.code()).isEqualTo("idempotency-key-reused");
        assertThat(withKey("key-1", want("lab", "\"duration\":\"90m\"")).code()).isEqualTo("idempotency-key-reused");

        service.call(ALICE, "DELETE", "/allocations/" + id(first), null);
        var spent = withKey("key-1", want("release", "\"duration\":\"90m\""));
        assertThat(spent.status()).isEqualTo(409);
        assertThat(spent.code()).isEqualTo("idempotency-key-spent");
        assertThat(spent.body().path("message").asString()).contains(id(first)).contains("released");
    }

    private Answered withKey(String key, String body) {
        return service.call(ALICE, "POST", "/allocations", body, request -> request.header("Idempotency-Key", key));
    }

    @Test
    void aKeyMustBeShortAndVisible() {
        for (var key : new String[] {"x".repeat(201), "two words"}) {
            var refused = withKey(key, want("release", ""));
            assertThat(refused.status()).isEqualTo(400);
            assertThat(refused.body().path("errors").get(0).path("field").asString())
                    .isEqualTo("Idempotency-Key");
        }
        assertThat(withKey("x".repeat(200), want("release", "")).status()).isEqualTo(200);
    }

    @Test
    void listsHavePagesAndFilters() {
        service.pool("keen", policy(), 5);
        for (int i = 0; i < 5; i++) {
            service.ask(ALICE, "keen");
        }
        var first = service.call(ALICE, "GET", "/allocations?limit=3", null);
        assertThat(first.body().path("allocations").size()).isEqualTo(3);
        var second = service.call(
                ALICE,
                "GET",
                "/allocations?limit=3&cursor=" + first.body().path("next").asString(),
                null);
        assertThat(second.body().path("allocations").size()).isEqualTo(2);
        assertThat(second.body().path("next").isNull()).isTrue();
        assertThat(service.call(ALICE, "GET", "/allocations?requester=job-2", null)
                        .body()
                        .path("allocations")
                        .size())
                .isZero();
        for (var wrong : new String[] {
            "state=free", "limit=0", "limit=1001", "limit=x", "pool=%20", "colour=red", "state=active&state=ended"
        }) {
            assertThat(service.call(ALICE, "GET", "/allocations?" + wrong, null).code())
                    .as(wrong)
                    .isEqualTo("invalid-request");
        }
    }

    @Test
    void labelsAreShownAgain() {
        var granted = service.call(
                ALICE, "POST", "/allocations", want("release", "\"labels\":{\"team\":\"cli\",\"a\":\"ü\\\"\"}"));
        assertThat(granted.body().path("labels").toString()).isEqualTo("{\"a\":\"ü\\\"\",\"team\":\"cli\"}");
    }

    @Test
    void anIssuedSecretReachesItsHolderOnly() {
        service.pool("slow", Service.with(java.util.Set.of(dev.berth.core.Step.ISSUE)), 1);
        var asked = service.later(ALICE, "POST", "/allocations", want("slow", ""), request -> request);
        var step = Waits.until(() -> service.claimIfAny("slow"));
        service.issue("slow", step);
        var granted = asked.join();
        assertThat(granted.status()).as(granted.text()).isEqualTo(200);
        var entry = granted.body().path("environments").get(0);
        assertThat(entry.path("credentials").toString()).isEqualTo("{\"password\":\"" + SECRET + "\"}");
        assertThat(entry.path("connection").toString()).isEqualTo("{\"host\":\"192.0.2.9\"}");
        assertThat(entry.path("env").toString()).isEqualTo("{\"PGHOST\":\"db\"}");
        var row = service.store
                .allocation(new dev.berth.core.AllocationId(id(granted)))
                .orElseThrow();
        assertThat(row.state().grants().getFirst().access().text()).doesNotContain(SECRET);
        assertThat(service.call(OPERATOR, "GET", "/allocations/" + id(granted), null)
                        .text())
                .doesNotContain(SECRET);
        assertThat(service.call(ADMIN, "GET", "/events", null).text()).doesNotContain(SECRET);
    }
}
