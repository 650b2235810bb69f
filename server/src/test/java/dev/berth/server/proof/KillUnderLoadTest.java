package dev.berth.server.proof;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.server.proof.HistoryChecker.Happened;
import dev.berth.server.proof.Journal.Entry;
import dev.berth.server.proof.Journal.Entry.Granted;
import dev.berth.server.proof.Journal.Entry.Released;
import dev.berth.server.proof.Journal.Entry.Seen;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;

/** Promises 1, 3, 4, 5 and 7 against {@code kill -9} at any instant, under load. */
class KillUnderLoadTest {
    private static final int CLIENTS = 8;
    private static final List<String> STEPS = List.of("revoke", "clean", "verify");

    private static final String POOLS = """
            pools:
              plain: { provider: fixed, session: 1h }
              shop:
                provider: command
                session: 1h
                on-register: clean
                clean: { timeout: 20s, attempts: 10 }
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
            """;

    private static final String STEPS_PROGRAM = """
            folder=$PWD/folders/$BERTH_ENVIRONMENT
            case $BERTH_STEP in
            issue) : >"$folder/access/$BERTH_EPOCH"; echo "{\\"credentials\\":{\\"epoch\\":\\"$BERTH_EPOCH\\"}}" ;;
            revoke)
                for given in "$folder"/access/*; do
                    [ -e "$given" ] || continue
                    [ "${given##*/}" -gt "$BERTH_EPOCH" ] || rm -f "$given"
                done ;;
            clean) mkdir -p "$folder/work" "$folder/access"; rm -rf "$folder/work"; mkdir "$folder/work" ;;
            verify) [ -z "$(ls -A "$folder/work")" ] && [ -z "$(ls -A "$folder/access")" ] ;;
            esac
            """;

    private final Instant began = Instant.now();
    private final long beganNanos = System.nanoTime();
    private final Journal journal = new Journal();
    private final Gate gate = new Gate();
    private final AtomicLong answers = new AtomicLong();
    private final ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();

    /** Allocations that looked settled at an earlier look: they are not looked up again and again. */
    private final Set<String> settled = new HashSet<>();

    @Test
    void nothingThatWasAnsweredIsLostAndNobodyGetsWhatAnotherHolds(@TempDir Path folder) throws InterruptedException {
        long seed = Proofs.seed();
        int rounds = Proofs.rounds();
        System.out.println("kill -9 under load: seed " + seed + ", " + rounds + " rounds");
        var random = new Random(seed);
        try (var site = new Site(folder, "plain, shop", POOLS)) {
            site.program("steps.sh", STEPS_PROGRAM);
            var threads = clients(random, folder.resolve("folders"));
            for (int round = 0; round < rounds; round++) {
                var server = site.serve();
                look(server);
                gate.open(server.url());
                long until = answers.get() + 50 + random.nextInt(400);
                Await.until("the clients are at work", () -> answers.get() >= until || !failures.isEmpty());
                LockSupport.parkNanos(random.nextInt(20_000_000)); // any instant, not the one after an answer
                server.kill9();
                gate.close(CLIENTS);
                check(site, seed, round);
            }
            finish(site, threads, seed, rounds);
        }
    }

    /** The service's wall clock is this machine's. */
    private long nanosOf(Instant instant) {
        return beganNanos + Duration.between(began, instant).toNanos();
    }

    private List<Thread> clients(Random random, Path folders) {
        var threads = new ArrayList<Thread>();
        for (int i = 0; i < CLIENTS; i++) {
            var client = new LoadClient("client-" + i, new Random(random.nextLong()), gate, journal, answers, folders);
            threads.add(Thread.ofPlatform()
                    .daemon()
                    .name("client-" + i)
                    .uncaughtExceptionHandler((thread, failure) -> failures.add(failure))
                    .start(client));
        }
        return threads;
    }

