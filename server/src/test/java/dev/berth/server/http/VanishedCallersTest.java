package dev.berth.server.http;

import static dev.berth.server.http.Service.ALICE;
import static dev.berth.server.http.Service.BOB;
import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.core.AllocationId;
import java.io.ByteArrayOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A caller that goes away while its request is held is noticed, and a connection that was watched for that serves on. */
class VanishedCallersTest {
    private static final String LIVE = "GET /healthz/live HTTP/1.1\r\nHost: x\r\n\r\n";
    private static final Pattern LENGTH = Pattern.compile("(?i)\r\ncontent-length: *([0-9]+)");
    private static final int LIVES_BEYOND_WHAT_IS_READ_AHEAD = 5_000;

    @TempDir
    Path folder;

    Service service;
    String first;

    @BeforeEach
    void start() {
        service = begin();
        service.pool("release", Service.policy(), 1);
        first = "/allocations/"
                + service.ask(ALICE, "release").body().path("id").asString();
    }

    @AfterEach
    void stop() {
        service.close();
    }

    Service begin() {
        return new Service(folder);
    }

    Socket connect() throws IOException {
        return new Socket(InetAddress.getLoopbackAddress(), service.port());
    }

    // ---- a connection

    private final class Connection implements AutoCloseable {
        private final Socket socket = connect();

        Connection() throws IOException {
            socket.setSoTimeout((int) Duration.ofSeconds(60).toMillis());
        }

        void send(String text) throws IOException {
            socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
        }

        /** One whole answer. */
        String answer() throws IOException {
            var head = new ByteArrayOutputStream();
            while (!head.toString(StandardCharsets.ISO_8859_1).endsWith("\r\n\r\n")) {
                int next = socket.getInputStream().read();
                if (next < 0) {
                    throw new EOFException("the connection ended after: " + head);
                }
                head.write(next);
            }
            var length = LENGTH.matcher(head.toString(StandardCharsets.ISO_8859_1));
            assertThat(length.find()).isTrue();
            int bytes = Integer.parseInt(length.group(1));
            return head + new String(socket.getInputStream().readNBytes(bytes), StandardCharsets.UTF_8);
        }

        /** Cuts it, without the farewell of TLS. */
        void cut() throws IOException {
            socket.setSoLinger(true, 0);
            socket.close();
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }

    private static String wait(int seconds, String more) {
        var body = "{\"pool\":\"release\",\"requester\":\"job-2\",\"maxWait\":\"10m\"}";
        return "POST /allocations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + BOB + "\r\nPrefer: wait=" + seconds
                + "\r\n" + more + "Content-Length: " + body.length() + "\r\n\r\n" + body;
    }

    private void untilHeld(int requests) {
        Waits.untilTrue(() -> service.api.heldRequests() == requests);
    }

    // ---- who goes away

    @Test
    void aCallerWhoClosesWhileItsRequestIsHeldIsNoticed() throws IOException {
        try (var caller = new Connection()) {
            caller.send(wait(60, ""));
            untilHeld(1);
        }
        untilHeld(0);
    }

    @Test
    void aCallerWhoIsCutOffWhileItsRequestIsHeldIsNoticed() throws IOException {
        try (var caller = new Connection()) {
            caller.send(wait(60, ""));
            untilHeld(1);
            caller.cut();
            untilHeld(0);
        }
    }

    @Test
    void aCallerWhoClosesWhileItLooksIsNoticed() throws IOException {
        var pending = service.call(
                BOB, "POST", "/allocations", "{\"pool\":\"release\",\"requester\":\"job-2\",\"maxWait\":\"10m\"}");
        var id = pending.body().path("id").asString();
        try (var caller = new Connection()) {
            caller.send("GET /allocations/" + id + " HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + BOB
                    + "\r\nPrefer: wait=60\r\n\r\n");
            untilHeld(1);
            Waits.untilTrue(() -> !service.api.waitedFor().isEmpty());
            assertThat(service.api.waitedFor()).extracting(AllocationId::value).containsExactly(id);
        }
        untilHeld(0);
        assertThat(service.api.waitedFor()).isEmpty();
    }

