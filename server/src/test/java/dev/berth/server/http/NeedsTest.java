package dev.berth.server.http;

import static dev.berth.server.http.Service.ALICE;
import static dev.berth.server.http.Service.BOB;
import static dev.berth.server.http.Service.OPERATOR;
import static dev.berth.server.http.Service.QUEUE;
import static dev.berth.server.http.Service.policy;
import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.core.Policy.Queueing;
import dev.berth.core.Policy.Quota;
import dev.berth.core.Registration;
import dev.berth.core.Shape;
import dev.berth.core.Value;
import dev.berth.server.http.Service.Answered;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The environment that is asked for, and the one that others need least. */
class NeedsTest extends ServiceTest {

    private static Registration board(
            String name, String account, String region, Map<String, Value> capabilities, String... profiles) {
        return Service.record(name, account, Shape.of(capabilities, Map.of("region", region), List.of(profiles)));
    }

    private static Value text(String text) {
        return new Value.Text(text);
    }

    private static Value number(int number) {
        return new Value.Number(BigDecimal.valueOf(number));
    }

    @BeforeEach
    void pools() {
        service.pool(
                "lab",
                policy(
                        new Queueing(
                                QUEUE.max(),
                                QUEUE.maxWait(),
                                QUEUE.order(),
                                null,
                                QUEUE.halfLife(),
                                QUEUE.aging(),
                                QUEUE.liveness(),
                                5),
                        Quota.NONE,
                        null),
                List.of(
                        board("plain", "1", "east", Map.of()),
                        board("small", "1", "west", Map.of("size", number(1), "zone", text("a"))),
                        board(
                                "large",
                                "2",
                                "east",
                                Map.of(
                                        "size",
                                        number(2),
                                        "tags",
                                        new Value.Many(List.of(text("gpu"), text("fast"))),
                                        "chip",
                                        Value.of(Map.of("arch", text("arm64"), "cores", number(8)))),
                                "readonly")));
    }

    private Answered ask(String more) {
        return service.call(ALICE, "POST", "/allocations", want("lab", more));
    }

    private static String names(Answered answer) {
        var names = new TreeSet<String>();
        answer.body()
                .path("environments")
                .forEach(environment -> names.add(environment.path("name").asString()));
        return answer.status() == 200 ? String.join(" ", names) : answer.code();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
                {}                                                             | plain
                {"capabilities":{}}                                            | plain
                {"capabilities":{"size":1}}                                    | small
                {"capabilities":{"size":1.0}}                                  | small
                {"capabilities":{"size":"1"}}                                  | unsatisfiable
                {"capabilities":{"size":"*"}}                                  | small
                {"capabilities":{"size":[2,3]}}                                | large
                {"capabilities":{"size":[3,4]}}                                | unsatisfiable
                {"capabilities":{"size":[4,"*"]}}                              | small
                {"capabilities":{"zone":"a"}}                                  | small
                {"capabilities":{"zone":"*","tags":"*"}}                       | unsatisfiable
                {"capabilities":{"tags":"gpu"}}                                | large
                {"capabilities":{"tags":"slow"}}                               | unsatisfiable
                {"capabilities":{"chip":{"arch":"arm64"}}}                     | large
                {"capabilities":{"chip":{"arch":["riscv","arm64"],"cores":8}}} | large
                {"capabilities":{"chip":{"arch":"arm64","clock":1}}}           | unsatisfiable
                {"access":"readonly"}                                          | large
                {"access":"root"}                                              | unsatisfiable
                {"count":2}                                                    | plain small
                {"count":3}                                                    | large plain small
                {"count":4}                                                    | unsatisfiable
                {"count":2,"capabilities":{"size":"*"}}                        | large small
                {},{"capabilities":{"zone":"a"}}                               | plain small
                {"capabilities":{"size":"*"}},{"capabilities":{"zone":"a"}}    | large small
                {"capabilities":{"zone":"a"}},{"capabilities":{"zone":"a"}}    | unsatisfiable
                """)
    void whatIsAskedForIsLent(String environments, String lent) {
        assertThat(names(ask("\"environments\":[" + environments + "]"))).isEqualTo(lent);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
                []                                                                               | plain
                [{"type":"region","value":"west"}]                                               | small
                [{"type":"region","value":["west","north"]}]                                     | small
                [{"type":"region","value":[]}]                                                   | plain
                [{"type":"account","value":"2"}]                                                 | large
                [{"type":"name","value":["large","small"]}]                                      | small
                [{"type":"name","value":["large","small"]},{"type":"name","value":"large"}]      | large
                [{"type":"name","value":["large","small"]},{"type":"account","value":["2","3"]}] | large
                [{"type":"region","value":"north"}]                                              | unsatisfiable
                [{"type":"name","value":"nobody"}]                                               | unsatisfiable
                """)
    void constraintsRestrictAttributes(String constraints, String lent) {
        assertThat(names(ask("\"constraints\":" + constraints))).isEqualTo(lent);
    }

