package dev.berth.bench;

import dev.berth.core.EnvironmentName;
import dev.berth.core.PoolName;
import dev.berth.server.app.BerthServer;
import dev.berth.server.app.ServeOptions;
import dev.berth.server.auth.AccessDesk;
import dev.berth.server.auth.AccessKeyDesk;
import dev.berth.server.auth.AccessVault;
import dev.berth.server.auth.AllocationDesk;
import dev.berth.server.auth.Authenticator;
import dev.berth.server.auth.AwsAuthenticator;
import dev.berth.server.auth.BaselineDesk;
import dev.berth.server.auth.BearerToken;
import dev.berth.server.auth.Desks;
import dev.berth.server.auth.Directory;
import dev.berth.server.auth.EventDesk;
import dev.berth.server.auth.Journal;
import dev.berth.server.auth.PoolDesk;
import dev.berth.server.auth.Principal;
import dev.berth.server.auth.QueueDesk;
import dev.berth.server.auth.Role;
import dev.berth.server.auth.SignatureAuthenticator;
import dev.berth.server.auth.StandingAccess;
import dev.berth.server.auth.TokenDesk;
import dev.berth.server.auth.WaysIn;
import dev.berth.server.forecast.Forecasts;
import dev.berth.server.http.ConfigurationDesk;
import dev.berth.server.http.HttpApi;
import dev.berth.server.http.ServiceMetrics;
import dev.berth.server.store.SqliteStore;
import dev.berth.server.store.Store;
import io.helidon.webserver.WebServer;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The service in a process of its own, whole, or put together on another store than it would take. */
final class Service {
    static final String TOKEN = "token-of-the-benchmark-0123456789abcdef";
    private static final Principal CI = new Principal("ci", Set.of(Role.CONSUMER), null);

    private Service() {}

    /** What it is made of. */
    enum Kind {
        /** As it is shipped. */
        WHOLE,
        /** Ledger, store and HTTP API alone: what the two below are compared to. */
        FILE,
        /** The same on a database without a disk. */
        MEMORY,
        /** The same with one commit for each operation. */
        SINGLE
    }

    /** Arguments: the kind, an empty folder, the number of environments. */
    public static void main(String[] args) throws Exception {
        var folder = Path.of(args[1]);
        int environments = Integer.parseInt(args[2]);
        var kind = Kind.valueOf(args[0]);
        switch (kind) {
            case WHOLE -> whole(folder, environments);
            case FILE, SINGLE ->
                parts(
                        SqliteStore.open(folder.resolve("berth.db"), SqliteStore.Synchronous.FULL),
                        folder,
                        environments,
                        kind == Kind.SINGLE ? 1 : null);
            case MEMORY -> parts(SqliteStore.inMemory(), folder, environments, null);
        }
    }

    // ---- whole

    private static void whole(Path folder, int environments) throws Exception {
        var config = configuration(folder, environments);
        var server = BerthServer.start(new ServeOptions(config, folder.resolve("data"), "127.0.0.1", 0, null, null));
        Child.ready(server.url(), server);
    }

    static Path configuration(Path folder, int environments) throws IOException {
        var token = folder.resolve("token");
        Files.createFile(token, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(token, TOKEN);
        var yaml = new StringBuilder("""
                pools:
                  bench: { provider: fixed, keepalive: 10m, queue: { max: 100000 } }
                principals:
                  - { name: ci, roles: [consumer], pools: [bench], token: { file: token } }
                limits: { principal: off, address: off }
                environments:
                """);
        for (int i = 0; i < environments; i++) {
            yaml.append("""
                      - { name: board-%07d, pool: bench, capabilities: { arch: arm64 }, connection: { host: 192.0.2.7, port: 22 } }
                    """.formatted(i));
        }
        return Files.writeString(folder.resolve("berth.yaml"), yaml);
    }

    // ---- parts

    private static void parts(Store store, Path folder, int environments, @Nullable Integer largestBatch)
            throws Exception {
        var inProcess = new InProcess(store, largestBatch);
        BenchPool.register(inProcess.ledger(), environments);
        var vault = AccessVault.open(folder.resolve("key"));
        var directory = Directory.of(List.of(new Directory.Listed(CI, BearerToken.hash(TOKEN))));
        var authenticator = new Authenticator(store, () -> directory, Instant::now);
        var random = new SecureRandom();
        var ledger = inProcess.ledger();
        var accessKeys = new AccessKeyDesk(store, vault, () -> directory, Instant::now, random);
        var desks = new Desks(
                new AllocationDesk(ledger, store, new AccessDesk(vault, new NoAccess()), Instant::now, random),
                new QueueDesk(new Forecasts(store, Instant::now, System::nanoTime)::of),
                new PoolDesk(ledger, store, Instant::now),
                new BaselineDesk(ledger, store, Instant::now),
                new EventDesk(store),
                new TokenDesk(store, () -> directory, authenticator, Instant::now, random),
                accessKeys,
                new Journal(ledger, store));
        var api = new HttpApi(
                new WaysIn(
                        authenticator,
                        new SignatureAuthenticator(accessKeys, Instant::now, null),
                        new AwsAuthenticator(
                                () -> new AwsAuthenticator.Settings(null, null, "aws"), () -> directory, Instant::now)),
                desks,
                new NoConfiguration(),
                new ServiceMetrics(),
                new HttpApi.About("bench", () -> true));
        ledger.addListener(api);
        var builder = WebServer.builder().host("127.0.0.1").port(0);
        api.install(builder);
        var server = builder.build().start();
        Child.ready(URI.create("http://127.0.0.1:" + server.port()), () -> {
            api.close();
            server.stop();
            inProcess.close();
        });
    }

    private static final class NoAccess implements StandingAccess {
        @Override
        public @Nullable Map<String, Object> credentials(
                PoolName pool, EnvironmentName environment, @Nullable String profile) {
            return null;
        }

        @Override
        public Map<String, String> variables(PoolName pool) {
            return Map.of();
        }
    }

    private static final class NoConfiguration implements ConfigurationDesk {
        @Override
        public Outcome diff(String yaml) {
            return new Invalid(List.of());
        }

        @Override
        public Outcome apply(String yaml, boolean allowRemovals, String principal) {
            return new Invalid(List.of());
        }
    }
}
