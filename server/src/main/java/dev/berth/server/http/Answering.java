package dev.berth.server.http;

import dev.berth.server.auth.AwsAuthenticator;
import dev.berth.server.auth.Principal;
import dev.berth.server.auth.SignatureAuthenticator;
import dev.berth.server.auth.Verdict;
import dev.berth.server.auth.WaysIn;
import dev.berth.server.ledger.LedgerException;
import io.helidon.http.DirectHandler;
import io.helidon.http.Header;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.Headers;
import io.helidon.http.Method;
import io.helidon.http.PathMatcher;
import io.helidon.http.PathMatchers;
import io.helidon.http.RequestException;
import io.helidon.http.ServerResponseHeaders;
import io.helidon.http.Status;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.Handler;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What every request goes through: who calls, may they, what is answered, and what becomes of an error. */
final class Answering implements DirectHandler {
    private static final Logger LOG = LoggerFactory.getLogger(Answering.class);
    private static final HeaderName REQUEST_ID = HeaderNames.create("X-Request-Id");
    private static final Header NO_STORE = HeaderValues.createCached(HeaderNames.CACHE_CONTROL, "no-store");
    private static final Header NO_SNIFF =
            HeaderValues.createCached(HeaderNames.create("X-Content-Type-Options"), "nosniff");
    private static final Header CHALLENGE = HeaderValues.createCached(HeaderNames.WWW_AUTHENTICATE, "Bearer");
    /** What is not a route is counted under one name, so that strangers cannot make metrics grow. */
    private static final String STRAY = "other";

    private static final String HEADERS_TOO_LARGE = "Header size exceeded";

    private static final Pattern DOUBLED = Pattern.compile("/{2,}");

    private static final Pattern OTHER_VERSION = Pattern.compile(" HTTP/[0-9.]+$");

    private final WaysIn waysIn;
    private final RateLimits limits;
    private final ServiceMetrics metrics;
    private final RefusedCalls refused;
    private final List<Matched> routes;
    private final String prefix;

    private record Matched(Route route, PathMatcher path) {}

    /**
     * @param prefix that a path may have before what the routes say; empty for none
     */
    Answering(WaysIn waysIn, RateLimits limits, ServiceMetrics metrics, List<Route> routes, String prefix) {
        this.prefix = prefix;
        this.refused = new RefusedCalls(metrics, System::nanoTime);
        this.waysIn = waysIn;
        this.limits = limits;
        this.metrics = metrics;
        this.routes = routes.stream()
                .map(route -> new Matched(route, PathMatchers.create(route.path())))
                .toList();
    }

    Handler handler(Route route) {
        return (request, response) -> {
            long began = System.nanoTime();
            var requestId = RequestIds.of(first(request.headers(), REQUEST_ID));
            var reply = answer(route, request, requestId);
            send(request, response, reply, requestId);
            metrics.answered(route.method(), route.path(), reply.status(), System.nanoTime() - began);
            close(request, reply);
        };
    }

    private Reply answer(Route route, ServerRequest request, String requestId) {
        Call call = null;
        try {
            limits.address(limits.origin(request), route.isSpared());
            call = identified(route, request);
            var principal = call.caller();
            if (principal != null) {
                admit(route, principal);
            }
            return route.handler().answer(call);
        } catch (Problem problem) {
            var caller = call == null ? null : call.caller();
            refused.note(problem.code(), route, caller, () -> address(request), requestId);
            if (problem.code() == ErrorCode.UNAUTHENTICATED) {
                limits.failed(limits.origin(request));
            }
            return reply(route.dialect(), problem, request, requestId);
        } catch (LedgerException e) {
            var code = ErrorCode.of(e.kind());
            if (code.category() == ErrorCode.Category.BUG) {
                LOG.error("request {}: a defect", requestId, e);
            }
            return reply(route.dialect(), new Problem(code, code.title()), request, requestId);
        } catch (RequestException e) {
            return reply(route.dialect(), own(e.status(), e.getMessage()), request, requestId);
        } catch (UncheckedIOException | CloseConnectionException e) {
            throw e; // the connection is gone: there is nobody to answer
        } catch (RuntimeException e) {
            LOG.error("request {}: a defect", requestId, e);
            return reply(
                    route.dialect(),
                    new Problem(ErrorCode.INTERNAL_ERROR, "A defect of the service; its log names this request"),
                    request,
                    requestId);
        }
    }

    private Call identified(Route route, ServerRequest request) {
        Supplier<byte[]> body = () -> Call.read(request, route.bodyLimit());
        if (route.isOpen(limits.rules())) {
            return new Call(request, null, () -> address(request), body);
        }
        var authorization = first(request.headers(), HeaderNames.AUTHORIZATION);
        if (authorization != null && SignatureAuthenticator.isMeant(authorization)) {
            var sent = new SentOverHttp(request, route.bodyLimit());
            return call(request, known(waysIn.signatures().check(authorization, sent)), sent::body);
        }
        if (authorization != null && AwsAuthenticator.isMeant(authorization)) {
            return call(request, known(waysIn.aws().check(authorization)), body);
        }
        var principal = waysIn.tokens()
                .authenticate(route.dialect().authorization(authorization, tokens(request)))
                .orElseThrow(() -> new Problem(ErrorCode.UNAUTHENTICATED, missing(request)));
        return call(request, principal, body);
    }

