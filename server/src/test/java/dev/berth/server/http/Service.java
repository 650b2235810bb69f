package dev.berth.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.core.Allocation;
import dev.berth.core.Answer;
import dev.berth.core.ClaimId;
import dev.berth.core.Command;
import dev.berth.core.EnvironmentName;
import dev.berth.core.Grant;
import dev.berth.core.Policy;
import dev.berth.core.Policy.Queueing;
import dev.berth.core.PoolName;
import dev.berth.core.Registration;
import dev.berth.core.Shape;
import dev.berth.core.Step;
import dev.berth.providers.Provider;
import dev.berth.providers.StepResult;
import dev.berth.server.auth.AccessDesk;
import dev.berth.server.auth.AccessKeyDesk;
import dev.berth.server.auth.AccessVault;
import dev.berth.server.auth.AllocationDesk;
import dev.berth.server.auth.Authenticator;
import dev.berth.server.auth.AwsAuthenticator;
import dev.berth.server.auth.AwsPattern;
import dev.berth.server.auth.BaselineDesk;
import dev.berth.server.auth.BearerToken;
import dev.berth.server.auth.Desks;
import dev.berth.server.auth.Directory;
import dev.berth.server.auth.EventDesk;
import dev.berth.server.auth.Journal;
import dev.berth.server.auth.PoolDesk;
import dev.berth.server.auth.Principal;
import dev.berth.server.auth.PublicUrl;
import dev.berth.server.auth.QueueDesk;
import dev.berth.server.auth.Role;
import dev.berth.server.auth.SignatureAuthenticator;
import dev.berth.server.auth.StandingAccess;
import dev.berth.server.auth.TokenDesk;
import dev.berth.server.auth.WaysIn;
import dev.berth.server.config.Callers;
import dev.berth.server.forecast.Forecasts;
import dev.berth.server.ledger.Ledger;
import dev.berth.server.store.SqliteStore;
import dev.berth.server.store.Store;
import io.helidon.common.tls.Tls;
import io.helidon.webserver.WebServer;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A service on a port of its own: the production routing, a real ledger on a real store, and principals of every role. */
final class Service implements AutoCloseable {
    static final JsonMapper JSON = JsonMapper.builder().build();
    static final String ADMIN = "token-of-root";
    static final String OPERATOR = "token-of-olga";
    static final String VIEWER = "token-of-vera";
    static final String ALICE = "token-of-alice";
    static final String BOB = "token-of-bob";
    static final String SECRET = "s3cr3t-of-the-board";
    /** Where callers find it through a proxy. */
    static final PublicUrl PUBLIC = PublicUrl.parse("https://ci.example/berth/").orElseThrow();

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    final Store store;
    final Ledger ledger;
    final AccessVault vault;
    final TokenDesk tokens;
    final HttpApi api;
    private final OpenApi openApi = new OpenApi();
    final ServiceMetrics metrics = new ServiceMetrics();
    final AtomicReference<Instant> now = new AtomicReference<>(Instant.parse("2026-07-01T12:00:00Z"));
    final AtomicBoolean ready = new AtomicBoolean(true);
    final AtomicReference<ConfigurationDesk.Outcome> configuration = new AtomicReference<>(
            new ConfigurationDesk.Change("abc", List.of("release"), List.of("a"), List.of("b"), List.of()));
    final AtomicReference<Callers> callers = new AtomicReference<>(Callers.USUAL);
    /** By which it is told who calls too often. */
    final AtomicReference<LongSupplier> nanoTime = new AtomicReference<>(System::nanoTime);

    final List<String> configurations = new CopyOnWriteArrayList<>();
    final AtomicReference<AwsAuthenticator.Settings> awsCallers =
            new AtomicReference<>(new AwsAuthenticator.Settings("ci.example", null, "aws"));
    final AtomicReference<Fresh> fresh = new AtomicReference<>((grant, held) -> null);
    private final Thread stepping;
    private final WebServer server;
    private final HttpClient client;
    private final String scheme;
    private volatile boolean stopped;

    Service(Path folder) {
        this(folder, null);
    }