    @Test
    void accountsDifferWhereThatIsAskedFor() {
        assertThat(names(ask("\"environments\":[{\"count\":2}],\"distinct\":\"account\"")))
                .isIn("large plain", "large small");
        assertThat(names(ask("\"environments\":[{\"count\":3}],\"distinct\":\"account\"")))
                .isEqualTo("unsatisfiable");
        assertThat(names(ask("\"distinct\":\"account\""))).isIn("plain", "small");
    }

    @Test
    void theProfileIsTold() {
        var lent = ask("\"environments\":[{\"access\":\"readonly\"}]");
        assertThat(service.store
                        .allocation(new dev.berth.core.AllocationId(
                                lent.body().path("id").asString()))
                        .orElseThrow()
                        .state()
                        .grants()
                        .getFirst()
                        .profile())
                .isEqualTo("readonly");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
                "environments":[{"capabilities":{"colour":"red"}}]    | capability 'colour'
                "constraints":[{"type":"region","value":"north"}]     | region north
                "environments":[{"access":"root"}]                    | access 'root'
                "environments":[{"count":4}]                          | 4 asked for
                "environments":[{"count":1001}]                       | at most 1000
                "environments":[{"count":101},{"access":"readonly"}]  | at most 100
                "environments":[{"count":3}],"distinct":"account"     | different accounts
                """)
    void whatIsMissingIsNamed(String more, String named) {
        var refused = ask(more);
        assertThat(refused.status()).isEqualTo(422);
        assertThat(refused.code()).isEqualTo("unsatisfiable");
        assertThat(refused.body().path("message").asString())
                .startsWith("environments")
                .contains(named);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "\"environments\":[{\"capabilities\":{\"size\":[1,2]}}]",
                "\"environments\":[{\"capabilities\":{\"size\":[2,1.0,2]},\"count\":1}],\"constraints\":[],\"priority\":0",
            })
    void theSameNeedInOtherWordsIsTheSameRequest(String more) {
        var first = withKey("\"environments\":[{\"capabilities\":{\"size\":[1,2]}}]");
        var again = withKey(more);
        assertThat(again.body()).isEqualTo(first.body());
        for (var other : List.of(
                "\"environments\":[{\"capabilities\":{\"size\":[1,3]}}]",
                "\"environments\":[{\"capabilities\":{\"size\":[1,2]}}],\"priority\":1",
                "\"environments\":[{\"capabilities\":{\"size\":[1,2]}}],\"constraints\":[{\"type\":\"region\",\"value\":\"east\"}]",
                "\"environments\":[{\"capabilities\":{\"size\":[1,2]},\"access\":\"readonly\"}]")) {
            assertThat(withKey(other).code()).as(other).isEqualTo("idempotency-key-reused");
        }
    }

    private Answered withKey(String more) {
        return service.call(
                ALICE, "POST", "/allocations", want("lab", more), request -> request.header("Idempotency-Key", "k"));
    }

    @Test
    void tooMuchInOneRequestIsNamed() {
        var many = new StringBuilder();
        for (int i = 0; i < 51; i++) {
            many.append(i == 0 ? "" : ",").append("\"c").append(i).append("\":1");
        }
        assertThat(mistake("\"environments\":[{\"capabilities\":{" + many + "}}]"))
                .isEqualTo("environments[0].capabilities: must have at most 50 entries");
        assertThat(mistake("\"environments\":[" + "{},".repeat(20) + "{}]"))
                .isEqualTo("environments: must have at most 20 entries");
        assertThat(mistake("\"environments\":[{\"capabilities\":{\"a\":[" + "1,".repeat(100) + "1]}}]"))
                .isEqualTo("environments[0].capabilities.a: must have at most 100 values");
        assertThat(mistake("\"environments\":[{\"capabilities\":{\"a\":\"" + "x".repeat(1001) + "\"}}]"))
                .isEqualTo("environments[0].capabilities.a: must have at most 1000 bytes");
        assertThat(mistake("\"constraints\":[{\"type\":\"colour\",\"value\":\"x\"}]"))
                .isEqualTo("constraints[0].type: 'colour' is not known: account, name, region are");
    }

    private String mistake(String more) {
        var refused = ask(more);
        assertThat(refused.code()).isEqualTo("invalid-request");
        return refused.body().path("message").asString();
    }

    @Test
    void aConsumersPriorityIsBounded() {
        assertThat(ask("\"priority\":5").status()).isEqualTo(200);
        var refused = ask("\"priority\":6");
        assertThat(refused.status()).isEqualTo(422);
        assertThat(refused.code()).isEqualTo("out-of-range");
        assertThat(refused.body().path("message").asString()).contains("priority", "to 5");
        assertThat(service.call(Service.ADMIN, "POST", "/allocations", want("lab", "\"priority\":100"))
                        .body()
                        .path("priority")
                        .intValue())
                .isEqualTo(100);
    }

    @Test
    void anOperatorGivesAnotherPlaceInTheQueue() {
        service.pool("release", policy(), 1);
        var first = service.ask(ALICE, "release");
        var waiting = service.call(BOB, "POST", "/allocations", want("release", "\"maxWait\":\"1h\""));
        var urgent = service.call(BOB, "POST", "/allocations", want("release", "\"maxWait\":\"1h\""));
        var path = "/allocations/" + urgent.body().path("id").asString();
        for (var wrong : List.of("{}", "{\"priority\":null}", "{\"priority\":101}", "{\"state\":\"active\"}", "")) {
            assertThat(service.call(OPERATOR, "PATCH", path, wrong).status()).isEqualTo(400);
        }
        assertThat(service.call(BOB, "PATCH", path, "{\"priority\":1}").code()).isEqualTo("forbidden");
        var moved = service.call(OPERATOR, "PATCH", path, "{\"priority\":1}");
        assertThat(moved.body().path("priority").intValue()).isEqualTo(1);
        service.call(ALICE, "DELETE", "/allocations/" + first.body().path("id").asString(), null);
        assertThat(state(BOB, urgent)).isEqualTo("active");
        assertThat(state(BOB, waiting)).isEqualTo("pending");
        assertThat(service.call(OPERATOR, "PATCH", path, "{\"priority\":2}").code())
                .isEqualTo("not-waiting");
        assertThat(service.call(OPERATOR, "PATCH", "/allocations/x", "{\"priority\":2}")
                        .code())
                .isEqualTo("no-such-allocation");
    }

    private String state(String token, Answered asked) {
        return service.call(
                        token, "GET", "/allocations/" + asked.body().path("id").asString(), null)
                .body()
                .path("state")
                .asString();
    }

    @Test
    void aQuotaIsToldWithWhatAndWhen() {
        service.pool("release", policy(QUEUE, new Quota(2, 1), null), 3);
        var own = "\"duration\":\"30m\"";
        service.call(ALICE, "POST", "/allocations", want("release", own));
        service.call(ALICE, "POST", "/allocations", want("release", own));
        var refused = service.ask(ALICE, "release");
        assertThat(refused.status()).isEqualTo(429);
        assertThat(refused.code()).isEqualTo("quota-exceeded");
        assertThat(refused.body().path("message").asString()).contains("alice holds 2", "may hold 2");
        assertThat(refused.header("Retry-After")).isEqualTo("1800");
        assertThat(service.ask(BOB, "release").status()).isEqualTo(200);

        assertThat(service.call(ALICE, "POST", "/allocations", want("release", "\"maxWait\":\"1h\""))
                        .status())
                .isEqualTo(202);
        var queued = service.call(ALICE, "POST", "/allocations", want("release", "\"maxWait\":\"1h\""));
        assertThat(queued.code()).isEqualTo("quota-exceeded");
        assertThat(queued.header("Retry-After")).isEqualTo("20");
        assertThat(service.call(ALICE, "POST", "/allocations", want("release", "\"environments\":[{\"count\":3}]"))
                        .code())
                .isEqualTo("out-of-range");
        var shown = service.call(ALICE, "GET", "/pools/release", null).body();
        assertThat(shown.path("policy").path("quota").toString()).isEqualTo("{\"held\":2,\"queued\":1}");
    }

    @Test
    void tenThousandDifferentNeedsAreRefusedAndThePoolAnswers() {
        var one = service.ask(ALICE, "lab");
        var seen = new TreeSet<String>();
        for (int i = 0; i < 10_000; i++) {
            var refused = ask("\"maxWait\":\"1h\",\"environments\":[{\"capabilities\":{\"a\":\"n" + i + "\"}}]");
            seen.add(refused.status() + " " + refused.code());
        }
        for (int i = 0; i < 100; i++) {
            var asked = ask("\"maxWait\":\"1h\",\"environments\":[{\"count\":3,\"capabilities\":{\"size\":[\"*\",\"n"
                    + i + "\"]}},{}]");
            seen.add(asked.status() + " " + asked.code());
        }
        assertThat(seen).containsExactly("422 unsatisfiable");
        for (int i = 0; i < 20; i++) {
            var asked = ask(
                    "\"maxWait\":\"1h\",\"environments\":[{\"count\":3,\"capabilities\":{}}],\"constraints\":[{\"type\":\"name\",\"value\":[\"plain\",\"small\",\"large\",\"n"
                            + i + "\"]}]");
            seen.add(asked.status() + " " + asked.code());
        }
        assertThat(seen).containsExactly("202 ", "422 unsatisfiable", "429 queue-full");
        service.call(ALICE, "DELETE", "/allocations/" + one.body().path("id").asString(), null);
        assertThat(service.call(ALICE, "GET", "/pools/lab", null)
                        .body()
                        .path("environments")
                        .path("allocated")
                        .intValue())
                .isEqualTo(3);
    }

    @Test
    void thePolicyOfAPoolIsShown() {
        var shown = service.call(ALICE, "GET", "/pools/lab", null).body().path("policy");
        assertThat(shown.path("queue").toString())
                .isEqualTo(
                        "{\"max\":10,\"maxWait\":\"1h\",\"order\":\"fifo\",\"shareBy\":null,\"halfLife\":null,\"aging\":\"15m\",\"liveness\":\"1m\",\"maxPriority\":5}");
        assertThat(shown.path("hold").isNull()).isTrue();
        service.pool(
                "fair",
                policy(
                        new Queueing(
                                10,
                                Duration.ofHours(1),
                                Queueing.Order.FAIR,
                                "team",
                                Duration.ofHours(12),
                                Duration.ofMinutes(15),
                                Duration.ofSeconds(60),
                                0),
                        Quota.NONE,
                        new dev.berth.core.Policy.Hold(Duration.ofHours(8), 3)),
                1);
        var fair = service.call(OPERATOR, "GET", "/pools/fair", null).body().path("policy");
        assertThat(fair.path("queue").path("shareBy").asString()).isEqualTo("team");
        assertThat(fair.path("queue").path("halfLife").asString()).isEqualTo("12h");
        assertThat(fair.path("hold").toString()).isEqualTo("{\"max\":\"8h\",\"quota\":3}");
    }
}
