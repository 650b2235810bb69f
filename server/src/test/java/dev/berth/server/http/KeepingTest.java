package dev.berth.server.http;

import static dev.berth.server.http.Service.ALICE;
import static dev.berth.server.http.Service.BOB;
import static dev.berth.server.http.Service.OPERATOR;
import static dev.berth.server.http.Service.QUEUE;
import static dev.berth.server.http.Service.SECRET;
import static dev.berth.server.http.Service.VIEWER;
import static dev.berth.server.http.Service.policy;
import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.core.Policy.Hold;
import dev.berth.core.Policy.Quota;
import dev.berth.server.http.Service.Answered;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Keeping a failed run's environment for a person. */
class KeepingTest extends ServiceTest {

    @BeforeEach
    void pools() {
        service.pool("lab", policy(QUEUE, Quota.NONE, new Hold(Duration.ofHours(8), 1)), 3);
        service.pool("release", policy(), 1);
    }

    private static String path(Answered answer) {
        return "/allocations/" + answer.body().path("id").asString();
    }

    private Answered hold(String token, Answered held, String body) {
        return service.call(token, "POST", path(held) + "/hold", body);
    }

    @Test
    void thePersonReadsTheAccessAndEndsIt() {
        var failed = service.ask(ALICE, "lab");
        assertThat(service.call(BOB, "GET", path(failed), null).status()).isEqualTo(404);
        var held = hold(ALICE, failed, "{\"for\":\"30m\",\"outcome\":\"failure\",\"to\":[\"bob\",\"vera\"]}");
        assertThat(held.status()).as(held.text()).isEqualTo(200);
        assertThat(held.body().path("heldUntil").asString()).isEqualTo("2026-07-01T12:30:00Z");
        assertThat(held.body().path("to").toString()).isEqualTo("[\"bob\",\"vera\"]");
        assertThat(held.body().path("outcome").asString()).isEqualTo("failure");
        assertThat(held.body().path("state").asString()).isEqualTo("active");
        assertThat(held.body().path("expiresAt").isNull()).isTrue();

        for (var person : List.of(ALICE, BOB, VIEWER)) {
            assertThat(service.call(person, "GET", path(failed), null).text()).contains(SECRET);
        }
        assertThat(service.call(OPERATOR, "GET", path(failed), null).text()).doesNotContain(SECRET);
        assertThat(service.call(BOB, "POST", path(failed) + "/keepalive", null).status())
                .isEqualTo(404);
        assertThat(hold(BOB, failed, "{\"for\":\"2h\"}").status()).isEqualTo(404);
        for (int time = 0; time < 2; time++) { // a second release is no error
            assertThat(service.call(VIEWER, "DELETE", path(failed), null).status())
                    .isEqualTo(200);
        }
        var ended = service.call(ALICE, "GET", path(failed), null);
        assertThat(ended.body().path("state").asString()).isEqualTo("ended");
        assertThat(ended.body().path("outcome").asString()).isEqualTo("failure");
        assertThat(ended.text()).doesNotContain(SECRET);
    }

    @Test
    void itEndsAtTheTimeThatWasAskedFor() {
        var failed = service.ask(ALICE, "lab");
        hold(ALICE, failed, "{\"for\":\"30m\"}");
        service.pass(Duration.ofMinutes(29));
        service.pass(Duration.ofSeconds(70));
        assertThat(service.call(ALICE, "GET", path(failed), null)
                        .body()
                        .path("endReason")
                        .asString())
                .isEqualTo("session-expired");
        assertThat(hold(ALICE, failed, "{\"for\":\"30m\"}").code()).isEqualTo("lease-lost");
    }

    @Test
    void aViewerForWhomNothingIsKeptEndsNothing() {
        var lent = service.ask(ALICE, "lab");
        assertThat(service.call(VIEWER, "DELETE", path(lent), null).code()).isEqualTo("forbidden");
        hold(ALICE, lent, "{\"for\":\"30m\",\"to\":[\"bob\"]}");
        assertThat(service.call(VIEWER, "DELETE", path(lent), null).code()).isEqualTo("forbidden");
        assertThat(service.call(BOB, "DELETE", path(lent), null).status()).isEqualTo(200);
    }

    @Test
    void whatThePoolDoesNotAllowIsRefused() {
        var elsewhere = service.ask(ALICE, "release");
        assertThat(hold(ALICE, elsewhere, "{\"for\":\"30m\"}").code()).isEqualTo("hold-not-allowed");
        var first = service.ask(ALICE, "lab");
        assertThat(hold(ALICE, first, "{\"for\":\"59s\"}").code()).isEqualTo("out-of-range");
        assertThat(hold(ALICE, first, "{\"for\":\"9h\"}").code()).isEqualTo("out-of-range");
        assertThat(hold(ALICE, first, "{\"for\":\"8h\"}").status()).isEqualTo(200);
        var second = service.ask(ALICE, "lab");
        var refused = hold(ALICE, second, "{\"for\":\"30m\"}");
        assertThat(refused.status()).isEqualTo(429);
        assertThat(refused.code()).isEqualTo("hold-quota-exceeded");
        assertThat(refused.header("Retry-After")).isEqualTo("20");
        assertThat(hold(BOB, first, "{\"for\":\"30m\"}").code()).isEqualTo("no-such-allocation");
        assertThat(service.call(ALICE, "POST", path(first) + "/extend", "{\"until\":\"2026-07-01T17:30:00Z\"}")
                        .code())
                .isEqualTo("extend-not-allowed");
    }

    @Test
    void mistakesAreNamed() {
        var lent = service.ask(ALICE, "lab");
        var persons = "\"p\",".repeat(20) + "\"p\"";
        for (var wrong : new String[][] {
            {"{}", "for"},
            {"{\"for\":5}", "for"},
            {"{\"for\":\"soon\"}", "for"},
            {"{\"for\":\"30m\",\"to\":\"bob\"}", "to"},
            {"{\"for\":\"30m\",\"to\":[5]}", "to[0]"},
            {"{\"for\":\"30m\",\"to\":[\"a\",null]}", "to[1]"},
            {"{\"for\":\"30m\",\"to\":[\"\"]}", "to[0]"},
            {"{\"for\":\"30m\",\"to\":[" + persons + "]}", "to"},
            {"{\"for\":\"30m\",\"outcome\":\"" + "x".repeat(101) + "\"}", "outcome"},
            {"{\"for\":\"30m\",\"until\":\"x\"}", "until"},
        }) {
            var refused = hold(ALICE, lent, wrong[0]);
            assertThat(refused.status()).as(wrong[0]).isEqualTo(400);
            assertThat(refused.body().path("errors").get(0).path("field").asString())
                    .isEqualTo(wrong[1]);
        }
    }
}