    /** Looks up everything that a client knows of and that may have changed, while all of them wait. */
    private void look(Site.Child server) {
        var ids = new LinkedHashSet<String>();
        var released = new HashSet<String>();
        for (var entry : journal.entries()) {
            if (entry instanceof Granted && !settled.contains(entry.id())) {
                ids.add(entry.id());
            } else if (entry instanceof Released) {
                released.add(entry.id());
            }
        }
        var api = server.operator();
        for (var id : ids) {
            journal.add(seen(id, api.get("/allocations/" + id)));
        }
        released.retainAll(ids);
        settled.addAll(released);
    }

    private static Seen seen(String id, Api.Reply reply) {
        if (reply.status() != 200) {
            return new Seen(id, System.nanoTime(), "answered with " + reply.status(), java.util.Map.of(), null, "", "");
        }
        var by = reply.body().path("keepaliveBy");
        return new Seen(
                id,
                System.nanoTime(),
                reply.field("state"),
                LoadClient.epochs(reply.body()),
                by.isString() ? Instant.parse(by.asString()) : null,
                reply.field("endReason"),
                reply.field("outcome"));
    }

    /** After a kill: what the clients know, and what the dead process left in its database. */
    private void check(Site site, long seed, int round) {
        var rows = StoredRows.of(site.data(), site.path("copy"));
        var checker = new HistoryChecker(this::nanosOf);
        checker.rows(rows.environments(), rows.allocations());
        checker.clients(journal.entries());
        assertThat(rows.integrity()).isEqualTo("ok");
        assertThat(failures).as("clients, seed %d, round %d", seed, round).isEmpty();
        assertThat(checker.violations()).as("seed %d, round %d", seed, round).isEmpty();
    }

    /** Lets the clients give back what they hold; then everything has to come to rest by itself. */
    private void finish(Site site, List<Thread> threads, long seed, int rounds) throws InterruptedException {
        var server = site.serve();
        look(server);
        gate.end();
        gate.open(server.url());
        for (var thread : threads) {
            thread.join(Gate.joinMillis());
            assertThat(thread.isAlive()).as("%s ended", thread.getName()).isFalse();
        }
        settled.clear();
        look(server);
        var api = server.operator();
        Await.until(
                "every environment is available again",
                Duration.ofSeconds(90),
                () -> Stream.of("plain", "shop").allMatch(pool -> isAtRest(api, pool)));
        var checker = new HistoryChecker(this::nanosOf);
        var all = new ArrayList<Happened>();
        for (var pool : List.of("plain", "shop")) {
            var events =
                    api.events(pool).stream().map(KillUnderLoadTest::happened).toList();
            checker.events(events, pool.equals("shop") ? STEPS : List.of());
            all.addAll(events);
        }
        checker.clients(journal.entries());
        checker.told(journal.entries(), all, true);
        assertThat(failures).as("clients, seed %d", seed).isEmpty();
        assertThat(checker.violations()).as("seed %d", seed).isEmpty();
        server.kill9();
        check(site, seed, rounds);
        record(all, seed, rounds);
    }

    private static boolean isAtRest(Api api, String pool) {
        var states = api.get("/pools/" + pool).body().path("environments");
        return states.path("available").asInt() == states.path("total").asInt();
    }

    static Happened happened(JsonNode event) {
        var data = event.path("data");
        var several = data.path("environments").asString("");
        var one = event.path("environment").asString("");
        return new Happened(
                event.path("number").asLong(),
                event.path("type").asString(),
                event.path("allocation").asString(""),
                several.isEmpty() ? (one.isEmpty() ? List.of() : List.of(one)) : List.of(several.split(",", -1)),
                data.path("step").asString(data.path("reason").asString("")));
    }

    private void record(List<Happened> events, long seed, int rounds) {
        var entries = journal.entries();
        long granted = entries.stream()
                .filter(Granted.class::isInstance)
                .map(Entry::id)
                .distinct()
                .count();
        long held = entries.stream()
                .filter(Seen.class::isInstance)
                .filter(entry -> ((Seen) entry).state().equals("active"))
                .count();
        Proofs.record(
                "kill -9 under load",
                "%d kills, %d answers to %d clients, %d allocations, %d of them held across a kill, %d events: no violation (seed %d)"
                        .formatted(rounds, answers.get(), CLIENTS, granted, held, events.size(), seed));
    }
}
