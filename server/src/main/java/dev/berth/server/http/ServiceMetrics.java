package dev.berth.server.http;

import dev.berth.core.Allocation;
import dev.berth.core.AllocationState;
import dev.berth.core.Decision;
import dev.berth.core.Event;
import dev.berth.core.Pool;
import dev.berth.core.PoolName;
import dev.berth.server.ledger.Ledger;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** What is measured: requests as they are answered, pools as they are committed, and their counts when somebody looks. */
public final class ServiceMetrics implements Ledger.Listener {
    private static final Duration[] BOUNDS = {
        Duration.ofMillis(5),
        Duration.ofMillis(25),
        Duration.ofMillis(100),
        Duration.ofMillis(500),
        Duration.ofSeconds(5),
        Duration.ofSeconds(60)
    };

    private final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final Map<Answered, Timer> requests = new ConcurrentHashMap<>();
    private final Map<Counted, Counter> counters = new ConcurrentHashMap<>();
    private final Map<String, Counter> refused = new ConcurrentHashMap<>();
    private final Map<PoolName, Timer> waits = new ConcurrentHashMap<>();
    private final DistributionSummary batches = DistributionSummary.builder("berth.ledger.batch")
            .description("Commands that were committed together for a pool")
            .register(registry);
    private final MultiGauge environments = gauge("berth.environments", "Environments by state");
    private final MultiGauge retiring = gauge("berth.environments.retiring", "Environments that drain");
    private final MultiGauge waiting = gauge("berth.queue.length", "Requests that wait");
    private final MultiGauge breakers = gauge("berth.breaker.open", "1 where a pool's circuit breaker is open");

    private record Answered(String method, String route, int status) {}

    private record Counted(String name, String pool, String one, String other) {}

    private MultiGauge gauge(String name, String description) {
        return MultiGauge.builder(name).description(description).register(registry);
    }

    /** Where whoever has more to measure registers it. */
    public PrometheusMeterRegistry registry() {
        return registry;
    }

    /**
     * A request was answered.
     *
     * @param route as the API names it, not as it was called
     */
    void answered(String method, String route, int status, long nanos) {
        requests.computeIfAbsent(new Answered(method, route, status), this::timer)
                .record(Duration.ofNanos(nanos));
    }

    /**
     * A call was refused.
     *
     * @param code of the error
     */
    void refused(String code) {
        refused.computeIfAbsent(
                        code,
                        slug -> Counter.builder("berth.http.refused")
                                .description("Calls that were refused for want of credentials or rights")
                                .tag("code", slug)
                                .register(registry))
                .increment();
    }

    private Timer timer(Answered answered) {
        return Timer.builder("berth.http.requests")
                .description("Requests, the time that they were held included")
                .tags("method", answered.method, "route", answered.route, "status", String.valueOf(answered.status))
                .serviceLevelObjectives(BOUNDS)
                .register(registry);
    }

    @Override
    public void committed(PoolName pool, Decision decision) {
        batches.record(decision.answers().size());
        for (var change : decision.allocations()) {
            allocation(pool, change.before(), change.after(), decision.pool());
        }
        for (var event : decision.events()) {
            event(pool, event);
        }
    }

    private void allocation(PoolName pool, @Nullable Allocation before, Allocation after, Pool now) {
        boolean waited = before == null || before.state() instanceof AllocationState.Pending;
        if (waited
                && (after.state() instanceof AllocationState.Granting
                        || after.state() instanceof AllocationState.Active)) {
            waits.computeIfAbsent(
                            pool,
                            name -> Timer.builder("berth.allocation.wait")
                                    .description("From request to grant")
                                    .tag("pool", name.value())
                                    .serviceLevelObjectives(BOUNDS)
                                    .register(registry))
                    .record(Duration.between(after.createdAt(), now.touchedAt()));
        }
        if (after.state() instanceof AllocationState.Ended ended) {
            count("berth.allocations.ended", pool, ended.reason().slug(), "");
        }
    }

    private void event(PoolName pool, Event event) {
        switch (event.type()) {
            case STEP_DONE, STEP_FAILED, STEP_UNAVAILABLE ->
                count(
                        "berth.upkeep.steps",
                        pool,
                        event.data().getOrDefault("step", ""),
                        event.type().slug().substring("step-".length()));
            case ENVIRONMENT_DIRTY -> count("berth.environments.dirtied", pool, "", "");
            case CLAIM_LOST ->
                count("berth.upkeep.claims.lost", pool, event.data().getOrDefault("step", ""), "");
            default -> {}
        }
    }

    private void count(String name, PoolName pool, String one, String other) {
        counters.computeIfAbsent(new Counted(name, pool.value(), one, other), this::counter)
                .increment();
    }

    private Counter counter(Counted counted) {
        var tags = Tags.of("pool", counted.pool);
        tags = switch (counted.name) {
            case "berth.allocations.ended" -> tags.and("reason", counted.one);
            case "berth.upkeep.steps" -> tags.and("step", counted.one, "result", counted.other);
            case "berth.upkeep.claims.lost" -> tags.and("step", counted.one);
            default -> tags;
        };
        return Counter.builder(counted.name).tags(tags).register(registry);
    }

    /** Everything, in Prometheus' text format. */
    synchronized String scrape(List<Pool> pools) {
        var states = new ArrayList<MultiGauge.Row<?>>();
        var drains = new ArrayList<MultiGauge.Row<?>>();
        var queues = new ArrayList<MultiGauge.Row<?>>();
        var open = new ArrayList<MultiGauge.Row<?>>();
        for (var pool : pools) {
            var tags = Tags.of("pool", pool.name().value());
            Map.of(
                            "available", pool.counts().available(),
                            "allocated", pool.counts().allocated(),
                            "cleaning", pool.counts().cleaning(),
                            "checking", pool.counts().checking(),
                            "withheld", pool.counts().withheld(),
                            "dirty", pool.counts().dirty())
                    .forEach((state, count) -> states.add(MultiGauge.Row.of(tags.and("state", state), count)));
            drains.add(MultiGauge.Row.of(tags, pool.counts().retiring()));
            queues.add(MultiGauge.Row.of(tags, pool.waiting()));
            open.add(MultiGauge.Row.of(tags, pool.breaker().openUntil() == null ? 0 : 1));
        }
        environments.register(states, true);
        retiring.register(drains, true);
        waiting.register(queues, true);
        breakers.register(open, true);
        return registry.scrape();
    }
}
