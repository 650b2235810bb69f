package dev.berth.cli;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.function.Predicate;

/** As much of the service as the command line can tell from the real one: one pool with one environment. */
final class FakeBerth implements AutoCloseable {
    record Asked(String line, String body, String authorization) {}

    private record Canned(int status, String body) {}

    private static final String QUEUE = """
            ,"queue":{"position":2,"waitingFor":"waits for a free one, held by job 1",
             "estimatedGrantAt":{"p50":"2026-01-01T00:04:00Z","p90":"2026-01-01T00:12:00Z"}}""";

    private final HttpServer http;
    private final List<Asked> asked = new CopyOnWriteArrayList<>();
    private final Map<String, Canned> canned = new ConcurrentHashMap<>();
    private String state = "active";
    private String requester = "";
    private volatile String retryAfter = "";

    FakeBerth() throws IOException {
        http = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        http.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        http.createContext("/", this::handle);
        http.start();
    }

    String url() {
        return "http://127.0.0.1:" + http.getAddress().getPort();
    }

    /** Answers calls like {@code GET /pools} with these bytes from now on. */
    FakeBerth answer(String line, int status, String body) {
        canned.put(line, new Canned(status, body));
        return this;
    }

    /** Has every answer say from now on when to ask again. */
    void retryAfter(int seconds) {
        retryAfter = Integer.toString(seconds);
    }

    /** Puts the only allocation into another state and wakes those who wait for it. */
    synchronized void become(String next) {
        state = next;
        notifyAll();
    }

    List<Asked> asked() {
        return asked;
    }

    /** Waits until a call came that fits; fails after a while. */
    synchronized Asked await(Predicate<Asked> wanted) throws InterruptedException {
        long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        while (true) {
            for (Asked one : asked) {
                if (wanted.test(one)) {
                    return one;
                }
            }
            long left = (deadline - System.nanoTime()) / 1_000_000;
            if (left <= 0) {
                throw new AssertionError("no such call came, but these: " + asked);
            }
            wait(left);
        }
    }

    Asked awaitRelease() throws InterruptedException {
        return await(one -> one.line().startsWith("DELETE /allocations/"));
    }

    private void handle(HttpExchange exchange) {
        try (exchange) {
            String line = exchange.getRequestMethod() + " " + exchange.getRequestURI();
            String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            String authorization = exchange.getRequestHeaders().getFirst("Authorization");
            synchronized (this) {
                asked.add(new Asked(line, body, authorization));
                notifyAll();
            }
            Canned reply = canned.get(line);
            if (reply == null) {
                reply = answer(line, body, exchange.getRequestHeaders().getFirst("Prefer"));
            }
            if (!retryAfter.isEmpty()) {
                exchange.getResponseHeaders().set("Retry-After", retryAfter);
            }
            byte[] bytes = reply.body().getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(reply.status(), bytes.length == 0 ? -1 : bytes.length);
            try (OutputStream out = exchange.getResponseBody()) {
                out.write(bytes);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized Canned answer(String line, String body, String prefer) throws InterruptedException {
        if (line.equals("POST /allocations")) {
            requester = Json.MAPPER.readTree(body).path("requester").asString();
            return allocation();
        }
        if (line.startsWith("GET /allocations?")) {
            return new Canned(200, "{\"allocations\":[],\"next\":null}");
        }
        if (line.equals("GET /allocations/a1")) {
            long deadline = System.nanoTime()
                    + Duration.ofSeconds(prefer == null ? 0 : 5).toNanos();
            while (state.equals("pending") && System.nanoTime() < deadline) {
                wait(100);
            }
            return allocation();
        }
        if (line.equals("POST /allocations/a1/keepalive")) {
            while (state.equals("silent")) {
                wait();
            }
            return state.equals("active")
                    ? allocation()
                    : new Canned(410, "{\"code\":\"lease-lost\",\"message\":\"ended: operator\"}");
        }
        if (line.equals("POST /allocations/a1/hold")) {
            state = "held";
            return allocation();
        }
        if (line.equals("DELETE /allocations/a1")) {
            state = "ended";
            return new Canned(200, "{}");
        }
        return new Canned(404, "{\"code\":\"not-found\",\"message\":\"no such thing\"}");
    }

    private Canned allocation() {
        boolean held = state.equals("held");
        return new Canned(state.equals("pending") ? 202 : 200, """
                {"id":"a1","state":"%s","pool":"scratch","requester":"%s","createdAt":"2026-01-01T00:00:00Z",
                 "expiresAt":"2026-01-01T03:00:00Z","expiresIn":10800,%s"environments":[
                  {"name":"s1","epoch":1,"connection":{"path":"/tmp/s1"},"credentials":{"password":"hush"},
                   "env":{"SCRATCH":"/tmp/s1","bad name":"x"}},
                  {"name":"s2","epoch":1,"env":{"SCRATCH":"/tmp/s2"}}]%s}
                """.formatted(
                        held ? "active" : state,
                        requester,
                        held ? "\"heldUntil\":\"2026-01-01T01:00:00Z\",\"to\":[\"alice\"]," : "",
                        state.equals("pending") ? QUEUE : ""));
    }

    @Override
    public void close() {
        http.stop(0);
    }
}
