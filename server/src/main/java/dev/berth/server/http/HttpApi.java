package dev.berth.server.http;

import dev.berth.core.AllocationId;
import dev.berth.core.Command.Action;
import dev.berth.core.Decision;
import dev.berth.core.PoolName;
import dev.berth.server.auth.Desks;
import dev.berth.server.auth.PublicUrl;
import dev.berth.server.auth.Role;
import dev.berth.server.auth.WaysIn;
import dev.berth.server.config.Callers;
import dev.berth.server.ledger.Ledger;
import io.helidon.common.socket.SocketOptions;
import io.helidon.http.DirectHandler;
import io.helidon.http.Method;
import io.helidon.webserver.ErrorHandling;
import io.helidon.webserver.WebServerConfig;
import io.helidon.webserver.http.DirectHandlers;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.http1.Http1Config;
import io.helidon.webserver.http1.Http1ConnectionSelector;
import io.helidon.webserver.spi.ServerConnectionSelector;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The HTTP API of the service. To be told of the ledger's commits ({@link Ledger#addListener}), installed in a server, and closed
 * before that server is stopped.
 */
public final class HttpApi implements Ledger.Listener, AutoCloseable {
    private static final int MOST_STREAMS = 500;
    private static final int LONGEST_URI = 8 << 10;
    private static final int LONGEST_HEADERS = 32 << 10;
    /** So much of a body that is refused is still read, so that its sender gets to reading the answer. */
    private static final int MOST_READ = 64 << 20;

    /** Connections that come at the same moment; beyond that a client's system tries again after a second, without word to anybody. */
    private static final int MOST_ARRIVING = 4096;

    private static final Duration STOPPING = Duration.ofSeconds(5);

    private static final Set<Role> EVERYBODY = Set.of(Role.values());
    private static final Set<Role> READERS = Set.of(Role.VIEWER, Role.OPERATOR);
    private static final Set<Role> CONSUMERS = Set.of(Role.CONSUMER);
    private static final Set<Role> HOLDERS = Set.of(Role.CONSUMER, Role.OPERATOR);
    private static final Set<Role> OPERATORS = Set.of(Role.OPERATOR);
    private static final Set<Role> ADMINS = Set.of(Role.ADMIN);

    private final WaysIn waysIn;
    private final ServiceMetrics metrics;
    private final Limits limits;
    private final Holds holds;
    private final RateLimits rates;
    private final EventCalls events;
    private final AllocationCalls allocations;
    private final List<Route> routes;
    private final String prefix;

    /**
     * What the service is.
     *
     * @param ready whether the store is usable and the configuration in force loaded
     * @param publicUrl where callers find it, whose prefix its paths may have; null where they call it as it is
     * @param callers how callers are told apart, and how often they may call; asked for every request
     */
    public record About(
            String version,
            BooleanSupplier ready,
            @Nullable PublicUrl publicUrl,
            Limits limits,
            Supplier<Callers> callers) {
        /**
         * With limits that suit a process with nothing else to do, whose callers may call as often as they like, and nothing before it
         * that changes what they send.
         */
        public About(String version, BooleanSupplier ready) {
            this(version, ready, null, Limits.USUAL, () -> Callers.UNLIMITED);
        }
    }

    /**
     * What is taken on at once.
     *
     * @param connections how many are served; who comes beyond that is told so
     * @param patience how long a request may take to come in, and a new connection to bring its first
     */
    public record Limits(int connections, Duration patience) {
        public static final Limits USUAL = new Limits(10_000, Duration.ofMinutes(1));

        /** How many requests are held; more are answered at once, so that some connections are always left for what is not held. */
        int held() {
            return Math.max(1, connections / 4 * 3);
        }
    }

    public HttpApi(WaysIn waysIn, Desks desks, ConfigurationDesk configuration, ServiceMetrics metrics, About about) {
        this(waysIn, desks, configuration, metrics, about, System::nanoTime);
    }

