package dev.berth.core;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Which shapes of a pool serve a need, the best fit first: the one with the fewest facts that were not asked for, which others may need
 * more. What was found out is remembered, since a pool's shapes seldom change and the same needs come again with every batch. For
 * several threads.
 */
public final class Fit {
    /** Needs that are remembered at most; beyond that, all are forgotten. */
    private static final int MOST = 4096;

    private final List<ShapeCount> shapes;
    private final Map<NeedClass, List<List<String>>> orders = new ConcurrentHashMap<>();

    /** Of all shapes that a pool has. */
    public Fit(Collection<ShapeCount> shapes) {
        this.shapes = List.copyOf(shapes);
    }

    /** Whether it is the same for these: no other shapes, and as many environments of each. */
    public boolean isOf(Map<String, ShapeCount> others) {
        if (others.size() != shapes.size()) {
            return false;
        }
        for (var shape : shapes) {
            var other = others.get(shape.shape().digest());
            if (other == null || other.total() != shape.total()) {
                return false;
            }
        }
        return true;
    }

    /** The digests of the shapes that fit, for each of the needs. */
    List<List<String>> order(NeedClass need) {
        var known = orders.get(need);
        if (known != null) {
            return known;
        }
        if (orders.size() >= MOST) {
            orders.clear();
        }
        var found = need.needs().stream()
                .map(each -> order(each, shapes).stream()
                        .map(count -> count.shape().digest())
                        .toList())
                .toList();
        orders.put(need, found);
        return found;
    }

    /** The shapes that fit. Between equals, the one that there is more of comes first; then an order that does not change. */
    static List<ShapeCount> order(Need need, Collection<ShapeCount> shapes) {
        return shapes.stream()
                .filter(count -> need.fits(count.shape()))
                .sorted(Comparator.<ShapeCount>comparingInt(count -> need.surplus(count.shape()))
                        .thenComparing(
                                Comparator.comparingInt(ShapeCount::total).reversed())
                        .thenComparing(count -> count.shape().digest()))
                .toList();
    }
}
