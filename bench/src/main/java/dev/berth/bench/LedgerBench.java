package dev.berth.bench;

import dev.berth.server.store.SqliteStore;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.SequencedMap;

/** The ledger in process: what batching is worth, what durability costs, and what a pool's size costs. */
final class LedgerBench {
    private static final Duration SLOW_SYNC = Duration.ofMillis(1);
    private static final String FILE = "SQLite file, batched";
    private static final String FILE_SINGLE = "SQLite file, one commit per operation";
    private static final String SLOW = "SQLite file + 1 ms a commit, batched";
    private static final String SLOW_SINGLE = "SQLite file + 1 ms a commit, one per operation";
    private static final String MEMORY = "SQLite in memory, batched";

    private final Report report;
    private final Effort effort;

    LedgerBench(Report report, Effort effort) {
        this.report = report;
        this.effort = effort;
    }

    /** All that wait in one commit, against one commit for each, against no disk. */
    void batching() throws Exception {
        report.section("In process: %d callers, %,d environments, allocate and release"
                .formatted(effort.callers(), effort.sizes().getFirst()));
        try (var stores = new Stores();
                var batched = filled(
                        new InProcess(stores.onDisk(), null), effort.sizes().getFirst());
                var single =
                        filled(new InProcess(stores.onDisk(), 1), effort.sizes().getFirst());
                var slowBatched = filled(
                        new InProcess(Stores.onSlowDisk(stores.onDisk(), SLOW_SYNC), null),
                        effort.sizes().getFirst());
                var slowSingle = filled(
                        new InProcess(Stores.slowed(stores.onDisk(), SLOW_SYNC), 1),
                        effort.sizes().getFirst());
                var memory = filled(
                        new InProcess(SqliteStore.inMemory(), null),
                        effort.sizes().getFirst())) {
            var services = new LinkedHashMap<String, InProcess>();
            services.put(FILE, batched);
            services.put(FILE_SINGLE, single);
            services.put(SLOW, slowBatched);
            services.put(SLOW_SINGLE, slowSingle);
            services.put(MEMORY, memory);
            var medians = contest(services, InProcess::pairsPerSecond);
            report.ratio("batched / one commit per operation", ratio(medians, FILE, FILE_SINGLE), 6.0);
            report.ratio("the same where a commit takes 1 ms longer", ratio(medians, SLOW, SLOW_SINGLE), 20.0);
            report.ratio("file / memory", ratio(medians, FILE, MEMORY), 0.7);
        }
    }

    private static double ratio(Map<String, Double> medians, String of, String to) {
        return Objects.requireNonNull(medians.get(of)) / Objects.requireNonNull(medians.get(to));
    }

    /** What the number of environments, of ended allocations and of waiting requests costs. */
    void size() throws Exception {
        int callers = Math.min(effort.callers(), Collections.min(effort.sizes())); // nobody is to find nothing free
        report.section("In process: %d callers, against the size of the pool".formatted(callers));
        try (var stores = new Stores()) {
            var services = new LinkedHashMap<String, InProcess>();
            try {
                for (int size : effort.sizes()) {
                    services.put("%,d environments".formatted(size), filled(onDisk(stores), size));
                }
                services.put("%,d ended".formatted(effort.ended()), aged(stores));
                var medians = contest(services, (service, _, time) -> service.pairsPerSecond(callers, time));
                var usual = medians.firstEntry();
                medians.forEach((name, value) -> {
                    if (!name.equals(usual.getKey())) {
                        report.ratio(name + " / " + usual.getKey(), value / usual.getValue(), 0.8);
                    }
                });
            } finally {
                services.values().forEach(InProcess::close);
            }
        }
    }

    /** What the length of the queue costs: each release hands over to who waits longest, and another joins the queue. */
    void queue() throws Exception {
        report.section("In process: %d callers, every environment lent, release and join the queue"
                .formatted(effort.callers()));
        try (var stores = new Stores()) {
            var services = new LinkedHashMap<String, InProcess>();
            try {
                for (int waiting : new int[] {2 * effort.callers(), effort.waiting()}) {
                    var service = filled(onDisk(stores), effort.sizes().getFirst());
                    services.put("%,d waiting".formatted(waiting), service);
                    service.fill(effort.sizes().getFirst() + waiting);
                }
                var medians = contest(services, InProcess::handOversPerSecond);
                report.ratio(
                        medians.lastEntry().getKey() + " / "
                                + medians.firstEntry().getKey(),
                        medians.lastEntry().getValue() / medians.firstEntry().getValue(),
                        0.8);
            } finally {
                services.values().forEach(InProcess::close);
            }
        }
    }

    /** One way to put load on a service. */
    @FunctionalInterface
    private interface Work {
        double perSecond(InProcess service, int callers, Duration time) throws InterruptedException;
    }

    private SequencedMap<String, Double> contest(Map<String, InProcess> services, Work work) throws Exception {
        var contenders = new LinkedHashMap<String, Contest.Contender>();
        services.forEach((name, service) ->
                contenders.put(name, time -> Map.of("pairs/s", work.perSecond(service, effort.callers(), time))));
        var medians = new LinkedHashMap<String, Double>();
        new Contest(report, effort)
                .run(contenders)
                .forEach((name, figures) -> medians.put(name, Objects.requireNonNull(figures.get("pairs/s"))));
        return medians;
    }

    private InProcess aged(Stores stores) throws Exception {
        var file = stores.newFile();
        filled(
                        new InProcess(SqliteStore.open(file, SqliteStore.Synchronous.FULL), null),
                        effort.sizes().getFirst())
                .close();
        Stores.addHistory(file, effort.ended());
        return new InProcess(SqliteStore.open(file, SqliteStore.Synchronous.FULL), null);
    }

    private static InProcess onDisk(Stores stores) {
        return new InProcess(stores.onDisk(), null);
    }

    private static InProcess filled(InProcess service, int environments) {
        BenchPool.register(service.ledger(), environments);
        return service;
    }
}
