package dev.berth.client;

import static dev.berth.client.Transport.query;
import static dev.berth.client.Transport.segment;

import dev.berth.client.Transport.Call;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.Supplier;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/**
 * Berth's HTTP API for Java. Immutable and safe for several threads; one for each service is enough.
 *
 * <p>Every call throws {@link BerthProblem} where the service refuses, {@link BerthUnreachable} where no answer came
 * within the bounds, and {@link MalformedReply} where something else than Berth answered. Calls that may be repeated are,
 * with back-off, for as long as {@link Builder#retryFor} says. An interrupt ends a call with {@link BerthUnreachable}
 * and leaves the thread's mark set.
 */
public final class BerthClient {
    /** How long a single held call waits: long enough to be cheap, short enough to tell news about the queue. */
    private static final Duration HOLD = Duration.ofSeconds(10);

    private static final Duration SILENCE = Duration.ofSeconds(60);

    private final URI uri;
    private final Transport transport;
    private final Duration requestTimeout;

    private BerthClient(Builder builder) {
        this.uri = builder.uri;
        this.requestTimeout = builder.requestTimeout;
        HttpClient.Builder http = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .followRedirects(HttpClient.Redirect.NEVER)
                .connectTimeout(builder.connectTimeout);
        if (builder.tls != null) {
            http.sslContext(builder.tls);
        } else if ("http".equalsIgnoreCase(uri.getScheme())) {
            http.sslContext(Authorities.none());
        }
        this.transport = new Transport(http.build(), uri, builder.authorization, requestTimeout, builder.retryFor);
    }

    /**
     * Starts a client.
     *
     * @param uri where the service is, with its path prefix where it has one
     * @throws IllegalArgumentException for anything but a plain http or https address
     */
    public static Builder at(URI uri) {
        return new Builder(uri);
    }

    /** Where the service is. */
    public URI uri() {
        return uri;
    }

    // -- allocations

    /** Asks for environments without waiting; the answer may be pending. */
    public Allocation allocate(AllocationRequest request) {
        return allocate(request, Duration.ZERO);
    }

    /**
     * Asks for environments; the service may hold the call while the request waits in the queue.
     *
     * @param hold how long, up to 60 s; whole seconds
     */
    public Allocation allocate(AllocationRequest request, Duration hold) {
        return Replies.allocation(
                Replies.tree(transport.send(allocateCall(request).holding(hold))));
    }

    /** Says only what differs from what the service takes for granted: an older one knows fewer fields, and refuses the others. */
    private static Call allocateCall(AllocationRequest request) {
        ObjectNode body = Replies.JSON.createObjectNode();
        body.put("pool", request.pool());
        body.put("requester", request.requester());
        if (!request.environments().equals(List.of(EnvironmentNeed.any()))) {
            ArrayNode environments = body.putArray("environments");
            request.environments().forEach(need -> putNeed(environments.addObject(), need));
        }
        if (request.distinctAccounts()) {
            body.put("distinct", "account");
        }
        if (!request.constraints().isEmpty()) {
            ArrayNode constraints = body.putArray("constraints");
            request.constraints().forEach((attribute, values) -> {
                ArrayNode value = constraints.addObject().put("type", attribute).putArray("value");
                values.forEach(value::add);
            });
        }
        putDuration(body, "duration", request.duration());
        putDuration(body, "keepalive", request.keepalive());
        putDuration(body, "maxWait", request.maxWait());
        if (request.priority() != 0) {
            body.put("priority", request.priority());
        }
        if (!request.labels().isEmpty()) {
            ObjectNode labels = body.putObject("labels");
            request.labels().forEach(labels::put);
        }
        return Call.post("/allocations", body.toString()).with("Idempotency-Key", request.idempotencyKey());
    }

    private static void putNeed(ObjectNode entry, EnvironmentNeed need) {
        if (!need.capabilities().isEmpty()) {
            ObjectNode capabilities = entry.putObject("capabilities");
            need.capabilities()
                    .forEach((key, value) -> capabilities.set(key, Replies.JSON.<JsonNode>valueToTree(value)));
        }
        if (need.count() != 1) {
            entry.put("count", need.count());
        }
        if (need.access() != null) {
            entry.put("access", need.access());
        }
    }

