package dev.berth.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The command {@code bench/run}. */
public final class Main {
    private static final String USAGE = """
            Usage: bench/run [--rounds N] [--seconds N] [--seed N] [--ended N] [--json FILE] [NAME...]
            Names: %s; all of them where none is given.""";

    private Main() {}

    /** A benchmark. */
    @FunctionalInterface
    interface Benchmark {
        void run(Report report, Effort effort) throws Exception;
    }

    static Map<String, Benchmark> benchmarks() {
        var all = new LinkedHashMap<String, Benchmark>();
        all.put("batching", (report, effort) -> new LedgerBench(report, effort).batching());
        all.put("postgres", (report, effort) -> new PostgresBench(report, effort).run());
        all.put("queue", (report, effort) -> new LedgerBench(report, effort).queue());
        all.put("size", (report, effort) -> new LedgerBench(report, effort).size());
        all.put("http", (report, effort) -> new HttpBench(report, effort).run());
        all.put("http-size", (report, effort) -> new HttpBench(report, effort).size());
        all.put("wake", (report, effort) -> new WakeBench(report, effort).run());
        all.put("overload", (report, effort) -> new OverloadBench(report, effort).run());
        all.put("start", (report, effort) -> new StartBench(report, effort).run());
        all.put("shapes", (report, effort) -> new ShapesBench(report, effort).run());
        all.put("scarce", (report, effort) -> new ScarceBench(report, effort).run());
        all.put("forecast", (report, effort) -> new ForecastBench(report, effort).run());
        return all;
    }

    public static void main(String[] args) throws Exception {
        var effort = Effort.full();
        Path json = null;
        var names = new ArrayList<String>();
        var words = List.of(args).iterator();
        while (words.hasNext()) {
            var word = words.next();
            switch (word) {
                case "--rounds" -> effort = effort.withRounds(Integer.parseInt(words.next()));
                case "--seconds" -> effort = effort.withEach(Duration.ofSeconds(Long.parseLong(words.next())));
                case "--seed" -> effort = effort.withSeed(Long.parseLong(words.next()));
                case "--ended" -> effort = effort.withEnded(Integer.parseInt(words.next()));
                case "--json" -> json = Path.of(words.next());
                default -> names.add(word);
            }
        }
        if (!benchmarks().keySet().containsAll(names)) {
            System.err.printf(USAGE + "%n", String.join(", ", benchmarks().keySet()));
            System.exit(64);
        }
        run(names.isEmpty() ? benchmarks().keySet() : names, effort, json);
    }

    private static void run(Iterable<String> names, Effort effort, @Nullable Path json) throws Exception {
        var report = new Report(System.out);
        for (var name : names) {
            var benchmark = benchmarks().get(name);
            if (benchmark != null) {
                benchmark.run(report, effort);
                write(report, json); // after each: what was measured is not lost to a later failure
            }
        }
    }

    private static void write(Report report, @Nullable Path json) throws IOException {
        if (json != null) {
            Files.writeString(json, report.json());
        }
    }
}
