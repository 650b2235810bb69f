package dev.berth.server.proof;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.server.auth.AccessVault;
import dev.berth.server.store.CuttingProxy;
import dev.berth.server.store.CuttingProxy.At;
import dev.berth.server.store.OwnPostgres;
import dev.berth.server.store.OwnPostgres.Stop;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Promises 1, 2, 3, 4, 5 and 7 for two and three replicas on one PostgreSQL, under load: replicas are killed, the database stops and comes
 * back, connections to it and to the clients are cut, also in the middle of COMMIT, or fall silent, and the replicas' wall clocks differ
 * by minutes.
 */
class ReplicasUnderFaultsTest {
    private static final int ROUNDS_IN_CI = 3;
    private static final int REPLICAS = 3;
    private static final int FAULTS_IN_A_ROUND = 3;

    /** A dead worker's claim, then the time-out of its step, then what was to be done from the beginning. */
    private static final Duration AT_REST_WITHIN = Duration.ofMinutes(2);

    /** A replica that hears nothing for half a minute gives its connections up, and then has to make new ones. */
    private static final Duration READY_WITHIN = Duration.ofSeconds(60);

    /** Longer than the database waits for a transaction in which nothing happens. */
    private static final int SILENT_MILLIS = 10_000;

    private static final String POOLS = """
            pools:
              plain: { provider: fixed, session: 1h, retry-after: 1s }
              shop:
                provider: command
                session: 1h
                retry-after: 1s
                on-register: clean
                issue: { timeout: 4s, attempts: 10 }
                revoke: { timeout: 4s, attempts: 10 }
                clean: { timeout: 4s, attempts: 10 }
                verify: { timeout: 4s, attempts: 10 }
                command:
                  issue: [./steps.sh]
                  revoke: [./steps.sh]
                  clean: [./steps.sh]
                  verify: [./steps.sh]
            environments:
              - { name: plain-1, pool: plain }
              - { name: plain-2, pool: plain }
              - { name: plain-3, pool: plain }
              - { name: shop-1, pool: shop }
              - { name: shop-2, pool: shop }
              - { name: shop-3, pool: shop }
              - { name: shop-4, pool: shop }
            """;

    /** What is done to the service. */
    private enum Fault {
        KILL,
        CUT_IN_COMMIT,
        CUT_OFF,
        SILENCE,
        CUT_CLIENTS_OFF,
        RESTART_DATABASE,
        KILL_WHILE_THE_DATABASE_IS_AWAY
    }

    @TempDir
    private Path folder;

    private final long seed = Proofs.seed();
    private final Random random = new Random(seed);
    private final List<Replica> replicas = new ArrayList<>();
    private final List<Fault> coming = new ArrayList<>();
    private final Map<At, Integer> cuts = new EnumMap<>(At.class);
    private int kills;
    private int cutOffs;
    private int silences;
    private int clientsCutOff;
    private int restarts;
    private int crashes;
    private OwnPostgres database;
    private Site site;
    private Load load;

    /** A place that a replica runs at, with its own way to the database, and one for its clients. */
    private final class Replica {
        final CuttingProxy proxy = new CuttingProxy(database.port());
        final Path data;
        private Site.@Nullable Child child;
        private @Nullable CuttingProxy door;
        boolean runs;

        Replica(int number) {
            data = site.path("data-" + number);
        }

        /** Its wall clock is wrong by minutes, another time each time. */
        void launch() {
            child = site.launchReplica(
                    data, random.nextInt(1200) - 600, database.url(proxy.port()).toString(), site.path("key"));
            runs = true;
        }

        void awaitListening() throws IOException {
            child().awaitListening();
            close();
            door = new CuttingProxy(child().url().getPort());
        }

        void kill() {
            child().kill9();
            runs = false;
            kills++;
        }

        /** For clients. */
        URI url() {
            return URI.create("http://127.0.0.1:" + door().port());
        }

        CuttingProxy door() {
            return Objects.requireNonNull(door, "it was never listened to");
        }

        void close() throws IOException {
            if (door != null) {
                door.close();
            }
        }

        Site.Child child() {
            return Objects.requireNonNull(child, "it was never started");
        }
    }

    @BeforeEach
    void open() throws Exception {
        database = OwnPostgres.create(folder.resolve("postgres"));
        site = new Site(folder, "plain, shop", POOLS);
        site.program("steps.sh", Load.PROGRAM);
        AccessVault.open(site.path("key"));
        load = new Load(random, folder.resolve("folders"));
        for (int i = 0; i < REPLICAS; i++) {
            replicas.add(new Replica(i));
        }
    }

    @AfterEach
    void close() throws IOException {
        site.close();
        for (var replica : replicas) {
            replica.close();
            replica.proxy.close();
        }
        database.close();
    }

    @Test
    void nothingThatWasAnsweredIsLostAndNobodyGetsWhatAnotherHolds() throws Exception {
        int rounds = Proofs.full() ? Proofs.rounds() : ROUNDS_IN_CI;
        System.out.println("replicas under faults: seed " + seed + ", " + rounds + " rounds");
        for (int round = 0; round < rounds; round++) {
            run(3 - round % 2);
            openTo(running());
            for (int i = 0; i < FAULTS_IN_A_ROUND; i++) {
                var fault = next();
                load.awaitAnswers(10 + random.nextInt(60));
                inflict(fault);
            }
            load.awaitAnswers(10);
            awaitReady();
            load.close();
            load.look(any().child().operator());
            check("seed %d, round %d".formatted(seed, round));
        }
        finish(rounds);
    }

    // ---- replicas

