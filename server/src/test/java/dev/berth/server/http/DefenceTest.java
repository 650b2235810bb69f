package dev.berth.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

/** What somebody tries who means harm, beside what the tests of each call try: docs/security.md lists it. */
class DefenceTest {
    private static final String EVIL = "X-Evil";

    @TempDir
    private static Path folder;

    private static Service service;

    @BeforeAll
    static void start() {
        service = new Service(folder);
        service.pool("release", Service.policy(), 2);
    }

    @AfterAll
    static void stop() {
        service.close();
    }

    /** Everything that comes back until the service closes the connection. */
    private static String exchange(String request) throws IOException {
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), service.port())) {
            socket.setSoTimeout((int) Duration.ofSeconds(60).toMillis());
            socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private static String head(String token, String line, String... headers) {
        return line + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer " + token + "\r\n"
                + String.join(
                        "", List.of(headers).stream().map(one -> one + "\r\n").toList());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/..%2f..%2f..%2fetc/passwd",
                "/../../../etc/passwd",
                "/%2e%2e/%2e%2e/etc/passwd",
                "/environments/..%2f..%2ftokens",
                "/allocations/../tokens",
                "/allocations/%2e%2e/tokens",
                "/pools/..;/tokens",
                "/pools/%2e%2e%2ftokens",
                "/./tokens",
                "/openapi.json/../../../../etc/passwd",
                "/openapi.json%00.html",
                "/%c0%ae%c0%ae/tokens"
            })
    void aPathLeadsNowhereElse(String path) throws IOException {
        var answer = exchange(head(Service.ALICE, "GET " + path) + "\r\n");
        assertThat(answer)
                .matches("(?s)HTTP/1\\.1 (400|403|404).*")
                .doesNotContain("root:")
                .doesNotContain("\"tokens\"");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "/nowhere%0d%0aX-Evil:%20yes",
                "/pools/a%0d%0aX-Evil:%20yes",
                "/pools?limit=1%0d%0aX-Evil:%20yes",
                "/reservations/a%0d%0aX-Evil:%20yes?token=a%0d%0aX-Evil:%20yes",
                "/events?cursor=%0d%0aX-Evil:%20yes"
            })
    void nothingThatIsSentBecomesAHeader(String path) throws IOException {
        for (var id : List.of("a%0d%0aX-Evil: yes", "a\tX-Evil: yes", "\u001b[31mX-Evil", "X-Evil".repeat(20))) {
            var answer = exchange(head(Service.VIEWER, "GET " + path, "X-Request-Id: " + id) + "\r\n");
            assertThat(answer.lines().takeWhile(line -> !line.isEmpty())).noneMatch(line -> line.contains(EVIL));
        }
    }

    @Test
    void theRedirectOfAReservationHasNoHeaderThatItsTokenBroughtIn() throws IOException {
        var answer =
                exchange(head(Service.ALICE, "POST /reservations?type=release%0d%0aX-Evil:%20yes", "Content-Length: 0")
                        + "\r\n");
        assertThat(answer.lines().takeWhile(line -> !line.isEmpty())).noneMatch(line -> line.contains(EVIL));
    }

    /** Whoever reads the boundary between two requests otherwise than a proxy in front would take in one that the proxy never saw. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "Content-Length: 6|Transfer-Encoding: chunked",
                "Transfer-Encoding: chunked|Content-Length: 6",
                "Content-Length: 6|Content-Length: 60",
                "Content-Length: 6, 60",
                "Content-Length: +6",
                "Content-Length: 0x6",
                "Content-Length: -6",
                "Content-Length : 6",
                "Transfer-Encoding: identity, chunked",
                "Transfer-Encoding: xchunked",
                "Transfer-Encoding: chunked|Transfer-Encoding: identity",
                "Transfer-Encoding : chunked",
                " Content-Length: 6",
                "X: y\n Content-Length: 6"
            })
    void aBodyWithTwoEndsSmugglesNoRequestIn(String headers) throws IOException {
        var answer = exchange("POST /allocations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + Service.ALICE + "\r\n"
                + headers.replace("|", "\r\n") + "\r\n\r\n0\r\n\r\nG"
                + "GET /healthz/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        assertThat(answer).matches("(?s)HTTP/1\\.1 (4|501).*").doesNotContain("\"live\"");
    }

    @Test
    void nothingThatIsSentBreaksALineOfTheLog() throws IOException {
        var root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        var berth = (Logger) LoggerFactory.getLogger("dev.berth");
        var logged = new ListAppender<ILoggingEvent>();
        logged.list = new CopyOnWriteArrayList<>(); // threads of the service log too
        logged.start();
        root.addAppender(logged);
        berth.setLevel(Level.TRACE);
        try {
            var evil = "\\r\\n2026-01-01T00:00:00.000Z ERROR forged\\u001b[31m";
            service.call(
                    Service.ALICE,
                    "POST",
                    "/allocations",
                    "{\"pool\":\"" + evil + "\",\"requester\":\"" + evil + "\",\"" + evil + "\":1}");
            service.call(Service.ALICE, "POST", "/allocations", "{" + evil);
            service.call(
                    Service.OPERATOR, "POST", "/environments/release-1/quarantine", "{\"reason\":\"" + evil + "\"}");
            service.call("forged%0d%0a", "GET", "/pools", null);
            exchange(head("forged\u001b", "GET /a%0d%0aforged?b=%0d%0aforged", "X-Request-Id: forged\u0007") + "\r\n");
            exchange("forged\u001b forged\r\n\r\n");
            assertThat(logged.list.stream().map(ILoggingEvent::getFormattedMessage))
                    .noneMatch(line -> line.contains("forged"));
        } finally {
            root.detachAppender(logged);
            berth.setLevel(null);
        }
    }

    @Test
    void noAnswerRepeatsWhatWasSentToProveWhoSomebodyIs() {
        var secret = "berth_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG";
        for (var path : List.of("/pools", "/nowhere", "/allocations/x", "/reservations/x", "/config")) {
            for (var way : List.<UnaryOperator<HttpRequest.Builder>>of(
                    request -> request,
                    request -> request.header("Authorization", "Basic " + secret),
                    request -> request.header("X-Request-Id", secret + "/"))) {
                var answer = service.call(
                        "",
                        "GET",
                        path,
                        null,
                        request -> way.apply(request.setHeader("Authorization", "Bearer " + secret)));
                assertThat(answer.status()).isGreaterThanOrEqualTo(400);
                assertThat(answer.text() + answer.headers()).doesNotContain(secret);
            }
        }
    }

    @Test
    void whatAnAnswerSaysIsTakenForNothingElseByABrowser() {
        var answer = service.call("", "GET", "/", null);
        assertThat(answer.header("X-Content-Type-Options")).isEqualTo("nosniff");
        assertThat(answer.header("Cache-Control")).isEqualTo("no-store");
        assertThat(answer.header("Access-Control-Allow-Origin")).isNull();
        assertThat(answer.header("Server")).isNull();
    }

    @Test
    void everyTestThatTheManualNamesIsThere() throws IOException {
        var root = Path.of("").toAbsolutePath().getParent();
        Map<String, String> tests;
        try (var files = Files.find(root, 12, (file, _) -> file.toString().endsWith("Test.java"))) {
            tests = files.collect(Collectors.toMap(
                    file -> file.getFileName().toString().replace(".java", ""), DefenceTest::text, (one, _) -> one));
        }
        var named = Pattern.compile("`([A-Z][A-Za-z0-9]*Test)?(?:\\.([a-z][A-Za-z0-9]*))?`")
                .matcher(Files.readString(root.resolve("docs/security.md")));
        var current = "";
        int count = 0;
        while (named.find()) {
            current = named.group(1) == null ? current : named.group(1);
            assertThat(tests).containsKey(current);
            if (named.group(2) != null) {
                assertThat(tests.get(current)).as(current).contains(" void " + named.group(2) + "(");
            }
            count++;
        }
        assertThat(count).isGreaterThan(30);
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
