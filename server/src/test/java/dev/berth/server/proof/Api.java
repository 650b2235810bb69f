package dev.berth.server.proof;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Calls a service as one principal. */
final class Api {
    private static final JsonMapper JSON = JsonMapper.builder().build();
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    /** Threads of its own for each, made by the JDK, so one for all. */
    private static final HttpClient CLIENT =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    private final URI url;
    private final String token;

    Api(URI url, String token) {
        this.url = url;
        this.token = token;
    }

    /** What came back. */
    record Reply(int status, JsonNode body, String text, Optional<String> retryAfter) {
        String field(String name) {
            return body.path(name).asString("");
        }
    }

    /**
     * One call.
     *
     * @param headers names and values in turn
     * @throws IOException when no answer came: nobody knows what became of it
     */
    Reply call(String method, String path, @Nullable String body, String... headers) throws IOException {
        var request = HttpRequest.newBuilder(url.resolve(path))
                .timeout(PATIENCE)
                .header("Authorization", "Bearer " + token)
                .method(method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body));
        if (headers.length > 0) {
            request.headers(headers);
        }
        var sent = CLIENT.sendAsync(request.build(), BodyHandlers.ofString());
        try {
            // the time-out of a request is over with the head of its answer: the body may never come
            var response = sent.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
            boolean json =
                    response.headers().firstValue("Content-Type").orElse("").contains("json");
            return new Reply(
                    response.statusCode(),
                    json ? JSON.readTree(response.body()) : JSON.createObjectNode(),
                    response.body(),
                    response.headers().firstValue("Retry-After"));
        } catch (InterruptedException e) {
            sent.cancel(true);
            Thread.currentThread().interrupt();
            throw new IOException(e);
        } catch (ExecutionException | TimeoutException e) {
            sent.cancel(true);
            throw new IOException(e);
        }
    }

    /** A call that has to be answered. */
    Reply must(String method, String path, @Nullable String body, String... headers) {
        try {
            return call(method, path, body, headers);
        } catch (IOException e) {
            throw new UncheckedIOException(method + " " + path, e);
        }
    }

    Reply get(String path) {
        return must("GET", path, null);
    }

    /** Asks for an environment of a pool. {@code more} is put into the body: {@code ,"keepalive":"10s"}. */
    Reply ask(String pool, String more, String... headers) {
        return must("POST", "/allocations", asking(pool, more), headers);
    }

    static String asking(String pool, String more) {
        return "{\"pool\":\"%s\",\"requester\":\"proof\"%s}".formatted(pool, more);
    }

    Reply release(String id) {
        return must("DELETE", "/allocations/" + id, null);
    }

    String stateOf(String environment) {
        return get("/environments/" + environment).field("state");
    }

    void awaitState(String environment, String state) {
        Await.until(environment + " is " + state, () -> stateOf(environment).equals(state));
    }

    /** All events of a pool that are kept, in order. */
    List<JsonNode> events(String pool) {
        var all = new ArrayList<JsonNode>();
        String cursor = "";
        while (true) {
            var page = get("/events?limit=1000&pool=" + pool + cursor).body();
            page.path("events").forEach(all::add);
            if (page.path("events").isEmpty()) {
                return all;
            }
            cursor = "&cursor=" + page.path("next").asString();
        }
    }

    List<JsonNode> events(String pool, String type) {
        return events(pool).stream()
                .filter(event -> event.path("type").asString().equals(type))
                .toList();
    }
}
