package dev.berth.server.ledger;

import dev.berth.core.Allocation;
import dev.berth.core.AllocationId;
import dev.berth.core.Answer;
import dev.berth.core.Caller;
import dev.berth.core.Command;
import dev.berth.core.Decision;
import dev.berth.core.Policy;
import dev.berth.core.Pool;
import dev.berth.core.PoolName;
import dev.berth.core.Rules;
import dev.berth.core.Slice;
import dev.berth.server.ledger.LedgerException.Kind;
import dev.berth.server.store.ConflictException;
import dev.berth.server.store.Store;
import dev.berth.server.store.StoreException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries out commands in batches: all that wait are decided in one transaction, and answered once its commit is durable. The next batch
 * does not wait for that. Has no thread and no clock of its own: whoever owns it calls {@link #step}, from one thread at a time.
 */
public final class Ledger {
    private static final Logger LOG = LoggerFactory.getLogger(Ledger.class);
    private static final int LARGEST_BATCH = 512;
    /** So often a batch is decided before what other processes do beside it is thought to be a defect of ours. */
    private static final int TRIES = 3;

    private final Store store;
    private final TimeSource time;
    private final Supplier<String> batchIds;
    private final int mostWaiting;
    private final int largestBatch;
    private final List<Listener> listeners = new CopyOnWriteArrayList<>();
    private volatile Predicate<AllocationId> waitsHere = id -> true;
    private final Map<Integer, PoolName> names = new ConcurrentHashMap<>();
    private final Map<PoolName, Integer> numbers = new ConcurrentHashMap<>();

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition arrived = lock.newCondition();
    private final ArrayDeque<Waiting> waiting = new ArrayDeque<>();
    private final Set<PoolName> again = new LinkedHashSet<>();
    private boolean closed;

    /** A batch whose commit's outcome is not known yet: nothing is decided before it is. Used by the stepping thread alone. */
    private @Nullable Batch unresolved;

    /**
     * @param batchIds gives ids that are never given again, by this process or another
     * @param mostWaiting how many commands may wait; more are refused at once. Who asks for something is, from half of it on: there is
     *     always room for what gives back, keeps alive or reports
     */
    public Ledger(Store store, TimeSource time, Supplier<String> batchIds, int mostWaiting) {
        this(store, time, batchIds, mostWaiting, LARGEST_BATCH);
    }

    /**
     * @param largestBatch how many commands one transaction carries out at most; 1 shows what batching is worth
     */
    public Ledger(Store store, TimeSource time, Supplier<String> batchIds, int mostWaiting, int largestBatch) {
        this.store = store;
        this.time = time;
        this.batchIds = batchIds;
        this.mostWaiting = mostWaiting;
        this.largestBatch = largestBatch;
    }

    /**
     * Is told of every commit once it is durable, of one after the other in their order. Must be quick, must not call back, must not read
     * the store.
     */
    @FunctionalInterface
    public interface Listener {
        void committed(PoolName pool, Decision decision);
    }

    public void addListener(Listener listener) {
        listeners.add(listener);
    }

    /**
     * Where several processes have a ledger on one store.
     *
     * @param test whether a connection of this process waits for an allocation; must be quick and must not call back
     */
    public void waitsHere(Predicate<AllocationId> test) {
        waitsHere = test;
    }

    /**
     * Hands over a command.
     *
     * @return completes when the commit that carries it out is durable, or exceptionally with a {@link LedgerException}; what depends on
     *     it must not read the store on the thread that completes it
     */
    public CompletableFuture<Answer> submit(PoolName pool, Command command) {
        var entry = new Waiting(pool, command, new CompletableFuture<>());
        lock.lock();
        try {
            if (closed) {
                entry.answer.completeExceptionally(new LedgerException(Kind.CLOSED, "the service is stopping"));
            } else if (waiting.size() >= (command instanceof Command.Ask ? mostWaiting / 2 : mostWaiting)) {
                entry.answer.completeExceptionally(
                        new LedgerException(Kind.OVERLOADED, waiting.size() + " commands wait"));
            } else {
                waiting.add(entry);
                arrived.signal();
            }
        } finally {
            lock.unlock();
        }
        return entry.answer;
    }

    /** Hands over a command and waits for its answer. */
    public Answer call(PoolName pool, Command command) {
        try {
            return submit(pool, command).join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof LedgerException known ? known : e;
        }
    }

    /** The pool that an allocation belongs to; empty where there never was one with its number. */
    public Optional<PoolName> poolOf(AllocationId id) {
        return poolOf(id.poolNumber());
    }

    public Optional<PoolName> poolOf(int number) {
        var name = names.get(number);
        if (name == null) {
            learnPools();
            name = names.get(number);
        }
        return Optional.ofNullable(name);
    }

    /** The number that ids of this pool's allocations carry; empty where there is no such pool. */
    public Optional<Integer> numberOf(PoolName pool) {
        var number = numbers.get(pool);
        if (number == null) {
            learnPools();
            number = numbers.get(pool);
        }
        return Optional.ofNullable(number);
    }

    private void learnPools() {
        for (var pool : store.pools()) {
            names.put(pool.number(), pool.name());
            numbers.put(pool.name(), pool.number());
        }
    }

    // ---- stepping

    /** Waits until there is something to do, at most so long. Returns whether there is. */
    public boolean await(Duration most) throws InterruptedException {
        lock.lock();
        try {
            long nanos = most.toNanos();
            while (waiting.isEmpty() && again.isEmpty() && !closed && nanos > 0) {
                nanos = arrived.awaitNanos(nanos);
            }
            return !waiting.isEmpty() || !again.isEmpty();
        } finally {
            lock.unlock();
        }
    }

    /** Carries out one batch. Returns false when nothing waited. */
    public boolean step() {
        if (!resolve()) {
            failAll(unknownYet());
            return true;
        }
        var commands = take();
        if (commands.isEmpty()) {
            return false;
        }
        run(commands);
        return true;
    }

    /** Takes no more commands; those that wait are still carried out by {@link #step}. */
    public void close() {
        lock.lock();
        try {
            closed = true;
            arrived.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private List<Waiting> take() {
        lock.lock();
        try {
            var taken = new ArrayList<Waiting>(Math.min(waiting.size() + again.size(), largestBatch));
            for (var pool : again) {
                taken.add(new Waiting(pool, new Command.Tick(), new CompletableFuture<>()));
            }
            again.clear();
            boolean asks = false;
            for (var next = waiting.peek(); next != null && taken.size() < largestBatch; next = waiting.peek()) {
                boolean alone = asksAlone(next.command);
                if (alone && asks) {
                    break;
                }
                taken.add(next);
                waiting.remove();
                if (alone) {
                    break;
                }
                asks |= next.command instanceof Command.Ask;
            }
            return taken;
        } finally {
            lock.unlock();
        }
    }

    /** What else the batch asked for could be all that is loaded of an account: then it would not be known what is left there. */
    private static boolean asksAlone(Command command) {
        return command instanceof Command.Ask ask && ask.request().need().distinctAccounts();
    }

    private static LedgerException unknownYet() {
        return new LedgerException(Kind.STORE_UNAVAILABLE, "the outcome of an earlier commit is not known yet");
    }

    private void failAll(LedgerException why) {
        for (var entry : take()) {
            entry.answer.completeExceptionally(why);
        }
    }

    private void run(List<Waiting> commands) {
        run(commands, 1);
    }

    private void run(List<Waiting> commands, int attempt) {
        var batch = new Batch(batchIds.get(), commands);
        boolean committing = false;
        var durable = CompletableFuture.<Void>completedFuture(null);
        try (var transaction = store.begin()) {
            decide(batch, transaction);
            if (!batch.parts.isEmpty()) {
                transaction.stamp(batch.id, batch.decidedAt);
                committing = true;
                durable = transaction.commitAsync();
            }
        } catch (StoreException e) {
            LOG.warn("batch {} of {} commands: {}", batch.id, commands.size(), e.toString());
            if (committing) {
                unresolved = batch;
                resolve();
            } else {
                batch.fail(new LedgerException(Kind.STORE_UNAVAILABLE, "the store cannot be used now", e));
            }
            return;
        } catch (RuntimeException e) {
            if (e instanceof ConflictException && attempt < TRIES) {
                LOG.info("batch {} of {} commands is decided anew: {}", batch.id, commands.size(), e.toString());
                run(commands, attempt + 1);
                return;
            }
            // A defect in one command must not take the others along: each gets a batch of its own.
            if (commands.size() > 1) {
                for (var entry : commands) {
                    if (resolve()) {
                        run(List.of(entry));
                    } else {
                        entry.answer.completeExceptionally(unknownYet());
                    }
                }
            } else {
                LOG.error(
                        "defect in command {}",
                        commands.getFirst().command.getClass().getSimpleName(),
                        e);
                batch.fail(new LedgerException(Kind.DEFECT, "an internal error", e));
            }
            return;
        }
        lookAgain(batch);
        var _ = durable.whenComplete((nothing, failure) -> {
            if (failure == null) {
                answer(batch);
            } else {
                batch.fail(new LedgerException(Kind.OUTCOME_UNKNOWN, "nobody knows whether the disk has it", failure));
            }
        });
    }

    /** All pools are locked before any is changed, and in the order of their names: other processes do so too, and none waits in a ring. */
    private void decide(Batch batch, Store.Transaction transaction) {
        var byPool = new LinkedHashMap<PoolName, List<Waiting>>();
        for (var entry : batch.commands) {
            byPool.computeIfAbsent(entry.pool, name -> new ArrayList<>()).add(entry);
        }
        var locked = new HashMap<PoolName, Pool>();
        for (var name : byPool.keySet().stream()
                .sorted(Comparator.comparing(PoolName::value))
                .toList()) {
            transaction.lock(name).ifPresent(pool -> locked.put(name, pool));
        }
        var moment = transaction.moment();
        if (moment.now() != null) {
            time.heard(moment.now());
        }
        batch.decidedAt = time.now();
        byPool.forEach((name, entries) -> {
            var policy = firstPolicy(entries);
            var pool = locked.get(name);
            if (pool == null && policy != null) {
                pool = transaction.create(name, policy, batch.decidedAt);
            }
            if (pool == null) {
                batch.strangers.addAll(entries);
                return;
            }
            if (pool.generation() < moment.generation()) {
                entries.addFirst(
                        new Waiting(name, new Command.Restored(moment.generation()), new CompletableFuture<>()));
            }
            var now = batch.decidedAt.isBefore(pool.touchedAt()) ? pool.touchedAt() : batch.decidedAt;
            var commands = entries.stream().map(entry -> entry.command).toList();
            var slice = transaction.load(pool, Slice.Needs.of(commands), now);
            var decision = Rules.decide(slice, commands, now, waitsHere);
            transaction.write(decision, pool);
            batch.parts.add(new Part(name, entries, decision));
        });
    }

    private static @Nullable Policy firstPolicy(List<Waiting> entries) {
        for (var entry : entries) {
            if (entry.command instanceof Command.Enact enact) {
                return enact.policy();
            }
        }
        return null;
    }

    /** Another batch follows for those pools whose rules ask for one. */
    private void lookAgain(Batch batch) {
        lock.lock();
        try {
            batch.parts.stream().filter(part -> part.decision.again()).forEach(part -> again.add(part.pool));
        } finally {
            lock.unlock();
        }
    }

    private void answer(Batch batch) {
        for (var part : batch.parts) {
            for (var listener : listeners) {
                tell(listener, part);
            }
            for (int i = 0; i < part.entries.size(); i++) {
                part.entries.get(i).answer.complete(part.decision.answers().get(i));
            }
        }
        for (var stranger : batch.strangers) {
            stranger.answer.completeExceptionally(new LedgerException(Kind.NO_SUCH_POOL, "no pool " + stranger.pool));
        }
    }

    /** What is committed is committed: a defect of who listens keeps nobody from the answer. */
    private static void tell(Listener listener, Part part) {
        try {
            listener.committed(part.pool, part.decision);
        } catch (RuntimeException e) {
            LOG.error("defect in a listener of commits", e);
        }
    }

    /**
     * Finds out what became of a commit that failed. While the store does not say, its callers are told that nobody knows; once it
     * says, those among them who have no way of finding their grant lose it again.
     */
    private boolean resolve() {
        var batch = unresolved;
        if (batch == null) {
            return true;
        }
        boolean committed;
        try {
            committed = store.committed(batch.id);
        } catch (StoreException e) {
            batch.fail(new LedgerException(Kind.OUTCOME_UNKNOWN, "the store went away during the commit", e));
            batch.abandoned = true;
            return false;
        }
        unresolved = null;
        LOG.info("batch {} was {}", batch.id, committed ? "committed" : "not committed");
        if (!committed) {
            batch.fail(new LedgerException(Kind.STORE_UNAVAILABLE, "the store did not take the commit"));
            return true;
        }
        lookAgain(batch);
        answer(batch);
        if (batch.abandoned) {
            endKeyless(batch);
        }
        return true;
    }

    /** These releases come before what waits, and past every bound: nobody would repeat them. */
    private void endKeyless(Batch batch) {
        for (var part : batch.parts) {
            for (int i = 0; i < part.entries.size(); i++) {
                if (part.entries.get(i).command instanceof Command.Ask ask
                        && ask.request().key() == null
                        && part.decision.answers().get(i) instanceof Answer.Current(Allocation allocation)
                        && allocation.id().equals(ask.id())) {
                    var release = new Command.Release(ask.id(), new Caller(ask.principal(), false), null);
                    lock.lock();
                    try {
                        waiting.addFirst(new Waiting(part.pool, release, new CompletableFuture<>()));
                        arrived.signal();
                    } finally {
                        lock.unlock();
                    }
                }
            }
        }
    }

    private record Waiting(PoolName pool, Command command, CompletableFuture<Answer> answer) {}

    private record Part(PoolName pool, List<Waiting> entries, Decision decision) {}

    private static final class Batch {
        final String id;
        final List<Waiting> commands;
        final List<Part> parts = new ArrayList<>();
        final List<Waiting> strangers = new ArrayList<>();
        Instant decidedAt = Instant.MIN;
        boolean abandoned;

        Batch(String id, List<Waiting> commands) {
            this.id = id;
            this.commands = commands;
        }

        void fail(LedgerException why) {
            commands.forEach(entry -> entry.answer.completeExceptionally(why));
        }
    }
}
