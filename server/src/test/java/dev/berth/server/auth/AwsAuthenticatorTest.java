package dev.berth.server.auth;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** How far an authenticator goes with STS; who is let in is tried over the API. */
class AwsAuthenticatorTest {
    private static final Instant NOON = Instant.parse("2026-07-01T12:00:00Z");
    private static final String CALLER =
            "<GetCallerIdentityResponse><Arn>arn:aws:iam::222222222222:user/ann</Arn></GetCallerIdentityResponse>";

    private final AtomicInteger asked = new AtomicInteger();
    private final CountDownLatch end = new CountDownLatch(1);
    private volatile boolean stalls;
    private HttpServer sts;

    @BeforeEach
    void start() throws IOException {
        sts = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        sts.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        sts.createContext("/", this::answer);
        sts.start();
    }

    @AfterEach
    void stop() {
        end.countDown();
        sts.stop(0);
    }

    /** Lets in whose token says so; where it stalls, it sends all but the end of its answer. */
    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            asked.incrementAndGet();
            var body = CALLER.getBytes(StandardCharsets.UTF_8);
            boolean good = exchange.getRequestURI().getQuery().contains("Token=good");
            exchange.sendResponseHeaders(good ? 200 : 403, body.length);
            exchange.getResponseBody().write(body, 0, body.length - 1);
            exchange.getResponseBody().flush();
            if (stalls) {
                end.await();
            }
            exchange.getResponseBody().write(body, body.length - 1, 1);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private AwsAuthenticator authenticator(int known, Duration patience) {
        var directory = Directory.of(List.of(new Directory.Listed(
                new Principal("ann", Set.of(Role.VIEWER), null),
                List.of(),
                new AwsPattern(Set.of("222222222222"), List.of(), List.of()))));
        return new AwsAuthenticator(
                () -> new AwsAuthenticator.Settings("ci.example", URI.create(endpoint()), "aws"),
                () -> directory,
                () -> NOON,
                new AwsAuthenticator.Bounds(known, patience));
    }

    private String endpoint() {
        return "http://127.0.0.1:" + sts.getAddress().getPort();
    }

    private String login(String token) {
        var url = endpoint()
                + "/?Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256"
                + "&X-Amz-Credential=ASIA1%2F20260701%2Fus-east-1%2Fsts%2Faws4_request&X-Amz-Date=20260701T120000Z"
                + "&X-Amz-Expires=900&X-Amz-Security-Token=" + token
                + "&X-Amz-SignedHeaders=host%3Bx-berth-service&X-Amz-Signature=" + "0".repeat(64);
        return "Berth-AWS " + Base64.getEncoder().encodeToString(url.getBytes(StandardCharsets.US_ASCII));
    }

    @Test
    void anAnswerThatNeverEndsIsNotWaitedFor() {
        stalls = true;
        var authenticator = authenticator(10, Duration.ofMillis(300));
        assertThat(authenticator.check(login("good"))).isInstanceOf(Verdict.Unsure.class);
        stalls = false;
        assertThat(authenticator(10, Duration.ofSeconds(30)).check(login("good")))
                .isInstanceOf(Verdict.Known.class);
    }

    @Test
    void strangersDoNotDriveOutThoseWhoWereLetIn() {
        var authenticator = authenticator(4, Duration.ofSeconds(30));
        assertThat(authenticator.check(login("good"))).isInstanceOf(Verdict.Known.class);
        for (int i = 0; i < 10; i++) {
            assertThat(authenticator.check(login("bad" + i))).isInstanceOf(Verdict.Unknown.class);
        }
        assertThat(asked).hasValue(11);
        assertThat(authenticator.check(login("good"))).isInstanceOf(Verdict.Known.class);
        assertThat(asked).as("it is remembered still").hasValue(11);
    }
}
