package dev.berth.core;

import java.util.Arrays;

/** Free environments by shape, those that were given back first in front. Numbers instead of objects: a forecast asks often. */
final class ForecastFree {
    private final int[][] those;
    private final int[] counts;

    ForecastFree(int shapes, int environments) {
        those = new int[shapes][Math.min(environments, 16)];
        counts = new int[shapes];
    }

    void clear() {
        Arrays.fill(counts, 0);
    }

    void add(int shape, int environment) {
        if (counts[shape] == those[shape].length) {
            those[shape] = Arrays.copyOf(those[shape], 2 * counts[shape] + 1);
        }
        those[shape][counts[shape]++] = environment;
    }

    int count(int shape) {
        return counts[shape];
    }

    int get(int shape, int i) {
        return those[shape][i];
    }

    void remove(int shape, int environment) {
        int i = 0;
        while (those[shape][i] != environment) {
            i++;
        }
        counts[shape]--;
        for (; i < counts[shape]; i++) {
            those[shape][i] = those[shape][i + 1];
        }
    }
}
