package dev.berth.server.http;

import static dev.berth.server.http.Service.ADMIN;
import static dev.berth.server.http.Service.ALICE;
import static dev.berth.server.http.Service.OPERATOR;
import static dev.berth.server.http.Service.VIEWER;
import static dev.berth.server.http.Service.policy;
import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.core.EnvironmentName;
import dev.berth.server.store.Store;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Environments, pools, tokens, the configuration and the service itself. */
class OperatorsTest extends ServiceTest {

    @BeforeEach
    void pools() {
        service.pool("release", policy(), 3);
    }

    @Test
    void aPoolShowsItsPolicyAndCounts() {
        service.ask(ALICE, "release");
        var pool = service.call(ALICE, "GET", "/pools/release", null).body();
        assertThat(pool.path("policy").path("session").asString()).isEqualTo("3h");
        assertThat(pool.path("environments").path("total").intValue()).isEqualTo(3);
        assertThat(pool.path("environments").path("allocated").intValue()).isEqualTo(1);
        assertThat(pool.path("waits").path("p50").isNumber()).isTrue();
    }

    @Test
    void anEnvironmentShowsItsHolderAndItsHistory() {
        var granted = service.ask(ALICE, "release");
        var listed = service.call(VIEWER, "GET", "/environments?pool=release&state=allocated", null)
                .body();
        assertThat(listed.path("environments").size()).isEqualTo(1);
        var one = service.call(VIEWER, "GET", "/environments/release-1", null).body();
        assertThat(one.path("holder").asString()).isEqualTo("job-1");
        assertThat(one.path("allocation")).isEqualTo(granted.body().path("id"));
        assertThat(one.path("history").size()).isGreaterThan(0);
        assertThat(service.call(VIEWER, "GET", "/environments/none", null).code())
                .isEqualTo("no-such-environment");
        assertThat(service.call(VIEWER, "GET", "/environments?state=free", null).code())
                .isEqualTo("invalid-request");
    }

    @Test
    void environmentsHavePages() {
        var first = service.call(VIEWER, "GET", "/environments?limit=2", null).body();
        assertThat(first.path("environments").size()).isEqualTo(2);
        var next = first.path("next").asString();
        var second = service.call(VIEWER, "GET", "/environments?limit=2&cursor=" + next, null)
                .body();
        assertThat(second.path("environments").get(0).path("name").asString()).isEqualTo("release-3");
    }

    @Test
    void operatorsActOnEnvironments() {
        var dirty = service.call(
                OPERATOR, "POST", "/environments/release-2/quarantine", "{\"reason\":\"smells of smoke\"}");
        assertThat(dirty.status()).as(dirty.text()).isEqualTo(200);
        assertThat(dirty.body().path("state").asString()).isEqualTo("dirty");
        assertThat(dirty.body().path("reason").asString()).isEqualTo("smells of smoke");
        assertThat(service.call(OPERATOR, "POST", "/environments/release-2/verify", null)
                        .body()
                        .path("state")
                        .asString())
                .isEqualTo("available");
        service.ask(ALICE, "release");
        var held = service.call(OPERATOR, "POST", "/environments/release-1/clean", "{}");
        assertThat(held.status()).isEqualTo(409);
        assertThat(held.code()).isEqualTo("environment-allocated");
        assertThat(service.call(OPERATOR, "POST", "/environments/release-3/retire", null)
                        .body()
                        .path("state")
                        .asString())
                .isEqualTo("retired");
        assertThat(service.call(VIEWER, "GET", "/environments/release-3", null)
                        .body()
                        .path("retiredAt")
                        .isNull())
                .isFalse();
        assertThat(service.call(OPERATOR, "POST", "/environments/none/clean", null)
                        .status())
                .isEqualTo(404);
        assertThat(service.call(OPERATOR, "POST", "/environments/release-1/clean", "{\"why\":1}")
                        .status())
                .isEqualTo(400);
    }