    private static void putDuration(ObjectNode body, String field, @Nullable Duration duration) {
        if (duration != null) {
            body.put(field, WireDuration.format(duration));
        }
    }

    /**
     * Waits until the request is granted. While the service is away the wait goes on, under the same key, until the
     * request's own {@code maxWait} is over. Whatever this call may have taken is released when it does not return.
     *
     * @return the active allocation
     * @throws AllocationEnded when the request ended in the queue, such as by {@code wait-timeout}
     * @throws BerthProblem when it was refused, such as by 423 where nothing is free and {@code maxWait} is absent
     */
    public Allocation acquire(AllocationRequest request, WaitListener listener) {
        Wait wait = new Wait(request, listener);
        Allocation current = null;
        boolean granted = false;
        try {
            current = wait.patiently(() -> single(allocateCall(request), Duration.ZERO));
            while (current.state() != AllocationState.ACTIVE) {
                if (current.state() == AllocationState.ENDED) {
                    throw new AllocationEnded(current);
                }
                listener.waiting(current);
                String id = current.id();
                current = wait.patiently(() -> single(Call.get("/allocations/" + segment(id)), HOLD));
            }
            granted = true;
            return current;
        } catch (BerthProblem refused) {
            // A refusal is an answer: there is nothing to give back, unless it came after the request was taken in.
            granted = current == null && refused.status() < 500;
            throw refused;
        } finally {
            if (!granted) {
                abandon(request, current);
            }
        }
    }

    private Allocation single(Call call, Duration hold) {
        Call held = call.holding(hold);
        return Replies.allocation(Replies.tree(transport.sendOnce(held, requestTimeout.plus(hold))));
    }

