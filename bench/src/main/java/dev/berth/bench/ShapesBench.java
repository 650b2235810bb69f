package dev.berth.bench;

import dev.berth.core.Need;
import dev.berth.core.NeedClass;
import dev.berth.core.Shape;
import dev.berth.core.Value;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.IntStream;

/** What it costs that environments differ, and that others wait for something else. */
final class ShapesBench {
    private static final int CLASSES = 100;
    private static final int SHAPES = 50;
    /** Fewer than there are environments of any shape: nobody is to find nothing free. */
    private static final int MOST_CALLERS = 16;

    private final Report report;
    private final Effort effort;

    ShapesBench(Report report, Effort effort) {
        this.report = report;
        this.effort = effort;
    }

    void run() throws Exception {
        int callers = Math.min(MOST_CALLERS, effort.callers());
        int few = 100;
        int many = Math.max(
                SHAPES * MOST_CALLERS,
                effort.sizes().stream().skip(2).findFirst().orElse(0));
        report.section("In process: %d callers, allocate one of a shape and release".formatted(callers));
        try (var stores = new Stores();
                var small = shaped(new InProcess(stores.onDisk(), null), few, 5);
                var large = shaped(new InProcess(stores.onDisk(), null), many, SHAPES);
                var empty = queued(new InProcess(stores.onDisk(), null), 0);
                var crowded = queued(new InProcess(stores.onDisk(), null), effort.waiting());
                var diverse = diverse(new InProcess(stores.onDisk(), null), effort.waiting())) {
            var services = new LinkedHashMap<String, InProcess>();
            services.put("%,d environments in 5 shapes".formatted(few), small);
            services.put("%,d environments in 50 shapes".formatted(many), large);
            services.put("nobody waits", empty);
            services.put("%,d wait for %d other things".formatted(effort.waiting(), CLASSES), crowded);
            services.put(
                    "as many wait as may, of %,d who asked for different things".formatted(effort.waiting()), diverse);
            var contenders = new LinkedHashMap<String, Contest.Contender>();
            services.forEach((name, service) ->
                    contenders.put(name, time -> Map.of("pairs/s", service.pairsPerSecond(callers, time))));
            var medians = new Contest(report, effort).run(contenders);
            var names = List.copyOf(services.keySet());
            ratio(medians, names.get(1), names.get(0));
            ratio(medians, names.get(3), names.get(2));
            ratio(medians, names.get(4), names.get(2));
        }
    }

    private void ratio(Map<String, Map<String, Double>> medians, String of, String to) {
        report.ratio(of + " / " + to, pairs(medians, of) / pairs(medians, to), 0.8);
    }

    private static double pairs(Map<String, Map<String, Double>> medians, String name) {
        return Objects.requireNonNull(Objects.requireNonNull(medians.get(name)).get("pairs/s"));
    }

    private static InProcess shaped(InProcess service, int environments, int shapes) {
        BenchPool.register(service.ledger(), environments, i -> shape(i % shapes));
        service.asksFor(IntStream.range(0, shapes).mapToObj(ShapesBench::need).toList());
        return service;
    }

    /** As many environments as callers of the one thing that is asked for, and one of each thing that others wait for. */
    private InProcess queued(InProcess service, int waiting) {
        BenchPool.register(service.ledger(), CLASSES + 10 * MOST_CALLERS, i -> shape(Math.min(i, CLASSES)));
        if (waiting > 0) {
            for (int i = 0; i < CLASSES; i++) {
                service.asksFor(List.of(need(i)));
                service.fill(1 + waiting / CLASSES);
            }
        }
        service.asksFor(List.of(need(CLASSES)));
        return service;
    }

    /** So many who ask for one environment that is lent or for something else, each for another thing: beyond a limit they are refused. */
    private InProcess diverse(InProcess service, int asking) {
        queued(service, 0);
        service.asksFor(List.of(need(0)));
        service.fill(1);
        for (int i = 0; i < asking; i++) {
            service.asksFor(List.of(need(new Value.Many(List.of(text(0), text(CLASSES + 1 + i))))));
            service.fill(1);
        }
        service.asksFor(List.of(need(CLASSES)));
        return service;
    }

    private static Shape shape(int number) {
        return Shape.of(Map.of("kind", text(number)), Map.of(), List.of());
    }

    private static Value text(int number) {
        return new Value.Text("kind-" + number);
    }

    private static NeedClass need(int number) {
        return need(text(number));
    }

    private static NeedClass need(Value kind) {
        var asked = new TreeMap<String, Value>(Map.of("kind", kind));
        return NeedClass.of(List.of(new Need(1, asked, Collections.emptySortedMap(), null)), false);
    }
}