    @Test
    void operatorsSeeWhatBelongsToAnEnvironmentAndAcceptWhatWasFound() {
        var path = "/environments/release-2/baseline";
        assertThat(service.call(OPERATOR, "GET", path, null).code()).isEqualTo("no-such-baseline");
        assertThat(service.call(OPERATOR, "POST", path + "/accept", null).code())
                .isEqualTo("nothing-to-accept");
        assertThat(service.call(OPERATOR, "GET", "/environments/none/baseline", null)
                        .code())
                .isEqualTo("no-such-environment");
        assertThat(service.call(OPERATOR, "GET", path + "?version=x", null).code())
                .isEqualTo("invalid-request");

        var name = new EnvironmentName("release-2");
        service.store.addFirstBaseline(new Store.Baseline(
                "release-2", 1, name, service.now.get(), "verification", "{\"role\":[\"admin\",\"old\"]}"));
        service.store.keepFinding(new Store.Finding(
                "release-2", name, service.now.get(), "{\"bucket\":[\"logs\"],\"role\":[\"admin\"]}"));
        var shown = service.call(OPERATOR, "GET", path, null).body();
        assertThat(shown.path("version").asInt()).isEqualTo(1);
        assertThat(shown.path("by").asString()).isEqualTo("verification");
        assertThat(shown.at("/things/role/1").asString()).isEqualTo("old");
        assertThat(shown.at("/found/more")).isEqualTo(Service.JSON.readTree("{\"bucket\":[\"logs\"]}"));
        assertThat(shown.at("/found/missing")).isEqualTo(Service.JSON.readTree("{\"role\":[\"old\"]}"));

        var accepted = service.call(OPERATOR, "POST", path + "/accept", "");
        assertThat(accepted.status()).as(accepted.text()).isEqualTo(200);
        assertThat(accepted.body().path("version").asInt()).isEqualTo(2);
        assertThat(accepted.body().path("by").asString()).isEqualTo("olga");
        assertThat(service.call(OPERATOR, "POST", path + "/accept", null).code())
                .isEqualTo("nothing-to-accept");
        var now = service.call(OPERATOR, "GET", path, null).body();
        assertThat(now.path("found").isNull()).isTrue();
        assertThat(now.at("/things/bucket/0").asString()).isEqualTo("logs");
        assertThat(service.call(OPERATOR, "GET", path + "?version=1", null)
                        .body()
                        .at("/things/role/1")
                        .asString())
                .isEqualTo("old");
        assertThat(service.call(OPERATOR, "GET", path + "?version=3", null).code())
                .isEqualTo("no-such-baseline");
        var history = service.call(VIEWER, "GET", "/environments/release-2", null)
                .body()
                .path("history")
                .toString();
        assertThat(history)
                .contains("baseline-kept")
                .contains("\"version\":\"2\"")
                .contains("olga");
    }

    @Test
    void whatSomebodyHoldsGetsNoOtherBaseline() {
        service.ask(ALICE, "release");
        service.store.keepFinding(
                new Store.Finding("release-1", new EnvironmentName("release-1"), service.now.get(), "{}"));
        assertThat(service.call(OPERATOR, "POST", "/environments/release-1/baseline/accept", null)
                        .code())
                .isEqualTo("environment-allocated");
        assertThat(service.store.finding("release-1")).isPresent();
    }

    @Test
    void operatorsActOnManyAtOnce() {
        service.ask(ALICE, "release");
        var answer =
                service.call(OPERATOR, "POST", "/environments/actions", "{\"action\":\"clean\",\"pool\":\"release\"}");
        assertThat(answer.body().path("done").size()).isEqualTo(2);
        assertThat(answer.body().path("refused").get(0).path("code").asString()).isEqualTo("environment-allocated");
        var some = service.call(
                OPERATOR,
                "POST",
                "/environments/actions",
                "{\"action\":\"quarantine\",\"pool\":\"release\",\"state\":\"available\",\"reason\":\"storm\"}");
        assertThat(some.body().path("done").size()).isEqualTo(2);
        for (var wrong : new String[] {
            "{}",
            "{\"action\":\"burn\",\"pool\":\"release\"}",
            "{\"action\":\"clean\",\"pool\":\"release\",\"state\":\"x\"}"
        }) {
            assertThat(service.call(OPERATOR, "POST", "/environments/actions", wrong)
                            .status())
                    .isEqualTo(400);
        }
        assertThat(service.call(OPERATOR, "POST", "/environments/actions", "{\"action\":\"clean\",\"pool\":\"no\"}")
                        .code())
                .isEqualTo("no-such-pool");
    }

