package dev.berth.server.http;

import io.helidon.http.Header;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import java.io.IOException;
import java.io.OutputStream;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;

/** What is answered. Either whole, which is written at once, or a stream. */
final class Reply {
    static final Header JSON = HeaderValues.createCached(HeaderNames.CONTENT_TYPE, "application/json");
    static final Header PROBLEM = HeaderValues.createCached(HeaderNames.CONTENT_TYPE, "application/problem+json");
    static final Header EVENTS = HeaderValues.createCached(HeaderNames.CONTENT_TYPE, "text/event-stream");
    static final HeaderName RETRY_AFTER = HeaderNames.RETRY_AFTER;

    private final int status;
    private final @Nullable Header contentType;
    private final byte[] body;
    private final List<Header> headers;
    private final @Nullable Streamed stream;

    private Reply(
            int status, @Nullable Header contentType, byte[] body, List<Header> headers, @Nullable Streamed stream) {
        this.status = status;
        this.contentType = contentType;
        this.body = body;
        this.headers = headers;
        this.stream = stream;
    }

    int status() {
        return status;
    }

    /** Null where there is no body. */
    @Nullable
    Header contentType() {
        return contentType;
    }

    /** Empty where {@link #stream} writes it. */
    byte[] body() {
        return body;
    }

    List<Header> headers() {
        return headers;
    }

    /** Writes the body as long as it likes; null where {@link #body} is it. */
    @Nullable
    Streamed stream() {
        return stream;
    }

    /** Writes to a connection until it is done; an {@link IOException} is the other side's going away. */
    @FunctionalInterface
    interface Streamed {
        void writeTo(OutputStream out) throws IOException;
    }

    static Reply json(int status, Consumer<JsonGenerator> content) {
        return new Reply(status, JSON, Json.write(content), List.of(), null);
    }

    static Reply json(int status, byte[] body) {
        return new Reply(status, JSON, body, List.of(), null);
    }

    /** Without a body. */
    static Reply empty(int status) {
        return new Reply(status, null, new byte[0], List.of(), null);
    }

    static Reply text(Header contentType, byte[] body) {
        return new Reply(200, contentType, body, List.of(), null);
    }

    static Reply problem(int status, byte[] body) {
        return new Reply(status, PROBLEM, body, List.of(), null);
    }

    static Reply events(Streamed stream) {
        return new Reply(200, EVENTS, new byte[0], List.of(), stream);
    }

    Reply with(Header header) {
        return new Reply(
                status,
                contentType,
                body,
                Stream.concat(headers.stream(), Stream.of(header)).toList(),
                stream);
    }
}
