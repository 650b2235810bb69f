package dev.berth.core;

import java.util.Arrays;
import java.util.List;

/** Assigns units to slots, each slot at most once, as many units as can be: a maximum matching by augmenting paths (Kuhn). */
final class Matching {
    static final int NONE = -1;

    private final List<int[]> candidates;
    private final int[] slotOf;
    private final int[] unitOf;
    private final int[] visited;

    private Matching(List<int[]> candidates, int slots) {
        this.candidates = candidates;
        slotOf = new int[candidates.size()];
        unitOf = new int[slots];
        visited = new int[slots];
        Arrays.fill(slotOf, NONE);
        Arrays.fill(unitOf, NONE);
        Arrays.fill(visited, NONE);
    }

    /**
     * A largest assignment.
     *
     * @param candidates the slots that each unit could have, the best first: taken in this order while nobody else needs them more
     * @param slots how many there are
     * @return the slot of each unit, {@link #NONE} for one that is left without
     */
    static int[] largest(List<int[]> candidates, int slots) {
        var matching = new Matching(candidates, slots);
        for (int unit = 0; unit < candidates.size(); unit++) {
            matching.place(unit, unit);
        }
        return matching.slotOf;
    }

    private boolean place(int unit, int round) {
        for (int slot : candidates.get(unit)) {
            if (unitOf[slot] == NONE) {
                put(unit, slot);
                return true;
            }
        }
        for (int slot : candidates.get(unit)) {
            if (visited[slot] != round) {
                visited[slot] = round;
                if (place(unitOf[slot], round)) {
                    put(unit, slot);
                    return true;
                }
            }
        }
        return false;
    }

    private void put(int unit, int slot) {
        slotOf[unit] = slot;
        unitOf[slot] = unit;
    }
}
