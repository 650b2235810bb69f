package dev.berth.core;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What a need class means in a forecast, by the numbers that shapes and environments have there. */
final class ForecastKind {
    private final NeedClass need;
    /** For each need those that fit, the best first. */
    private final int[][] shapes;
    /** For each environment asked for, which of the needs it is of; those that fewer shapes fit come first. */
    private final int[] units;
    /** For each need the environments that its account and name allow; of no meaning where it asks for neither. */
    private final BitSet[] pinned;

    private final boolean[] wants;

    private ForecastKind(NeedClass need, int[][] shapes, int[] units, BitSet[] pinned, boolean[] wants) {
        this.need = need;
        this.shapes = shapes;
        this.units = units;
        this.pinned = pinned;
        this.wants = wants;
    }

    static ForecastKind of(NeedClass need, List<ShapeCount> counts, List<ForecastPool.Busy> busy) {
        Map<String, Integer> numbers = new HashMap<>();
        counts.forEach(count -> numbers.put(count.shape().digest(), numbers.size()));
        var shapes = new int[need.needs().size()][];
        var pinned = new BitSet[shapes.length];
        var wants = new boolean[counts.size()];
        for (int i = 0; i < shapes.length; i++) {
            var each = need.needs().get(i);
            shapes[i] = Fit.order(each, counts).stream()
                    .mapToInt(count -> numbers.getOrDefault(count.shape().digest(), -1))
                    .toArray();
            for (int shape : shapes[i]) {
                wants[shape] = true;
            }
            pinned[i] = new BitSet();
            for (int e = 0; each.isPinned() && e < busy.size(); e++) {
                pinned[i].set(e, each.allows(busy.get(e).name(), busy.get(e).account()));
            }
        }
        var units = new ArrayList<Integer>();
        for (int i = 0; i < shapes.length; i++) {
            for (int unit = 0; unit < need.needs().get(i).count(); unit++) {
                units.add(i);
            }
        }
        units.sort(Comparator.comparingInt(i -> shapes[i].length));
        return new ForecastKind(
                need, shapes, units.stream().mapToInt(Integer::intValue).toArray(), pinned, wants);
    }

    NeedClass need() {
        return need;
    }

    int[][] shapes() {
        return shapes;
    }

    int[] units() {
        return units;
    }

    boolean[] wants() {
        return wants;
    }

    int count() {
        return units.length;
    }

    boolean isSpecial() {
        return need.isSpecial();
    }

    boolean allows(int which, int environment) {
        return !need.needs().get(which).isPinned() || pinned[which].get(environment);
    }
}
