package dev.berth.bench;

import dev.berth.core.Allocation;
import dev.berth.core.AllocationId;
import dev.berth.core.AllocationState;
import dev.berth.core.Answer;
import dev.berth.core.Caller;
import dev.berth.core.ClaimId;
import dev.berth.core.Command;
import dev.berth.core.Decision;
import dev.berth.core.Environment;
import dev.berth.core.EnvironmentName;
import dev.berth.core.EnvironmentState;
import dev.berth.core.Need;
import dev.berth.core.NeedClass;
import dev.berth.core.Policy;
import dev.berth.core.Pool;
import dev.berth.core.PoolName;
import dev.berth.core.Registration;
import dev.berth.core.Request;
import dev.berth.core.Rules;
import dev.berth.core.Slice;
import dev.berth.server.store.SqliteStore;
import dev.berth.server.store.Store;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.PriorityQueue;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Plays jobs on a pool in virtual time, by the rules and the store that the service has. One thread, no waiting: a day takes seconds,
 * and the same seed plays the same.
 */
final class Replay implements AutoCloseable {
    static final Instant START = Instant.parse("2026-03-02T00:00:00Z");
    private static final String PROCESS = "replay";
    private static final Duration LONGEST_WAIT = Duration.ofDays(60);

    private final Store store = SqliteStore.inMemory();
    private final PoolName name = new PoolName("replay");
    private final Random random;
    private final boolean firstFit;
    private final Watcher watcher;
    private final PriorityQueue<Happening> happenings =
            new PriorityQueue<>(Comparator.comparing(Happening::at).thenComparingLong(Happening::number));
    private final Map<AllocationId, Job> jobs = new HashMap<>();
    private final Map<EnvironmentName, Environment> environments = new LinkedHashMap<>();
    private final Map<AllocationId, Allocation> live = new LinkedHashMap<>();
    private final Map<EnvironmentName, Command.RenewClaims.Held> cleaning = new LinkedHashMap<>();
    private long number;
    private Instant now = START;
    private List<Duration> upkeep = List.of();

    /**
     * What somebody wants.
     *
     * @param at when it asks
     * @param asked for how long; null for the pool's session
     * @param real how long it needs it, not longer than what it asks for
     */
    record Job(Instant at, NeedClass need, @Nullable Duration asked, Duration real, String principal) {}

    private record Happening(Instant at, long number, Runnable what) {}

    /** Who looks on. */
    interface Watcher {
        /** It was not granted at once. */
        default void queued(Replay replay, Allocation allocation) {}

        /**
         * It has what it asked for.
         *
         * @param waited since it was asked for
         */
        default void granted(Replay replay, Allocation allocation, Job job, Duration waited) {}

        default void ended(Replay replay, Allocation allocation, Duration lasted) {}

        default void cleaned(Duration took) {}
    }

    /**
     * @param upkeep how long it takes, one of these at random; none where there is none
     * @param firstFit whether what was given back first of all that fits is lent, instead of what fits best
     */
    Replay(
            Policy policy,
            List<Registration> records,
            List<Duration> upkeep,
            long seed,
            boolean firstFit,
            Watcher watcher) {
        this.random = new Random(seed);
        this.firstFit = firstFit;
        this.watcher = watcher;
        try (var transaction = store.begin()) {
            transaction.create(name, policy, START);
            transaction.commit();
        }
        decide(List.of(new Command.Register(records)));
        clean();
        while (!happenings.isEmpty()) {
            step(); // new environments are cleaned before anybody asks
        }
        now = START;
        this.upkeep = List.copyOf(upkeep);
    }

    /** Plays these jobs to the end. */
    void play(List<Job> all) {
        for (var job : all) {
            at(job.at(), () -> ask(job));
        }
        while (!happenings.isEmpty()) {
            step();
        }
    }

    private void step() {
        var next = happenings.remove();
        now = next.at().isAfter(now) ? next.at() : now;
        next.what().run();
    }

    private void at(Instant when, Runnable what) {
        happenings.add(new Happening(when, number++, what));
    }

    Instant now() {
        return now;
    }

    Store store() {
        return store;
    }

    Pool pool() {
        return store.pool(name).orElseThrow();
    }

    /** Those that are held or wait. */
    Map<AllocationId, Allocation> live() {
        return live;
    }

    Map<EnvironmentName, Environment> environments() {
        return environments;
    }

    // ---- what happens

    private void ask(Job job) {
        var id = AllocationId.create(1, now, random);
        jobs.put(id, job);
        if (firstFit && askForFirst(id, job)) {
            return;
        }
        var answer = decide(List.of(ask(id, job, job.need(), LONGEST_WAIT)))
                .answers()
                .getFirst();
        if (!(answer instanceof Answer.Current(var allocation))) {
            throw new IllegalStateException("refused: " + answer);
        }
        if (allocation.state() instanceof AllocationState.Pending) {
            watcher.queued(this, allocation);
        }
    }

    private static Command.Ask ask(AllocationId id, Job job, NeedClass need, Duration maxWait) {
        var request = new Request("job", need, job.asked(), null, maxWait, 0, "{}", null, "");
        return new Command.Ask(id, job.principal(), request, LONGEST_WAIT, null, false);
    }

