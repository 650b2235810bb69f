package dev.berth.bench;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

/** Calls a service now and then: to make ready what is measured. */
final class Caller implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofMinutes(3);
    private static final Duration POLLING = Duration.ofMillis(20);

    private final URI url;
    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final long started = System.nanoTime();
    private int keys;

    Caller(URI url) {
        this.url = url;
    }

    /** An answer's body. */
    String call(String method, String path, String body, String... headers) throws IOException {
        var request = HttpRequest.newBuilder(url.resolve(path))
                .header("Authorization", "Bearer " + Service.TOKEN)
                .method(method, BodyPublishers.ofString(body));
        if (headers.length > 0) {
            request.headers(headers);
        }
        try {
            var response = http.send(request.build(), BodyHandlers.ofString());
            if (response.statusCode() / 100 != 2) {
                throw new IOException(response.statusCode() + ": " + response.body());
            }
            return response.body();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
    }

    String allocate() throws IOException {
        keys++;
        return call(
                "POST",
                "/allocations",
                "{\"pool\":\"" + BenchPool.NAME + "\",\"requester\":\"https://ci.example/job/42\"}",
                "Idempotency-Key",
                "caller-%x-%d".formatted(started, keys));
    }

    /** Waits until so many environments can be lent. */
    void awaitAvailable(int environments) throws IOException {
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (!pool().contains("\"available\":" + environments + ",")) {
            if (System.nanoTime() > end) {
                throw new IOException("the environments are not there: " + pool());
            }
            LockSupport.parkNanos(POLLING.toNanos());
        }
    }

    /** Empty where it is not there yet. */
    private String pool() throws IOException {
        var pools = call("GET", "/pools", "");
        return pools.contains('"' + BenchPool.NAME.value() + '"') ? pools : "";
    }

    static String id(String allocation) {
        int from = allocation.indexOf("\"id\":\"") + 6;
        return allocation.substring(from, allocation.indexOf('"', from));
    }

    @Override
    public void close() {
        http.shutdownNow();
    }
}
