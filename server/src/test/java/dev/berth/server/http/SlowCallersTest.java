package dev.berth.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Callers who take their time, beside those who only say nothing: all places there are go to them, and come back. */
class SlowCallersTest {
    private static final int CONNECTIONS = 4;
    private static final String LIVE = "GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n";
    private static final Duration LONG = Duration.ofSeconds(60);

    @TempDir
    private Path folder;

    private Service service;
    private final List<Socket> opened = new ArrayList<>();

    @BeforeEach
    void start() {
        service = new Service(folder, null, 100, new HttpApi.Limits(CONNECTIONS, Duration.ofMillis(500)));
    }

    @AfterEach
    void stop() throws IOException {
        for (var socket : opened) {
            socket.close();
        }
        service.close();
    }

    private Socket open(String begin) throws IOException {
        var socket = new Socket();
        opened.add(socket);
        socket.setReceiveBufferSize(4 << 10);
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), service.port()));
        socket.setSoTimeout((int) LONG.toMillis());
        socket.getOutputStream().write(begin.getBytes(StandardCharsets.US_ASCII));
        return socket;
    }

    /** Nothing where this caller itself was too slow: it is given up as the others are. */
    private String status() {
        try (var socket = open("GET /pools HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")) {
            return new String(socket.getInputStream().readNBytes(12), StandardCharsets.US_ASCII);
        } catch (IOException _) {
            return "";
        }
    }

    /** As long as all places are taken, the answer is 503. */
    private void awaitPlace() {
        long giveUpAt = System.nanoTime() + LONG.toNanos();
        while (!status().equals("HTTP/1.1 401")) {
            assertThat(System.nanoTime()).as("in time").isLessThan(giveUpAt);
        }
    }

    @Test
    void whoDoesNotTakeItsAnswerLosesItsPlace() throws IOException {
        for (int i = 0; i < CONNECTIONS; i++) {
            open(LIVE.repeat(400)); // far more than the buffers in between hold
        }
        awaitPlace();
    }

    @Test
    void whoseRequestDripsInLosesItsPlace() throws Exception {
        var head = "POST /allocations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + Service.ALICE + "\r\n";
        var dripping = new ArrayList<Thread>();
        for (int i = 0; i < CONNECTIONS; i++) {
            var socket = open(head);
            dripping.add(Thread.ofVirtual().start(() -> drip(socket)));
        }
        awaitPlace();
        for (var thread : dripping) {
            thread.interrupt();
            thread.join();
        }
    }

    private static void drip(Socket socket) {
        try {
            while (true) {
                socket.getOutputStream().write("X-Y: z\r\n".getBytes(StandardCharsets.US_ASCII));
                Thread.sleep(50); // the drip itself: that time passes is what is tried here
            }
        } catch (IOException | InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
