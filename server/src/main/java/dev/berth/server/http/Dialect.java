package dev.berth.server.http;

import io.helidon.http.Header;
import io.helidon.http.HeaderValues;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** How callers of a route say who they are, and how they are told of errors. */
enum Dialect {
    /** As all of the API: the header alone, and problems of RFC 9457. */
    BERTH {
        @Override
        @Nullable
        String authorization(@Nullable String header, List<String> tokens) {
            return header;
        }

        @Override
        Reply reply(Problem problem, String path, String requestId) {
            return ProblemJson.reply(problem, path, requestId);
        }
    },

    /** As acctpool had it: a token in the query too, and errors that have one field. */
    ACCOUNT_POOL {
        @Override
        @Nullable
        String authorization(@Nullable String header, List<String> tokens) {
            return header == null && tokens.size() == 1 ? "Bearer " + tokens.getFirst() : header;
        }

        @Override
        Reply reply(Problem problem, String path, String requestId) {
            var text = problem.code() == ErrorCode.UNAUTHENTICATED ? "Token not authorized." : problem.detail();
            var reply = Reply.json(problem.code().status(), json -> {
                        json.writeStartObject();
                        json.writeStringProperty("error", text);
                        json.writeEndObject();
                    })
                    .with(NO_REFERRER);
            var retryAfter = ProblemJson.retryAfter(problem);
            return retryAfter == null ? reply : reply.with(retryAfter);
        }
    };

    /** The address of such a call may have a token in it, which is not to be told to whatever a page links to. */
    static final Header NO_REFERRER = HeaderValues.createCached("Referrer-Policy", "no-referrer");

    static final String TOKEN = "token";

    /**
     * What stands for the {@code Authorization} header.
     *
     * @param header the header itself; null where the request has none
     * @param tokens the values of {@link #TOKEN} in the query
     */
    abstract @Nullable String authorization(@Nullable String header, List<String> tokens);

    /**
     * An error on the wire.
     *
     * @param path of the request, without its query, which may hold secrets
     */
    abstract Reply reply(Problem problem, String path, String requestId);
}
