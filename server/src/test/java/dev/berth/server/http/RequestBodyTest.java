package dev.berth.server.http;

import static dev.berth.server.http.Service.ALICE;
import static dev.berth.server.http.Service.policy;
import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.server.http.Service.Answered;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whatever is sent, nothing is taken and the mistake is named. */
class RequestBodyTest extends ServiceTest {

    @BeforeEach
    void pools() {
        service.pool("release", policy(), 2);
    }

    @AfterEach
    void nothingWasTaken() {
        var pool = service.call(ALICE, "GET", "/pools/release", null);
        assertThat(pool.body().path("environments").path("available").intValue())
                .isEqualTo(2);
    }

    private Answered post(String body) {
        return service.call(ALICE, "POST", "/allocations", body);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
                {"pool":"release","requester":"x"     | line 1, column 34: the body ends too early
                {"pool":"release",                    | line 1, column 19: the body ends too early
                {"pool":"rel                          | line 1, column 13: the body ends too early
                {"pool":"release" "requester":"x"}    | line 1, column 19: '"' is not expected here, but a comma
                {"pool":"release","requester":"x"} x  | line 1, column 36: 'x' is not a word of JSON
                {"pool":"release","requester":"x"}{}  | line 1, column 35: something follows the JSON object
                {"pool":"release","requester":"x"}}   | line 1, column 35: '}' does not close what is open
                {"pool":"release","pool":"release"}   | line 1, column 25: a field named "pool" is there already
                {'pool':'release'}                    | line 1, column 2: ''' is not expected here, but a name in double quotes
                {"pool":'release'}                    | line 1, column 9: ''' is not expected here, but a value
                {"pool" "release"}                    | line 1, column 9: '"' is not expected here, but a colon
                {"requester":"x",}                    | line 1, column 18: '}' is not expected here, but a name in double quotes
                {"labels":[1}                         | line 1, column 13: '}' does not close what is open
                pool=release                          | line 1, column 1: 'pool' is not a word of JSON
                <pool>                                | line 1, column 1: '<' is not expected here, but a value
                {"pool":NaN}                          | line 1, column 12: 'NaN' is not a word of JSON
                {"pool":tru}                          | line 1, column 9: 'tru' is not a word of JSON
                {"pool":+1}                           | line 1, column 10: '+' is not expected here: JSON writes numbers otherwise
                {"pool":1.}                           | line 1, column 11: '}' is not expected here: JSON writes numbers otherwise
                {"pool":-x}                           | line 1, column 10: 'x' is not expected here: JSON writes numbers otherwise
                {"pool":1ex}                          | line 1, column 11: 'x' is not expected here: JSON writes numbers otherwise
                {"pool":01}                           | line 1, column 10: a number must not begin with a zero
                {"pool":1 /* one */}                  | line 1, column 11: JSON has no comments
                {"pool":"\\x"}                      | line 1, column 11: a text has an escape that JSON does not know
                {"pool":"\\u00zz"}                  | line 1, column 14: 'z' is not expected here, but a hexadecimal digit
                {"pool" ü}                            | line 1, column 9: a character is not expected here, but a colon
                """)
    void malformedJsonIsRefusedWithItsPlaceInPlainWords(String body, String detail) {
        var refused = post(body);
        assertThat(refused.status()).isEqualTo(400);
        assertThat(refused.code()).isEqualTo("malformed-json");
        assertThat(refused.body().path("message").asString()).isEqualTo("Malformed JSON in " + detail);
    }

    @Test
    void whatIsTooLargeToBeReadIsRefusedInPlainWords() {
        var tooLarge = Map.of(
                "[".repeat(33),
                "the body is nested deeper than 32 levels",
                "1".repeat(101),
                "a number has more than 100 digits",
                "{\"" + "x".repeat(1001) + "\":1}",
                "a name has more than 1000 characters",
                "\"a\nb\"",
                "a control character within a text must be escaped",
                "\u0001",
                "a control character is not expected here");
        tooLarge.forEach((value, detail) -> {
            var refused = post("{\n\"labels\":" + value + "}");
            assertThat(refused.code()).isEqualTo("malformed-json");
            assertThat(refused.body().path("message").asString())
                    .matches("Malformed JSON in line [23], column [0-9]+: " + detail);
        });
    }

    @Test
    void onlyUtf8IsRead() {
        var body = "{\"pool\":\"release\",\"requester\":\"x\"}";
        for (var charset : new String[] {"UTF-16", "UTF-16LE", "UTF-16BE", "UTF-32", "UTF-32LE", "UTF-32BE"}) {
            var refused = post(body.getBytes(Charset.forName(charset)));
            assertThat(refused.code()).as(charset).isEqualTo("malformed-json");
            assertThat(refused.body().path("message").asString()).isEqualTo("The body must be UTF-8");
        }
        var latin = post(body.replace("x", "ü").getBytes(StandardCharsets.ISO_8859_1));
        assertThat(latin.body().path("message").asString())
                .matches("Malformed JSON in line 1, column [0-9]+: the body must be UTF-8");
    }

    private Answered post(byte[] body) {
        return service.call(
                ALICE, "POST", "/allocations", null, request -> request.POST(BodyPublishers.ofByteArray(body)));
    }

    @Test
    void aFieldThatIsWrongIsNotCalledMissingToo() {
        var refused = post("{\"pool\":5,\"requester\":\"\\u0007\"}");
        assertThat(refused.body().path("errors").size()).as(refused.text()).isEqualTo(2);
        assertThat(refused.text())
                .contains("must be a text", "control characters")
                .doesNotContain("needed");
    }

    @Test
    void theLineOfAMistakeIsCounted() {
        assertThat(post("{\n\"pool\": \"release\",\n  oops\n}")
                        .body()
                        .path("message")
                        .asString())
                .startsWith("Malformed JSON in line 3, column ");
    }

    @Test
    void noBodyAndNoObjectAreRefused() {
        assertThat(post("").code()).isEqualTo("malformed-json");
        for (var body : new String[] {"[]", "null", "1", "\"x\""}) {
            assertThat(post(body).code()).as(body).isEqualTo("invalid-request");
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
                "duraton":"1h"                                  | duraton
                "pool":5,"requester":"x"                        | pool
                "duration":90                                   | duration
                "duration":"90"                                 | duration
                "duration":"1m1h"                               | duration
                "duration":"-1m"                                | duration
                "duration":""                                   | duration
                "duration":"9999999999s"                        | duration
                "maxWait":"soon"                                | maxWait
                "keepalive":{}                                  | keepalive
                "labels":[]                                     | labels
                "labels":{"a":1}                                | labels.a
                "labels":{"a":null}                             | labels.a
                "labels":{"":"x"}                               | labels.
                "environments":[]                               | environments
                "environments":{}                               | environments
                "environments":[1]                              | environments[0]
                "environments":[{"count":0}]                    | environments[0].count
                "environments":[{},{"count":-1}]                | environments[1].count
                "environments":[{"count":1.5}]                  | environments[0].count
                "environments":[{"count":"1"}]                  | environments[0].count
                "environments":[{"size":1}]                     | environments[0].size
                "environments":null                             | environments
                "environments":[{"count":null},{"count":true}]  | environments[1].count
                "environments":[{"capabilities":[]}]            | environments[0].capabilities
                "environments":[{},{"capabilities":{"a":[]}}]   | environments[1].capabilities.a
                "environments":[{"capabilities":{"a":[1,[]]}}]  | environments[0].capabilities.a[1]
                "environments":[{"capabilities":{"a":{"b":[]}}}] | environments[0].capabilities.a.b
                "environments":[{"capabilities":{"":1}}]        | environments[0].capabilities.
                "environments":[{"capabilities":{"a":1e500}}]   | environments[0].capabilities.a
                "environments":[{"capabilities":{"a":"\\u0000"}}] | environments[0].capabilities.a
                "environments":[{"capabilities":{"a":[[[[[1]]]]]}}] | environments[0].capabilities.a[0][0][0][0]
                "environments":[{"access":1}]                   | environments[0].access
                "environments":[{"access":""}]                  | environments[0].access
                "environments":[{"constraints":[]}]             | environments[0].constraints
                "constraints":{}                                | constraints
                "constraints":["region"]                        | constraints[0]
                "constraints":[{"type":"region"}]               | constraints[0].value
                "constraints":[{"type":"region","value":null}]  | constraints[0].value
                "constraints":[{"value":"x"}]                   | constraints[0].type
                "constraints":[{"type":null,"value":"x"}]       | constraints[0].type
                "constraints":[{"type":"colour","value":"x"}]   | constraints[0].type
                "constraints":[{"type":"region","value":5}]     | constraints[0].value
                "constraints":[{"type":"region","value":""}]    | constraints[0].value
                "constraints":[{"type":"region","value":["a",5]}] | constraints[0].value[1]
                "constraints":[{"type":"region","value":[""]}]  | constraints[0].value[0]
                "constraints":[{"type":"name","value":"a","x":1}] | constraints[0].x
                "constraints":[{"type":"name","value":"a"},{"type":"name","value":["b"]}] | constraints[1].value
                "distinct":"region"                             | distinct
                "distinct":true                                 | distinct
                "priority":101                                  | priority
                "priority":-101                                 | priority
                "priority":1.5                                  | priority
                "priority":99999999999999999999                 | priority
                "priority":"0"                                  | priority
                """)
    void aWrongOrUnknownFieldIsRefusedByName(String field, String name) {
        var body = field.startsWith("\"pool\"") ? "{" + field + "}" : want("release", field);
        var refused = post(body);
        assertThat(refused.status()).as(refused.text()).isEqualTo(400);
        assertThat(refused.code()).isEqualTo("invalid-request");
        assertThat(refused.body().path("errors").get(0).path("field").asString())
                .isEqualTo(name);
        assertThat(refused.body().path("message").asString()).contains(name);
    }

    @Test
    void allMistakesAreToldAtOnce() {
        var refused = post("{\"pool\":1,\"requester\":\"\",\"colour\":{\"deep\":[1,2]},\"duration\":\"x\"}");
        assertThat(refused.body().path("errors").size()).isEqualTo(4);
        assertThat(refused.body().path("message").asString()).contains("(and 3 more)");
    }

    @Test
    void overlongAndUnprintableTextsAreRefused() {
        var longest = "ü".repeat(512);
        var texts =
                new String[] {longest + "x", " ", "", "a\\u0000b", "a\\nb", "a\\u007fb", "\\ud800", "\\udc00\\ud800"};
        for (var requester : texts) {
            var refused = post("{\"pool\":\"release\",\"requester\":\"" + requester + "\"}");
            assertThat(refused.code()).as(requester).isEqualTo("invalid-request");
        }
        var labels = new StringBuilder("\"labels\":{");
        for (int i = 0; i < 33; i++) {
            labels.append(i == 0 ? "" : ",").append("\"l").append(i).append("\":\"x\"");
        }
        assertThat(post(want("release", labels + "}")).body().path("message").asString())
                .contains("at most 32 entries");
        assertThat(post(want("release", "\"labels\":{\"a\":\"" + "x".repeat(101) + "\"}"))
                        .code())
                .isEqualTo("invalid-request");
        assertThat(post(want("release", "\"labels\":{\"" + "x".repeat(101) + "\":\"a\"}"))
                        .code())
                .isEqualTo("invalid-request");
        assertThat(post(want("release", "\"labels\":" + "[".repeat(100_000))).status())
                .isEqualTo(400);
        assertThat(post(want("release", "\"" + "x".repeat(5_000) + "\":1")).status())
                .isEqualTo(400);
    }

    @Test
    void theLongestRequesterAndOutcomeAreTaken() {
        var granted = post("{\"pool\":\"release\",\"requester\":\"" + "ü".repeat(512) + "\"}");
        assertThat(granted.status()).isEqualTo(200);
        var path = "/allocations/" + granted.body().path("id").asString();
        for (var wrong : new String[] {"{\"outcome\":\"" + "x".repeat(101) + "\"}", "{\"result\":\"x\"}", "{", "[]"}) {
            assertThat(service.call(ALICE, "DELETE", path, wrong).status()).isEqualTo(400);
            assertThat(service.call(ALICE, "GET", path, null)
                            .body()
                            .path("state")
                            .asString())
                    .isEqualTo("active");
        }
        for (var wrong : new String[] {"", "{}", "{\"until\":\"tomorrow\"}", "{\"until\":5}", "{\"until\":null}"}) {
            assertThat(service.call(ALICE, "POST", path + "/extend", wrong).status())
                    .as(wrong)
                    .isEqualTo(400);
        }
        assertThat(service.call(ALICE, "POST", path + "/keepalive", "{\"x\":1}").code())
                .isEqualTo("invalid-request");
        assertThat(service.call(ALICE, "POST", path + "/keepalive", "{}").status())
                .isEqualTo(200);
        assertThat(service.call(ALICE, "DELETE", path, "{\"outcome\":\"" + "x".repeat(100) + "\"}")
                        .status())
                .isEqualTo(200);
    }

    @Test
    void aBodyOfTenMegabytesIsRefused() {
        var large = want("release", "\"labels\":{\"a\":\"" + "x".repeat(10 << 20) + "\"}");
        var refused = post(large);
        assertThat(refused.status()).isEqualTo(413);
        assertThat(refused.code()).isEqualTo("body-too-large");
        var chunked = service.call(
                ALICE,
                "POST",
                "/allocations",
                null,
                request -> request.POST(java.net.http.HttpRequest.BodyPublishers.ofInputStream(() ->
                        new java.io.ByteArrayInputStream(large.getBytes(java.nio.charset.StandardCharsets.UTF_8)))));
        assertThat(chunked.status()).isEqualTo(413);
        assertThat(post("x".repeat(20 << 20)).status()).isEqualTo(413);
    }

    @Test
    void theBodyIsNotLookedAtBeforeTheCaller() {
        assertThat(service.call("nobody", "POST", "/allocations", "{").status()).isEqualTo(401);
        assertThat(service.call(Service.VIEWER, "POST", "/allocations", "{").status())
                .isEqualTo(403);
    }

    @Test
    void theContentTypeIsNotLookedAt() {
        var refused = service.call(
                ALICE,
                "POST",
                "/allocations",
                "{\"pool\":\"nope\",\"requester\":\"x\"}",
                request -> request.header("Content-Type", "text/plain"));
        assertThat(refused.code()).isEqualTo("no-such-pool");
    }
}
