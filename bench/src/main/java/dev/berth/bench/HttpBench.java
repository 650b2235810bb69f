package dev.berth.bench;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.nio.file.Files;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SequencedMap;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/** The service over HTTP: events, idempotency keys and authentication on, every change synced to the disk before its answer. */
final class HttpBench {
    private static final int OVER_HTTP = 100_000;
    private static final String WHOLE = "Berth";
    private static final String FILE = "its HTTP and ledger on a SQLite file";
    private static final String MEMORY = "the same on SQLite in memory";
    private static final String SINGLE = "the same, one commit per operation";
    private static final String CEILING = "the HTTP server answering from memory";

    private final Report report;
    private final Effort effort;

    HttpBench(Report report, Effort effort) {
        this.report = report;
        this.effort = effort;
    }

    void run() throws Exception {
        try (var stores = new Stores();
                var whole = service(stores, Service.Kind.WHOLE, effort.sizes().getFirst());
                var file = service(stores, Service.Kind.FILE, effort.sizes().getFirst());
                var memory = service(stores, Service.Kind.MEMORY, effort.sizes().getFirst());
                var single = service(stores, Service.Kind.SINGLE, effort.sizes().getFirst())) {
            var services = new LinkedHashMap<String, Child>();
            services.put(WHOLE, whole);
            services.put(FILE, file);
            services.put(MEMORY, memory);
            services.put(SINGLE, single);
            try (var ceiling = ceiling(stores, whole.url())) {
                services.put(CEILING, ceiling);
                pairs(services);
                keepalives(services);
            }
        }
    }

    /** The whole service on pools of several sizes. */
    void size() throws Exception {
        report.section("Over HTTP: %d connections, against the size of the pool".formatted(effort.callers()));
        var services = new LinkedHashMap<String, Child>();
        try (var stores = new Stores()) {
            try {
                for (int size : effort.sizes().stream()
                        .filter(one -> one >= effort.callers() && one <= OVER_HTTP)
                        .toList()) {
                    services.put("%,d environments".formatted(size), service(stores, Service.Kind.WHOLE, size));
                }
                var medians = contest(services, this::pairsOn);
                var usual = medians.firstEntry();
                medians.forEach((name, figures) -> {
                    if (!name.equals(usual.getKey())) {
                        report.ratio(
                                name + " / " + usual.getKey(),
                                figure(figures, "pairs/s") / figure(usual.getValue(), "pairs/s"),
                                0.8);
                    }
                });
            } finally {
                for (var service : services.values()) {
                    service.close();
                }
            }
        }
    }

    private void pairs(Map<String, Child> services) throws Exception {
        report.section("Over HTTP: %d connections, %,d environments, allocate and release"
                .formatted(effort.callers(), effort.sizes().getFirst()));
        var medians = contest(services, this::pairsOn);
        double whole = of(medians, WHOLE, "pairs/s");
        report.ratio("Berth / the HTTP server from memory", whole / of(medians, CEILING, "pairs/s"), 0.4);
        report.ratio("file / memory", of(medians, FILE, "pairs/s") / of(medians, MEMORY, "pairs/s"), 0.7);
        report.ratio(
                "batched / one commit per operation",
                of(medians, FILE, "pairs/s") / of(medians, SINGLE, "pairs/s"),
                null);
        report.section("Over HTTP: allocate and release at half of the top rate, open loop");
        steady(services, whole / 2, this::pairExchanges);
    }

    private void keepalives(Map<String, Child> services) throws Exception {
        report.section("Over HTTP: %d connections, keepalives of %d allocations"
                .formatted(effort.callers(), effort.callers()));
        var lent = new LinkedHashMap<String, List<String>>();
        for (var service : services.entrySet()) {
            lent.put(service.getKey(), lend(service.getValue().url()));
        }
        var medians = contest(services, (name, child, time) -> {
            var ids = Objects.requireNonNull(lent.get(name));
            return on(child, "keepalives/s", keepaliveExchanges(ids), time);
        });
        double whole = of(medians, WHOLE, "keepalives/s");
        report.ratio("Berth / the HTTP server from memory", whole / of(medians, CEILING, "keepalives/s"), 0.6);
        report.section("Over HTTP: keepalives at half of the top rate, open loop");
        steady(services, whole / 2, () -> keepaliveExchanges(Objects.requireNonNull(lent.get(WHOLE))));
    }

