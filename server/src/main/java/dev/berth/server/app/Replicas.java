package dev.berth.server.app;

import dev.berth.core.AllocationId;
import dev.berth.core.Decision;
import dev.berth.core.Pool;
import dev.berth.core.PoolName;
import dev.berth.server.ledger.Ledger;
import dev.berth.server.store.Notifications;
import dev.berth.server.store.Notifications.Notification;
import dev.berth.server.store.Store;
import dev.berth.server.store.StoreException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the other processes on the same store what this one committed, and whoever waits here what they did. Events have numbers
 * without gaps, so that word that was lost is noticed, and made up for by a slow look into the store.
 */
final class Replicas implements Ledger.Listener {
    private static final Logger LOG = LoggerFactory.getLogger(Replicas.class);
    private static final Duration SLOW_LOOK = Duration.ofSeconds(2);
    /** A notification of PostgreSQL holds less than 8000 bytes. */
    private static final int MOST_NAMED = 150;
    /** Beyond that the others look for themselves. */
    private static final int MOST_UNSENT = 1_000;

    private final Ledger ledger;
    private final Store store;
    private final Notifications notifications;
    private final Elsewhere listener;
    private final Runnable sending;
    private final List<Notification> unsent = new ArrayList<>();
    private final Map<Integer, Heard> heard = new HashMap<>();
    private long lookAt = System.nanoTime();

    /**
     * @param sending wakes whoever runs {@link #send}; must be quick
     */
    Replicas(Ledger ledger, Store store, Notifications notifications, Elsewhere listener, Runnable sending) {
        this.ledger = ledger;
        this.store = store;
        this.notifications = notifications;
        this.listener = listener;
        this.sending = sending;
    }

    /** Is told of commits of other processes. */
    @FunctionalInterface
    interface Elsewhere {
        /**
         * Somebody committed something.
         *
         * @param changed the allocations that something was done to; null where it is not known which
         */
        void committed(PoolName pool, int number, @Nullable List<AllocationId> changed);
    }

    @Override
    public void committed(PoolName name, Decision decision) {
        var pool = decision.pool();
        int events = decision.events().size();
        if (events == 0) {
            return;
        }
        var changed = decision.allocations().stream()
                .filter(change -> change.before() != null)
                .map(change -> change.after().id())
                .toList();
        boolean complete = changed.size() <= MOST_NAMED;
        var word = new Notification(
                pool.number(), pool.events() - events, pool.events(), complete ? changed : List.of(), complete);
        synchronized (this) {
            heard(pool.number()).add(word.after(), word.last());
            if (unsent.size() < MOST_UNSENT) {
                unsent.add(word);
            }
        }
        sending.run();
    }

    /** Tells the others what is to be told. */
    void send() {
        List<Notification> now;
        synchronized (this) {
            now = List.copyOf(unsent);
            unsent.clear();
        }
        try {
            if (!now.isEmpty()) {
                notifications.send(now);
            }
        } catch (StoreException e) {
            LOG.debug("other replicas were not told: {}", e.toString());
        }
    }

    /** Listens for a while, and looks for what was missed. */
    void receive() {
        for (var word : notifications.receive(SLOW_LOOK)) {
            synchronized (this) {
                heard(word.pool()).add(word.after(), word.last());
            }
            ledger.poolOf(word.pool())
                    .ifPresent(
                            name -> listener.committed(name, word.pool(), word.isComplete() ? word.changed() : null));
        }
        if (System.nanoTime() - lookAt >= 0) {
            store.pools().forEach(this::look);
            lookAt = System.nanoTime() + SLOW_LOOK.toNanos();
        }
    }

    private void look(Pool pool) {
        boolean missed;
        synchronized (this) {
            missed = heard(pool.number()).hasMissed(pool.events());
        }
        if (missed) {
            listener.committed(pool.name(), pool.number(), null);
        }
    }

    private Heard heard(int pool) {
        return heard.computeIfAbsent(pool, number -> new Heard());
    }

    /** The events of a pool of which those who wait here were told. */
    private static final class Heard {
        private long upTo = -1;
        private long lookedUpTo = -1;
        private final TreeMap<Long, Long> beyond = new TreeMap<>();

        void add(long after, long last) {
            beyond.merge(after, last, Math::max);
            join();
        }

        private void join() {
            for (var next = beyond.firstEntry(); next != null && next.getKey() <= upTo; next = beyond.firstEntry()) {
                upTo = Math.max(upTo, next.getValue());
                beyond.pollFirstEntry();
            }
        }

        /** Whether something before this event was not heard of since the last look: word may still be under way until then. */
        boolean hasMissed(long last) {
            boolean missed = upTo < lookedUpTo || upTo < 0;
            if (missed) {
                upTo = Math.max(upTo, lookedUpTo < 0 ? last : lookedUpTo);
                join();
            }
            lookedUpTo = last;
            return missed;
        }
    }
}
