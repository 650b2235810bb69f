package dev.berth.server.app;

import dev.berth.core.Command;
import dev.berth.core.Event;
import dev.berth.core.Pool;
import dev.berth.providers.Kind;
import dev.berth.providers.aws.AwsKind;
import dev.berth.providers.command.CommandKind;
import dev.berth.providers.fixed.FixedKind;
import dev.berth.server.auth.AccessDesk;
import dev.berth.server.auth.AccessKeyDesk;
import dev.berth.server.auth.AccessVault;
import dev.berth.server.auth.AllocationDesk;
import dev.berth.server.auth.Authenticator;
import dev.berth.server.auth.AwsAuthenticator;
import dev.berth.server.auth.BaselineDesk;
import dev.berth.server.auth.Desks;
import dev.berth.server.auth.EventDesk;
import dev.berth.server.auth.Journal;
import dev.berth.server.auth.PoolDesk;
import dev.berth.server.auth.PublicUrl;
import dev.berth.server.auth.QueueDesk;
import dev.berth.server.auth.SignatureAuthenticator;
import dev.berth.server.auth.TokenDesk;
import dev.berth.server.auth.WaysIn;
import dev.berth.server.config.Configuration;
import dev.berth.server.config.ConfigurationInvalid;
import dev.berth.server.config.ConfigurationSource;
import dev.berth.server.config.ConfigurationWatcher;
import dev.berth.server.forecast.Forecasts;
import dev.berth.server.http.ConfigurationDesk;
import dev.berth.server.http.HttpApi;
import dev.berth.server.http.ServiceMetrics;
import dev.berth.server.ledger.Ledger;
import dev.berth.server.ledger.LedgerException;
import dev.berth.server.ledger.SharedClock;
import dev.berth.server.ledger.SlewedClock;
import dev.berth.server.ledger.TimeSource;
import dev.berth.server.store.Notifications;
import dev.berth.server.store.SqliteStore;
import dev.berth.server.store.Store;
import dev.berth.server.store.StoreException;
import dev.berth.server.upkeep.Baselines;
import dev.berth.server.upkeep.Registrar;
import dev.berth.server.upkeep.Schedule;
import dev.berth.server.upkeep.Upkeep;
import io.helidon.common.tls.Tls;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.WebServerConfig;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A running service: everything, joined. */
public final class BerthServer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(BerthServer.class);
    /** Less than a second of what a database does. */
    private static final int MOST_WAITING = 4_096;
    /** How long a request may take to come in. */
    private static final Duration REQUESTING = Duration.ofMinutes(1);

    private static final Duration HISTORY = Duration.ofDays(30);
    private static final Duration PRUNING = Duration.ofMinutes(10);
    /** Few, and soon again: a request that comes meanwhile waits for them. */
    private static final int PRUNED_AT_ONCE = 200;

    private static final Duration PRUNING_ON = Duration.ofMillis(50);
    private static final Duration ENDING = Duration.ofSeconds(20);
    private static final Duration STEPPING = Duration.ofSeconds(10);
    private static final Duration REGISTERING = Duration.ofSeconds(5);
    /** What is in step stays so until the configuration changes, which nudges. To compare costs a look at every environment. */
    private static final Duration IN_STEP = Duration.ofMinutes(10);

    /** How soon a configuration is taken up that another process put in force. */
    private static final Duration FOLLOWING = Duration.ofSeconds(2);

    private static final Duration NOTIFYING = Duration.ofMinutes(1);
    /** How far two looks at the certificate and its key are apart. */
    private static final Duration LOOKING = Duration.ofSeconds(2);

    /** What is to be closed, the last made first. */
    private final Deque<Runnable> closings = new ArrayDeque<>();

    private final CountDownLatch stopped = new CountDownLatch(1);
    private final URI url;
    private boolean fileInForce;
    /** What was put in force by the start. */
    private Runnable tellOfConfiguration = () -> {};

    /**
     * Starts a service; returns once it listens.
     *
     * @throws StartRefusedException where it cannot start as asked: nothing is left running
     */
    public static BerthServer start(ServeOptions options) {
        return start(options, new Machine(Instant::now, SqliteStore.Synchronous.FULL));
    }

    /** Starts a service on a machine that a test made up. */
    static BerthServer start(ServeOptions options, Machine machine) {
        return new BerthServer(options, machine);
    }

    /**
     * What a service takes from the machine it runs on.
     *
     * @param wall the wall clock, which may be set at any time
     * @param synchronous whether commits reach the disk
     */
    record Machine(Supplier<Instant> wall, SqliteStore.Synchronous synchronous) {}

    private BerthServer(ServeOptions options, Machine machine) {
        try {
            url = assemble(options, machine);
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    /** Where it can be called. */
    public URI url() {
        return url;
    }

    /** Whether it began with the configuration of its file; false where there is none, or where the one before it stays in force. */
    public boolean isFileInForce() {
        return fileInForce;
    }

    /** Waits until it was closed. */
    public void awaitStopped() throws InterruptedException {
        stopped.await();
    }

    /** Stops gracefully: answers what is held, finishes the batch, ends what runs. What was begun is taken up at the next start. */
    @Override
    public synchronized void close() {
        while (!closings.isEmpty()) {
            var closing = closings.pop();
            try {
                closing.run();
            } catch (RuntimeException e) {
                LOG.warn("stopping: {}", e.toString());
            }
        }
        stopped.countDown();
    }

    // ---- joining

    private URI assemble(ServeOptions options, Machine machine) {
        var folder = DataFolder.open(options.data());
        closings.push(folder::close);
        var vault = vault(options, folder);
        var tls = tls(options, machine.wall().get());
        var store = open(options, folder, machine.synchronous());
        closings.push(store::close);
        checkKey(vault, store, options, folder);
        var core = core(store, processId(folder), machine.wall(), options.isShared());
        var kinds = kinds(options, folder);
        var work = work(core, vault, kinds, options);
        return serve(core, work, new Door(vault, tls), options, folder);
    }

    /** On a database that others use too, a key made here would be one that they do not have. */
    private static AccessVault vault(ServeOptions options, DataFolder folder) {
        var file = options.keyFile();
        if (options.isShared() && (file == null || Files.notExists(file))) {
            throw new StartRefusedException(
                    78,
                    (file == null ? "With --store, --key-file is needed" : "The key file " + file + " is missing")
                            + ": the key that encrypts stored access, the same for all that share the database"
                            + " (berth key create FILE makes the first).");
        }
        try {
            return AccessVault.open(file == null ? folder.key() : file);
        } catch (AccessVault.UnusableKey e) {
            throw new StartRefusedException(78, e.getMessage() + ".", e);
        }
    }

    private static @Nullable OwnTls tls(ServeOptions options, Instant now) {
        var files = options.tls();
        if (files == null) {
            return null;
        }
        try {
            var tls = OwnTls.read(files.certificate(), files.key());
            if (tls.notAfter().isBefore(now)) {
                LOG.warn("{} was good until {}: callers will refuse it", files.certificate(), tls.notAfter());
            }
            return tls;
        } catch (PemPair.Unusable e) {
            throw new StartRefusedException(78, "TLS cannot be served: " + e.getMessage() + ".", e);
        }
    }

    /** With another key, what is lent now could not be shown to its holders, nor by the others what this process issues. */
    private static void checkKey(AccessVault vault, Store store, ServeOptions options, DataFolder folder) {
        try {
            switch (vault.fit(store.keyCheck(vault.check()))) {
                case SAME -> {}
                case NEWER -> store.replaceKeyCheck(vault.check());
                case NONE ->
                    throw new StartRefusedException(
                            78,
                            "The key file %s does not fit what is stored encrypted: give the one that this store was served with last (berth key replace, where that is lost)."
                                    .formatted(options.keyFile() == null ? folder.key() : options.keyFile()));
            }
        } catch (StoreException e) {
            throw new StartRefusedException(69, "The store cannot be used: " + e.getMessage(), e);
        }
    }

    private static Store open(ServeOptions options, DataFolder folder, SqliteStore.Synchronous synchronous) {
        return options.store() == null
                ? Stores.sqlite(folder.database(), synchronous)
                : Stores.postgres(options.store());
    }

    /** The parts that change pools. */
    private record Core(Store store, TimeSource clock, Supplier<Instant> wall, Ledger ledger, String process) {}

    private Core core(Store store, String process, Supplier<Instant> wall, boolean isShared) {
        var jumps = new ConcurrentLinkedQueue<Duration>();
        var clock = clock(store, wall, jumps::add);
        var batches = new AtomicLong();
        var ledger = new Ledger(store, clock, () -> process + "/" + batches.incrementAndGet(), MOST_WAITING);
        var stepping = new Loop("ledger", () -> {
            ledger.await(STEPPING);
            while (ledger.step()) {
                tell(ledger, store, jumps);
            }
            return Duration.ZERO;
        });
        stepping.start();
        closings.push(() -> {
            ledger.close();
            stepping.close();
        });
        if (!isShared) { // those of other processes run out by themselves: they may well be alive
            for (var pool : store.pools()) {
                ledger.call(pool.name(), new Command.VoidClaims(process)); // an earlier process's: it is gone
            }
        }
        return new Core(store, clock, wall, ledger, process);
    }

    private static TimeSource clock(Store store, Supplier<Instant> wall, Consumer<Duration> onJump) {
        try (var transaction = store.begin()) {
            var database = transaction.moment().now();
            return database != null
                    ? new SharedClock(lastTouched(store), database, System::nanoTime, onJump)
                    : new SlewedClock(lastTouched(store), wall, System::nanoTime, onJump);
        }
    }

    /** Leaves a word of each jump of the clock among the events of every pool. */
    private static void tell(Ledger ledger, Store store, Queue<Duration> jumps) {
        for (var jump = jumps.poll(); jump != null; jump = jumps.poll()) {
            LOG.warn("the clock jumped by {}: deadlines follow slowly", jump);
            note(ledger, store.pools(), Event.Type.CLOCK_JUMPED, Map.of("seconds", String.valueOf(jump.toSeconds())));
        }
    }

    private static void note(Ledger ledger, List<Pool> pools, Event.Type type, Map<String, String> data) {
        for (var pool : pools) {
            var _ = ledger.submit(pool.name(), new Command.Note(type, data));
        }
    }

    /** A new one for each start: claims and batches of an earlier process are told apart by it. */
    private static String processId(DataFolder folder) {
        return folder.id() + Long.toString(new SecureRandom().nextLong() & Long.MAX_VALUE, 36);
    }

    /** Time does not go back behind what was decided on. */
    private static Instant lastTouched(Store store) {
        return store.pools().stream()
                .map(Pool::touchedAt)
                .max(Instant::compareTo)
                .orElse(Instant.EPOCH);
    }

    private static List<Kind> kinds(ServeOptions options, DataFolder folder) {
        var command = new CommandKind(base(options), folder.runningPrograms(), folder.id(), System.getenv());
        var left = command.killOrphans();
        if (!left.isEmpty()) {
            LOG.warn("programs of an earlier process could not be ended: {}", left);
        }
        return List.of(new FixedKind(), command, new AwsKind());
    }

    /** What relative paths in the configuration are relative to. */
    private static Path base(ServeOptions options) {
        var config = options.config();
        return config == null ? options.data().toAbsolutePath() : config.folder(options.data());
    }

    /** The configuration in force and the providers that it makes. */
    private record Work(ConfigurationKeeper keeper, Providers providers, Schedule schedule) {}

    private Work work(Core core, AccessVault vault, List<Kind> kinds, ServeOptions options) {
        var registering = new Nudge();
        var keeper = new ConfigurationKeeper(core.store(), core.clock(), kinds, base(options), registering);
        var watcher = configure(core, keeper, options);
        var providers = new Providers(keeper::inForce, core.store(), kinds);
        var steps = Executors.newVirtualThreadPerTaskExecutor();
        var upkeep = new Upkeep(
                core.ledger(),
                providers,
                new Upkeep.Keeping(vault::seal, new Baselines(core.store(), core.ledger(), core.clock())),
                steps,
                new Upkeep.Process(core.process(), () -> core.clock().now().toEpochMilli() * 1_000_000));
        closings.push(() -> end(steps));

        var registrar = new Registrar(core.ledger(), core.store());
        registerAtFirst(registrar, keeper);
        tellOfConfiguration.run(); // now that there are pools to tell it
        registering.wakes(loop("registrar", () -> register(registrar, keeper) ? IN_STEP : REGISTERING));
        var scheduling = new Nudge();
        var schedule = new Schedule(core.ledger(), core.store(), upkeep, core.clock(), scheduling);
        core.ledger().addListener(schedule);
        scheduling.wakes(loop("schedule", () -> Duration.between(core.clock().now(), schedule.run())));
        loop("house", () -> {
            int pruned = core.store().prune(core.clock().now().minus(HISTORY), PRUNED_AT_ONCE);
            return pruned < PRUNED_AT_ONCE ? PRUNING : PRUNING_ON;
        });
        var config = options.config();
        if (watcher != null && config != null) {
            watch(core, keeper, watcher, config);
        }
        if (options.isShared()) {
            loop("follow", () -> {
                keeper.follow();
                return FOLLOWING;
            });
        }
        return new Work(keeper, providers, schedule);
    }

    /** Nothing, where what is in force is not known here: who would go by an older one would undo it. */
    private static boolean register(Registrar registrar, ConfigurationKeeper keeper) {
        keeper.follow();
        return keeper.isLoaded() && registrar.run(keeper.inForce());
    }

    /** Before anybody is listened to, so that who calls at once finds the pools; what fails now the loop does later. */
    private static void registerAtFirst(Registrar registrar, ConfigurationKeeper keeper) {
        try {
            register(registrar, keeper);
        } catch (LedgerException | StoreException e) {
            LOG.warn("what is configured is registered later: {}", e.toString());
        }
    }

    private Loop loop(String name, Loop.Body body) {
        var loop = new Loop(name, body).start();
        closings.push(loop::close);
        return loop;
    }

    private static void end(ExecutorService steps) {
        steps.shutdownNow();
        try {
            if (!steps.awaitTermination(ENDING.toSeconds(), TimeUnit.SECONDS)) {
                LOG.warn("some steps did not end in time: the next start ends what they left");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * Puts the file of the options in force. On a store that others share, only where it never was: it may be that of an image that is
     * older than what they put there.
     *
     * @return what watches the file; null where there is none
     */
    private @Nullable ConfigurationWatcher configure(Core core, ConfigurationKeeper keeper, ServeOptions options) {
        boolean resumed = false;
        try {
            keeper.resume();
            resumed = true;
        } catch (ConfigurationInvalid e) {
            LOG.warn("the configuration that was in force can be used no more: {}", e.getMessage());
        }
        var config = options.config();
        if (config == null) {
            if (!resumed && !options.isShared()) {
                throw new StartRefusedException(
                        78, "The configuration that was in force can be used no more: give a new one with --config.");
            }
            return null;
        }
        ConfigurationSource.Text read;
        try {
            read = config.read();
        } catch (IOException e) {
            throw new StartRefusedException(78, "The configuration file cannot be read: " + e.getMessage(), e);
        }
        var text = read.text();
        var digest = Configuration.digestOf(text);
        if (options.isShared() && core.store().wasInForce(digest)) {
            fileInForce = digest.equals(keeper.inForce().digest());
            if (!fileInForce) {
                LOG.info("{} was in force before: the configuration that came after it stays", config);
            }
            return new ConfigurationWatcher(config, digest);
        }
        boolean isNew = !digest.equals(keeper.inForce().digest());
        fileInForce = switch (keeper.apply(text, false, config.toString())) {
            case ConfigurationDesk.Change _ -> true;
            case ConfigurationDesk.Invalid invalid ->
                throw new StartRefusedException(78, config + " cannot be used:\n" + lines(invalid));
            case ConfigurationDesk.MassRemoval removal -> {
                LOG.error(
                        "{} is not in force, the configuration before it is: {} (berth config apply --allow-removals)",
                        config,
                        removal.detail());
                yield false;
            }
        };
        if (fileInForce && isNew) {
            tellOfConfiguration = () -> tellOfConfiguration(core, config, digest, read.version());
        }
        return new ConfigurationWatcher(config, keeper.inForce().digest());
    }

    private static String lines(ConfigurationDesk.Invalid invalid) {
        return invalid.mistakes().stream()
                .map(mistake -> "  line %d: %s: %s".formatted(mistake.line(), mistake.field(), mistake.message()))
                .collect(Collectors.joining("\n"));
    }

    private void watch(
            Core core, ConfigurationKeeper keeper, ConfigurationWatcher watcher, ConfigurationSource config) {
        var unreadable = new AtomicBoolean();
        loop("configuration", () -> {
            var seen = watcher.poll(System.nanoTime());
            if (seen instanceof ConfigurationWatcher.Seen.Changed changed) {
                var refused = refusal(keeper.apply(changed.text(), false, config.toString()));
                if (refused == null) {
                    tellOfConfiguration(core, config, changed.digest(), changed.version());
                } else {
                    LOG.error("{} is not in force: {}", config, refused);
                    note(
                            core.ledger(),
                            core.store().pools(),
                            Event.Type.CONFIGURATION_REFUSED,
                            Map.of("reason", refused));
                }
            }
            boolean now = seen instanceof ConfigurationWatcher.Seen.Unreadable;
            if (seen instanceof ConfigurationWatcher.Seen.Unreadable(var reason) && !unreadable.get()) {
                LOG.warn("what is in force stays: {}", reason);
            }
            unreadable.set(now);
            return config.looking();
        });
    }

    /** Leaves a word of it among the events of the pools that there are. */
    private static void tellOfConfiguration(
            Core core, ConfigurationSource config, String digest, @Nullable String version) {
        var data = new HashMap<>(Map.of("digest", digest, "from", config.toString()));
        if (version != null) {
            data.put("version", version);
        }
        note(core.ledger(), core.store().pools(), Event.Type.CONFIGURATION_APPLIED, data);
    }

    private static @Nullable String refusal(ConfigurationDesk.Outcome outcome) {
        return switch (outcome) {
            case ConfigurationDesk.Change _ -> null;
            case ConfigurationDesk.Invalid invalid -> lines(invalid).strip();
            case ConfigurationDesk.MassRemoval removal -> removal.detail();
        };
    }

    // ---- serving

    /** What keeps strangers out. */
    private record Door(AccessVault vault, @Nullable OwnTls tls) {}

    private URI serve(Core core, Work work, Door door, ServeOptions options, DataFolder folder) {
        var directory = new DirectoryOfConfiguration(work.keeper()::inForce);
        var authenticator = new Authenticator(core.store(), directory, core.clock());
        var random = new SecureRandom();
        var tokens = new TokenDesk(core.store(), directory, authenticator, core.clock(), random);
        var accessKeys = new AccessKeyDesk(core.store(), door.vault(), directory, core.clock(), random);
        if (!options.isShared()) {
            welcome(tokens, folder);
        }
        var desks = new Desks(
                new AllocationDesk(
                        core.ledger(),
                        core.store(),
                        new AccessDesk(door.vault(), work.providers()),
                        core.clock(),
                        random),
                new QueueDesk(new Forecasts(core.store(), core.clock(), System::nanoTime)::of),
                new PoolDesk(core.ledger(), core.store(), core.clock()),
                new BaselineDesk(core.ledger(), core.store(), core.clock()),
                new EventDesk(core.store()),
                tokens,
                accessKeys,
                new Journal(core.ledger(), core.store()));
        var metrics = new ServiceMetrics();
        var api = new HttpApi(
                new WaysIn(
                        authenticator,
                        new SignatureAuthenticator(accessKeys, core.wall(), options.publicUrl()),
                        new AwsAuthenticator(
                                () -> awsCallers(work.keeper(), options.publicUrl()), directory, core.wall())),
                desks,
                work.keeper(),
                metrics,
                new HttpApi.About(
                        version(),
                        () -> work.keeper().isLoaded() && core.store().isUsable(),
                        options.publicUrl(),
                        new HttpApi.Limits(ConnectionLimit.ofThisProcess(door.tls() != null), REQUESTING),
                        () -> work.keeper().inForce().callers()));
        core.ledger().addListener(api);
        core.ledger().waitsHere(api::isWaitedFor);
        core.store()
                .notifications(core.process())
                .ifPresent(notifications -> join(core, work.schedule(), api, notifications));
        var server = WebServer.builder().host(options.host()).port(options.port());
        api.install(server);
        var tls = door.tls();
        if (tls != null) {
            server.tls(Tls.builder().sslContext(tls.context()).build());
        }
        var running = listen(server, options);
        closings.push(() -> {
            withdraw(folder);
            api.close();
            running.stop();
        });
        var at = URI.create(
                "%s://%s:%d".formatted(tls == null ? "http" : "https", host(options.host()), running.port()));
        announce(folder, at, tls);
        if (tls != null) {
            renew(tls, core.clock(), metrics, () -> announce(folder, at, tls));
        }
        LOG.debug("Berth {} listens on {}", version(), at);
        return at;
    }

    private static AwsAuthenticator.Settings awsCallers(ConfigurationKeeper keeper, @Nullable PublicUrl publicUrl) {
        var callers = keeper.inForce().awsCallers();
        var service = callers.service() == null && publicUrl != null ? publicUrl.host() : callers.service();
        return new AwsAuthenticator.Settings(service, callers.endpoint(), callers.partition());
    }

    /** Serves with what the files of the certificate have, when they change. */
    private void renew(OwnTls tls, TimeSource time, ServiceMetrics metrics, Runnable onChange) {
        var changes = new EnumMap<OwnTls.Seen, Counter>(OwnTls.Seen.class);
        for (var seen : List.of(OwnTls.Seen.CHANGED, OwnTls.Seen.REFUSED)) {
            changes.put(
                    seen,
                    Counter.builder("berth.tls.reloads")
                            .description("New certificates by what became of them")
                            .tag("result", seen.name().toLowerCase(Locale.ROOT))
                            .register(metrics.registry()));
        }
        Gauge.builder("berth.tls.certificate.expiry", tls, own -> own.notAfter().getEpochSecond())
                .description("Until when the certificate in use is good, in seconds since 1970")
                .baseUnit("seconds")
                .register(metrics.registry());
        loop("certificate", () -> {
            var seen = tls.look(time.now());
            if (seen == OwnTls.Seen.CHANGED) {
                onChange.run();
            }
            var counter = changes.get(seen);
            if (counter != null) {
                counter.increment();
            }
            return LOOKING;
        });
    }

    /** Joins the other processes on the same store. */
    private void join(Core core, Schedule schedule, HttpApi api, Notifications notifications) {
        var sending = new Nudge();
        var replicas = new Replicas(
                core.ledger(),
                core.store(),
                notifications,
                (pool, number, changed) -> {
                    schedule.committedElsewhere(pool);
                    api.committedElsewhere(pool, number, changed);
                },
                sending);
        core.ledger().addListener(replicas);
        sending.wakes(loop("notify", () -> {
            replicas.send();
            return NOTIFYING;
        }));
        loop("listen", () -> {
            replicas.receive();
            return Duration.ZERO;
        });
        closings.push(notifications::close);
    }

    private static WebServer listen(WebServerConfig.Builder server, ServeOptions options) {
        try {
            var started = server.build().start();
            if (started.isRunning()) {
                return started;
            }
            // Helidon tells in its log alone that an address was not to be had.
            started.stop();
        } catch (RuntimeException e) {
            throw new StartRefusedException(69, cannotListen(options) + ": " + e.getMessage(), e);
        }
        throw new StartRefusedException(
                69,
                cannotListen(options) + ": it is in use, or not this machine's. Give another with --host or --port.");
    }

    private static String cannotListen(ServeOptions options) {
        return "Cannot listen on %s:%d".formatted(options.host(), options.port());
    }

    private static void welcome(TokenDesk tokens, DataFolder folder) {
        try {
            if (tokens.welcome(folder.adminToken())) {
                LOG.debug("no principal is configured: an admin token is in {}", folder.adminToken());
            }
        } catch (IOException e) {
            throw new StartRefusedException(
                    75, "The admin token cannot be written to " + folder.adminToken() + ": " + e.getMessage(), e);
        }
    }

    private static void announce(DataFolder folder, URI url, @Nullable OwnTls tls) {
        try {
            folder.announce(url, tls == null ? null : tls.fingerprint());
        } catch (IOException e) {
            throw new StartRefusedException(75, "The data folder cannot be written to: " + e.getMessage(), e);
        }
    }

    private static void withdraw(DataFolder folder) {
        try {
            folder.withdraw();
        } catch (IOException e) {
            LOG.warn("the address stays in the data folder: {}", e.toString());
        }
    }

    /** An address as a URL has it. */
    private static String host(String address) {
        return address.contains(":") ? "[" + address + "]" : address;
    }

    private static String version() {
        var version = BerthServer.class.getPackage().getImplementationVersion();
        return version == null ? "development" : version;
    }
}
