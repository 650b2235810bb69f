package dev.berth.server.http;

import dev.berth.server.auth.SentRequest;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A request as its signature is checked. The body that was read for that is kept for the call. */
final class SentOverHttp implements SentRequest {
    private static final String PATH = "dev.berth.sent-path";

    private final ServerRequest request;
    private final int bodyLimit;
    private byte @Nullable [] body;

    SentOverHttp(ServerRequest request, int bodyLimit) {
        this.request = request;
        this.bodyLimit = bodyLimit;
    }

    @Override
    public String method() {
        return request.prologue().method().text();
    }

    @Override
    public String path() {
        return pathOf(request);
    }

    /** The path as it was sent, though the request was routed by another one. */
    static String pathOf(ServerRequest request) {
        return request.context()
                .get(PATH, String.class)
                .orElseGet(() -> request.prologue().uriPath().rawPath());
    }

    static boolean isRerouted(ServerRequest request) {
        return request.context().get(PATH, String.class).isPresent();
    }

    /** Routes it by another path, once. */
    static void reroute(ServerRequest request, ServerResponse response, String path) {
        request.context().register(PATH, request.prologue().uriPath().rawPath());
        response.reroute(path);
    }

    @Override
    public String query() {
        return request.prologue().query().rawValue();
    }

    @Override
    public List<String> header(String name) {
        var known = HeaderNames.create(name);
        var headers = request.headers();
        return headers.contains(known) ? headers.get(known).allValues() : List.of();
    }

    @Override
    public byte[] body() {
        if (body == null) {
            body = Call.read(request, bodyLimit);
        }
        return body;
    }
}
