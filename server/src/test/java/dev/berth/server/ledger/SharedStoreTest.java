package dev.berth.server.ledger;

import static dev.berth.server.store.Samples.policy;
import static dev.berth.server.store.Samples.record;
import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.core.Allocation;
import dev.berth.core.AllocationId;
import dev.berth.core.Answer;
import dev.berth.core.Caller;
import dev.berth.core.Command;
import dev.berth.core.EnvironmentName;
import dev.berth.core.EnvironmentState;
import dev.berth.core.NeedClass;
import dev.berth.core.Pool;
import dev.berth.core.PoolName;
import dev.berth.core.Refusal;
import dev.berth.core.Request;
import dev.berth.server.store.FaultyStore;
import dev.berth.server.store.Samples;
import dev.berth.server.store.Store;
import dev.berth.server.store.TestPostgres;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Several ledgers on one PostgreSQL, as several processes have them. */
class SharedStoreTest {
    private static final int ENVIRONMENTS = 6;
    private static final int ROUNDS = 40;
    private static final List<PoolName> POOLS = List.of(new PoolName("a"), new PoolName("b"), new PoolName("c"));
    private static final Caller ANN = new Caller("ann", false);

    private final TestPostgres database = TestPostgres.create();
    private final Store first = database.open();
    private final Store second = database.open();
    private final ExecutorService threads = Executors.newThreadPerTaskExecutor(Thread::new);
    private final AtomicInteger batches = new AtomicInteger();
    private final Gate gate = new Gate();
    private final Ledger one = ledger(new FaultyStore(first, gate), "p");
    private final Ledger other = ledger(second, "q");

    private Ledger ledger(Store store, String process) {
        return new Ledger(
                store,
                new SharedClock(Instant.EPOCH, now(store), System::nanoTime, _ -> {}),
                () -> process + "/" + batches.incrementAndGet(),
                1_000);
    }

    private static Instant now(Store store) {
        try (var transaction = store.begin()) {
            return Objects.requireNonNull(transaction.moment().now());
        }
    }

    /** Holds a batch that has written everything, until it is opened. */
    private static final class Gate implements FaultyStore.Faults {
        volatile boolean closed;
        final CountDownLatch reached = new CountDownLatch(1);
        final CountDownLatch opened = new CountDownLatch(1);

        @Override
        public boolean committing() {
            if (closed) {
                reached.countDown();
                try {
                    assertThat(opened.await(60, TimeUnit.SECONDS)).isTrue();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }
            return true;
        }
    }

    @BeforeEach
    void pools() {
        for (var pool : POOLS) {
            var _ = one.submit(pool, new Command.Enact(policy()));
            var _ = one.submit(
                    pool,
                    new Command.Register(IntStream.range(0, ENVIRONMENTS)
                            .mapToObj(i -> record(pool + "-" + i))
                            .toList()));
        }
        step(one);
    }

    @AfterEach
    void close() {
        gate.opened.countDown();
        threads.close();
        first.close();
        second.close();
        database.close();
    }

    private static void step(Ledger ledger) {
        while (ledger.step()) {}
    }

    private static Command.Ask ask(Ledger ledger, PoolName pool, Random random, @Nullable String key) {
        return Samples.ask(
                AllocationId.create(ledger.numberOf(pool).orElseThrow(), Instant.now(), random), request(pool, key));
    }

    /** As the API has it: the same words to another pool are another request. */
    private static Request request(PoolName pool, @Nullable String key) {
        return new Request("job", NeedClass.ONE, null, null, Duration.ZERO, 0, "{}", key, "digest of " + pool);
    }

    private void whileOneIsAboutToCommit(Command.Ask ask, PoolName pool, Runnable then) throws Exception {
        gate.closed = true;
        var answer = one.submit(pool, ask);
        var stepping = CompletableFuture.runAsync(() -> step(one), threads);
        assertThat(gate.reached.await(60, TimeUnit.SECONDS)).isTrue();
        var rest = CompletableFuture.runAsync(then, threads);
        awaitSomebodyWaiting();
        assertThat(rest).isNotDone();
        gate.opened.countDown();
        stepping.get(60, TimeUnit.SECONDS);
        rest.get(60, TimeUnit.SECONDS);
        assertThat(answer.join()).isInstanceOf(Answer.Current.class);
    }

