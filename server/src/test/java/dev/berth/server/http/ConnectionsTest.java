package dev.berth.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

/** When a connection ends, and what is said before. */
class ConnectionsTest {
    private static final String POST =
            "POST /allocations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + Service.ALICE + "\r\n";

    /** That of earlier tests lives on in this process, and tells what it does whenever it likes. */
    private static final String POSTGRES = "io.zonky.";

    @TempDir
    Path folder;

    private Service service;

    @BeforeEach
    void start() {
        service = new Service(folder);
    }

    @AfterEach
    void stop() {
        service.close();
    }

    /** Everything up to the end of the connection, which the service has to make. */
    private String untilClosed(String request) throws IOException {
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), service.port())) {
            socket.setSoTimeout((int) Duration.ofSeconds(60).toMillis());
            socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    @ParameterizedTest
    @CsvSource({"GET /healthz/live,200", "GET /nowhere,404", "PUT /pools,405", "POST /allocations,401"})
    void aConnectionThatIsToBeClosedIsClosed(String line, int status) throws IOException {
        var answer = untilClosed(line + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}");
        assertThat(answer)
                .startsWith("HTTP/1.1 " + status)
                .containsIgnoringCase("connection: close")
                .endsWith("}");
    }

    @Test
    void afterABodyThatCannotBeReadNothingMoreIsReadFromTheConnection() throws IOException {
        var more = "GET /healthz/live HTTP/1.1\r\nHost: x\r\n\r\n";
        for (var body : new String[] {"zz\r\n{}\r\n0\r\n\r\n", "-1\r\n{}\r\n", "2\r\n{}\r\n0\r\nX: y\r\n\r\n"}) {
            var answer = untilClosed(POST + "Transfer-Encoding: chunked\r\n\r\n" + body + more);
            assertThat(answer)
                    .startsWith("HTTP/1.1 400")
                    .contains("\"malformed-request\"")
                    .doesNotContain("\"live\"");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "GET /pools HTTP/1.0,505,http-version-not-supported",
        "GET /pools HTTP/2.0,505,http-version-not-supported",
        "GET /pools,400,malformed-request",
        "rubbish,400,malformed-request"
    })
    void whatIsNotOfThisVersionOfHttpIsAProblem(String line, int status, String code) throws IOException {
        var answer = untilClosed(line + "\r\n\r\n");
        assertThat(answer).startsWith("HTTP/1.1 " + status).contains("Content-Type: application/problem+json");
        var body = Service.JSON.readTree(answer.substring(answer.indexOf("\r\n\r\n") + 4));
        assertThat(body.path("code").asString()).isEqualTo(code);
        assertThat(body.path("requestId").asString()).isNotEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "GET /pools HT",
                "GET /pools HTTP/1.1\r\nHost: x\r\nAuthoriz",
                POST + "Content-Length: 100\r\n\r\n{",
                POST + "Transfer-Encoding: chunked\r\n\r\n5\r\n{",
                POST + "Transfer-Encoding: chunked\r\n\r\n5",
                "PUT /pools HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"
            })
    void aRequestThatIsCutOffIsNotWorthALineInTheLog(String begin) throws IOException {
        for (boolean reset : new boolean[] {false, true}) {
            var logged = logged(() -> {
                try (var socket = new Socket(InetAddress.getLoopbackAddress(), service.port())) {
                    socket.getOutputStream().write(begin.getBytes(StandardCharsets.ISO_8859_1));
                    socket.setSoLinger(reset, 0);
                }
                // It was accepted before this one, and whatever is logged of it is logged once the service has stopped.
                service.call("", "GET", "/healthz/live", null);
                service.close();
            });
            assertThat(logged).isEmpty();
            service = new Service(folder);
        }
    }

    private interface Action {
        void run() throws IOException;
    }

    /** What the service logs meanwhile. */
    private static String logged(Action action) throws IOException {
        var appender = new ListAppender<ILoggingEvent>();
        var root = (Logger) LoggerFactory.getLogger(org.slf4j.Logger.ROOT_LOGGER_NAME);
        appender.list = new CopyOnWriteArrayList<>(); // threads of the service log too
        appender.start();
        root.addAppender(appender);
        try {
            action.run();
        } finally {
            root.detachAppender(appender);
        }
        return appender.list.stream()
                .filter(event -> !event.getLoggerName().startsWith(POSTGRES))
                .map(ILoggingEvent::toString)
                .collect(Collectors.joining("\n"));
    }

    @ParameterizedTest
    @CsvSource({"/,200", "/healthz/live,200", "/healthz/ready,200", "/metrics,200", "/pools,405", "/nowhere,404"})
    void anAnswerToHeadHasNoBody(String path, int status) throws IOException {
        var answer = untilClosed("HEAD " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        assertThat(answer).startsWith("HTTP/1.1 " + status).endsWith("\r\n\r\n").doesNotContain("{");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Prefer: wait=0",
                "prefer: WAIT = 0",
                "Prefer: wait=\"0\"",
                "Prefer: wait=0; because=x",
                "Prefer: respond-async, wait=0;x",
                "Prefer: respond-async\r\nPrefer: wait=0"
            })
    void aWaitIsPreferredInEveryWayOfWritingIt(String header) throws IOException {
        service.pool("release", Service.policy(), 1);
        service.ask(Service.ALICE, "release");
        var body = "{\"pool\":\"release\",\"requester\":\"job-2\",\"maxWait\":\"1m\"}";
        var answer = untilClosed(
                POST + header + "\r\nConnection: close\r\nContent-Length: " + body.length() + "\r\n\r\n" + body);
        assertThat(answer).startsWith("HTTP/1.1 202").containsIgnoringCase("preference-applied: wait=0");
    }
}