    /** Gives back what a wait may have taken; where its id never came, the key tells it. */
    private void abandon(AllocationRequest request, @Nullable Allocation known) {
        if (known != null && known.state() == AllocationState.ENDED) {
            return;
        }
        boolean interrupted = Thread.interrupted();
        Duration bound = Duration.ofSeconds(5);
        try {
            String id = known != null
                    ? known.id()
                    : Replies.allocation(Replies.tree(transport.sendOnce(allocateCall(request), bound)))
                            .id();
            transport.sendOnce(releaseCall(id, "interrupted"), bound);
        } catch (BerthProblem | BerthUnreachable | MalformedReply e) {
            // What this was called for is being thrown already; the allocation ends by itself, being polled no more.
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Repeats a call through outages until the request's patience is over. For one thread. */
    private static final class Wait {
        private final WaitListener listener;
        private final long giveUpAt;
        private final Backoff backoff = new Backoff(Duration.ofMillis(200), Duration.ofSeconds(3));

        Wait(AllocationRequest request, WaitListener listener) {
            this.listener = listener;
            Duration patience = request.maxWait() == null ? Duration.ZERO : request.maxWait();
            this.giveUpAt = System.nanoTime() + patience.toNanos();
        }

        Allocation patiently(Supplier<Allocation> call) {
            while (true) {
                RuntimeException trouble;
                Duration atLeast = Duration.ZERO;
                try {
                    Allocation answer = call.get();
                    backoff.reset();
                    return answer;
                } catch (BerthProblem problem) {
                    boolean passing = problem.status() == 502 || problem.status() == 503 || problem.status() == 504;
                    if (!passing && problem.status() != 429) {
                        throw problem;
                    }
                    trouble = problem;
                    atLeast = problem.retryAfter().orElse(Duration.ZERO);
                } catch (BerthUnreachable unreachable) {
                    if (Thread.currentThread().isInterrupted()) {
                        throw unreachable;
                    }
                    trouble = unreachable;
                }
                Duration pause = backoff.next(atLeast);
                if (System.nanoTime() + pause.toNanos() - giveUpAt > 0) {
                    throw trouble;
                }
                listener.trouble(trouble);
                Transport.pause(pause);
            }
        }
    }

    /** Waits as {@link #acquire} does and holds what was granted. */
    public Lease lease(AllocationRequest request, WaitListener listener) {
        return Lease.of(this, acquire(request, listener), request.keepalive());
    }

    /** The allocation now. */
    public Allocation allocation(String id) {
        return allocation(id, Duration.ZERO);
    }

    /**
     * The allocation, once its state changed or {@code hold} is over.
     *
     * @param hold how long, up to 60 s; whole seconds
     */
    public Allocation allocation(String id, Duration hold) {
        return Replies.allocation(Replies.tree(
                transport.send(Call.get("/allocations/" + segment(id)).holding(hold))));
    }

    /** A page of allocations, without access. */
    public AllocationPage allocations(AllocationQuery which) {
        AllocationState state = which.state();
        return Replies.allocationPage(Replies.tree(transport.send(Call.get("/allocations"
                + query(
                        "pool", which.pool(),
                        "state", state == null ? null : state.wire(),
                        "requester", which.requester(),
                        "cursor", which.cursor(),
                        "limit", which.limit())))));
    }

    /** Gives a sign of life; the answer holds the new deadline. */
    public Allocation keepalive(String id) {
        return Replies.allocation(Replies.tree(transport.send(keepaliveCall(id))));
    }

    Allocation keepaliveOnce(String id, Duration atMost) {
        Duration timeout = atMost.compareTo(requestTimeout) < 0 ? atMost : requestTimeout;
        Duration positive = timeout.toMillis() > 0 ? timeout : Duration.ofMillis(1);
        return Replies.allocation(Replies.tree(transport.sendOnce(keepaliveCall(id), positive)));
    }

    /** Whether this failure means that nothing listens at the service's address. */
    boolean isRefused(BerthUnreachable failure) {
        return failure.getCause() instanceof ConnectException && transport.isRefused();
    }

    private static Call keepaliveCall(String id) {
        return Call.post("/allocations/" + segment(id) + "/keepalive", null);
    }

    /**
     * The allocation with fresh access, in place of what is about to expire; what does not expire is as it was. Other calls go on to show
     * what was issued at first.
     *
     * @throws BerthProblem 410 where it has ended; 503 where fresh access cannot be had now
     */
    public Allocation credentials(String id) {
        return Replies.allocation(
                Replies.tree(transport.send(Call.post("/allocations/" + segment(id) + "/credentials", null))));
    }

    /** Moves the end of the session; an instant that is not later changes nothing. */
    public Allocation extend(String id, Instant until) {
        ObjectNode body = Replies.JSON.createObjectNode().put("until", until.toString());
        return Replies.allocation(
                Replies.tree(transport.send(Call.post("/allocations/" + segment(id) + "/extend", body.toString()))));
    }

    /**
     * Keeps an active allocation for persons after a failed run: until {@code heldUntil}, in place of its deadlines. Who is named may read
     * its access and end it.
     *
     * @param longest how long to keep it
     * @param outcome what the holder says about the work, up to 100 bytes, or null
     * @param to the principals whom it is kept for, beside the one that asked for it; may be empty
     * @throws BerthProblem where the pool does not allow it or keeps as many as it may; the allocation is then as it was
     */
    public Allocation hold(String id, Duration longest, @Nullable String outcome, List<String> to) {
        ObjectNode body = Replies.JSON.createObjectNode();
        putDuration(body, "for", longest);
        if (outcome != null) {
            body.put("outcome", outcome);
        }
        if (!to.isEmpty()) {
            ArrayNode persons = body.putArray("to");
            to.forEach(persons::add);
        }
        return Replies.allocation(
                Replies.tree(transport.send(Call.post("/allocations/" + segment(id) + "/hold", body.toString()))));
    }

    /** Gives a waiting allocation another priority, as an operator; higher is served first, -100 to 100. */
    public Allocation prioritise(String id, int priority) {
        String body = Replies.JSON.createObjectNode().put("priority", priority).toString();
        return Replies.allocation(Replies.tree(
                transport.send(new Call("PATCH", "/allocations/" + segment(id), body, Map.of(), Duration.ZERO, true))));
    }

    /**
     * Ends an allocation; again and again without harm.
     *
     * @param outcome what the holder says about the work, up to 100 bytes, or null
     */
    public void release(String id, @Nullable String outcome) {
        transport.send(releaseCall(id, outcome));
    }

    void releaseOnce(String id, @Nullable String outcome) {
        transport.send(releaseCall(id, outcome).once());
    }

    private static Call releaseCall(String id, @Nullable String outcome) {
        String body = outcome == null
                ? null
                : Replies.JSON.createObjectNode().put("outcome", outcome).toString();
        return new Call("DELETE", "/allocations/" + segment(id), body, Map.of(), Duration.ZERO, true);
    }

    // -- pools and environments

    /** All pools that the caller may see. */
    public PoolList pools() {
        return Replies.poolList(Replies.tree(transport.send(Call.get("/pools"))));
    }

    /** One pool. */
    public Pool pool(String name) {
        return Replies.pool(Replies.tree(transport.send(Call.get("/pools/" + segment(name)))));
    }

    /** A page of environments. */
    public EnvironmentPage environments(EnvironmentQuery which) {
        return Replies.environmentPage(Replies.tree(transport.send(Call.get("/environments"
                + query(
                        "pool", which.pool(),
                        "state", which.state(),
                        "cursor", which.cursor(),
                        "limit", which.limit())))));
    }

    /** One environment with its history. */
    public Environment environment(String name) {
        return Replies.environment(Replies.tree(transport.send(Call.get("/environments/" + segment(name)))));
    }

    /**
     * Does something to an environment, as an operator.
     *
     * @param reason why, for the record, or null
     * @return the service's answer as it came
     */
    public String act(String name, EnvironmentAction action, @Nullable String reason) {
        String body = reason == null
                ? null
                : Replies.JSON.createObjectNode().put("reason", reason).toString();
        return transport.send(Call.post("/environments/" + segment(name) + "/" + action.wire(), body));
    }

    /**
     * What belongs to an environment, as an operator.
     *
     * @param version null for the latest
     */
    public Baseline baseline(String name, @Nullable Integer version) {
        return Replies.baseline(Replies.tree(
                transport.send(Call.get("/environments/" + segment(name) + "/baseline" + query("version", version)))));
    }

    /** Makes what the last verification found what belongs to the environment, and has it verified; as an operator. */
    public Baseline acceptBaseline(String name) {
        return Replies.baseline(
                Replies.tree(transport.send(Call.post("/environments/" + segment(name) + "/baseline/accept", null)
                        .once())));
    }

    // -- events

    /** A page of events, oldest first. */
    public EventPage events(EventQuery which) {
        return Replies.eventPage(Replies.tree(transport.send(
                Call.get("/events" + query("pool", which.pool(), "cursor", which.since(), "limit", which.limit())))));
    }

    /**
     * Follows the events as they happen, across restarts of the service, in order and without leaving one out, from the
     * query's cursor or from now; returns when {@code sink} says false or the thread is interrupted.
     *
     * @param sink takes each event on the calling thread
     * @throws BerthProblem when the service refuses to tell
     */
    public void follow(EventQuery which, Predicate<Event> sink) {
        new EventStream(transport, which, sink, SILENCE).run();
    }

    // -- the service

    /** What the service says about itself; needs no token. */
    public ServiceStatus status() {
        return Replies.status(Replies.tree(transport.send(Call.get("/"))));
    }

    /** Shows what {@code yaml} would change. */
    public ConfigurationChange diffConfiguration(String yaml) {
        return Replies.configurationChange(
                Replies.tree(transport.send(Call.post("/config/diff", yaml).with("Content-Type", "application/yaml"))));
    }

    /**
     * Puts {@code yaml} in force.
     *
     * @param allowRemovals whether it may remove a whole pool or a large part of one
     */
    public ConfigurationChange applyConfiguration(String yaml, boolean allowRemovals) {
        Call call = new Call(
                "PUT",
                "/config" + query("allow-removals", allowRemovals ? "true" : null),
                yaml,
                Map.of("Content-Type", "application/yaml"),
                Duration.ZERO,
                true);
        return Replies.configurationChange(Replies.tree(transport.send(call)));
    }

    /**
     * Makes a token. Never repeated by itself: a second one would be left over.
     *
     * @param expires after how long it stops working, or null for never
     */
    public CreatedToken createToken(String principal, @Nullable Duration expires) {
        return Replies.createdToken(
                create("/tokens", Replies.JSON.createObjectNode().put("principal", principal), expires));
    }

    /**
     * Exchanges a signed GetCallerIdentity of AWS for a token of the principal that AWS names. Never repeated by itself: the service takes it
     * once.
     *
     * @param url pre-signed, with the name of the service signed as {@code x-berth-service}
     * @param expires after how long the token stops working, an hour at most, or null for that
     */
    public CreatedToken exchangeAwsLogin(String url, @Nullable Duration expires) {
        return Replies.createdToken(
                create("/tokens/aws", Replies.JSON.createObjectNode().put("url", url), expires));
    }

    /**
     * Makes an access key that signs requests (AWS Signature Version 4). Never repeated by itself: a second one would be left over.
     *
     * @param expires after how long it stops working, or null for never
     */
    public CreatedAccessKey createAccessKey(String principal, @Nullable Duration expires) {
        return Replies.createdAccessKey(create(
                "/tokens",
                Replies.JSON.createObjectNode().put("principal", principal).put("sigv4", true),
                expires));
    }

    private JsonNode create(String path, ObjectNode body, @Nullable Duration expires) {
        putDuration(body, "expires", expires);
        return Replies.tree(transport.send(Call.post(path, body.toString()).once()));
    }

    /** The tokens and access keys that were made, without their secrets. */
    public TokenList tokens() {
        return Replies.tokenList(Replies.tree(transport.send(Call.get("/tokens"))));
    }

    /** Ends a token or an access key at once. */
    public void revokeToken(String id) {
        transport.send(new Call("DELETE", "/tokens/" + segment(id), null, Map.of(), Duration.ZERO, true));
    }

    /** Collects how to reach the service. Not for use by several threads. */
    public static final class Builder {
        private final URI uri;
        private Supplier<@Nullable String> authorization = () -> null;
        private @Nullable SSLContext tls;
        private Duration connectTimeout = Duration.ofSeconds(5);
        private Duration requestTimeout = Duration.ofSeconds(30);
        private Duration retryFor = Duration.ofSeconds(10);

        private Builder(URI uri) {
            String scheme = uri.getScheme();
            if (!"http".equalsIgnoreCase(scheme) && !"https".equalsIgnoreCase(scheme)) {
                throw new IllegalArgumentException("the service's address must begin with http:// or https://");
            }
            if (uri.getHost() == null
                    || uri.getRawUserInfo() != null
                    || uri.getRawQuery() != null
                    || uri.getRawFragment() != null) {
                throw new IllegalArgumentException(
                        "the service's address must be a host, a port and a path, with no user, query or fragment");
            }
            this.uri = uri;
        }

        /** Where the bearer token comes from, asked anew for every call; a null is none. */
        public Builder token(Supplier<@Nullable String> secret) {
            this.authorization = () -> {
                String token = secret.get();
                return token == null ? null : "Bearer " + token;
            };
            return this;
        }

        /** Where the whole {@code Authorization} header comes from, in place of a token; asked anew for every call, and null is none. */
        public Builder authorization(Supplier<@Nullable String> header) {
            this.authorization = header;
            return this;
        }

        /**
         * Trusts the authorities of this file and no others; unless said, those of the JDK.
         *
         * @param file certificates in PEM
         * @throws IllegalArgumentException where it has none, or cannot be read
         */
        public Builder caFile(Path file) {
            this.tls = Authorities.of(file);
            return this;
        }

        /** What to encrypt with, where {@link #caFile} does not say enough: a certificate of one's own, say. */
        public Builder sslContext(SSLContext context) {
            this.tls = context;
            return this;
        }

        /** How long a connection may take to open; 5 s unless said. */
        public Builder connectTimeout(Duration longest) {
            this.connectTimeout = longest;
            return this;
        }

        /** How long an answer may take, on top of a hold that was asked for; 30 s unless said. */
        public Builder requestTimeout(Duration longest) {
            this.requestTimeout = longest;
            return this;
        }

        /** For how long a call that may be repeated is, in all; 10 s unless said, zero for not at all. */
        public Builder retryFor(Duration longest) {
            this.retryFor = longest;
            return this;
        }

        /** The client. */
        public BerthClient build() {
            return new BerthClient(this);
        }
    }
}