    /**
     * By name, as first fit would choose: nothing is written where that is not granted. Whoever waits gets what comes free, which
     * leaves no choice.
     */
    private boolean askForFirst(AllocationId id, Job job) {
        var need = job.need().needs().getFirst();
        var names = environments.values().stream()
                .filter(environment -> environment.isFree() && job.need().wants(environment))
                .sorted(Comparator.comparingLong(Environment::order))
                .limit(need.count())
                .map(environment -> environment.name().value())
                .toList();
        if (job.need().isSpecial() || names.size() < need.count()) {
            return false;
        }
        var pinned = new TreeMap<>(need.constraints());
        pinned.put(Need.NAME, new TreeSet<>(names));
        var named = NeedClass.of(List.of(new Need(need.count(), need.capabilities(), pinned, need.access())), false);
        var commands = List.<Command>of(ask(id, job, named, Duration.ZERO));
        try (var transaction = store.begin()) {
            var pool = lock(transaction);
            var decision = Rules.decide(transaction.load(pool, Slice.Needs.of(commands), now), commands, now);
            if (!(decision.answers().getFirst() instanceof Answer.Current)) {
                return false;
            }
            transaction.write(decision, pool);
            transaction.commit();
            apply(decision);
            return true;
        }
    }

    private void release(AllocationId id) {
        decide(List.of(new Command.Release(
                id, new Caller(Objects.requireNonNull(jobs.get(id)).principal(), false), null)));
        clean();
    }

    private void clean() {
        boolean due = environments.values().stream()
                .anyMatch(environment ->
                        environment.state() instanceof EnvironmentState.Cleaning(var work) && work.claim() == null);
        if (!due) {
            return;
        }
        var ids = new ArrayList<ClaimId>();
        for (int i = 0; i < environments.size(); i++) {
            ids.add(new ClaimId("claim-" + number++));
        }
        var answer = decide(List.of(
                        new Command.RenewClaims(List.copyOf(cleaning.values())), new Command.ClaimWork(PROCESS, ids)))
                .answers()
                .get(1);
        for (var step : ((Answer.Claimed) answer).steps()) {
            var environment = step.environment();
            var since = environment.since();
            cleaning.put(
                    environment.name(),
                    new Command.RenewClaims.Held(
                            environment.name(), step.claim().id()));
            at(now.plus(upkeepTime()), () -> {
                cleaning.remove(environment.name());
                var done = new Command.Result.Done(null, null, Duration.ZERO);
                decide(List.of(
                        new Command.Report(environment.name(), step.claim().id(), environment.epoch(), done)));
                watcher.cleaned(Duration.between(since, now));
                clean();
            });
        }
    }

    private Duration upkeepTime() {
        return upkeep.isEmpty() ? Duration.ZERO : upkeep.get(random.nextInt(upkeep.size()));
    }

    // ---- the service

    private Decision decide(List<Command> commands) {
        var first = decideOnce(commands);
        var last = first;
        while (last.again()) {
            last = decideOnce(List.of(new Command.Tick()));
        }
        return first;
    }

    private Decision decideOnce(List<Command> commands) {
        try (var transaction = store.begin()) {
            var pool = lock(transaction);
            var decision = Rules.decide(transaction.load(pool, Slice.Needs.of(commands), now), commands, now);
            transaction.write(decision, pool);
            transaction.commit();
            apply(decision);
            return decision;
        }
    }

    /** As a pool is that had its heartbeat all the time. */
    private Pool lock(Store.Transaction transaction) {
        var pool = transaction.lock(name).orElseThrow();
        return new Pool(
                pool.number(),
                pool.name(),
                pool.policy(),
                pool.listed(),
                pool.generation(),
                pool.sequence(),
                pool.events(),
                pool.counts(),
                pool.waiting(),
                pool.polling(),
                pool.onHold(),
                pool.issuing(),
                pool.maintained(),
                pool.breaker(),
                now);
    }

    private void apply(Decision decision) {
        decision.environments()
                .forEach(change -> environments.put(change.after().name(), change.after()));
        for (var change : decision.allocations()) {
            var allocation = change.after();
            switch (allocation.state()) {
                case AllocationState.Pending _ -> live.put(allocation.id(), allocation);
                case AllocationState.Active active -> {
                    var job = Objects.requireNonNull(jobs.get(allocation.id()));
                    if (live.get(allocation.id()) == null
                            || live.get(allocation.id()).state() instanceof AllocationState.Pending) {
                        at(now.plus(job.real()), () -> release(allocation.id()));
                        watcher.granted(this, allocation, job, Duration.between(job.at(), active.grantedAt()));
                    }
                    live.put(allocation.id(), allocation);
                }
                case AllocationState.Ended ended -> {
                    live.remove(allocation.id());
                    if (ended.grantedAt() != null) {
                        watcher.ended(this, allocation, Duration.between(ended.grantedAt(), now));
                    }
                }
                case AllocationState.Granting _, AllocationState.Polling _ ->
                    throw new IllegalStateException("not in this pool: " + allocation.state());
            }
        }
    }

    @Override
    public void close() {
        store.close();
    }
}