    @Test
    void aTokenLetsItsPrincipalInUntilItIsRevoked() {
        var made = service.call(ADMIN, "POST", "/tokens", "{\"principal\":\"vera\",\"expires\":\"90d\"}");
        assertThat(made.status()).isEqualTo(201);
        var secret = made.body().path("token").asString();
        assertThat(secret).matches("berth_[0-9A-Za-z]{43}");
        assertThat(service.call(secret, "GET", "/environments", null).status()).isEqualTo(200);
        assertThat(service.call(secret, "GET", "/tokens", null).status()).isEqualTo(403);

        var listed = service.call(ADMIN, "GET", "/tokens", null);
        assertThat(listed.text()).doesNotContain(secret);
        assertThat(listed.body().path("tokens").get(0).path("lastUsedAt").asString())
                .isEqualTo("2026-07-01T12:00:00Z");
        var path = "/tokens/" + made.body().path("id").asString();
        assertThat(service.call(ADMIN, "DELETE", path, null).status()).isEqualTo(200);
        assertThat(service.call(secret, "GET", "/environments", null).status()).isEqualTo(401);
        assertThat(service.call(ADMIN, "DELETE", path, null).code()).isEqualTo("no-such-token");

        service.call(OPERATOR, "POST", "/environments/release-1/retire", null); // answered after what came before it
        var events = service.call(VIEWER, "GET", "/events?limit=1000", null);
        assertThat(events.text()).contains("token-created", "token-revoked").doesNotContain(secret);
        assertThat(events.body().path("events")).anySatisfy(event -> {
            assertThat(event.path("type").asString()).isEqualTo("token-revoked");
            assertThat(event.path("principal").asString()).isEqualTo("root");
            assertThat(event.path("data").path("token").asString())
                    .isEqualTo(made.body().path("id").asString());
        });
        for (var wrong :
                new String[] {"{\"principal\":\"nobody\"}", "{}", "{\"principal\":\"vera\",\"expires\":\"0s\"}"}) {
            assertThat(service.call(ADMIN, "POST", "/tokens", wrong).code())
                    .as(wrong)
                    .isEqualTo("invalid-request");
        }
    }

    @Test
    void aConfigurationIsComparedAndPutInForce() {
        var change = service.call(ADMIN, "POST", "/config/diff", "pools: {}\n");
        assertThat(change.text())
                .isEqualTo(
                        "{\"digest\":\"abc\",\"pools\":[\"release\"],\"register\":[\"a\"],\"deregister\":[\"b\"],\"change\":[]}");
        service.call(ADMIN, "PUT", "/config?allow-removals=true", "a: ü");
        assertThat(service.configurations).containsExactly("diff pools: {}\n", "apply true root a: ü");
        assertThat(service.call(ADMIN, "PUT", "/config?allow-removals=yes", "").code())
                .isEqualTo("invalid-request");
        assertThat(service.call(ADMIN, "PUT", "/config", "# " + "x".repeat(2 << 20))
                        .status())
                .isEqualTo(200);
        assertThat(service.call(ADMIN, "PUT", "/config", "# " + "x".repeat(16 << 20))
                        .status())
                .isEqualTo(413);
    }

    @Test
    void aConfigurationWithMistakesIsRefusedWithTheirLines() {
        service.configuration.set(new ConfigurationDesk.Invalid(List.of(
                new ConfigurationDesk.Mistake(3, "pools.x", "is not known"),
                new ConfigurationDesk.Mistake(0, null, "is empty"))));
        var refused = service.call(ADMIN, "PUT", "/config", "x");
        assertThat(refused.status()).isEqualTo(400);
        assertThat(refused.code()).isEqualTo("configuration-invalid");
        assertThat(refused.body().path("errors").toString())
                .isEqualTo(
                        "[{\"line\":3,\"field\":\"pools.x\",\"message\":\"is not known\"},{\"message\":\"is empty\"}]");
        service.configuration.set(new ConfigurationDesk.MassRemoval("Pool 'release' would go"));
        assertThat(service.call(ADMIN, "PUT", "/config", "x").status()).isEqualTo(409);
        assertThat(service.call(ADMIN, "PUT", "/config", "x").code()).isEqualTo("mass-removal");
    }

