package dev.berth.bench;

import io.helidon.common.socket.SocketOptions;
import io.helidon.http.Header;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.http.Handler;
import java.io.InputStream;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What the HTTP server can do at most: the same server with the same settings, on the same routes, that reads each request and answers
 * bytes that a real service answered.
 */
final class Ceiling {
    private static final Header JSON = HeaderValues.createCached(HeaderNames.CONTENT_TYPE, "application/json");
    private static final Header NO_STORE = HeaderValues.createCached(HeaderNames.CACHE_CONTROL, "no-store");
    private static final Header NO_SNIFF =
            HeaderValues.createCached(HeaderNames.create("X-Content-Type-Options"), "nosniff");
    private static final Header REQUEST_ID =
            HeaderValues.createCached(HeaderNames.create("X-Request-Id"), "0123456789abcdef");

    private Ceiling() {}

    /** Arguments: files with the answers to an allocate, a release and a keepalive. */
    public static void main(String[] args) throws Exception {
        var allocate = answering(Files.readAllBytes(Path.of(args[0])));
        var release = answering(Files.readAllBytes(Path.of(args[1])));
        var keepalive = answering(Files.readAllBytes(Path.of(args[2])));
        var server = WebServer.builder()
                .host("127.0.0.1")
                .port(0)
                .connectionOptions(SocketOptions.builder().tcpNoDelay(true).build())
                .routing(routing -> routing.post("/allocations", allocate)
                        .delete("/allocations/{id}", release)
                        .post("/allocations/{id}/keepalive", keepalive))
                .build()
                .start();
        Child.ready(URI.create("http://127.0.0.1:" + server.port()), server::stop);
    }

    private static Handler answering(byte[] body) {
        return (request, response) -> {
            if (request.content().hasEntity()) {
                try (InputStream in = request.content().inputStream()) {
                    in.readAllBytes();
                }
            }
            response.header(JSON);
            response.header(NO_STORE);
            response.header(NO_SNIFF);
            response.header(REQUEST_ID);
            response.send(body);
        };
    }
}