    /** Latencies of the whole service at a rate that it can hold. */
    private void steady(Map<String, Child> services, double rate, Supplier<List<Exchange>> exchanges) throws Exception {
        var whole = Objects.requireNonNull(services.get(WHOLE));
        new Contest(report, effort).run(Map.of(WHOLE, time -> {
            try (var load = new Load(whole.url(), exchanges.get())) {
                var outcome = load.open(rate, time);
                var figures = new LinkedHashMap<String, Double>();
                figures.put("operations/s", outcome.perSecond());
                figures.put("first request, p50 ms", outcome.firstMilliseconds(0.5));
                figures.put("first request, p99 ms", outcome.firstMilliseconds(0.99));
                figures.put("whole operation, p50 ms", outcome.milliseconds(0.5));
                figures.put("whole operation, p99 ms", outcome.milliseconds(0.99));
                return figures;
            }
        }));
    }

    // ---- one round

    /** One round of one of the services. */
    @FunctionalInterface
    private interface Round {
        Map<String, Double> of(String name, Child service, Duration time) throws IOException;
    }

    private SequencedMap<String, Map<String, Double>> contest(Map<String, Child> services, Round round)
            throws Exception {
        var contenders = new LinkedHashMap<String, Contest.Contender>();
        services.forEach((name, service) -> contenders.put(name, time -> round.of(name, service, time)));
        return new Contest(report, effort).run(contenders);
    }

    private Map<String, Double> pairsOn(String name, Child service, Duration time) throws IOException {
        return on(service, "pairs/s", pairExchanges(), time);
    }

    private Map<String, Double> on(Child service, String what, List<Exchange> exchanges, Duration time)
            throws IOException {
        try (var load = new Load(service.url(), exchanges)) {
            var theirs = service.cpu();
            var ours = cpu();
            var outcome = load.closed(time);
            double seconds = time.toNanos() / 1e9;
            var figures = new LinkedHashMap<String, Double>();
            figures.put(what, outcome.perSecond());
            figures.put("p99 ms", outcome.milliseconds(0.99));
            figures.put("cores of the service", service.cpu().minus(theirs).toNanos() / 1e9 / seconds);
            figures.put("cores of the load generator", cpu().minus(ours).toNanos() / 1e9 / seconds);
            return figures;
        }
    }

    private static Duration cpu() {
        return ManagementFactory.getOperatingSystemMXBean() instanceof com.sun.management.OperatingSystemMXBean system
                ? Duration.ofNanos(system.getProcessCpuTime())
                : Duration.ZERO;
    }

    private List<Exchange> pairExchanges() {
        long run = System.nanoTime(); // keys of one run are not those of another
        return IntStream.range(0, effort.callers())
                .<Exchange>mapToObj(i -> new Pairs(Service.TOKEN, run + i))
                .toList();
    }

    private static List<Exchange> keepaliveExchanges(List<String> ids) {
        return ids.stream()
                .<Exchange>map(id -> new Keepalives(Service.TOKEN, List.of(id)))
                .toList();
    }

    private List<String> lend(URI url) throws IOException {
        try (var caller = new Caller(url)) {
            var ids = new ArrayList<String>();
            for (int i = 0; i < effort.callers(); i++) {
                ids.add(Caller.id(caller.allocate()));
            }
            return ids;
        }
    }

    // ---- services

    /** Starts one; returns when all environments of its pool can be lent. */
    static Child service(Stores stores, Service.Kind kind, int environments) throws IOException {
        var folder = Files.createTempDirectory(stores.folder(), "service-");
        var child = Child.start(
                Service.class, profiling(kind), kind.name(), folder.toString(), String.valueOf(environments));
        try (var caller = new Caller(child.url())) {
            caller.awaitAvailable(environments);
            return child;
        } catch (IOException e) {
            child.close();
            throw e;
        }
    }

    /** The whole service is recorded by the JDK's flight recorder where {@code -Dberth.bench.recording=FILE} says so. */
    private static List<String> profiling(Service.Kind kind) {
        var file = System.getProperty("berth.bench.recording");
        return file == null || kind != Service.Kind.WHOLE
                ? List.of()
                : List.of("-XX:StartFlightRecording=dumponexit=true,settings=profile,filename=" + file);
    }

    /** Answers what this service answered. */
    private static Child ceiling(Stores stores, URI real) throws IOException {
        var folder = stores.folder();
        try (var caller = new Caller(real)) {
            var allocation = caller.allocate();
            var path = "/allocations/" + Caller.id(allocation);
            var keepalive = caller.call("POST", path + "/keepalive", "");
            var released = caller.call("DELETE", path, "{}");
            return Child.start(
                    Ceiling.class,
                    List.of(),
                    Files.writeString(folder.resolve("allocate"), allocation).toString(),
                    Files.writeString(folder.resolve("release"), released).toString(),
                    Files.writeString(folder.resolve("keepalive"), keepalive).toString());
        }
    }

    private static double of(Map<String, Map<String, Double>> medians, String contender, String name) {
        return figure(Objects.requireNonNull(medians.get(contender)), name);
    }

    private static double figure(Map<String, Double> figures, String name) {
        return Objects.requireNonNull(figures.get(name));
    }
}
