package dev.berth.server.http;

import dev.berth.server.auth.Principal;
import io.helidon.common.buffers.DataReader;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.ServerRequest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** A request that was let in. */
final class Call {
    private static final HeaderName PREFER = HeaderNames.create("Prefer");
    private static final HeaderName IDEMPOTENCY_KEY = HeaderNames.create("Idempotency-Key");
    private static final Duration LONGEST_HOLD = Duration.ofSeconds(60);
    /** One preference of RFC 7240, section 2, with parameters that it may have. One that is not understood is ignored. */
    private static final Pattern WAIT =
            Pattern.compile("\\s*wait\\s*=\\s*\"?([0-9]{1,9})\"?\\s*(;.*)?", Pattern.CASE_INSENSITIVE);

    private static final byte[] NOTHING = {};

    private final ServerRequest request;
    private final @Nullable Principal principal;
    private final Supplier<String> origin;
    private final Supplier<byte[]> body;

    /**
     * @param principal null for a route that is open to everybody
     * @param origin the address that it comes from
     * @param body reads it
     */
    Call(ServerRequest request, @Nullable Principal principal, Supplier<String> origin, Supplier<byte[]> body) {
        this.request = request;
        this.principal = principal;
        this.origin = origin;
        this.body = body;
    }

    /** Who calls; null where that is open to everybody. */
    @Nullable
    Principal caller() {
        return principal;
    }

    /** Who calls. Never of a route that is open to everybody. */
    Principal principal() {
        if (principal == null) {
            throw new IllegalStateException("an open route asks who calls");
        }
        return principal;
    }

    /** Somebody whom the call itself named, as they call from there. */
    Principal here(Principal named) {
        return named.at(origin.get());
    }

    /** A part of the path, as the route names it. */
    String path(String name) {
        return request.path().pathParameters().get(name);
    }

    /** The whole body. Empty where there is none. */
    byte[] body() {
        return body.get();
    }

    /**
     * Reads the whole body of a request.
     *
     * @throws Problem where it is larger
     */
    static byte[] read(ServerRequest request, int bodyLimit) {
        var length = request.headers().contentLength();
        if (length.isPresent() && length.getAsLong() > bodyLimit) {
            throw tooLarge(bodyLimit);
        }
        if (!request.content().hasEntity()) {
            return NOTHING;
        }
        try (var in = request.content().inputStream()) {
            var body = in.readNBytes(length.isPresent() ? (int) length.getAsLong() : bodyLimit + 1);
            if (body.length > bodyLimit) {
                throw tooLarge(bodyLimit);
            }
            return body;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (DataReader.InsufficientDataAvailableException e) {
            throw new CloseConnectionException("the caller went away within its request", e);
        } catch (NumberFormatException _) {
            throw new Problem(ErrorCode.MALFORMED_REQUEST, "The size of a chunk of the body is no number");
        }
    }

    private static Problem tooLarge(int bodyLimit) {
        return new Problem(ErrorCode.BODY_TOO_LARGE, "The body must have at most " + bodyLimit + " bytes");
    }

    @Nullable
    String header(HeaderName name) {
        var headers = request.headers();
        return headers.contains(name) ? headers.get(name).get() : null;
    }

    @Nullable
    String idempotencyKey() {
        return header(IDEMPOTENCY_KEY);
    }

    /** How long the answer may be held ({@code Prefer: wait=N}, RFC 7240), at most 60 s; null where that is not asked for. */
    @Nullable
    Duration hold() {
        if (!request.headers().contains(PREFER)) {
            return null;
        }
        // Several lines mean the same as one list. No word that we know has a comma or a semicolon within quotes.
        var prefer = String.join(",", request.headers().get(PREFER).allValues());
        for (var preference : prefer.split(",", 20)) {
            var wait = WAIT.matcher(preference);
            if (wait.matches()) {
                var seconds = wait.group(1);
                return seconds.length() > 4
                        ? LONGEST_HOLD
                        : Duration.ofSeconds(Math.min(LONGEST_HOLD.toSeconds(), Long.parseLong(seconds)));
            }
        }
        return null;
    }

    /**
     * Watches whether the caller goes away while its request is held.
     *
     * @param gone as {@link Incoming#watch} has it
     */
    Incoming.Watch watch(Runnable gone) {
        return WatchedConnections.of(request).watch(gone);
    }

    boolean accepts(String mediaType) {
        var accept = header(HeaderNames.ACCEPT);
        return accept != null && accept.contains(mediaType);
    }

    /**
     * The query has these parameters and no others.
     *
     * @throws Problem naming the first that it should not have
     */
    void allowQuery(Set<String> names) {
        for (var name : request.query().names()) {
            if (!names.contains(name)) {
                throw Problem.field(name.length() <= 100 ? name : "?", "is not a parameter of this call");
            }
        }
    }

    /** A query parameter; null where it is absent or empty. */
    @Nullable
    String query(String name) {
        if (!request.query().contains(name)) {
            return null;
        }
        var all = request.query().all(name);
        if (all.size() > 1) {
            throw Problem.field(name, "is given more than once");
        }
        return all.isEmpty() || all.getFirst().isEmpty() ? null : all.getFirst();
    }

    /**
     * Where a page begins, as the one before it told ({@code cursor}); null for the first page.
     *
     * @param decode gives null for what no page can have told
     */
    @Nullable
    String cursor(Function<String, @Nullable String> decode) {
        var text = query("cursor");
        if (text == null) {
            return null;
        }
        var place = decode.apply(text);
        if (place == null) {
            throw Problem.field("cursor", "is not a cursor of this list");
        }
        return place;
    }

    /** The parameter {@code limit}. */
    int limit(int unlessGiven, int most) {
        var text = query("limit");
        if (text == null) {
            return unlessGiven;
        }
        boolean number = text.length() <= 6 && text.chars().allMatch(c -> c >= '0' && c <= '9');
        int limit = number ? Integer.parseInt(text) : 0;
        if (limit < 1 || limit > most) {
            throw Problem.field("limit", "must be a whole number from 1 to " + most);
        }
        return limit;
    }
}
