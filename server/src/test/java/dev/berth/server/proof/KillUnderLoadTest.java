package dev.berth.server.proof;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Promises 1, 2, 3, 4, 5 and 7 against {@code kill -9} at any instant, under load. */
class KillUnderLoadTest {
    private static final Duration AT_REST_WITHIN = Duration.ofSeconds(90);

    /** What is granted to a request whose caller was lost with the kill is given back after {@code liveness}: sooner than one waits here. */
    private static final String POOLS = """
            pools:
              plain: { provider: fixed, session: 1h, queue: { liveness: 10s } }
              shop:
                provider: command
                session: 1h
                queue: { liveness: 10s }
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

    @Test
    void nothingThatWasAnsweredIsLostAndNobodyGetsWhatAnotherHolds(@TempDir Path folder) throws InterruptedException {
        long seed = Proofs.seed();
        int rounds = Proofs.rounds();
        System.out.println("kill -9 under load: seed " + seed + ", " + rounds + " rounds");
        var random = new Random(seed);
        try (var site = new Site(folder, "plain, shop", POOLS)) {
            site.program("steps.sh", Load.PROGRAM);
            var load = new Load(random, folder.resolve("folders"));
            for (int round = 0; round < rounds; round++) {
                var server = site.serve();
                load.look(server.operator());
                load.open(List.of(server.url()));
                load.awaitAnswers(50 + random.nextInt(400));
                load.awaitGrants(1 + random.nextInt(9), server.operator());
                LockSupport.parkNanos(random.nextInt(20_000_000)); // any instant, not the one after an answer
                server.kill9();
                load.close();
                load.check(StoredRows.of(site.data(), site.path("copy")), "seed %d, round %d".formatted(seed, round));
            }
            finish(site, load, seed, rounds);
        }
    }

    private static void finish(Site site, Load load, long seed, int rounds) throws InterruptedException {
        var when = "seed " + seed;
        var server = site.serve();
        load.finish(List.of(server.url()), server.operator(), AT_REST_WITHIN, when);
        int events = load.checkAll(server.operator(), when);
        server.kill9();
        load.check(StoredRows.of(site.data(), site.path("copy")), when);
        Proofs.record(
                "kill -9 under load",
                "%d kills, %d answers to %d clients, %d allocations, %d of them held across a kill, %d events: no violation (seed %d)"
                        .formatted(
                                rounds, load.answers(), Load.CLIENTS, load.granted(), load.foundHeld(), events, seed));
    }
}
