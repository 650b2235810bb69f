package dev.berth.core;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;

/** Which shapes serve a need, the best fit first: the one with the fewest facts that were not asked for, which others may need more. */
final class Fit {
    private Fit() {}

    /** Between equals, the one that there is more of; then an order that does not change. */
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
