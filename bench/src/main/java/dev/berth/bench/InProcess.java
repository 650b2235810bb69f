package dev.berth.bench;

import dev.berth.core.AllocationId;
import dev.berth.core.AllocationState;
import dev.berth.core.Answer;
import dev.berth.core.Caller;
import dev.berth.core.Command;
import dev.berth.core.Decision;
import dev.berth.core.NeedClass;
import dev.berth.core.Request;
import dev.berth.server.ledger.Ledger;
import dev.berth.server.store.Store;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** A ledger on a store, and the thread that steps it, as the service has them. */
final class InProcess implements AutoCloseable {
    private static final Duration STEPPING = Duration.ofMillis(100);
    private static final int MOST_WAITING = 100_000;
    private static final Duration WAIT = Duration.ofHours(12);
    private static final String PRINCIPAL = "ci";

    private final Store store;
    private final Ledger ledger;
    private final Thread stepping;
    private final AtomicLong keys = new AtomicLong();
    /** What became active, oldest first; kept only where environments are handed over. */
    private final Queue<AllocationId> active = new ConcurrentLinkedQueue<>();

    private volatile List<NeedClass> needs = List.of(NeedClass.ONE);
    private volatile boolean handsOver;
    private volatile boolean stopped;

    /**
     * @param store closed with this
     * @param largestBatch null for what the service has; where it is 1, each commit is waited for too
     */
    InProcess(Store store, @Nullable Integer largestBatch) {
        this.store = largestBatch == null || largestBatch > 1 ? store : Stores.slowed(store, Duration.ZERO);
        var batches = new AtomicLong();
        var process = Long.toString(new SecureRandom().nextLong() & Long.MAX_VALUE, 36);
        ledger = largestBatch == null
                ? new Ledger(this.store, Instant::now, () -> process + "/" + batches.incrementAndGet(), MOST_WAITING)
                : new Ledger(
                        this.store,
                        Instant::now,
                        () -> process + "/" + batches.incrementAndGet(),
                        MOST_WAITING,
                        largestBatch);
        ledger.addListener((pool, decision) -> {
            if (handsOver) {
                note(decision);
            }
        });
        stepping = Thread.ofPlatform().name("bench-ledger").start(this::step);
    }

    private void step() {
        try {
            while (!stopped) {
                ledger.await(STEPPING);
                while (ledger.step()) {}
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void note(Decision decision) {
        for (var change : decision.allocations()) {
            if (change.after().state() instanceof AllocationState.Active) {
                active.add(change.after().id());
            }
        }
    }

    Ledger ledger() {
        return ledger;
    }

    /** What is asked for from now on, one of these at random. */
    void asksFor(List<NeedClass> any) {
        needs = List.copyOf(any);
    }

    /** Asks for one environment; the key is a new one. */
    private Answer ask(Duration maxWait) {
        long key = keys.incrementAndGet();
        var any = needs;
        var need = any.get(ThreadLocalRandom.current().nextInt(any.size()));
        var request = new Request(
                "https://ci.example/job/42", need, null, null, maxWait, 0, "{}", "key-" + key, "digest-" + key);
        var id = AllocationId.create(1, Instant.now(), ThreadLocalRandom.current());
        return ledger.call(BenchPool.NAME, new Command.Ask(id, PRINCIPAL, request, Duration.ZERO, null, false));
    }

    private void release(AllocationId id) {
        ledger.call(BenchPool.NAME, new Command.Release(id, new Caller(PRINCIPAL, false), "success"));
    }

    private void pair() {
        switch (ask(Duration.ZERO)) {
            case Answer.Current(var allocation) -> release(allocation.id());
            case Answer other -> throw new IllegalStateException("not granted: " + other);
        }
    }

    /** Lets so many callers borrow and give back as fast as they can. Returns how many times a second they did. */
    double pairsPerSecond(int callers, Duration time) throws InterruptedException {
        return perSecond(callers, time, this::pair);
    }

    /** Lets so many callers wait for environments until so many requests were made, some lent and some waiting. */
    void fill(int requests) {
        handsOver = true;
        for (int i = 0; i < requests; i++) {
            ask(WAIT);
        }
    }

    /** Lets so many callers give back what is lent, and ask for more than there is. Returns how many times a second they did. */
    double handOversPerSecond(int callers, Duration time) throws InterruptedException {
        return perSecond(callers, time, () -> {
            var lent = active.poll();
            if (lent == null) {
                throw new IllegalStateException("nothing is lent");
            }
            release(lent);
            ask(WAIT);
        });
    }

    private static double perSecond(int callers, Duration time, Runnable operation) throws InterruptedException {
        long began = System.nanoTime();
        long end = began + time.toNanos();
        Callable<Long> caller = () -> {
            long done = 0;
            while (System.nanoTime() < end) {
                operation.run();
                done++;
            }
            return done;
        };
        long done = 0;
        try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<Long>> counts = new ArrayList<>();
            for (int i = 0; i < callers; i++) {
                counts.add(threads.submit(caller));
            }
            for (var count : counts) {
                done += count.get();
            }
        } catch (ExecutionException e) {
            throw new IllegalStateException("a caller failed", e.getCause());
        }
        return done * 1e9 / (System.nanoTime() - began);
    }

    @Override
    public void close() {
        ledger.close();
        stopped = true;
        try {
            stepping.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        store.close();
    }
}
