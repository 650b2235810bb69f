package dev.berth.server.store;

import dev.berth.core.Holder;
import dev.berth.core.Line;
import dev.berth.core.Pool;
import dev.berth.core.PoolName;
import dev.berth.core.ShapeCount;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** Asks about pools. */
final class PoolReads {
    private static final String BY_NAME = "SELECT " + Rows.POOL_COLUMNS + " FROM pool WHERE name = ?";
    private static final int MOST_HOLDERS = 10_000;

    private final Database database;
    private final Rows rows;
    private final Map<Integer, PoolName> names = new ConcurrentHashMap<>();

    PoolReads(Database database, Rows rows) {
        this.database = database;
        this.rows = rows;
    }

    List<Pool> pools() {
        return database.read(lane -> lane.list(rows::pool, "SELECT " + Rows.POOL_COLUMNS + " FROM pool ORDER BY name"));
    }

    Optional<Pool> pool(PoolName name) {
        return database.read(lane -> lane.one(rows::pool, BY_NAME, name.value()));
    }

    /** Locked until the end of the transaction that the lane is in. */
    Optional<Pool> lock(Lane lane, PoolName name) {
        return lock(lane, name, new HashMap<>());
    }

    /**
     * Locked until the end of the transaction that the lane is in.
     *
     * @param revisions gets how many batches have changed the pool, by its number
     */
    Optional<Pool> lock(Lane lane, PoolName name, Map<Integer, Long> revisions) {
        return lane.one(
                row -> {
                    var pool = rows.pool(row);
                    revisions.put(pool.number(), Rows.revision(row));
                    return pool;
                },
                BY_NAME + database.lockingClause(),
                name.value());
    }

    /** A pool's name never changes. */
    PoolName name(Lane lane, int number) {
        return names.computeIfAbsent(
                number,
                missing -> lane.one(
                                row -> new PoolName(row.getString(1)),
                                "SELECT name FROM pool WHERE number = ?",
                                missing)
                        .orElseThrow(() -> new StoreException("no pool has number " + missing)));
    }

    @Nullable
    Instant nextDue(int pool) {
        return database.read(lane -> {
            var allocation =
                    earliest(lane, "SELECT MIN(due_at) FROM allocation WHERE pool = ? AND due_at IS NOT NULL", pool);
            var environment =
                    earliest(lane, "SELECT MIN(due_at) FROM environment WHERE pool = ? AND due_at IS NOT NULL", pool);
            if (allocation == null || environment == null) {
                return allocation == null ? environment : allocation;
            }
            return allocation.isBefore(environment) ? allocation : environment;
        });
    }

    @Nullable
    Instant nextWork(int pool) {
        return database.read(lane -> {
            Instant next = null;
            for (boolean issuing : new boolean[] {true, false}) {
                var at = lane.one(row -> Optional.ofNullable(Rows.instant(row, 1)), """
                                SELECT MIN(work_at) FROM environment
                                WHERE pool = ? AND issuing = ? AND work_at IS NOT NULL""", pool, issuing)
                        .flatMap(found -> found)
                        .orElse(null);
                next = next == null || (at != null && at.isBefore(next)) ? at : next;
            }
            return next;
        });
    }

    private static @Nullable Instant earliest(Lane lane, String sql, int pool) {
        return lane.one(row -> Optional.ofNullable(Rows.instant(row, 1)), sql, pool)
                .flatMap(found -> found)
                .orElse(null);
    }

    List<ShapeCount> shapes(int pool) {
        return database.read(lane -> shapes(lane, pool));
    }

    /** On a connection that a query has already. */
    List<ShapeCount> shapes(Lane lane, int pool) {
        return lane.list(
                row -> rows.shapeCount(lane, row),
                "SELECT " + Rows.SHAPE_COUNT_COLUMNS + " FROM shape_count WHERE pool = ? ORDER BY shape",
                pool);
    }

    List<Line> lines(Lane lane, int pool) {
        return lane.list(rows::line, "SELECT " + Rows.LINE_COLUMNS + " FROM line WHERE pool = ?", pool);
    }

    List<Holder> holders(int pool) {
        return database.read(lane -> lane.list(
                Rows::holder,
                "SELECT " + Rows.HOLDER_COLUMNS + " FROM holder WHERE pool = ? ORDER BY name LIMIT ?",
                pool,
                MOST_HOLDERS));
    }
}
