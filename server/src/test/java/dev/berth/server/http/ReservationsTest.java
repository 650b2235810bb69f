package dev.berth.server.http;

import static dev.berth.server.http.Service.ADMIN;
import static dev.berth.server.http.Service.ALICE;
import static dev.berth.server.http.Service.BOB;
import static dev.berth.server.http.Service.OPERATOR;
import static dev.berth.server.http.Service.QUEUE;
import static dev.berth.server.http.Service.SECRET;
import static dev.berth.server.http.Service.VIEWER;
import static dev.berth.server.http.Service.policy;
import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.berth.core.Policy;
import dev.berth.core.Step;
import dev.berth.server.http.Service.Answered;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** The calls of acctpool. */
class ReservationsTest extends ServiceTest {
    private static final Duration BEAT = Duration.ofSeconds(5);
    private static final String DENIED = "{\"error\":\"Token not authorized.\"}";

    private static JsonNode golden(String name) {
        try (var in = ReservationsTest.class.getResourceAsStream(name)) {
            return Service.JSON.readTree(in.readAllBytes());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private Answered reserve(String query) {
        return service.call("", "POST", "/reservations" + query, null);
    }

    private Answered get(String path) {
        return service.call("", "GET", path, null);
    }

    private static String location(Answered answer) {
        assertThat(answer.status()).as(answer.text()).isEqualTo(302);
        assertThat(answer.header("Location"))
                .as("with the prefix that the proxy takes off")
                .startsWith("/berth/");
        return Objects.requireNonNull(answer.header("Location")).substring("/berth".length());
    }

    private static String id(String location) {
        return location.replaceAll("^/reservations/|\\?.*$", "");
    }

    private static String error(Answered answer) {
        assertThat(answer.body().propertyNames()).as(answer.text()).containsExactly("error");
        return answer.body().path("error").asString();
    }

    /** An account of the type that is meant where none is named, and its token. */
    private String tokenOfAPoolThatIssues() {
        service.pool("free", Service.with(Set.of(Step.ISSUE, Step.REVOKE)), 1);
        return service.tokens.create("root", null).orElseThrow().secret();
    }

    @Test
    void anAccountIsReservedPolledForUsedAndGivenBack() {
        var token = tokenOfAPoolThatIssues();
        var tokenId = service.tokens.list().getFirst().id();
        var first = location(reserve("?token=" + token));
        var second = location(reserve("?token=" + token + "&duration=90&type=free"));
        assertThat(second).matches("/reservations/[A-Za-z0-9._~-]+\\?token=" + token);
        assertThat(id(second)).isNotEqualTo(id(first));

        assertThat(known(get(second), tokenId)).isEqualTo(golden("reservation-waits.json"));
        assertThat(service.call("", "DELETE", first, null).status()).isEqualTo(204);
        assertThat(service.call("", "DELETE", first, null).status()).isEqualTo(204);
        service.now.updateAndGet(now -> now.plus(Duration.ofMinutes(1)));
        upkeep();

        assertThat(known(get(second), tokenId)).isEqualTo(golden("reservation-granted.json"));
        assertThat(known(service.call("", "POST", second, null), tokenId))
                .isEqualTo(golden("reservation-granted.json"));
        assertThat(service.call("", "DELETE", second, null).status()).isEqualTo(204);
        var over = get(second);
        assertThat(over.status()).isEqualTo(410);
        assertThat(error(over)).isEqualTo("The reservation has ended: released");
    }

    /** Does what is due: revokes what was given back, issues what was granted. */
    private void upkeep() {
        for (var step = service.claimIfAny("free"); step != null; step = service.claimIfAny("free")) {
            var environment = step.environment();
            if (environment.tenant() == null) {
                service.report("free", step, new dev.berth.core.Command.Result.Done(null, null, Duration.ZERO));
            } else {
                service.issue("free", step);
            }
        }
    }

    /** In steps, since a long silence would be an outage. */
    private void pass(Duration time) {
        for (var left = time; left.isPositive(); left = left.minus(BEAT)) {
            service.pass(BEAT);
        }
    }

    /** With what is random replaced. */
    private static JsonNode known(Answered answer, String tokenId) {
        assertThat(answer.status()).as(answer.text()).isEqualTo(200);
        assertThat(answer.body().path("token").path("id").asString()).isEqualTo(tokenId);
        var known = (ObjectNode) answer.body().deepCopy();
        known.put("id", "ID").putObject("token").put("id", "TOKEN");
        return known;
    }

    @Test
    void aTokenInTheHeaderIsNotRepeated() {
        service.pool("lab", policy(), 1);
        var reserved = service.call(ALICE, "POST", "/reservations?type=lab", null);
        assertThat(location(reserved)).doesNotContain("?");
        var both = service.call(ALICE, "POST", "/reservations?type=lab&token=" + BOB, null);
        assertThat(location(both)).doesNotContain("?");

        var granted = service.call(ALICE, "GET", location(reserved), null);
        assertThat(granted.body().path("credentials").path("password").asString())
                .isEqualTo(SECRET);
        assertThat(granted.body().path("token").path("id").asString()).isEqualTo("alice");
        assertThat(granted.body().path("duration").intValue()).isEqualTo(180);
        assertThat(service.call(ALICE, "DELETE", location(reserved), null).status())
                .isEqualTo(204);
    }

    @Test
    void whoHasNoGoodTokenIsToldInTheWordsOfTheSource() {
        service.pool("lab", policy(), 1);
        var alices = location(reserve("?type=lab&token=" + ALICE));
        var path = "/reservations/" + id(alices);
        for (var denied : new Answered[] {
            reserve(""),
            reserve("?token="),
            reserve("?token=wrong"),
            reserve("?token=" + ALICE + "&token=" + ALICE),
            get(path),
            get(path + "?token=wrong"),
            get(path + "?token=" + BOB),
            get(path + "?token=" + ADMIN),
            service.call("", "DELETE", path + "?token=" + OPERATOR, null),
            service.call(BOB, "DELETE", path + "?token=" + ALICE, null),
            service.call("wrong", "GET", path + "?token=" + ALICE, null)
        }) {
            assertThat(denied.status()).isEqualTo(401);
            assertThat(denied.text()).isEqualTo(DENIED);
            assertThat(denied.header("Content-Type")).isEqualTo("application/json");
        }
        assertThat(get(alices).status()).isEqualTo(200);
    }

    @Test
    void badParametersAndUnknownTypesAre400() {
        service.pool("lab", policy(), 1);
        service.pool("others", policy(), 1);
        for (var wrong : new String[] {
            "duration=0",
            "duration=-5",
            "duration=1h",
            "duration=99999999999",
            "duration=181",
            "duration=1&duration=2",
            "type=nope",
            "type=no%20pool",
            "type=others",
            "typ=lab",
            ""
        }) {
            var refused = service.call(
                    ALICE, "POST", "/reservations?" + (wrong.startsWith("du") ? "type=lab&" : "") + wrong, null);
            assertThat(refused.status()).as(wrong).isEqualTo(400);
            assertThat(error(refused)).as(wrong).isNotEmpty();
        }
        assertThat(error(service.call(ALICE, "POST", "/reservations?type=lab&duration=181", null)))
                .isEqualTo("duration: at most the pool's session, 3h");
        var withBody = service.call(ALICE, "POST", "/reservations?type=lab", "duration=5");
        assertThat(withBody.status()).isEqualTo(400);
        assertThat(error(withBody)).contains("query");
        assertThat(get("/?").body().path("reservations").intValue()).isZero();
    }

    @Test
    void otherRefusalsAreInTheSameWords() {
        service.pool("empty", policy(), 0);
        service.pool(
                "lab",
                policy(
                        new Policy.Queueing(
                                1,
                                QUEUE.maxWait(),
                                QUEUE.order(),
                                null,
                                QUEUE.halfLife(),
                                QUEUE.aging(),
                                QUEUE.liveness(),
                                0),
                        Policy.Quota.NONE,
                        null),
                1);
        assertThat(error(service.call(VIEWER, "POST", "/reservations", null)))
                .isEqualTo("This needs the role consumer");
        assertThat(service.call(ALICE, "POST", "/reservations?type=empty", null).status())
                .isEqualTo(422);
        location(service.call(ALICE, "POST", "/reservations?type=lab", null));
        location(service.call(ALICE, "POST", "/reservations?type=lab", null));
        var full = service.call(ALICE, "POST", "/reservations?type=lab", null);
        assertThat(full.status()).isEqualTo(429);
        assertThat(error(full)).contains("wait");
        assertThat(full.header("Retry-After")).isEqualTo("20");
        var unknown = service.call(ALICE, "GET", "/reservations/0-unknown", null);
        assertThat(unknown.status()).isEqualTo(404);
        assertThat(error(unknown)).isEqualTo("There is no such reservation");
    }

    @Test
    void whatNobodyComesForEndsByItself() {
        service.pool("lab", policy(), 1);
        var granted = location(service.call(ALICE, "POST", "/reservations?type=lab", null));
        var waiting = location(service.call(ALICE, "POST", "/reservations?type=lab", null));
        pass(QUEUE.liveness().plusSeconds(1));

        var lost = service.call(ALICE, "GET", granted, null);
        assertThat(lost.status()).isEqualTo(410);
        assertThat(error(lost)).isEqualTo("The reservation has ended: not-collected");
        assertThat(get("/").body().path("environments").path("available").intValue())
                .as("nobody polls the second either")
                .isEqualTo(1);
        pass(QUEUE.maxWait());
        assertThat(error(service.call(ALICE, "GET", waiting, null))).endsWith("wait-timeout");
    }

    @Test
    void whoPollsGetsItsTurnAndLosesItAtTheExpiration() {
        service.pool("lab", policy(), 1);
        var first = location(service.call(ALICE, "POST", "/reservations?type=lab&duration=2", null));
        var second = location(service.call(ALICE, "POST", "/reservations?type=lab", null));
        assertThat(service.call(ALICE, "GET", first, null)
                        .body()
                        .path("expiration")
                        .asString())
                .isEqualTo("2026-07-01T12:02:00Z");
        for (int i = 0; i < 3; i++) {
            assertThat(service.call(ALICE, "GET", second, null)
                            .body()
                            .path("credentials")
                            .isNull())
                    .isTrue();
            pass(Duration.ofSeconds(40));
        }
        assertThat(error(service.call(ALICE, "GET", first, null))).endsWith("session-expired");
        assertThat(service.call(ALICE, "GET", second, null)
                        .body()
                        .path("credentials")
                        .isObject())
                .isTrue();
    }

    @Test
    void pollingIsTheSignOfLifeWhereThePoolWantsOne() {
        var token = tokenOfAPoolThatIssues();
        var reserved = location(reserve("?token=" + token));
        upkeep();
        for (int i = 0; i < 5; i++) {
            assertThat(get(reserved).status()).isEqualTo(200);
            pass(Duration.ofSeconds(50));
        }
        pass(Duration.ofSeconds(50));
        assertThat(error(get(reserved))).endsWith("keepalive-lost");
    }

    @Test
    void theStatisticsNeedNoToken() {
        service.pool("lab", policy(), 3);
        service.pool("free", policy(), 1);
        service.call(ADMIN, "POST", "/reservations?type=free", null);
        service.call(ADMIN, "POST", "/reservations", null);
        service.tokens.create("alice", null);
        var status = get("/");
        assertThat(Map.of(
                        "tokens", status.body().path("tokens").intValue(),
                        "reservations", status.body().path("reservations").intValue(),
                        "accounts", status.body().path("accounts").intValue()))
                .isEqualTo(Map.of("tokens", 1, "reservations", 2, "accounts", 4));
    }

    @Test
    void aTokenOfTheQueryStandsInNoLogEventOrList() throws IOException {
        service.pool("lab", policy(), 1);
        var root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        var before = root.getLevel();
        var log = new ListAppender<ILoggingEvent>();
        log.list = new CopyOnWriteArrayList<>(); // threads of the service log too
        log.start();
        root.addAppender(log);
        root.setLevel(Level.DEBUG);
        List<String> answers = new ArrayList<>();
        try {
            var path = location(reserve("?type=lab&token=" + ALICE));
            for (var each : new String[] {
                path, path + "&more=1", "/reservations/x?token=" + ALICE, "/reservation?token=" + ALICE
            }) {
                answers.add(get(each).text());
            }
            answers.add(service.call("", "PUT", path, null).text());
            answers.add(service.call("", "DELETE", path, null).text());
            for (var line : new String[] {
                "GET %s HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
                "GET %s HTTP/9\r\n\r\n",
                "GET %s%%zz HTTP/1.1\r\nHost: x\r\n\r\n",
                "GET %s HTTP/1.1\r\nHost x\r\n\r\n",
                "GET %s" + "x".repeat(10_000) + " HTTP/1.1\r\nHost: x\r\n\r\n"
            }) {
                answers.add(raw(line.formatted(path)));
            }
            answers.add(service.call(OPERATOR, "GET", "/events", null).text());
            answers.add(service.call(OPERATOR, "GET", "/allocations?state=ended", null)
                    .text());
            answers.add(service.call("", "GET", "/metrics", null).text());
        } finally {
            root.setLevel(before);
            root.detachAppender(log);
        }
        assertThat(answers).allSatisfy(answer -> assertThat(answer).doesNotContain(ALICE));
        assertThat(List.copyOf(log.list))
                .allSatisfy(event -> assertThat(event.getFormattedMessage() + event.getThrowableProxy())
                        .doesNotContain(ALICE));
    }

    private String raw(String request) throws IOException {
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), service.port())) {
            socket.setSoTimeout(60_000);
            socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
            socket.shutdownOutput();
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
