package dev.berth.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.core.PoolName;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.LockSupport;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** More comes than can be done: what is too much is refused at once, took nothing, and says when to come again. */
class OverloadTest {
    private static final int MOST_WAITING = 8;
    private static final int CONNECTIONS = 12;
    /** Of a service that soon gives up who brings nothing; longer than a busy machine keeps one waiting who does. */
    private static final Duration SHORT = Duration.ofSeconds(1);

    private static final Duration LONG = Duration.ofSeconds(60);
    private static final String PROBE = "GET /healthz/live HTTP/1.1\r\nHost: x\r\n\r\n";
    private static final String POOLS =
            "GET /pools HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + Service.ALICE + "\r\n\r\n";

    @TempDir
    Path folder;

    private final List<Socket> sockets = new ArrayList<>();
    private Service service;

    @BeforeEach
    void start() {
        start(LONG);
    }

    private void start(Duration patience) {
        service = new Service(folder, null, MOST_WAITING, new HttpApi.Limits(CONNECTIONS, patience));
        service.pool("release", Service.policy(), 20);
    }

    private void startImpatient() {
        service.close();
        start(SHORT);
    }

    @AfterEach
    void stop() throws IOException {
        for (var socket : sockets) {
            socket.close();
        }
        service.close();
    }

    private CompletableFuture<Service.Answered> asking(String key) {
        return service.later(
                Service.ALICE,
                "POST",
                "/allocations",
                "{\"pool\":\"release\",\"requester\":\"job\"}",
                request -> request.header("Idempotency-Key", key));
    }

    private static void isRefused(Service.Answered answer) {
        assertThat(answer.status()).isEqualTo(503);
        assertThat(answer.code()).isEqualTo("overloaded");
        assertThat(answer.header("Retry-After")).isEqualTo("1");
    }

    private int allocated() {
        return service.store
                .pool(new PoolName("release"))
                .orElseThrow()
                .counts()
                .allocated();
    }