    private void awaitSomebodyWaiting() throws Exception {
        long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        while (database.waiting() == 0) {
            assertThat(System.nanoTime()).as("somebody waits in time").isLessThan(deadline);
        }
    }

    @Test
    void aKeyThatTwoPoolsAreAskedWithAtOnceIsUsedOnce() throws Exception {
        var random = new Random(1);
        var late = ask(other, POOLS.get(1), random, "key");
        var answer = other.submit(POOLS.get(1), late);
        whileOneIsAboutToCommit(ask(one, POOLS.get(0), random, "key"), POOLS.get(0), () -> step(other));
        assertThat(answer.join())
                .isInstanceOfSatisfying(
                        Answer.Refused.class,
                        refused -> assertThat(refused.refusal()).isEqualTo(Refusal.IDEMPOTENCY_KEY_REUSED));
        assertThat(lent(POOLS.get(0))).isEqualTo(1);
        assertThat(lent(POOLS.get(1))).isZero();
    }

    @Test
    void aPoolThatTwoMakeAtOnceIsMadeOnce() throws Exception {
        var pool = new PoolName("new");
        var here = one.submit(pool, new Command.Enact(policy()));
        var there = other.submit(pool, new Command.Enact(policy()));
        whileOneIsAboutToCommit(ask(one, POOLS.get(0), new Random(1), "key"), POOLS.get(0), () -> step(other));
        assertThat(List.of(here, there)).allMatch(answer -> answer.join() instanceof Answer.Done);
        assertThat(first.pools())
                .extracting(Pool::name)
                .filteredOn(pool::equals)
                .hasSize(1);
    }

    @Test
    void anEnvironmentThatTwoPoolsRegisterAtOnceIsInOne() throws Exception {
        var register = new Command.Register(List.of(record("wanted")));
        var here = one.submit(POOLS.get(0), register);
        var there = other.submit(POOLS.get(1), register);
        whileOneIsAboutToCommit(ask(one, POOLS.get(0), new Random(1), "key"), POOLS.get(0), () -> step(other));
        assertThat(here).isCompleted();
        assertThat(there).isCompleted();
        assertThat(first.environment(new EnvironmentName("wanted"))
                        .orElseThrow()
                        .pool())
                .isEqualTo(first.pool(POOLS.get(0)).orElseThrow().number());
        assertThat(total(POOLS.get(0))).isEqualTo(ENVIRONMENTS + 1);
        assertThat(total(POOLS.get(1))).isEqualTo(ENVIRONMENTS);
    }

    private int total(PoolName pool) {
        return first.pool(pool).orElseThrow().counts().total();
    }

    private int lent(PoolName pool) {
        return first.pool(pool).orElseThrow().counts().allocated();
    }

    /** What one remembers of its own batches is not what counts. */
    @Test
    void whatAnotherProcessChangedIsSeenAtOnce() {
        var pool = POOLS.get(0);
        var ask = ask(one, pool, new Random(1), null);
        var held = current(one, pool, ask);
        var environment = held.state().grants().getFirst().environment();
        assertThat(current(one, pool, new Command.KeepAlive(held.id(), ANN))).isEqualTo(held);

        assertThat(current(other, pool, new Command.Release(held.id(), ANN, "done"))
                        .hasEnded())
                .isTrue();
        var _ = other.submit(pool, new Command.Act(environment, Command.Action.QUARANTINE, "broken", "operator"));
        step(other);

        var late = one.submit(pool, new Command.KeepAlive(held.id(), ANN));
        var again = one.submit(pool, new Command.Release(held.id(), ANN, null));
        var seen = one.submit(pool, new Command.Act(environment, Command.Action.RETIRE, null, "operator"));
        step(one);
        assertThat(late.join())
                .isInstanceOfSatisfying(
                        Answer.Refused.class,
                        refused -> assertThat(refused.refusal()).isEqualTo(Refusal.LEASE_LOST));
        assertThat(again.join())
                .isInstanceOfSatisfying(
                        Answer.Current.class,
                        answer -> assertThat(answer.allocation())
                                .isEqualTo(first.allocation(held.id()).orElseThrow()));
        assertThat(seen.join())
                .isInstanceOfSatisfying(
                        Answer.Acted.class,
                        acted -> assertThat(acted.environment().state()).isInstanceOf(EnvironmentState.Retired.class));
    }