    @Test
    void theServiceTellsCountsAndNoNames() {
        service.ask(ALICE, "release");
        var status = service.call("", "GET", "/", null);
        assertThat(status.body().path("apiLevel").intValue()).isEqualTo(2);
        assertThat(status.body().path("environments").path("allocated").intValue())
                .isEqualTo(1);
        assertThat(status.text()).doesNotContain("release").doesNotContain("alice");
        assertThat(service.call("", "GET", "/healthz/live", null).status()).isEqualTo(200);
        assertThat(service.call("", "GET", "/healthz/ready", null).status()).isEqualTo(200);
        service.ready.set(false);
        var away = service.call("", "GET", "/healthz/ready", null);
        assertThat(away.status()).isEqualTo(503);
        assertThat(away.header("Retry-After")).isNotNull();
    }

    @Test
    void metricsCountRequestsPoolsAndEndings() {
        var granted = service.ask(ALICE, "release");
        service.call(
                ALICE, "DELETE", "/allocations/" + granted.body().path("id").asString(), null);
        service.call(ALICE, "GET", "/nowhere/at/all", null);
        // A request is counted a moment after its answer was sent.
        Waits.untilTrue(() -> metrics().contains("route=\"other\",status=\"404\""));
        assertThat(metrics())
                .contains("berth_http_requests_seconds_count{method=\"POST\",route=\"/allocations\",status=\"200\"} 1")
                .contains("route=\"other\",status=\"404\"")
                .contains("berth_environments{pool=\"release\",state=\"available\"} 3.0")
                .contains("berth_allocations_ended_total{pool=\"release\",reason=\"released\"} 1.0")
                .contains("berth_queue_length{pool=\"release\"} 0.0");
    }

    private String metrics() {
        return service.call("", "GET", "/metrics", null).text();
    }

    @Test
    void aRequestKeepsItsNameWhereThatIsClean() {
        var named = service.call("", "GET", "/", null, request -> request.header("X-Request-Id", "job-7.a_b"));
        assertThat(named.header("X-Request-Id")).isEqualTo("job-7.a_b");
        for (var unclean : new String[] {"a b", "x".repeat(65), "a;b"}) {
            var answer = service.call("", "GET", "/no", null, request -> request.header("X-Request-Id", unclean));
            assertThat(answer.header("X-Request-Id")).matches("[0-9a-f]{16}");
            assertThat(answer.body().path("requestId").asString()).isEqualTo(answer.header("X-Request-Id"));
        }
    }

    @Test
    void anotherMethodIs405AndAnotherPath404() {
        var method = service.call(ALICE, "PUT", "/allocations", "");
        assertThat(method.status()).isEqualTo(405);
        assertThat(method.header("Allow")).isEqualTo("POST, GET");
        assertThat(service.call(ALICE, "GET", "/allocation", null).code()).isEqualTo("no-such-resource");
        assertThat(service.call("", "GET", "/allocations/a/b/c?token=secret", null)
                        .text())
                .doesNotContain("secret");
    }

    @Test
    void aStoreThatIsAwayIs503AndNothingIsSaidOfIt() throws SQLException {
        try (var database = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("berth.db"));
                var statement = database.createStatement()) {
            statement.execute("ALTER TABLE pool RENAME TO elsewhere");
        }
        var answer = service.call(ALICE, "GET", "/pools", null);
        assertThat(answer.status()).isEqualTo(503);
        assertThat(answer.code()).isEqualTo("store-unavailable");
        assertThat(answer.header("Retry-After")).isNotNull();
        var asked = service.ask(ALICE, "release");
        assertThat(asked.status()).isEqualTo(503);
    }
}
