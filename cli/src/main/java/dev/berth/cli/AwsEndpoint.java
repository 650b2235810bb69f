package dev.berth.cli;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.berth.client.Allocation;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Tells the credentials of a lease to the programs of this machine that know its secret, and renews them long before they stop working: what
 * an SDK asks that is told to run in a container. An SDK waits only a second or two for its answer, so that nothing is fetched while one
 * asks.
 */
final class AwsEndpoint implements AutoCloseable {
    /** Before any SDK thinks of new ones: that is 15 minutes before they expire at the most. */
    private static final Duration EARLY = Duration.ofMinutes(20);

    private static final Duration SHORTEST_PAUSE = Duration.ofSeconds(10);
    /** A machine may have slept meanwhile. */
    private static final Duration LONGEST_PAUSE = Duration.ofMinutes(1);

    private static final byte[] LOOPBACK = {127, 0, 0, 1};
    private static final int SECRET_BYTES = 32;
    private static final String PATH = "/credentials/";

    private final Supplier<Allocation> refresh;
    private final Supplier<Instant> clock;
    private final Duration again;
    private final HttpServer server;
    private final ExecutorService answering = Executors.newVirtualThreadPerTaskExecutor();
    private final String secret;
    private final CountDownLatch stop = new CountDownLatch(1);
    private volatile List<@Nullable AwsCredentials> known;
    private volatile Instant renewAt;

    private AwsEndpoint(Allocation allocation, Supplier<Allocation> refresh, Supplier<Instant> clock, Duration again)
            throws IOException {
        this.again = again;
        this.refresh = refresh;
        this.clock = clock;
        byte[] random = new byte[SECRET_BYTES];
        new SecureRandom().nextBytes(random);
        this.secret = Base64.getUrlEncoder().withoutPadding().encodeToString(random);
        this.known = credentials(allocation);
        this.renewAt = renewAt();
        this.server = HttpServer.create(new InetSocketAddress(InetAddress.getByAddress(LOOPBACK), 0), 0);
        server.setExecutor(answering);
        server.createContext("/", this::handle);
    }

    /**
     * Starts to tell.
     *
     * @param refresh asks for the allocation with fresh access
     */
    static AwsEndpoint start(Allocation allocation, Supplier<Allocation> refresh, Supplier<Instant> clock)
            throws IOException {
        return start(allocation, refresh, clock, SHORTEST_PAUSE);
    }

    /** As the other; tries again after that long. */
    static AwsEndpoint start(
            Allocation allocation, Supplier<Allocation> refresh, Supplier<Instant> clock, Duration again)
            throws IOException {
        AwsEndpoint endpoint = new AwsEndpoint(allocation, refresh, clock, again);
        endpoint.server.start();
        Thread.ofVirtual().name("berth-credentials").start(endpoint::renew);
        return endpoint;
    }

    private static List<@Nullable AwsCredentials> credentials(Allocation allocation) {
        List<@Nullable AwsCredentials> all = new ArrayList<>();
        allocation.environments().forEach(one -> all.add(AwsCredentials.of(one).orElse(null)));
        return all;
    }

    /** What tells a program to ask here; for the environments after the first the names end in {@code _2}, and so on. */
    Map<String, String> variables() {
        Map<String, String> variables = new LinkedHashMap<>();
        List<@Nullable AwsCredentials> all = known;
        for (int i = 0; i < all.size(); i++) {
            if (all.get(i) != null) {
                String suffix = i == 0 ? "" : "_" + (i + 1);
                variables.put(
                        "AWS_CONTAINER_CREDENTIALS_FULL_URI" + suffix,
                        "http://127.0.0.1:" + server.getAddress().getPort() + PATH + (i + 1));
                variables.put("AWS_CONTAINER_AUTHORIZATION_TOKEN" + suffix, secret);
            }
        }
        return variables;
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            String given = exchange.getRequestHeaders().getFirst("Authorization");
            if (given == null
                    || !MessageDigest.isEqual(
                            given.getBytes(StandardCharsets.UTF_8), secret.getBytes(StandardCharsets.UTF_8))) {
                refuse(exchange, 401, "Unauthorized", "the token is not that of this run");
                return;
            }
            AwsCredentials credentials = asked(exchange);
            if (credentials == null) {
                refuse(exchange, 404, "NotFound", "there are no such credentials");
            } else if (credentials.expiration() != null
                    && !credentials.expiration().isAfter(clock.get())) {
                refuse(exchange, 503, "Unavailable", "the credentials have expired, and there are no fresh ones yet");
            } else {
                answer(exchange, 200, credentials.containerForm());
            }
        }
    }

    private @Nullable AwsCredentials asked(HttpExchange exchange) {
        String path = exchange.getRequestURI().getPath();
        if (!exchange.getRequestMethod().equals("GET")
                || !path.startsWith(PATH)
                || !path.substring(PATH.length()).matches("[1-9][0-9]{0,3}")) {
            return null;
        }
        int index = Integer.parseInt(path.substring(PATH.length())) - 1;
        List<@Nullable AwsCredentials> all = known;
        return index < all.size() ? all.get(index) : null;
    }

    private static void refuse(HttpExchange exchange, int status, String code, String message) throws IOException {
        answer(
                exchange,
                status,
                Json.MAPPER
                        .createObjectNode()
                        .put("code", code)
                        .put("message", message)
                        .toString());
    }

    private static void answer(HttpExchange exchange, int status, String json) throws IOException {
        byte[] body = json.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "application/json");
        exchange.getResponseHeaders().set("Cache-Control", "no-store");
        exchange.sendResponseHeaders(status, body.length);
        exchange.getResponseBody().write(body);
    }

    /** When fresh ones are to be fetched: a third of their time before they expire, where that is short. */
    private Instant renewAt() {
        Instant now = clock.get();
        Instant first = Instant.MAX;
        for (AwsCredentials one : known) {
            if (one != null && one.expiration() != null) {
                Duration third = Duration.between(now, one.expiration()).dividedBy(3);
                Instant at = one.expiration().minus(third.compareTo(EARLY) < 0 ? third : EARLY);
                first = at.isBefore(first) ? at : first;
            }
        }
        return first;
    }

    private void renew() {
        try {
            Duration pause = Duration.ZERO;
            while (!stop.await(pause.toMillis(), TimeUnit.MILLISECONDS)) {
                Instant now = clock.get();
                if (now.isBefore(renewAt)) {
                    Duration left = renewAt.equals(Instant.MAX) ? LONGEST_PAUSE : Duration.between(now, renewAt);
                    pause = left.compareTo(LONGEST_PAUSE) < 0 ? left : LONGEST_PAUSE;
                } else {
                    fetch();
                    pause = again;
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void fetch() {
        try {
            List<@Nullable AwsCredentials> fresh = credentials(refresh.get());
            if (fresh.size() == known.size()) {
                known = fresh;
                renewAt = renewAt();
            }
        } catch (RuntimeException e) {
            // A refusal, a service that is down, or a login that cannot be made now: it is tried again, and the old
            // ones are good
            // for a while. Whether the lease is lost, its keeper finds out.
        }
    }

    @Override
    public void close() {
        stop.countDown();
        server.stop(0);
        answering.shutdownNow();
    }
}