    private static Allocation current(Ledger ledger, PoolName pool, Command command) {
        var answer = ledger.submit(pool, command);
        step(ledger);
        return ((Answer.Current) answer.join()).allocation();
    }

    /** Each batch is of several pools, in different orders, with keys that both use. */
    @Test
    void nothingIsLentTwiceAndNobodyWaitsInARing() throws Exception {
        var held = new ArrayList<List<Allocation>>();
        var working = new ArrayList<CompletableFuture<List<Allocation>>>();
        for (var ledger : List.of(one, other)) {
            var random = new Random(ledger == one ? 7 : 8);
            working.add(CompletableFuture.supplyAsync(() -> work(ledger, random), threads));
        }
        for (var done : working) {
            held.add(done.get(120, TimeUnit.SECONDS));
        }
        var lent = new HashSet<String>();
        var seen = new HashSet<AllocationId>();
        for (var told : held.stream().flatMap(List::stream).toList()) {
            var allocation = first.allocation(told.id()).orElseThrow();
            // Of one key both may have been told, and one may have given back what the other holds.
            if (seen.add(allocation.id()) && !allocation.hasEnded()) {
                for (var grant : allocation.state().grants()) {
                    assertThat(lent.add(grant.environment().value()))
                            .as("lent once")
                            .isTrue();
                }
            }
        }
        for (var pool : POOLS) {
            var row = first.pool(pool).orElseThrow();
            assertThat(row.counts().total()).isEqualTo(ENVIRONMENTS);
            assertThat(first.events(Map.of(), 100_000).stream().filter(event -> event.pool() == row.number()))
                    .extracting(event -> event.event().number())
                    .containsExactlyElementsOf(
                            LongStream.rangeClosed(1, row.events()).boxed().toList());
        }
        assertThat(POOLS.stream().mapToInt(this::lent).sum()).isEqualTo(lent.size());
    }

    /** Asks and releases, and returns what it holds at the end. */
    private static List<Allocation> work(Ledger ledger, Random random) {
        var held = new ArrayList<Allocation>();
        for (int round = 0; round < ROUNDS; round++) {
            var asking = new ArrayList<CompletableFuture<Answer>>();
            for (int i = 0; i < 6; i++) {
                var pool = POOLS.get(random.nextInt(POOLS.size()));
                asking.add(ledger.submit(
                        pool, ask(ledger, pool, random, random.nextBoolean() ? null : "key-" + round + "-" + i)));
            }
            while (!held.isEmpty() && random.nextInt(10) > 0) {
                var given = held.removeLast();
                var _ = ledger.submit(given.pool(), new Command.Release(given.id(), ANN, null));
            }
            step(ledger);
            for (var asked : asking) {
                if (asked.join() instanceof Answer.Current current
                        && !current.allocation().hasEnded()) {
                    held.add(current.allocation());
                } else {
                    assertThat(asked.join())
                            .isInstanceOfSatisfying(
                                    Answer.Refused.class,
                                    refused -> assertThat(refused.refusal())
                                            .isIn(
                                                    Refusal.NO_ENVIRONMENT_AVAILABLE,
                                                    Refusal.IDEMPOTENCY_KEY_SPENT,
                                                    Refusal.IDEMPOTENCY_KEY_REUSED));
                }
            }
        }
        return held;
    }
}
