package dev.berth.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * What becomes of the best throughput when many times as many call, more than the service lets wait: what they get, how soon the rest
 * is refused, the memory that it takes, and that nothing was lent to those who were refused.
 */
final class OverloadBench {
    /** With five times each of the first five among them: one of those gets the most done. */
    private static final List<Integer> TIMES = List.of(1, 2, 5, 10, 25, 50, 125);

    private static final int OVERLOAD = 5;
    private static final double KEPT = 0.8;
    /** So that the collector has room for 8,000 connections: with a quarter of it, it takes a third of what 3,200 of them get. */
    private static final String HEAP = "-Xmx1g";

    private final Report report;
    private final Effort effort;

    OverloadBench(Report report, Effort effort) {
        this.report = report;
        this.effort = effort;
    }

    void run() throws Exception {
        int environments = 2 * effort.callers() * TIMES.getLast(); // nobody is to be refused for want of one
        report.section("Overload: allocate and release, %d connections and many times as many (heap: %s)"
                .formatted(effort.callers(), HEAP.substring(4)));
        try (var stores = new Stores()) {
            var folder = Files.createTempDirectory(stores.folder(), "service-");
            try (var service = Child.start(
                            Service.class,
                            List.of(HEAP, "-XX:+UseSerialGC"),
                            Service.Kind.WHOLE.name(),
                            folder.toString(),
                            String.valueOf(environments));
                    var caller = new Caller(service.url())) {
                caller.awaitAvailable(environments);
                var contenders = new LinkedHashMap<String, Contest.Contender>();
                for (int times : TIMES) {
                    int callers = times * effort.callers();
                    contenders.put(name(times), time -> round(service, callers, time));
                }
                var medians = new Contest(report, effort).run(contenders);
                int best = TIMES.stream()
                        .filter(times -> TIMES.contains(OVERLOAD * times))
                        .max(Comparator.comparingDouble(times -> pairs(medians, times)))
                        .orElseThrow();
                report.ratio(
                        "%s / %s, which get the most done".formatted(name(OVERLOAD * best), name(best)),
                        pairs(medians, OVERLOAD * best) / pairs(medians, best),
                        KEPT);
                caller.awaitAvailable(environments);
                report.note("nothing is lent in the end: who was refused took nothing");
            }
        }
    }

    private String name(int times) {
        return "%,d connections".formatted(times * effort.callers());
    }

    private double pairs(Map<String, Map<String, Double>> medians, int times) {
        return Objects.requireNonNull(
                Objects.requireNonNull(medians.get(name(times))).get("pairs/s"));
    }

    private static Map<String, Double> round(Child service, int callers, Duration time) throws IOException {
        try (var crowd = new Crowd(service.url(), callers)) {
            long before = service.resident();
            var outcome = crowd.run(time);
            var figures = new LinkedHashMap<String, Double>();
            figures.put("pairs/s", outcome.pairs());
            if (outcome.pairs() > 0) {
                figures.put("pair, p99 ms", outcome.pairP99());
            }
            figures.put("refused/s", outcome.refused());
            if (outcome.refused() > 0) {
                figures.put("refusal, p50 ms", outcome.refusalP50());
                figures.put("refusal, p99 ms", outcome.refusalP99());
            }
            figures.put("connections cut", (double) outcome.cut());
            figures.put("resident before, MiB", before / 1048576.0);
            figures.put("resident after, MiB", service.resident() / 1048576.0);
            return figures;
        }
    }
}