    private Call call(ServerRequest request, Principal principal, Supplier<byte[]> body) {
        var from = address(request);
        return new Call(request, principal.at(from), () -> from, body);
    }

    private String address(ServerRequest request) {
        return limits.origin(request).getHostAddress();
    }

    /**
     * Whom somebody is.
     *
     * @throws Problem where that is not known
     */
    static Principal known(Verdict verdict) {
        return switch (verdict) {
            case Verdict.Known(Principal principal) -> principal;
            case Verdict.Unknown(String why) -> throw new Problem(ErrorCode.UNAUTHENTICATED, why);
            case Verdict.Unsure(String why) -> throw new Problem(ErrorCode.IDENTITY_UNAVAILABLE, why);
        };
    }

    private static String missing(ServerRequest request) {
        return SignatureAuthenticator.isPresigned(request.prologue().query().rawValue())
                ? "A pre-signed URL lets nobody in: sign with an Authorization header"
                : "A known bearer token is needed: Authorization: Bearer TOKEN";
    }

    private void admit(Route route, Principal principal) {
        limits.principal(principal.name(), route.isSpared());
        if (!route.admits(principal)) {
            throw new Problem(
                    ErrorCode.FORBIDDEN,
                    "This needs the role "
                            + route.roles().stream()
                                    .map(role -> role.name().toLowerCase(java.util.Locale.ROOT))
                                    .sorted()
                                    .collect(Collectors.joining(" or ")));
        }
    }

    private static List<String> tokens(ServerRequest request) {
        var query = request.query();
        return query.contains(Dialect.TOKEN) ? query.all(Dialect.TOKEN) : List.of();
    }

    private static @Nullable String first(Headers headers, HeaderName name) {
        return headers.contains(name) ? headers.get(name).get() : null;
    }

    private static Reply reply(Dialect dialect, Problem problem, ServerRequest request, String requestId) {
        var reply = dialect.reply(problem, request.path().absolute().rawPath(), requestId);
        return switch (problem.code()) {
            case UNAUTHENTICATED -> reply.with(CHALLENGE);
            case MALFORMED_REQUEST ->
                reply.with(HeaderValues.CONNECTION_CLOSE); // nobody knows where the next one begins
            default -> reply;
        };
    }

    private void send(ServerRequest request, ServerResponse response, Reply reply, String requestId) {
        response.status(Status.create(reply.status()));
        var contentType = reply.contentType();
        if (contentType != null) {
            response.header(contentType);
        }
        response.header(NO_STORE);
        response.header(NO_SNIFF);
        response.header(HeaderValues.create(REQUEST_ID, requestId));
        for (var header : reply.headers()) {
            response.header(header.headerName().equals(HeaderNames.LOCATION) ? seenFromOutside(header) : header);
        }
        var stream = reply.stream();
        if (request.prologue().method().equals(Method.HEAD)) {
            // What a body would be taken for is the next answer (RFC 9110, 9.3.2).
            response.header(HeaderValues.create(HeaderNames.CONTENT_LENGTH, reply.body().length));
            response.send();
            return;
        }
        if (stream == null) {
            response.send(reply.body());
            return;
        }
        try (var out = response.outputStream()) {
            stream.writeTo(out);
        } catch (IOException | UncheckedIOException e) {
            throw new CloseConnectionException("the reader of a stream is gone", e);
        }
    }

    /** With the prefix that a proxy takes off again. */
    private Header seenFromOutside(Header location) {
        return prefix.isEmpty() ? location : HeaderValues.create(HeaderNames.LOCATION, prefix + location.get());
    }

    /**
     * Closes the connection where either side said so. The HTTP server would say it, but wait for the next request all the same, and a
     * client that reads to the end of the connection would wait with it.
     */
    private static void close(ServerRequest request, Reply reply) {
        boolean broken = reply.headers().contains(HeaderValues.CONNECTION_CLOSE);
        if (!broken && !request.headers().containsToken(HeaderValues.CONNECTION_CLOSE)) {
            return;
        }
        if (!broken && request.content().hasEntity() && !request.content().consumed()) {
            // Closed with a body unread, it would be reset, and the answer could be lost.
            request.content().consume();
        }
        throw new CloseConnectionException("that was the last answer of this connection");
    }

    // ---- what is no route, or no request

    /** Answers what no route matches: 405 where another method would be right, 404 otherwise. */
    void stray(ServerRequest request, ServerResponse response) {
        var path = meant(request);
        if (path == null) {
            answerStray(request, response);
        } else {
            SentOverHttp.reroute(request, response, path);
        }
    }