    /**
     * @param nanoTime as {@link System#nanoTime}: by it is told who calls too often
     */
    HttpApi(
            WaysIn waysIn,
            Desks desks,
            ConfigurationDesk configuration,
            ServiceMetrics metrics,
            About about,
            LongSupplier nanoTime) {
        this.waysIn = waysIn;
        this.metrics = metrics;
        this.limits = about.limits();
        this.holds = new Holds(limits.held());
        this.events = new EventCalls(desks.events(), MOST_STREAMS);
        this.allocations = new AllocationCalls(desks.allocations(), desks.queues(), holds);
        this.routes = routes(desks, configuration, about);
        this.prefix = about.publicUrl() == null ? "" : about.publicUrl().prefix();
        this.rates = new RateLimits(about.callers(), nanoTime, metrics.registry());
    }

    private List<Route> routes(Desks desks, ConfigurationDesk configuration, About about) {
        var reservations = new ReservationCalls(desks.allocations(), waysIn.tokens());
        var pools = new PoolCalls(desks.pools());
        var environments = new EnvironmentCalls(desks.pools());
        var baselines = new BaselineCalls(desks.baselines(), desks.pools());
        var tokens = new TokenCalls(desks.tokens(), desks.accessKeys(), waysIn.aws(), desks.journal());
        var config = new ConfigurationCalls(configuration, desks.journal());
        var service = new ServiceCalls(about.version(), about.ready(), desks.pools(), metrics);
        int large = ConfigurationCalls.BODY_LIMIT;
        return List.of(
                new Route("POST", "/allocations", CONSUMERS, allocations::post),
                new Route("DELETE", "/allocations/{id}", EVERYBODY, allocations::delete),
                new Route("POST", "/allocations/{id}/keepalive", HOLDERS, allocations::keepalive),
                new Route("GET", "/allocations/{id}", EVERYBODY, allocations::get),
                new Route("GET", "/allocations", EVERYBODY, allocations::list),
                new Route("POST", "/allocations/{id}/extend", HOLDERS, allocations::extend),
                new Route("POST", "/allocations/{id}/hold", HOLDERS, allocations::hold),
                new Route("POST", "/allocations/{id}/credentials", EVERYBODY, allocations::credentials),
                new Route("PATCH", "/allocations/{id}", OPERATORS, allocations::patch),
                new Route("POST", "/reservations", CONSUMERS, Dialect.ACCOUNT_POOL, reservations::post),
                new Route("GET", "/reservations/{id}", EVERYBODY, Dialect.ACCOUNT_POOL, reservations::get),
                new Route("POST", "/reservations/{id}", EVERYBODY, Dialect.ACCOUNT_POOL, reservations::get),
                new Route("DELETE", "/reservations/{id}", EVERYBODY, Dialect.ACCOUNT_POOL, reservations::delete),
                new Route("GET", "/pools", EVERYBODY, pools::list),
                new Route("GET", "/pools/{name}", EVERYBODY, pools::get),
                new Route("GET", "/environments", READERS, environments::list),
                new Route("GET", "/environments/{name}", READERS, environments::get),
                new Route("POST", "/environments/actions", OPERATORS, environments::actOnAll),
                new Route("POST", "/environments/{name}/clean", OPERATORS, environments.acting(Action.CLEAN)),
                new Route("POST", "/environments/{name}/verify", OPERATORS, environments.acting(Action.VERIFY)),
                new Route("POST", "/environments/{name}/retire", OPERATORS, environments.acting(Action.RETIRE)),
                new Route("POST", "/environments/{name}/quarantine", OPERATORS, environments.acting(Action.QUARANTINE)),
                new Route("GET", "/environments/{name}/baseline", OPERATORS, baselines::get),
                new Route("POST", "/environments/{name}/baseline/accept", OPERATORS, baselines::accept),
                new Route("GET", "/events", READERS, events::get),
                new Route("POST", "/tokens", ADMINS, tokens::post),
                new Route("POST", "/tokens/aws", Route.OPEN, TokenCalls.LOGIN_LIMIT, tokens::exchange),
                new Route("GET", "/tokens", ADMINS, tokens::list),
                new Route("DELETE", "/tokens/{id}", ADMINS, tokens::delete),
                new Route("POST", "/config/diff", ADMINS, large, config::diff),
                new Route("PUT", "/config", ADMINS, large, config::put),
                new Route("GET", "/", EVERYBODY, Callers.Page.STATUS, service::status),
                new Route("GET", "/healthz/live", Route.OPEN, service::live),
                new Route("GET", "/healthz/ready", Route.OPEN, service::ready),
                new Route("GET", "/metrics", EVERYBODY, Callers.Page.METRICS, service::metrics),
                new Route("GET", "/openapi.json", Route.OPEN, service::openApi));
    }