    @Test
    void whatIsTooMuchForTheLedgerIsRefusedAtOnceAndTookNothing() throws Exception {
        var held = service.ask(Service.ALICE, "release").body().path("id").asString();
        var stuck = new CountDownLatch(1);
        var goOn = new CountDownLatch(1);
        service.ledger.addListener((pool, decision) -> {
            stuck.countDown();
            await(goOn);
        });
        var first = asking("first");
        stuck.await();
        var answers = new ArrayList<CompletableFuture<Service.Answered>>();
        for (int i = 0; i < CONNECTIONS - 3; i++) { // with the first, and those of the release below
            answers.add(asking("key-" + i));
        }
        int tooMany = answers.size() - MOST_WAITING / 2;
        awaitUntil(() -> answers.stream().filter(CompletableFuture::isDone).count() == tooMany);
        // Who gives back is let in all the same.
        var release = service.later(Service.ALICE, "DELETE", "/allocations/" + held, null, UnaryOperator.identity());
        awaitUntil(() -> answers.stream().filter(CompletableFuture::isDone).count() == tooMany);
        goOn.countDown();

        assertThat(release.join().status()).isEqualTo(200);
        assertThat(first.join().status()).isEqualTo(200);
        int granted = 0;
        for (int i = 0; i < answers.size(); i++) {
            var answer = answers.get(i).join();
            if (answer.status() == 200) {
                granted++;
            } else {
                isRefused(answer);
                assertThat(asking("key-" + i).join().status())
                        .as("its key is free")
                        .isEqualTo(200);
            }
        }
        assertThat(granted).isEqualTo(MOST_WAITING / 2);
        assertThat(allocated()).isEqualTo(1 + answers.size());
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    // ---- connections

    private Socket connect() throws IOException {
        var socket = new Socket(InetAddress.getLoopbackAddress(), service.port());
        socket.setSoTimeout((int) LONG.toMillis());
        sockets.add(socket);
        return socket;
    }

    private static void send(Socket socket, String text) throws IOException {
        socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
    }

    private static String status(Socket socket) throws IOException {
        var line = new StringBuilder();
        for (int b = socket.getInputStream().read();
                b >= 0 && b != '\r';
                b = socket.getInputStream().read()) {
            line.append((char) b);
        }
        return line.toString();
    }

    /** Everything up to the end of the connection, which the service has to make. */
    private static String rest(Socket socket) throws IOException {
        return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    }

    @Test
    void aConnectionBeyondThoseThatAreServedIsToldSoAtOnce() throws IOException {
        for (int i = 0; i < CONNECTIONS; i++) {
            var served = connect();
            send(served, POOLS);
            assertThat(status(served)).isEqualTo("HTTP/1.1 200 OK");
        }
        var beyond = connect();
        // In two parts, as many clients send it: what was not read when the answer came is no reason to lose it.
        var body = "{\"pool\":\"release\",\"requester\":\"job\"}";
        send(beyond, "POST /allocations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + Service.ALICE + "\r\n");
        var refused = status(beyond);
        send(beyond, "Content-Length: " + body.length() + "\r\n\r\n" + body);
        beyond.shutdownOutput();
        assertThat(refused).isEqualTo("HTTP/1.1 503 Service Unavailable");
        assertThat(rest(beyond))
                .containsIgnoringCase("retry-after: 1")
                .containsIgnoringCase("connection: close")
                .contains("\"code\":\"overloaded\"");
        assertThat(allocated()).isZero();

        var probe = connect();
        send(probe, PROBE);
        assertThat(status(probe)).isEqualTo("HTTP/1.1 200 OK");

        sockets.getFirst().close();
        awaitUntil(() -> {
            var next = connect();
            send(next, POOLS);
            return status(next).equals("HTTP/1.1 200 OK");
        });
    }

    @Test
    void aConnectionThatBringsNoWholeRequestIsClosed() throws IOException {
        startImpatient();
        var silent = connect();
        var headers = connect();
        send(headers, "POST /allocations HTTP/1.1\r\nHost: x\r\nAuthoriz");
        var body = connect();
        send(
                body,
                "POST /allocations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + Service.ALICE
                        + "\r\nContent-Length: 100\r\n\r\n{");
        assertThat(rest(silent)).isEmpty();
        assertThat(rest(headers)).isEmpty();
        assertThat(rest(body)).isEmpty();
    }

    @Test
    void aRequestThatIsHeldAndAConnectionBetweenTwoRequestsStayOpenForLonger() throws IOException {
        startImpatient();
        service.pool("lab", Service.policy(), 1);
        service.ask(Service.ALICE, "lab");
        var between = connect();
        send(between, POOLS);
        assertThat(status(between)).isEqualTo("HTTP/1.1 200 OK");
        var ask = "{\"pool\":\"lab\",\"requester\":\"job\",\"maxWait\":\"1m\"}";
        var held = connect();
        send(
                held,
                "POST /allocations HTTP/1.1\r\nHost: x\r\nPrefer: wait=3\r\nAuthorization: Bearer " + Service.ALICE
                        + "\r\nContent-Length: " + ask.length() + "\r\n\r\n" + ask);
        assertThat(status(held)).isEqualTo("HTTP/1.1 202 Accepted");
        between.getInputStream().skipNBytes(between.getInputStream().available());
        send(between, POOLS);
        assertThat(status(between)).isEqualTo("HTTP/1.1 200 OK");
    }

    private interface Condition {
        boolean holds() throws IOException;
    }

    private static void awaitUntil(Condition condition) throws IOException {
        long end = System.nanoTime() + LONG.toNanos();
        while (!condition.holds()) {
            assertThat(System.nanoTime()).as("in time").isLessThan(end);
            LockSupport.parkNanos(Duration.ofMillis(5).toNanos());
        }
    }
}
