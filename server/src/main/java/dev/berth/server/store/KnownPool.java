package dev.berth.server.store;

import dev.berth.core.Decision;
import dev.berth.core.Line;
import dev.berth.core.Pool;
import dev.berth.core.ShapeCount;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * What every batch looks at, whatever it is about, and would otherwise load anew: the shapes of a pool and the lines of its queue. As
 * of a revision of the pool, and good for as long as the pool's row has that.
 *
 * @param revision how many batches have changed the pool
 * @param lineage the same for as long as one follows from the other, with nobody else's change in between
 * @param shapes every one that the pool has, by digest
 * @param lines every one in which somebody waits, in an order that does not change
 */
record KnownPool(
        int generation,
        long revision,
        Lineage lineage,
        Map<String, ShapeCount> shapes,
        SortedMap<Line.Key, Line> lines) {
    /** Like itself alone. */
    static final class Lineage {}

    private static final Comparator<Line.Key> BY_NEED =
            Comparator.comparing(Line.Key::need).thenComparing(Line.Key::holder);

    static KnownPool of(Pool pool, long revision, List<ShapeCount> shapes, List<Line> lines) {
        var byDigest = new HashMap<String, ShapeCount>();
        shapes.forEach(count -> byDigest.put(count.shape().digest(), count));
        var byKey = new TreeMap<Line.Key, Line>(BY_NEED);
        lines.forEach(line -> byKey.put(line.key(), line));
        return new KnownPool(pool.generation(), revision, new Lineage(), byDigest, byKey);
    }

    /** As it is once what was decided on this is committed. */
    KnownPool after(Decision decision) {
        var nextShapes = shapes;
        if (!decision.shapes().isEmpty()) {
            nextShapes = new HashMap<>(shapes);
            for (var count : decision.shapes()) {
                if (count.total() == 0) {
                    nextShapes.remove(count.shape().digest());
                } else {
                    nextShapes.put(count.shape().digest(), count);
                }
            }
        }
        var nextLines = lines;
        if (!decision.lines().isEmpty()) {
            nextLines = new TreeMap<>(lines);
            for (var line : decision.lines()) {
                if (line.waiting() == 0) {
                    nextLines.remove(line.key());
                } else {
                    nextLines.put(line.key(), line);
                }
            }
        }
        return new KnownPool(decision.pool().generation(), revision + 1, lineage, nextShapes, nextLines);
    }

    boolean isOf(Pool pool, long now) {
        return revision == now && generation == pool.generation();
    }
}