    /**
     * The path that a caller means who says it with slashes doubled, as who joins an address that ends in one with a path, or with the
     * prefix under which the service is known; null where it means what it says.
     */
    private @Nullable String meant(ServerRequest request) {
        var sent = request.prologue().uriPath().rawPath();
        var plain = DOUBLED.matcher(sent).replaceAll("/");
        var known =
                prefix.isEmpty() || !(plain + "/").startsWith(prefix + "/") ? plain : plain.substring(prefix.length());
        var path = known.isEmpty() ? "/" : known;
        return path.equals(sent) || SentOverHttp.isRerouted(request) ? null : path;
    }

    private void answerStray(ServerRequest request, ServerResponse response) {
        long began = System.nanoTime();
        var requestId = RequestIds.of(first(request.headers(), REQUEST_ID));
        var path = request.path().absolute();
        var matched = routes.stream()
                .filter(each -> each.path().match(path).accepted())
                .map(Matched::route)
                .toList();
        // A path that a route has word by word is that one's alone, though a parameter of another could be the same
        // word.
        boolean named = matched.stream().anyMatch(route -> !route.hasParameters());
        var allowed = matched.stream()
                .filter(route -> !named || !route.hasParameters())
                .flatMap(Route::methods)
                .distinct()
                .collect(Collectors.joining(", "));
        var method = request.prologue().method().text();
        var reply = allowed.isEmpty()
                ? reply(
                        Dialect.BERTH,
                        new Problem(ErrorCode.NO_SUCH_RESOURCE, "There is nothing at this path"),
                        request,
                        requestId)
                : reply(
                                Dialect.BERTH,
                                new Problem(
                                        ErrorCode.METHOD_NOT_ALLOWED,
                                        "This path has no method " + (method.length() <= 20 ? method : "of this name")),
                                request,
                                requestId)
                        .with(HeaderValues.create(HeaderNames.ALLOW, allowed));
        send(request, response, reply, requestId);
        metrics.answered(STRAY, STRAY, reply.status(), System.nanoTime() - began);
        close(request, reply);
    }

    private static Problem own(Status status, @Nullable String message) {
        var code = ErrorCode.ofStatus(status.code());
        return new Problem(code, message == null || message.isBlank() || code.status() >= 500 ? code.title() : message);
    }

    /** Answers what the HTTP server refuses by itself, before any route is looked for. */
    @Override
    public TransportResponse handle(
            TransportRequest request,
            EventType eventType,
            Status status,
            ServerResponseHeaders headers,
            @Nullable String message) {
        var requestId = RequestIds.of(first(request.headers(), REQUEST_ID));
        // The HTTP server has no status of its own for this: it is told by the text.
        var code = HEADERS_TOO_LARGE.equals(message) ? ErrorCode.HEADERS_TOO_LARGE : ErrorCode.ofStatus(status.code());
        var path = request.path().indexOf('?') < 0
                ? request.path()
                : request.path().substring(0, request.path().indexOf('?'));
        var reply = ProblemJson.reply(new Problem(code, code.title()), path, requestId);
        metrics.answered(STRAY, STRAY, reply.status(), 0);
        headers.set(Reply.PROBLEM);
        headers.set(NO_STORE);
        headers.set(HeaderValues.create(REQUEST_ID, requestId));
        reply.headers().forEach(headers::set);
        return TransportResponse.builder()
                .status(Status.create(reply.status()))
                .headers(headers)
                .keepAlive(false)
                .entity(reply.body())
                .build();
    }

    /** The whole answer to what begins with a line that is not HTTP/1.1's. */
    byte[] other(String line) {
        boolean version = OTHER_VERSION.matcher(line).find();
        var code = version ? ErrorCode.HTTP_VERSION_NOT_SUPPORTED : ErrorCode.MALFORMED_REQUEST;
        return whole(new Problem(code, code.title()));
    }

    /** The whole answer on a connection beyond those that are served. */
    byte[] crowded() {
        return whole(new Problem(ErrorCode.OVERLOADED, "As many connections are open as may be"));
    }

    private byte[] whole(Problem problem) {
        var requestId = RequestIds.of(null);
        var reply = ProblemJson.reply(problem, "", requestId);
        metrics.answered(STRAY, STRAY, reply.status(), 0);
        var more = reply.headers().stream()
                .map(header -> "%s: %s\r\n".formatted(header.name(), header.get()))
                .collect(Collectors.joining());
        var head =
                "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nX-Request-Id: %s\r\n%sConnection: close\r\n\r\n"
                        .formatted(
                                Status.create(reply.status()),
                                Reply.PROBLEM.get(),
                                reply.body().length,
                                requestId,
                                more)
                        .getBytes(StandardCharsets.US_ASCII);
        var whole = Arrays.copyOf(head, head.length + reply.body().length);
        System.arraycopy(reply.body(), 0, whole, head.length, reply.body().length);
        return whole;
    }
}
