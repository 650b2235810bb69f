package dev.berth.client;

import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.InetSocketAddress;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.Socket;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** Sends calls and turns what comes back into a body, a refusal or an unreachable service. Safe for several threads. */
final class Transport {
    /** Far above any page that the service sends; a runaway answer must not take the caller's memory. */
    private static final long LONGEST_BODY = 64L << 20;

    private static final int PROBE_MILLIS = 2_000;
    private static final Duration FIRST_PAUSE = Duration.ofMillis(100);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(5);

    private final HttpClient http;
    private final String base;
    private final Supplier<@Nullable String> authorization;
    private final Duration requestTimeout;
    private final Duration retryFor;

    Transport(
            HttpClient http,
            URI base,
            Supplier<@Nullable String> authorization,
            Duration requestTimeout,
            Duration retryFor) {
        this.http = http;
        this.base = base.toString().replaceAll("/+$", "");
        this.authorization = authorization;
        this.requestTimeout = requestTimeout;
        this.retryFor = retryFor;
    }

    /**
     * One call.
     *
     * @param hold how long the service may hold it open on top of the time-out
     * @param repeatable whether it may be sent again when no answer came
     */
    record Call(
            String method,
            String path,
            @Nullable String body,
            Map<String, String> headers,
            Duration hold,
            boolean repeatable) {
        static Call get(String path) {
            return new Call("GET", path, null, Map.of(), Duration.ZERO, true);
        }

        static Call post(String path, @Nullable String body) {
            return new Call("POST", path, body, Map.of(), Duration.ZERO, true);
        }

        Call holding(Duration longest) {
            if (longest.isZero()) {
                return this;
            }
            Map<String, String> all = new LinkedHashMap<>(headers);
            all.put("Prefer", "wait=" + longest.toSeconds());
            return new Call(method, path, body, Map.copyOf(all), longest, repeatable);
        }

        Call with(String header, String value) {
            Map<String, String> all = new LinkedHashMap<>(headers);
            all.put(header, value);
            return new Call(method, path, body, Map.copyOf(all), hold, repeatable);
        }

        Call once() {
            return new Call(method, path, body, headers, hold, false);
        }
    }

    Duration retryFor() {
        return retryFor;
    }

    /** Sends a call, again where that is safe, until an answer came or the bound for retries is over. */
    String send(Call call) {
        Backoff backoff = new Backoff(FIRST_PAUSE, LONGEST_PAUSE);
        long giveUpAt = System.nanoTime() + (call.repeatable() ? retryFor.toNanos() : 0);
        while (true) {
            RuntimeException trouble;
            Duration atLeast = Duration.ZERO;
            try {
                return sendOnce(call, requestTimeout.plus(call.hold()));
            } catch (BerthProblem problem) {
                if (problem.status() != 503) {
                    throw problem;
                }
                trouble = problem;
                atLeast = problem.retryAfter().orElse(Duration.ZERO);
            } catch (BerthUnreachable unreachable) {
                if (unreachable.getCause() instanceof SSLException
                        || Thread.currentThread().isInterrupted()) {
                    throw unreachable;
                }
                trouble = unreachable;
            }
            Duration pause = backoff.next(atLeast);
            if (System.nanoTime() + pause.toNanos() - giveUpAt > 0) {
                throw trouble;
            }
            pause(pause);
        }
    }

