package dev.berth.server.store;

import dev.berth.core.Pool;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/** Removes what is too old to be kept, of one pool, whose row is locked meanwhile: the ledger may be about to use it. */
final class House {
    private final Lane lane;
    private final int pool;
    private final Instant before;

    /**
     * @param pool locked
     * @param before what is older goes
     */
    House(Lane lane, Pool pool, Instant before) {
        this.lane = lane;
        this.pool = pool.number();
        this.before = before;
    }

    /** Removes so many rows at most. Returns how many it was. */
    int prune(int limit) {
        int allocations = allocations(limit);
        int events = events(limit - allocations);
        return allocations + events + holders(limit - allocations - events);
    }

    private int allocations(int limit) {
        var prefix = Integer.toString(pool, 36);
        record Old(String id, String principal, @Nullable String key, Instant endedAt) {}
        var old = lane.list(
                row -> new Old(
                        row.getString(1), row.getString(2), row.getString(3), Instant.ofEpochMilli(row.getLong(4))),
                """
                SELECT id, principal, idempotency_key, ended_at FROM ended_allocation
                WHERE id > ? AND id < ? ORDER BY id LIMIT ?""",
                prefix + "-",
                prefix + ".",
                limit);
        int pruned = 0;
        for (var allocation : old) {
            if (allocation.endedAt().isBefore(before)) {
                lane.update("DELETE FROM ended_allocation WHERE id = ?", allocation.id());
                if (allocation.key() != null) {
                    lane.update(
                            "DELETE FROM idempotency_key WHERE principal = ? AND key = ? AND allocation = ?",
                            allocation.principal(),
                            allocation.key(),
                            allocation.id());
                }
                pruned++;
            }
        }
        return pruned;
    }

    /** Those who have nothing and had nothing since then: labels that share a pool come and go. */
    private int holders(int limit) {
        return lane.update("""
                DELETE FROM holder WHERE pool = ? AND name IN
                    (SELECT name FROM holder WHERE pool = ? AND held = 0 AND queued = 0 AND as_of < ? LIMIT ?)""", pool, pool, before, limit);
    }

    private int events(int limit) {
        var old = lane.list(
                Rows::event,
                "SELECT " + Rows.EVENT_COLUMNS
                        + " FROM (SELECT * FROM event WHERE pool = ? ORDER BY number LIMIT ?) AS e WHERE e.at < ?",
                pool,
                limit,
                before);
        for (var event : old) {
            lane.update("DELETE FROM environment_event WHERE pool = ? AND number = ?", pool, event.number());
            lane.update("DELETE FROM event WHERE pool = ? AND number = ?", pool, event.number());
        }
        return old.size();
    }
}
