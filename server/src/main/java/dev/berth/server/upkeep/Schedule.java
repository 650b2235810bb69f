package dev.berth.server.upkeep;

import dev.berth.core.Command;
import dev.berth.core.Decision;
import dev.berth.core.EnvironmentState;
import dev.berth.core.Pool;
import dev.berth.core.PoolName;
import dev.berth.core.Rules;
import dev.berth.server.ledger.Ledger;
import dev.berth.server.ledger.TimeSource;
import dev.berth.server.store.Store;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Knows when something is due in which pool, and has it done: a timer and a nudge in place of a scan. Every commit tells it what it
 * made due; a slow look into the store behind that finds what another process made due, or what was missed.
 *
 * <p>Has no thread: {@link #run} does what is due now and says when it wants to be run again; the nudge given at construction asks for
 * that earlier.
 */
public final class Schedule implements Ledger.Listener {
    private static final Duration SLOW_LOOK = Duration.ofSeconds(5);

    private final Ledger ledger;
    private final Store store;
    private final Upkeep upkeep;
    private final TimeSource time;
    private final Runnable nudge;
    private final Map<PoolName, Entry> entries = new ConcurrentHashMap<>();
    private Instant renewAt = Instant.MIN;
    private Instant lookAt = Instant.MIN;

    /**
     * @param nudge wakes whoever runs this; called on the ledger's thread, must be quick
     */
    public Schedule(Ledger ledger, Store store, Upkeep upkeep, TimeSource time, Runnable nudge) {
        this.ledger = ledger;
        this.store = store;
        this.upkeep = upkeep;
        this.time = time;
        this.nudge = nudge;
    }

    @Override
    public void committed(PoolName name, Decision decision) {
        var entry = entry(name);
        var before = entry.pool;
        entry.pool = decision.pool();
        // a step that ended leaves its place to another that was due before
        boolean sooner = before != null && claims(before) > claims(decision.pool()) && entry.workBy(Instant.MIN);
        for (var change : decision.allocations()) {
            sooner |= entry.dueBy(change.after().state().dueAt());
        }
        for (var change : decision.environments()) {
            EnvironmentState state = change.after().state();
            sooner |= entry.dueBy(state.dueAt());
            sooner |= entry.workBy(state.workAt());
        }
        if (sooner) {
            nudge.run();
        }
    }

    /** Another process committed something on the same store: what is due in the pool has to be looked up. */
    public void committedElsewhere(PoolName name) {
        entry(name).unknown = true;
        nudge.run();
    }

    private static int claims(Pool pool) {
        return pool.issuing() + pool.maintained();
    }

    /**
     * Does what is due.
     *
     * @return when to be run again, unless there is a nudge before
     */
    public Instant run() {
        var now = time.now();
        if (!lookAt.isAfter(now)) {
            look();
            lookAt = now.plus(SLOW_LOOK);
        }
        if (!renewAt.isAfter(now)) {
            upkeep.renew();
            renewAt = now.plus(Upkeep.RENEWAL);
        }
        var next = renewAt.isBefore(lookAt) ? renewAt : lookAt;
        for (var item : entries.entrySet()) {
            var due = run(item.getKey(), item.getValue(), now);
            next = due.isBefore(next) ? due : next;
        }
        return next;
    }

    private Instant run(PoolName name, Entry entry, Instant now) {
        if (entry.unknown) {
            entry.unknown = false;
            store.pool(name).ifPresent(this::look);
        }
        if (!entry.workAt.isAfter(now)) {
            entry.workAt = Instant.MAX;
            upkeep.tick(name);
        }
        if (entry.stale.compareAndSet(true, false) && entry.pool != null) {
            entry.dueBy(store.nextDue(entry.pool.number()));
        }
        var pool = entry.pool;
        var beatAt = pool != null && Rules.isAtStake(pool) ? pool.touchedAt().plus(Rules.HEARTBEAT) : Instant.MAX;
        boolean due = !entry.dueAt.isAfter(now);
        boolean beats = !beatAt.isAfter(now);
        if ((due || beats) && entry.ticking.compareAndSet(false, true)) {
            if (due) {
                entry.dueAt = Instant.MAX;
            }
            var _ = ledger.submit(name, new Command.Tick()).whenComplete((answer, failure) -> {
                entry.ticking.set(false);
                if (failure == null) {
                    entry.stale.set(true); // what comes next was hidden behind what was due
                    nudge.run();
                } else {
                    entry.dueBy(time.now().plus(Rules.HEARTBEAT));
                }
            });
        }
        var earliest = entry.workAt.isBefore(entry.dueAt) ? entry.workAt : entry.dueAt;
        return earliest.isBefore(beatAt) || beats ? earliest : beatAt;
    }

    /** What the store says is due: also what other processes made so. */
    private void look() {
        store.pools().forEach(this::look);
    }

    private void look(Pool pool) {
        var entry = entry(pool.name());
        entry.pool = pool;
        entry.dueBy(store.nextDue(pool.number()));
        entry.workBy(store.nextWork(pool.number()));
    }

    private Entry entry(PoolName name) {
        return entries.computeIfAbsent(name, missing -> new Entry());
    }

    private static final class Entry {
        volatile @Nullable Pool pool;
        volatile Instant dueAt = Instant.MAX;
        volatile Instant workAt = Instant.MAX;
        /** Whether another process changed something. */
        volatile boolean unknown;

        final AtomicBoolean ticking = new AtomicBoolean();
        /** Whether a tick was done, after which the store has to say what is due next. */
        final AtomicBoolean stale = new AtomicBoolean();

        synchronized boolean dueBy(@Nullable Instant at) {
            if (at == null || !at.isBefore(dueAt)) {
                return false;
            }
            dueAt = at;
            return true;
        }

        synchronized boolean workBy(@Nullable Instant at) {
            if (at == null || !at.isBefore(workAt)) {
                return false;
            }
            workAt = at;
            return true;
        }
    }
}