    List<Route> routes() {
        return routes;
    }

    /** Whether a request of its own principal is held for this allocation, and will be answered with it. */
    public boolean isWaitedFor(AllocationId id) {
        return allocations.isWaitedFor(id);
    }

    /** The allocations that requests are held for now. */
    Set<AllocationId> waitedFor() {
        return holds.open();
    }

    /** How many allocations requests are held for. */
    int held() {
        return waitedFor().size();
    }

    /** How many requests are held. */
    int heldRequests() {
        return holds.requests();
    }

    /** Makes a server serve the API: routes, limits, and what it answers by itself. Host, port and TLS are the caller's. */
    public void install(WebServerConfig.Builder server) {
        var answering = new Answering(waysIn, rates, metrics, routes, prefix);
        var direct = DirectHandlers.builder();
        for (var type : DirectHandler.EventType.values()) {
            direct.addHandler(type, answering);
        }
        server.routing(routing(answering))
                .directHandlers(direct.build())
                .errorHandling(ErrorHandling.builder().includeEntity(true).build()) // tells the handlers why
                .maxPayloadSize(MOST_READ)
                .shutdownGracePeriod(STOPPING)
                .connectionOptions(SocketOptions.builder().tcpNoDelay(true).build())
                .protocolsDiscoverServices(false) // else there were connections that are not watched
                .maxTcpConnections(Connections.most(
                        limits)) // it takes a file for each, and stops to listen when there is none left
                .backlog(MOST_ARRIVING)
                .idleConnectionPeriod(Connections.LOOKING)
                .idleConnectionTimeout(Connections.IDLE)
                .addConnectionSelector(
                        new Connections(http(), new Connections.Answers(answering::other, answering::crowded), limits));
    }

    private static ServerConnectionSelector http() {
        return Http1ConnectionSelector.builder()
                .config(Http1Config.builder()
                        .maxPrologueLength(LONGEST_URI)
                        .maxHeadersSize(LONGEST_HEADERS)
                        .build())
                .build();
    }

    private HttpRouting.Builder routing(Answering answering) {
        var routing = HttpRouting.builder();
        for (var route : routes) {
            var handler = answering.handler(route);
            route.methods().forEach(method -> routing.route(Method.create(method), route.path(), handler));
        }
        return routing.any(answering::stray);
    }

    @Override
    public void committed(PoolName pool, Decision decision) {
        holds.committed(pool, decision);
        events.committed(pool, decision);
        metrics.committed(pool, decision);
    }

    /**
     * Another process committed something on the same store.
     *
     * @param changed the allocations that it did something to; null where that is not known
     */
    public void committedElsewhere(PoolName pool, int number, @Nullable List<AllocationId> changed) {
        if (changed == null) {
            holds.wake(number);
        } else {
            changed.forEach(holds::wake);
        }
        events.wake(pool);
    }

    /** Answers what is held with what there is, ends the event streams, and holds nothing any more. */
    @Override
    public void close() {
        holds.close();
        events.close();
    }
}
