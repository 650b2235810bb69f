package dev.berth.server.auth;

import dev.berth.core.PoolName;
import dev.berth.server.store.Store;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Reads the events, in order within a pool. Every method throws {@link dev.berth.server.ledger.LedgerException}. */
public final class EventDesk {
    private final Store store;

    public EventDesk(Store store) {
        this.store = store;
    }

    /**
     * Events that were lost to whoever comes with an old cursor, since they are kept no more.
     *
     * @param from the first of them
     * @param to the last of them
     */
    public record Gap(int number, PoolName pool, long from, long to) {}

    /** What there is after a cursor: first the gaps, then events. */
    public record News(List<Gap> gaps, List<PoolEvent> events) {
        public News {
            gaps = List.copyOf(gaps);
            events = List.copyOf(events);
        }
    }

    /** The last event's number of every pool. */
    public Map<Integer, Long> newest() {
        var last = new TreeMap<Integer, Long>();
        Reads.of(store::pools).forEach(pool -> last.put(pool.number(), pool.events()));
        return last;
    }

    /** Whether there is such a pool. */
    public boolean exists(PoolName pool) {
        return Reads.of(() -> store.pool(pool)).isPresent();
    }

    /**
     * What follows.
     *
     * @param after the last number seen, by pool number; a pool that is missing is told from its oldest kept event
     * @param only the pool to tell of; null for all
     */
    public News after(Map<Integer, Long> after, @Nullable PoolName only, int limit) {
        var from = new HashMap<Integer, Long>(after);
        if (only != null) {
            for (var pool : Reads.of(store::pools)) {
                if (!pool.name().equals(only)) {
                    from.put(pool.number(), Long.MAX_VALUE); // no event comes after it
                }
            }
        }
        var events = Reads.of(() -> store.events(from, limit)).stream()
                .filter(event -> only == null || event.name().equals(only))
                .map(PoolEvent::of)
                .toList();
        return new News(gaps(after, events), events);
    }

    /** Numbers have no gaps within a pool: where the next one is missing, it was removed. Seen so, no event can slip through. */
    private static List<Gap> gaps(Map<Integer, Long> after, List<PoolEvent> events) {
        var gaps = new ArrayList<Gap>();
        var told = new HashSet<Integer>();
        for (var event : events) {
            var seen = after.get(event.number());
            if (told.add(event.number())
                    && seen != null
                    && seen + 1 < event.event().number()) {
                gaps.add(new Gap(
                        event.number(), event.pool(), seen + 1, event.event().number() - 1));
            }
        }
        return gaps;
    }

    /** The gaps in pools of which nothing at all is kept after the cursor. To be asked once, for a cursor that comes from outside. */
    public List<Gap> lostWhole(Map<Integer, Long> after, @Nullable PoolName only) {
        var gaps = new ArrayList<Gap>();
        var oldest = Reads.of(store::oldestEvents);
        for (var pool : Reads.of(store::pools)) {
            var seen = after.get(pool.number());
            long kept = oldest.getOrDefault(pool.number(), pool.events() + 1);
            if (seen != null
                    && kept == pool.events() + 1
                    && seen + 1 < kept
                    && (only == null || pool.name().equals(only))) {
                gaps.add(new Gap(pool.number(), pool.name(), seen + 1, kept - 1));
            }
        }
        return gaps;
    }
}
