package dev.berth.server.proof;

import dev.berth.core.PoolName;
import dev.berth.core.Sealed;
import dev.berth.core.Step;
import dev.berth.providers.Kind;
import dev.berth.providers.Provider;
import dev.berth.providers.StepResult;
import dev.berth.providers.Task;
import dev.berth.providers.command.CommandKind;
import dev.berth.server.ledger.Ledger;
import dev.berth.server.store.SqliteStore;
import dev.berth.server.store.Store;
import dev.berth.server.upkeep.Baselines;
import dev.berth.server.upkeep.Schedule;
import dev.berth.server.upkeep.Upkeep;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * One of several workers on one store, which SQLite's {@code serve} does not allow: ledger, upkeep and provider as in a service, and
 * nothing else. Stopped with SIGSTOP, it is what a replica is that hangs.
 */
final class WorkerProcess implements AutoCloseable {
    static final PoolName POOL = new PoolName("shop");

    private final Store store;
    private final Ledger ledger;
    private final Thread stepping;

    private final Upkeep upkeep;
    private volatile boolean stopped;

    /**
     * @param folder of the store, the programs and their records
     * @param name of this worker: its claims begin with it
     */
    WorkerProcess(Path folder, String name) throws Kind.InvalidSettings {
        store = SqliteStore.open(folder.resolve("berth.db"), SqliteStore.Synchronous.FULL);
        var batches = new AtomicLong();
        ledger = new Ledger(store, Instant::now, () -> name + "/" + batches.incrementAndGet(), 1000);
        var kind = new CommandKind(folder, folder.resolve("running"), "", System.getenv());
        var provider = new Dawdler(
                kind.create(
                        POOL.value(),
                        Map.of("clean", java.util.List.of("./clean.sh"), "verify", java.util.List.of("./verify.sh")),
                        Map.of()),
                folder);
        upkeep = new Upkeep(
                ledger,
                pool -> provider,
                new Upkeep.Keeping(
                        (allocation, environment, epoch, access) -> new Sealed("none"),
                        new Baselines(store, ledger, Instant::now)),
                Executors.newVirtualThreadPerTaskExecutor(),
                new Upkeep.Process(name, System::nanoTime));
        stepping = Thread.ofPlatform().daemon().name("ledger").start(this::step);
    }

    Ledger ledger() {
        return ledger;
    }

    Store store() {
        return store;
    }

    /** Works from now on, as a service does. */
    void work() {
        var schedule = new Schedule(ledger, store, upkeep, Instant::now, () -> {});
        ledger.addListener(schedule);
        Thread.ofPlatform().daemon().name("schedule").start(() -> {
            while (!stopped) {
                schedule.run();
                LockSupport.parkNanos(Duration.ofMillis(50).toNanos()); // in place of the nudge
            }
        });
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

    @Override
    public void close() {
        stopped = true;
        try {
            stepping.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        store.close();
    }

    public static void main(String[] args) throws Exception {
        var worker = new WorkerProcess(Path.of(args[0]), args[1]);
        worker.work();
        worker.stepping.join();
    }

    /** Begins its work on environment {@code late} only when told to: like a worker that was stopped just before. */
    private record Dawdler(Provider provider, Path folder) implements Provider {
        @Override
        public Set<Step> steps() {
            return provider.steps();
        }

        @Override
        public StepResult run(Step step, Task task) throws InterruptedException {
            if (task.environment().equals("late") && task.claim().startsWith("A-")) {
                try {
                    Files.writeString(folder.resolve("late.dawdles"), "");
                } catch (java.io.IOException e) {
                    throw new java.io.UncheckedIOException(e);
                }
                while (Files.notExists(folder.resolve("late.go"))) {
                    LockSupport.parkNanos(1_000_000);
                }
            }
            return provider.run(step, task);
        }

        @Override
        public @Nullable Map<String, Object> standingCredentials(String environment, @Nullable String profile) {
            return provider.standingCredentials(environment, profile);
        }

        @Override
        public boolean fence(String claim) throws InterruptedException {
            return provider.fence(claim);
        }
    }
}
