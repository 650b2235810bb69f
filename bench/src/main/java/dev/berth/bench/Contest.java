package dev.berth.bench;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/**
 * Measures several things against each other: in turns, so that whatever else the machine does meets all of them, with a first turn
 * that is longer and thrown away.
 */
final class Contest {
    private final Report report;
    private final Effort effort;

    Contest(Report report, Effort effort) {
        this.report = report;
        this.effort = effort;
    }

    /** One of those that are measured. */
    @FunctionalInterface
    interface Contender {
        /** Figures by name, which ends in the unit; the same names every time. */
        Map<String, Double> round(Duration time) throws Exception;
    }

    /**
     * Runs it, and reports the median of each figure under {@code contender: name}.
     *
     * @return the medians, by contender and name
     */
    SequencedMap<String, Map<String, Double>> run(Map<String, Contender> contenders) throws Exception {
        var samples = new LinkedHashMap<String, Map<String, List<Double>>>();
        for (int round = 0; round <= effort.rounds(); round++) {
            var time = round == 0 ? effort.warmUp() : effort.each();
            for (var contender : contenders.entrySet()) {
                var figures = contender.getValue().round(time);
                if (round > 0) {
                    var of = samples.computeIfAbsent(contender.getKey(), name -> new LinkedHashMap<>());
                    figures.forEach((figure, value) -> of.computeIfAbsent(figure, name -> new ArrayList<>())
                            .add(value));
                }
            }
        }
        var medians = new LinkedHashMap<String, Map<String, Double>>();
        samples.forEach((contender, figures) -> figures.forEach((figure, values) -> {
            double median = median(values);
            medians.computeIfAbsent(contender, name -> new LinkedHashMap<>()).put(figure, median);
            report.figure(contender + ": " + figure, median, values);
        }));
        return medians;
    }

    static double median(List<Double> values) {
        var sorted = values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    /** The value below which this part of the first {@code count} values lies. Sorts them. */
    static double quantile(long[] values, int count, double part) {
        if (count == 0) {
            return Double.NaN;
        }
        Arrays.sort(values, 0, count);
        return values[(int) Math.min(count - 1, (long) Math.ceil(count * part) - 1)];
    }
}
