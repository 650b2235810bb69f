package dev.berth.server.store;

import dev.berth.core.Allocation;
import dev.berth.core.AllocationId;
import dev.berth.core.Pool;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Asks about requests that wait, and about allocations, live and ended. */
final class AllocationReads {
    /** Beyond what any pool's queue may hold in practice: a bound for the case that one does. */
    private static final int MOST_WAITING = 100_000;

    private final Database database;
    private final Rows rows;
    private final PoolReads pools;

    AllocationReads(Database database, Rows rows, PoolReads pools) {
        this.database = database;
        this.rows = rows;
        this.pools = pools;
    }

    Optional<Allocation> allocation(AllocationId id) {
        // An allocation that ends between the two look-ups is found by the second.
        return database.read(lane -> lane.one(
                        live(lane),
                        "SELECT " + Rows.LIVE_COLUMNS + " FROM allocation WHERE id = ? AND state <> 'polling'",
                        id.value()))
                .or(() -> database.read(lane -> lane.one(
                        ended(lane),
                        "SELECT " + Rows.ENDED_COLUMNS + " FROM ended_allocation WHERE id = ?",
                        id.value())));
    }

    private Lane.Row<Allocation> live(Lane lane) {
        return row -> rows.live(row, pools.name(lane, row.getInt(2)));
    }

    private Lane.Row<Allocation> ended(Lane lane) {
        return row -> rows.ended(row, pools.name(lane, row.getInt(2)));
    }

    Store.Page<Allocation> allocations(Store.AllocationQuery query) {
        var pool = query.pool() == null ? Optional.<Pool>empty() : pools.pool(query.pool());
        if (query.pool() != null && pool.isEmpty()) {
            return new Store.Page<>(List.of(), null);
        }
        boolean ended = "ended".equals(query.state());
        var sql = new StringBuilder("SELECT ")
                .append(ended ? Rows.ENDED_COLUMNS : Rows.LIVE_COLUMNS)
                .append(" FROM ")
                .append(ended ? "ended_allocation" : "allocation")
                .append(ended ? " WHERE 1 = 1" : " WHERE state <> 'polling'");
        var arguments = new ArrayList<Object>();
        if (pool.isPresent()) {
            var prefix = Integer.toString(pool.get().number(), 36);
            sql.append(" AND id > ? AND id < ?");
            arguments.add(prefix + "-");
            arguments.add(prefix + ".");
        }
        if (query.state() != null && !ended) {
            sql.append(" AND state = ?");
            arguments.add(query.state());
        }
        if (query.requester() != null) {
            sql.append(" AND requester = ?");
            arguments.add(query.requester());
        }
        if (query.principal() != null) {
            sql.append(" AND principal = ?");
            arguments.add(query.principal());
        }
        if (query.cursor() != null) {
            sql.append(" AND id < ?");
            arguments.add(query.cursor());
        }
        sql.append(" ORDER BY id DESC LIMIT ?");
        arguments.add(query.limit() + 1);
        var found =
                database.read(lane -> lane.list(ended ? ended(lane) : live(lane), sql.toString(), arguments.toArray()));
        return Pages.page(found, query.limit(), last -> last.id().value());
    }

    List<Store.Waiting> queue(int pool) {
        return database
                .read(lane -> lane.list(
                        row -> new Store.Waiting(
                                new AllocationId(row.getString(1)),
                                row.getString(2),
                                row.getString(3),
                                rows.need(row, 4, 5),
                                row.getInt(6),
                                row.getLong(7),
                                row.getLong(8),
                                Instant.ofEpochMilli(row.getLong(9)),
                                Instant.ofEpochMilli(row.getLong(10)),
                                Rows.instant(row, 11),
                                Rows.period(row, 12)),
                        """
                        SELECT id, principal, sharer, need, needs, priority, rank, arrival, created_at, until, interest_until, duration
                        FROM allocation WHERE pool = ? AND state = 'pending' ORDER BY arrival LIMIT ?""",
                        pool,
                        MOST_WAITING))
                .stream()
                .sorted(Comparator.comparingLong(Store.Waiting::rank).thenComparingLong(Store.Waiting::arrival))
                .toList();
    }

    @Nullable
    Instant oldestWaiting(int pool) {
        return database.read(lane ->
                lane.one(row -> Instant.ofEpochMilli(row.getLong(1)), """
                        SELECT created_at FROM allocation WHERE pool = ? AND state = 'pending'
                        ORDER BY arrival LIMIT 1""", pool).orElse(null));
    }
}