    private List<Replica> running() {
        return replicas.stream().filter(replica -> replica.runs).toList();
    }

    private Replica any() {
        var running = running();
        return running.get(random.nextInt(running.size()));
    }

    /** So many, no more and no less. Several may start at once, the first ones on an empty database. */
    private void run(int wanted) throws IOException {
        while (running().size() > wanted) {
            any().kill();
        }
        var begun = new ArrayList<Replica>();
        for (var replica : replicas) {
            if (!replica.runs && running().size() < wanted) {
                replica.launch();
                begun.add(replica);
            }
        }
        for (var replica : begun) {
            replica.awaitListening();
        }
    }

    private void openTo(List<Replica> some) {
        load.open(some.stream().map(Replica::url).toList());
    }

    /** Who runs comes to itself, without anybody's doing. */
    private void awaitReady() {
        for (var replica : running()) {
            var api = replica.child().operator();
            Await.until(
                    "a replica is ready, seed " + seed,
                    READY_WITHIN,
                    () -> api.get("/healthz/ready").status() == 200);
        }
    }

    // ---- faults

    /** Each comes once before any comes again. */
    private Fault next() {
        if (coming.isEmpty()) {
            coming.addAll(List.of(Fault.values()));
            Collections.shuffle(coming, random);
        }
        return coming.removeLast();
    }

    private void inflict(Fault fault) throws IOException {
        switch (fault) {
            case KILL -> {
                int before = running().size();
                kill();
                load.awaitAnswers(10 + random.nextInt(30));
                run(before);
                openTo(running());
            }
            case CUT_IN_COMMIT -> {
                for (var at : List.of(At.BEFORE_COMMIT, At.AFTER_COMMIT, At.COMMIT_ON_ITS_WAY, At.NEWS_ON_ITS_WAY)) {
                    cutInCommit(any(), at);
                    load.awaitAnswers(random.nextInt(10));
                }
            }
            case CUT_OFF -> {
                var replica = any();
                replica.proxy.goAway();
                cutOffs++;
                moment(1500);
                replica.proxy.comeBack();
            }
            case SILENCE -> {
                var way = random.nextBoolean() ? any().proxy : any().door();
                way.stall();
                silences++;
                moment(SILENT_MILLIS);
                moment(Proofs.full() ? 3 * SILENT_MILLIS : 1);
                way.flow();
            }
            case CUT_CLIENTS_OFF -> {
                var door = any().door();
                door.goAway();
                clientsCutOff++;
                moment(1000);
                door.comeBack();
            }
            case RESTART_DATABASE -> {
                stopDatabase();
                moment(1000);
                startDatabase();
            }
            case KILL_WHILE_THE_DATABASE_IS_AWAY -> {
                int before = running().size();
                stopDatabase();
                kill();
                startDatabase();
                run(before);
                openTo(running());
            }
        }
    }

    private void kill() {
        var replica = any();
        openTo(running().stream().filter(each -> each != replica).toList());
        moment(20); // any instant, not the one after an answer
        replica.kill();
    }

    private void cutInCommit(Replica replica, At at) {
        int before = replica.proxy.cuts();
        replica.proxy.cutNext(at);
        Await.until("a COMMIT was cut, seed " + seed, () -> replica.proxy.cuts() > before);
        moment(800); // somebody looks for what became of it meanwhile, or finds the pool locked
        replica.proxy.release();
        cuts.merge(at, 1, Integer::sum);
    }

    private void stopDatabase() {
        var how = random.nextBoolean() ? Stop.FAST : Stop.IMMEDIATE;
        database.stop(how);
        restarts++;
        crashes += how == Stop.IMMEDIATE ? 1 : 0;
    }

    private void startDatabase() {
        database.start();
        replicas.forEach(replica -> replica.proxy.leadTo(database.port()));
    }

    /** So long that it may come to anything. */
    private void moment(int mostMillis) {
        LockSupport.parkNanos(random.nextInt(mostMillis) * 1_000_000L);
    }

    // ---- what came of it

    private void check(String when) throws SQLException {
        try (var connection = database.connect()) {
            load.check(StoredRows.of(connection), when);
        }
    }

    private void finish(int rounds) throws Exception {
        var when = "seed " + seed;
        run(REPLICAS);
        awaitReady();
        var operator = any().child().operator();
        load.finish(running().stream().map(Replica::url).toList(), operator, AT_REST_WITHIN, when);
        int events = load.checkAll(operator, when);
        check(when);
        try (var connection = database.connect()) {
            var checker = new HistoryChecker(instant -> 0);
            checker.atRest(StoredRows.of(connection).allocations());
            assertThat(checker.violations()).as(when).isEmpty();
        }
        Proofs.record(
                "Replicas under faults",
                ("%d rounds with 2 and 3 replicas whose clocks differ by up to 20 minutes: %d kills, %d stops of the database (%d of them as by a crash),"
                                + " %d replicas cut off, %d from their clients, %d silent ways, COMMITs cut: %s; %d answers to %d clients, %d allocations, %d wishes refused, %d events: no violation (seed %d)")
                        .formatted(
                                rounds,
                                kills,
                                restarts,
                                crashes,
                                cutOffs,
                                clientsCutOff,
                                silences,
                                cuts.entrySet().stream()
                                        .map(cut -> cut.getValue() + " "
                                                + cut.getKey()
                                                        .name()
                                                        .toLowerCase(Locale.ROOT)
                                                        .replace('_', ' '))
                                        .collect(Collectors.joining(", ")),
                                load.answers(),
                                Load.CLIENTS,
                                load.granted(),
                                load.refused(),
                                events,
                                seed));
    }
}
