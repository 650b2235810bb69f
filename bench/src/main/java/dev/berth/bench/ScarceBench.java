package dev.berth.bench;

import dev.berth.core.Allocation;
import dev.berth.core.EnvironmentName;
import dev.berth.core.Need;
import dev.berth.core.NeedClass;
import dev.berth.core.Policy;
import dev.berth.core.Registration;
import dev.berth.core.Shape;
import dev.berth.core.Value;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;

/** What best fit is worth: the same day of mixed requests on a pool with scarce capabilities, with best fit and with first fit. */
final class ScarceBench {
    private static final Duration SESSION = Duration.ofHours(3);
    /** Parts of the environments' time that are asked for, on average over the day: with some room, and with little. */
    private static final List<Double> LOADS = List.of(0.6, 0.8);

    private static final Value YES = new Value.Flag(true);
    private static final Map<String, Value> PLAIN = Map.of();
    private static final Map<String, Value> ARM = Map.of("arm", YES);
    private static final Map<String, Value> GPU = Map.of("gpu", YES);
    private static final Map<String, Value> BOTH = Map.of("arm", YES, "gpu", YES);

    private final Report report;
    private final Effort effort;

    ScarceBench(Report report, Effort effort) {
        this.report = report;
        this.effort = effort;
    }

    /** A kind of environment, how many of it there are, and how many of a hundred requests ask for it. */
    private record Kind(String name, Map<String, Value> capabilities, int environments, int requests) {}

    private static final List<Kind> KINDS = List.of(
            new Kind("any", PLAIN, 18, 76),
            new Kind("arm", ARM, 4, 12),
            new Kind("gpu", GPU, 3, 9),
            new Kind("arm and gpu", BOTH, 1, 3));

    void run() {
        LOADS.forEach(this::run);
    }

    private void run(double load) {
        report.section("Scarce capabilities: %,d requests for %d environments, load %s, seed %d, minutes until granted"
                .formatted(
                        effort.requests(),
                        KINDS.stream().mapToInt(Kind::environments).sum(),
                        load,
                        effort.seed()));
        var best = new LinkedHashMap<String, List<Double>>();
        var first = new LinkedHashMap<String, List<Double>>();
        for (int i = 0; i < effort.rounds(); i++) {
            var jobs = jobs(effort.seed() + i, load);
            play(jobs, effort.seed() + i, false, best);
            play(jobs, effort.seed() + i, true, first);
        }
        best.forEach((name, samples) -> {
            report.figure(name + ", best fit", Contest.median(samples), samples);
            var others = first.getOrDefault(name, samples);
            report.figure(name + ", first fit", Contest.median(others), others);
        });
    }

    private static void play(List<Replay.Job> jobs, long seed, boolean firstFit, Map<String, List<Double>> figures) {
        var waits = new Waits();
        var policy = BenchPool.policy(Set.of(), SESSION, Map.of(), Policy.Queueing.Order.FIFO);
        try (var replay = new Replay(policy, records(), List.of(), seed, firstFit, waits)) {
            replay.play(jobs);
        }
        for (var kind : KINDS) {
            var minutes = waits.of(need(kind.capabilities())).stream()
                    .mapToLong(Duration::toMillis)
                    .toArray();
            for (int percent : new int[] {50, 95}) {
                figures.computeIfAbsent("%s: p%d".formatted(kind.name(), percent), _ -> new ArrayList<>())
                        .add(
                                minutes.length == 0
                                        ? 0
                                        : Contest.quantile(minutes, minutes.length, percent / 100.0) / 60_000);
            }
        }
    }

    private static List<Registration> records() {
        var records = new ArrayList<Registration>();
        for (var kind : KINDS) {
            var shape = Shape.of(kind.capabilities(), Map.of(), List.of());
            for (int i = 0; i < kind.environments(); i++) {
                var name = "board-%02d".formatted(records.size());
                records.add(new Registration(new EnvironmentName(name), name, null, shape, "{}", "1"));
            }
        }
        Collections.shuffle(records, new Random(1)); // first fit takes them in the order of their registration
        return records;
    }

    private List<Replay.Job> jobs(long seed, double load) {
        var random = new Random(seed);
        var jobs = new ArrayList<Replay.Job>();
        double mean = 20 * Math.exp(0.5 * 0.8 * 0.8);
        double perMinute = load * KINDS.stream().mapToInt(Kind::environments).sum() / mean;
        double at = 0;
        while (jobs.size() < effort.requests()) {
            at += -Math.log(1 - random.nextDouble()) / (perMinute * (1 + 0.4 * Math.sin(2 * Math.PI * at / 1440)));
            int percent = random.nextInt(100);
            int kind = 0;
            while (percent >= KINDS.get(kind).requests()) {
                percent -= KINDS.get(kind++).requests();
            }
            double minutes = Math.min(180, 20 * Math.exp(0.8 * random.nextGaussian()));
            jobs.add(new Replay.Job(
                    Replay.START.plusMillis((long) (at * 60_000)),
                    need(KINDS.get(kind).capabilities()),
                    null,
                    Duration.ofMillis((long) (minutes * 60_000)),
                    "ci"));
        }
        return jobs;
    }

    private static NeedClass need(Map<String, Value> capabilities) {
        return NeedClass.of(
                List.of(new Need(1, new TreeMap<>(capabilities), Collections.emptySortedMap(), null)), false);
    }

    /** How long each waited, by what was asked for. */
    private static final class Waits implements Replay.Watcher {
        private final Map<NeedClass, List<Duration>> waits = new HashMap<>();

        @Override
        public void granted(Replay replay, Allocation allocation, Replay.Job job, Duration waited) {
            waits.computeIfAbsent(job.need(), _ -> new ArrayList<>()).add(waited);
        }

        List<Duration> of(NeedClass need) {
            return waits.getOrDefault(need, List.of());
        }
    }
}
