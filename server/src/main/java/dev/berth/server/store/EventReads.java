package dev.berth.server.store;

import dev.berth.core.EnvironmentName;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Asks what happened. */
final class EventReads {
    private static final String BACKWARDS = """
            WITH RECURSIVE about (pool, number, nth) AS (
                SELECT event_pool, event_number, 1 FROM environment WHERE name = ? AND event_number IS NOT NULL
                UNION ALL
                SELECT link.before_pool, link.before_number, about.nth + 1
                FROM about JOIN environment_event AS link
                    ON link.pool = about.pool AND link.number = about.number AND link.environment = ?
                WHERE link.before_number IS NOT NULL AND about.nth < ?)
            """;

    private final Database database;
    private final PoolReads pools;

    EventReads(Database database, PoolReads pools) {
        this.database = database;
        this.pools = pools;
    }

    List<Store.StoredEvent> about(EnvironmentName name, int limit) {
        return database
                .read(lane -> lane.list(
                        event(lane),
                        BACKWARDS + "SELECT " + Rows.EVENT_COLUMNS
                                + " FROM about JOIN event AS e ON e.pool = about.pool AND e.number = about.number",
                        name.value(),
                        name.value(),
                        limit))
                .stream()
                .sorted(Comparator.comparing(
                                (Store.StoredEvent stored) -> stored.event().at())
                        .thenComparingLong(stored -> stored.event().number())
                        .reversed())
                .toList();
    }

    List<Store.StoredEvent> events(Map<Integer, Long> after, int limit) {
        record Placed(Instant at, Store.StoredEvent stored) {}
        var found = new ArrayList<Placed>();
        for (var pool : pools.pools()) {
            var latest = Instant.MIN;
            for (var stored : database.read(lane -> lane.list(
                    event(lane),
                    "SELECT " + Rows.EVENT_COLUMNS
                            + " FROM event AS e WHERE e.pool = ? AND e.number > ? ORDER BY e.number LIMIT ?",
                    pool.number(),
                    after.getOrDefault(pool.number(), 0L),
                    limit))) {
                latest = stored.event().at().isAfter(latest) ? stored.event().at() : latest;
                found.add(new Placed(latest, stored));
            }
        }
        // Sorted by time for the eye. A pool's own order is never broken, though its clock may have gone back: whoever
        // reads on from the last number would never see an event that came after it here.
        return found.stream()
                .sorted(Comparator.comparing(Placed::at)
                        .thenComparingInt(placed -> placed.stored().pool())
                        .thenComparingLong(placed -> placed.stored().event().number()))
                .limit(limit)
                .map(Placed::stored)
                .toList();
    }

    Map<Integer, Long> oldestEvents() {
        var oldest = new HashMap<Integer, Long>();
        for (var pool : pools.pools()) {
            oldest.put(
                    pool.number(),
                    database.read(lane -> lane.one(
                                    row -> row.getLong(1),
                                    "SELECT number FROM event WHERE pool = ? ORDER BY number LIMIT 1",
                                    pool.number())
                            .orElse(pool.events() + 1)));
        }
        return oldest;
    }

    private Lane.Row<Store.StoredEvent> event(Lane lane) {
        return row -> new Store.StoredEvent(row.getInt(1), pools.name(lane, row.getInt(1)), Rows.event(row));
    }
}