    /**
     * @param tls what the service and its callers are to encrypt with; null for plain connections
     */
    Service(Path folder, @Nullable SSLContext tls) {
        this(folder, tls, 1_000, HttpApi.Limits.USUAL);
    }

    /**
     * @param mostWaiting commands
     */
    Service(Path folder, @Nullable SSLContext tls, int mostWaiting, HttpApi.Limits limits) {
        var http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1);
        client = (tls == null ? http : http.sslContext(tls)).build();
        scheme = tls == null ? "http" : "https";
        store = SqliteStore.open(folder.resolve("berth.db"), SqliteStore.Synchronous.OFF);
        ledger = new Ledger(store, now::get, () -> UUID.randomUUID().toString(), mostWaiting);
        try {
            vault = AccessVault.open(folder.resolve("access.key"));
        } catch (AccessVault.UnusableKey e) {
            throw new IllegalStateException(e);
        }
        var directory = Directory.of(List.of(
                listed("root", ADMIN, null, Role.ADMIN),
                listed("olga", OPERATOR, null, Role.OPERATOR),
                listed("vera", VIEWER, null, Role.VIEWER),
                listed("alice", ALICE, Set.of("release", "lab", "slow", "empty", "keen"), Role.CONSUMER),
                listed("bob", BOB, Set.of("release"), Role.CONSUMER),
                new Directory.Listed(
                        new Principal("runners", Set.of(Role.CONSUMER), Set.of(new PoolName("release"))),
                        List.of(),
                        new AwsPattern(Set.of("222222222222"), List.of("ci-*"), List.of()))));
        var authenticator = new Authenticator(store, () -> directory, now::get);
        var random = new SecureRandom();
        tokens = new TokenDesk(store, () -> directory, authenticator, now::get, random);
        var accessKeys = new AccessKeyDesk(store, vault, () -> directory, now::get, random);
        var desks = new Desks(
                new AllocationDesk(ledger, store, new AccessDesk(vault, standing()), now::get, random),
                new QueueDesk(new Forecasts(store, now::get, System::nanoTime)::of),
                new PoolDesk(ledger, store, now::get),
                new BaselineDesk(ledger, store, now::get),
                new EventDesk(store),
                tokens,
                accessKeys,
                new Journal(ledger, store));
        api = new HttpApi(
                new WaysIn(
                        authenticator,
                        new SignatureAuthenticator(accessKeys, now::get, PUBLIC),
                        new AwsAuthenticator(awsCallers::get, () -> directory, now::get)),
                desks,
                configurationDesk(),
                metrics,
                new HttpApi.About("0.1.0", ready::get, PUBLIC, limits, callers::get),
                () -> nanoTime.get().getAsLong());
        ledger.addListener(api);
        ledger.waitsHere(api::isWaitedFor);
        stepping = Thread.ofPlatform().name("ledger").start(this::step);
        var builder = WebServer.builder().host("127.0.0.1").port(0);
        api.install(builder);
        if (tls != null) {
            builder.tls(Tls.builder().sslContext(tls).build());
        }
        server = builder.build().start();
    }

    private static Directory.Listed listed(String name, String token, @Nullable Set<String> pools, Role... roles) {
        var own = pools == null
                ? null
                : Set.copyOf(pools.stream().map(PoolName::new).toList());
        return new Directory.Listed(new Principal(name, Set.of(roles), own), BearerToken.hash(token));
    }

    /** Makes fresh access. */
    @FunctionalInterface
    interface Fresh {
        StepResult.@Nullable Access of(Grant grant, BooleanSupplier held)
                throws InterruptedException, Provider.RefreshFailed;
    }

    private StandingAccess standing() {
        return new StandingAccess() {
            @Override
            public StepResult.@Nullable Access refresh(
                    Allocation allocation, Grant grant, Duration timeout, BooleanSupplier held)
                    throws InterruptedException, Provider.RefreshFailed {
                return fresh.get().of(grant, held);
            }

            @Override
            public @Nullable Map<String, Object> credentials(
                    PoolName pool, EnvironmentName environment, @Nullable String profile) {
                return pool.value().equals("lab") ? Map.of("password", SECRET) : null;
            }

            @Override
            public Map<String, String> variables(PoolName pool) {
                return pool.value().equals("lab")
                        ? Map.of("BOARD_PASSWORD", "credentials.password", "BOARD_HOST", "connection.host")
                        : Map.of();
            }
        };
    }

    private ConfigurationDesk configurationDesk() {
        return new ConfigurationDesk() {
            @Override
            public Outcome diff(String yaml) {
                configurations.add("diff " + yaml);
                return configuration.get();
            }

            @Override
            public Outcome apply(String yaml, boolean allowRemovals, String principal) {
                configurations.add("apply " + allowRemovals + " " + principal + " " + yaml);
                return configuration.get();
            }
        };
    }

    private void step() {
        try {
            while (!stopped) {
                if (ledger.await(Duration.ofMillis(50))) {
                    ledger.step();
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    // ---- pools

    static final Queueing QUEUE = new Queueing(
            10,
            Duration.ofHours(1),
            Queueing.Order.FIFO,
            null,
            Duration.ofHours(24),
            Duration.ofMinutes(15),
            Duration.ofSeconds(60),
            0);

    static Policy policy() {
        return policy(QUEUE, Policy.Quota.NONE, null);
    }

    static Policy policy(Queueing queue, Policy.Quota quota, Policy.@Nullable Hold hold) {
        return new Policy(
                "fixed",
                "{}",
                Set.of(),
                Duration.ofHours(3),
                Duration.ofHours(6),
                null,
                Duration.ofSeconds(20),
                false,
                Map.of(),
                null,
                queue,
                quota,
                Map.of(),
                hold,
                20,
                1,
                false);
    }

    static Policy with(Set<Step> steps) {
        return new Policy(
                "command",
                "{}",
                steps,
                Duration.ofHours(3),
                null,
                Duration.ofMinutes(1),
                Duration.ofSeconds(7),
                false,
                Map.of(),
                null,
                QUEUE,
                Policy.Quota.NONE,
                Map.of(),
                null,
                20,
                1,
                false);
    }

    /** A pool with these environments, named after it: {@code release-1} and so on. */
    void pool(String name, Policy policy, int environments) {
        pool(
                name,
                policy,
                IntStream.rangeClosed(1, environments)
                        .mapToObj(i -> record(name + "-" + i))
                        .toList());
    }

    void pool(String name, Policy policy, List<Registration> records) {
        var pool = new PoolName(name);
        ledger.call(pool, new Command.Enact(policy));
        if (!records.isEmpty()) {
            ledger.call(pool, new Command.Register(records));
        }
    }

    private static Registration record(String name) {
        var facts = """
                {"account":"111111111111","adminRoleArn":"arn:aws:iam::111111111111:role/Admin","capabilities":{"size":2},\
                "connection":{"host":"192.0.2.7","port":22},"region":"us-east-1"}""";
        return new Registration(new EnvironmentName(name), name, null, Shape.PLAIN, facts, "1");
    }

    /** Of a shape of its own; the digest is its name. */
    static Registration record(String name, @Nullable String account, Shape shape) {
        return new Registration(new EnvironmentName(name), name, account, shape, "{}", name);
    }

    /** Claims one step that is due, as a worker would; null where none is. */
    Answer.@Nullable Assignment claimIfAny(String pool) {
        var answer = ledger.call(
                new PoolName(pool),
                new Command.ClaimWork(
                        "test", List.of(new ClaimId(UUID.randomUUID().toString()))));
        var steps = ((Answer.Claimed) answer).steps();
        return steps.isEmpty() ? null : steps.getFirst();
    }

    void report(String pool, Answer.Assignment step, Command.Result result) {
        ledger.call(
                new PoolName(pool),
                new Command.Report(
                        step.environment().name(),
                        step.claim().id(),
                        step.environment().epoch(),
                        result));
    }

    /** Issues access for a step that was claimed, as upkeep does. */
    void issue(String pool, Answer.Assignment step) {
        issue(pool, step, Map.of("password", SECRET));
    }

    void issue(String pool, Answer.Assignment step, Map<String, Object> credentials) {
        var environment = step.environment();
        var sealed = vault.seal(
                Objects.requireNonNull(environment.tenant()).allocation(),
                environment.name(),
                environment.epoch(),
                new StepResult.Access(credentials, Map.of("host", "192.0.2.9"), Map.of("PGHOST", "db")));
        report(pool, step, new Command.Result.Done(sealed, null, Duration.ZERO));
    }

    // ---- calling

    /** An answer. */
    record Answered(int status, JsonNode body, String text, Map<String, List<String>> headers) {
        @Nullable
        String header(String name) {
            var values = headers.get(name.toLowerCase(java.util.Locale.ROOT));
            return values == null ? null : values.getFirst();
        }

        String code() {
            return body.path("code").asString();
        }
    }

    URI uri(String path) {
        return URI.create(scheme + "://127.0.0.1:" + server.port() + path);
    }

    int port() {
        return server.port();
    }

    HttpRequest.Builder request(String token, String method, String path, @Nullable String body) {
        var request = HttpRequest.newBuilder(uri(path)).timeout(PATIENCE);
        if (!token.isEmpty()) {
            request.header("Authorization", "Bearer " + token);
        }
        return request.method(method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body));
    }

    Answered call(String token, String method, String path, @Nullable String body) {
        return call(token, method, path, body, UnaryOperator.identity());
    }

    Answered call(
            String token, String method, String path, @Nullable String body, UnaryOperator<HttpRequest.Builder> more) {
        return later(token, method, path, body, more).join();
    }

    CompletableFuture<Answered> later(
            String token, String method, String path, @Nullable String body, UnaryOperator<HttpRequest.Builder> more) {
        return client.sendAsync(more.apply(request(token, method, path, body)).build(), BodyHandlers.ofString())
                .thenApply(response -> checked(method, path, answered(response)));
    }

    /** Every answer of every test is held against the description of the API. */
    private Answered checked(String method, String path, Answered answer) {
        var type = answer.header("Content-Type");
        assertThat(openApi.faults(method, path, answer.status(), type == null ? "" : type, answer.body()))
                .as(answer.text())
                .isEmpty();
        assertThat(answer.header("X-Request-Id")).isNotNull();
        if (path.startsWith("/reservations") && answer.status() != 405) {
            assertThat(answer.header("Cache-Control")).isEqualTo("no-store");
            assertThat(answer.header("Referrer-Policy")).isEqualTo("no-referrer");
            assertThat(answer.text()).doesNotContain("token-of-");
        } else if (answer.status() >= 400) {
            assertThat(type).isEqualTo("application/problem+json");
            assertThat(answer.body().path("message")).isEqualTo(answer.body().path("detail"));
            assertThat(answer.body().path("status").intValue()).isEqualTo(answer.status());
            assertThat(answer.text())
                    .doesNotContain("Exception")
                    .doesNotContain("dev.berth")
                    .doesNotContain("java.");
        }
        return answer;
    }

    private static Answered answered(HttpResponse<String> response) {
        var headers = new HashMap<String, List<String>>();
        response.headers()
                .map()
                .forEach((name, values) -> headers.put(name.toLowerCase(java.util.Locale.ROOT), values));
        boolean json =
                headers.getOrDefault("content-type", List.of("")).getFirst().contains("json");
        return new Answered(
                response.statusCode(),
                json ? JSON.readTree(response.body()) : JSON.createObjectNode(),
                response.body(),
                headers);
    }

    HttpClient client() {
        return client;
    }

    /** Asks for one environment of a pool, without more. */
    Answered ask(String token, String pool) {
        return call(token, "POST", "/allocations", "{\"pool\":\"" + pool + "\",\"requester\":\"job-1\"}");
    }

    /** Lets time pass, and everything happen that is due by then. */
    void pass(Duration time) {
        now.updateAndGet(instant -> instant.plus(time));
        store.pools().forEach(pool -> ledger.call(pool.name(), new Command.Tick()));
    }

    private void stopLedger() {
        stopped = true;
        try {
            stepping.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        api.close();
        client.shutdownNow();
        server.stop();
        stopLedger();
        store.close();
    }
}