    @Test
    void whoClosesIsNoticedAmongThoseWhoWaitOn() throws IOException {
        try (var patient = new Connection()) {
            patient.send(wait(60, ""));
            untilHeld(1);
            try (var caller = new Connection()) {
                caller.send(wait(60, ""));
                untilHeld(2);
            }
            untilHeld(1);
            service.call(ALICE, "DELETE", first, null);
            assertThat(patient.answer()).startsWith("HTTP/1.1 200").contains("\"active\"");
        }
    }

    @Test
    void whoClosesAfterItSentItsNextRequestTooIsNoticed() throws IOException {
        try (var caller = new Connection()) {
            caller.send(wait(60, ""));
            untilHeld(1);
            caller.send(LIVE);
            caller.send(LIVE);
        }
        untilHeld(0);
    }

    @Test
    void whoClosesDuringALaterWaitOfTheSameConnectionIsNoticed() throws IOException {
        try (var caller = new Connection()) {
            caller.send(wait(1, ""));
            assertThat(caller.answer()).startsWith("HTTP/1.1 202");
            caller.send(LIVE);
            assertThat(caller.answer()).startsWith("HTTP/1.1 200");
            caller.send(wait(60, ""));
            untilHeld(1);
        }
        untilHeld(0);
    }

    // ---- who stays

    @Test
    void aConnectionServesOnAfterAHeldAnswer() throws IOException {
        try (var caller = new Connection()) {
            for (int i = 0; i < 3; i++) {
                caller.send(wait(1, ""));
                assertThat(caller.answer()).startsWith("HTTP/1.1 202").contains("\"pending\"");
                caller.send(LIVE);
                assertThat(caller.answer()).startsWith("HTTP/1.1 200").contains("live");
            }
        }
    }

    @Test
    void whatFollowsAHeldRequestIsAnsweredAfterIt() throws IOException {
        try (var caller = new Connection()) {
            caller.send(wait(60, "") + LIVE + wait(1, "")); // before it is held
            untilHeld(1);
            caller.send(LIVE + LIVE.substring(0, 20)); // and while
            service.call(ALICE, "DELETE", first, null);
            assertThat(caller.answer()).startsWith("HTTP/1.1 200").contains("\"active\"");
            assertThat(caller.answer()).startsWith("HTTP/1.1 200").contains("live");
            assertThat(caller.answer()).startsWith("HTTP/1.1 202").contains("\"pending\"");
            assertThat(caller.answer()).startsWith("HTTP/1.1 200").contains("live");
            caller.send(LIVE.substring(20));
            assertThat(caller.answer()).startsWith("HTTP/1.1 200").contains("live");
        }
    }

    @Test
    void moreThanIsReadAheadIsAnsweredToo() throws IOException, InterruptedException {
        try (var caller = new Connection()) {
            caller.send(wait(60, ""));
            untilHeld(1);
            var sending = Thread.ofVirtual().unstarted(() -> {
                try {
                    caller.send(LIVE.repeat(LIVES_BEYOND_WHAT_IS_READ_AHEAD));
                } catch (IOException _) {
                    // then the answers are missing
                }
            });
            sending.start();
            // All has been sent then, or whoever sends waits because no more is read ahead.
            sending.join(Duration.ofSeconds(1));
            service.call(ALICE, "DELETE", first, null);
            assertThat(caller.answer()).startsWith("HTTP/1.1 200").contains("\"active\"");
            for (int i = 0; i < LIVES_BEYOND_WHAT_IS_READ_AHEAD; i++) {
                assertThat(caller.answer()).startsWith("HTTP/1.1 200").contains("live");
            }
            sending.join();
        }
    }

    @Test
    void aConnectionThatIsToBeClosedAfterAHeldAnswerIsClosed() throws IOException {
        try (var caller = new Connection()) {
            caller.send(wait(1, "Connection: close\r\n"));
            assertThat(caller.answer()).startsWith("HTTP/1.1 202");
            assertThat(caller.socket.getInputStream().read()).isEqualTo(-1);
        }
    }

    @Test
    void nobodyIsWatchedAnyMoreOnceTheServiceHasStopped() throws IOException {
        try (var caller = new Connection();
                var idle = new Connection()) {
            idle.send(wait(1, ""));
            assertThat(idle.answer()).startsWith("HTTP/1.1 202");
            caller.send(wait(60, ""));
            untilHeld(1);
            service.close();
            assertThat(caller.answer()).startsWith("HTTP/1.1 202");
            assertThat(idle.socket.getInputStream().read()).isEqualTo(-1);
        }
    }
}