    /** Sends a call a single time; the whole answer has to be there within {@code timeout}. */
    String sendOnce(Call call, Duration timeout) {
        HttpRequest request = request(call, timeout);
        CompletableFuture<HttpResponse<String>> sent = http.sendAsync(
                request, BodyHandlers.limiting(BodyHandlers.ofString(StandardCharsets.UTF_8), LONGEST_BODY));
        HttpResponse<String> response;
        try {
            // The request's own time-out ends with the headers; this one covers the body too.
            response = sent.get(timeout.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            sent.cancel(true);
            throw unreachable("gave no whole answer within " + WireDuration.format(timeout), e);
        } catch (InterruptedException e) {
            sent.cancel(true);
            Thread.currentThread().interrupt();
            throw new BerthUnreachable("interrupted while calling " + base, e);
        } catch (ExecutionException e) {
            throw failure(e.getCause() == null ? e : e.getCause(), timeout);
        }
        return accepted(response.statusCode(), response.body(), response);
    }

    /** Opens a stream of events; the caller closes it. */
    InputStream open(Call call) {
        HttpRequest request = request(call, requestTimeout);
        HttpResponse<InputStream> response;
        try {
            response = http.send(request, BodyHandlers.ofInputStream());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BerthUnreachable("interrupted while calling " + base, e);
        } catch (IOException e) {
            throw failure(e, requestTimeout);
        }
        if (response.statusCode() == 200) {
            return response.body();
        }
        try (InputStream body = response.body()) {
            String text = new String(body.readNBytes(1 << 16), StandardCharsets.UTF_8);
            accepted(response.statusCode(), text, response);
            throw new MalformedReply("no stream of events: status " + response.statusCode());
        } catch (IOException e) {
            throw failure(e, requestTimeout);
        }
    }

    private HttpRequest request(Call call, Duration timeout) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(base + call.path()))
                .timeout(timeout)
                .header("Accept", "application/json");
        call.headers().forEach(request::setHeader);
        String header = authorization.get();
        if (header != null) {
            request.setHeader("Authorization", header);
        }
        String body = call.body();
        if (body == null) {
            request.method(call.method(), HttpRequest.BodyPublishers.noBody());
        } else {
            if (!call.headers().containsKey("Content-Type")) {
                request.setHeader("Content-Type", "application/json");
            }
            request.method(call.method(), HttpRequest.BodyPublishers.ofString(body, StandardCharsets.UTF_8));
        }
        return request.build();
    }

    private static String accepted(int status, String body, HttpResponse<?> response) {
        if (status >= 200 && status < 300) {
            return body;
        }
        throw Replies.problem(
                status,
                body,
                response.headers()
                        .firstValue("Retry-After")
                        .map(Transport::seconds)
                        .orElse(null),
                response.headers().firstValue("X-Request-Id").orElse(null));
    }

    private static @Nullable Duration seconds(String retryAfter) {
        try {
            return Duration.ofSeconds(Math.clamp(Long.parseLong(retryAfter.strip()), 0, 86_400));
        } catch (NumberFormatException e) {
            // RFC 9110 also allows a date, which only proxies send; the caller's own back-off serves for it.
            return null;
        }
    }

    private BerthUnreachable failure(Throwable cause, Duration timeout) {
        if (cause instanceof ConnectException || cause instanceof HttpConnectTimeoutException) {
            return unreachable("cannot be connected to", cause);
        }
        if (cause instanceof HttpTimeoutException) {
            return unreachable("gave no answer within " + WireDuration.format(timeout), cause);
        }
        return unreachable("broke the connection: " + cause.getMessage(), cause);
    }

    private BerthUnreachable unreachable(String what, Throwable cause) {
        return new BerthUnreachable("the service at " + base + " " + what, cause);
    }

    /**
     * Asks the host whether anything listens at the service's port; true only where it says no. The HTTP client reports a refusal, a network
     * that is gone and a name that is not known alike. Where a proxy stands in between, nothing is known.
     */
    boolean isRefused() {
        URI uri = URI.create(base);
        ProxySelector proxies = ProxySelector.getDefault();
        if (proxies != null && proxies.select(uri).stream().anyMatch(proxy -> proxy.type() != Proxy.Type.DIRECT)) {
            return false;
        }
        int usual = "https".equalsIgnoreCase(uri.getScheme()) ? 443 : 80;
        try (Socket socket = new Socket()) {
            socket.connect(
                    new InetSocketAddress(uri.getHost(), uri.getPort() < 0 ? usual : uri.getPort()), PROBE_MILLIS);
            return false;
        } catch (ConnectException e) {
            // The words of the operating system are all that tells ECONNREFUSED from ENETUNREACH.
            return String.valueOf(e.getMessage()).toLowerCase(Locale.ROOT).contains("refused");
        } catch (IOException e) {
            return false;
        }
    }

    static void pause(Duration pause) {
        try {
            Thread.sleep(pause);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BerthUnreachable("interrupted while waiting to call again", e);
        }
    }

    /** The part of a text that is fit to be shown: one line, no control characters, not long. */
    static String excerpt(String text) {
        String line = text.strip().replaceAll("\\p{Cntrl}+", " ");
        return line.length() <= 200 ? line : line.substring(0, 200) + "…";
    }

    static String segment(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }

    /** Makes a query string of names and values in turn, leaving out the names whose value is null. */
    static String query(@Nullable Object... namesAndValues) {
        StringBuilder query = new StringBuilder();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            Object value = namesAndValues[i + 1];
            if (value != null) {
                query.append(query.isEmpty() ? '?' : '&')
                        .append(namesAndValues[i])
                        .append('=')
                        .append(segment(value.toString()));
            }
        }
        return query.toString();
    }
}
