package dev.berth.server.http;

import io.helidon.http.Header;
import io.helidon.http.HeaderValues;
import org.jspecify.annotations.Nullable;

/** Errors on the wire (RFC 9457). */
final class ProblemJson {
    private static final String TYPE = "urn:berth:error:";
    private static final int LONGEST_INSTANCE = 500;

    private ProblemJson() {}

    /**
     * The answer.
     *
     * @param path of the request, without its query, which may hold secrets
     */
    static Reply reply(Problem problem, String path, String requestId) {
        var code = problem.code();
        var body = Json.write(json -> {
            json.writeStartObject();
            json.writeStringProperty("type", TYPE + code.slug());
            json.writeStringProperty("title", code.title());
            json.writeNumberProperty("status", code.status());
            json.writeStringProperty("detail", problem.detail());
            json.writeStringProperty(
                    "instance", path.length() <= LONGEST_INSTANCE ? path : path.substring(0, LONGEST_INSTANCE));
            json.writeStringProperty("code", code.slug());
            json.writeStringProperty("message", problem.detail());
            json.writeStringProperty("requestId", requestId);
            if (!problem.mistakes().isEmpty()) {
                json.writeName("errors");
                json.writeStartArray();
                for (var mistake : problem.mistakes()) {
                    json.writeStartObject();
                    if (mistake.line() != null) {
                        json.writeNumberProperty("line", mistake.line());
                    }
                    if (mistake.field() != null) {
                        json.writeStringProperty("field", mistake.field());
                    }
                    json.writeStringProperty("message", mistake.message());
                    json.writeEndObject();
                }
                json.writeEndArray();
            }
            json.writeEndObject();
        });
        var reply = Reply.problem(code.status(), body);
        var retryAfter = retryAfter(problem);
        return retryAfter == null ? reply : reply.with(retryAfter);
    }

    /** In whole seconds; null where another try is no use. */
    static @Nullable Header retryAfter(Problem problem) {
        var after = problem.retryAfter();
        return after == null
                ? null
                : HeaderValues.create(
                        Reply.RETRY_AFTER,
                        String.valueOf(Math.max(1, after.plusMillis(999).toSeconds())));
    }
}
