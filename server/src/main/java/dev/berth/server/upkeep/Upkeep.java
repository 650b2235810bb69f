package dev.berth.server.upkeep;

import dev.berth.core.Answer;
import dev.berth.core.Answer.Assignment;
import dev.berth.core.Claim;
import dev.berth.core.ClaimId;
import dev.berth.core.Command;
import dev.berth.core.Command.RenewClaims.Held;
import dev.berth.core.Environment;
import dev.berth.core.PoolName;
import dev.berth.core.Step;
import dev.berth.core.Tenant;
import dev.berth.providers.Inventory;
import dev.berth.providers.Provider;
import dev.berth.providers.StepResult;
import dev.berth.providers.Task;
import dev.berth.server.ledger.Ledger;
import dev.berth.server.store.StoreException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.json.JsonMapper;

/**
 * Does the steps that are due: claims them through the ledger, has the provider do them outside any transaction, and reports the
 * result through the ledger, which takes it only while the claim is good. Has no thread of its own: steps run on the executor it is
 * given, and {@link #tick} and {@link #renew} return at once.
 */
public final class Upkeep {
    /** How often the claims of running steps are renewed: a few times within their lease. */
    public static final Duration RENEWAL = Claim.LEASE.dividedBy(3);

    private static final Logger LOG = LoggerFactory.getLogger(Upkeep.class);
    private static final int MOST_AT_ONCE = 200;
    private static final int MOST_CLAIMS = 32;
    private static final int LONGEST_REPORT = 16 * 1024;
    /** A claim is trusted for less than its lease, for a clock that runs differently and a call that is under way. */
    private static final long TRUSTED_NANOS = Claim.LEASE.toNanos() * 4 / 5;

    private static final TypeReference<Map<String, Object>> OBJECT = new TypeReference<>() {};

    private final Ledger ledger;
    private final Workbench workbench;
    private final Keeping keeping;
    private final Executor executor;
    private final Process process;
    private final ObjectMapper json = JsonMapper.builder().build();
    private final AtomicInteger places = new AtomicInteger(MOST_AT_ONCE);
    private final AtomicLong claims = new AtomicLong();
    private final Map<ClaimId, Running> running = new ConcurrentHashMap<>();

    /** Pools that found no place, the first to come first: so pools take turns. */
    private final Set<PoolName> hungry = Collections.synchronizedSet(new LinkedHashSet<>());

    /**
     * @param executor runs steps: a virtual thread each in production
     */
    public Upkeep(Ledger ledger, Workbench workbench, Keeping keeping, Executor executor, Process process) {
        this.ledger = ledger;
        this.workbench = workbench;
        this.keeping = keeping;
        this.executor = executor;
        this.process = process;
    }

    /** What is kept of the results of steps. */
    public record Keeping(AccessSealer sealer, Baselines baselines) {}

    /**
     * This process among those that work on the store.
     *
     * @param id never used again, not even by the same machine after a restart; letters and digits only
     * @param nanos a clock that only goes forward, for trusting claims: at the pace at which they lapse, also while a jump of the wall
     *     clock is made up for
     */
    public record Process(String id, LongSupplier nanos) {}

    /** Claims what is due in the pool and begins it. */
    public void tick(PoolName pool) {
        int wanted = take();
        if (wanted == 0) {
            hungry.add(pool);
            return;
        }
        var ids = new ArrayList<ClaimId>(wanted);
        for (int i = 0; i < wanted; i++) {
            ids.add(new ClaimId(process.id() + "-" + claims.incrementAndGet()));
        }
        long asked = process.nanos().getAsLong();
        var _ = ledger.submit(pool, new Command.ClaimWork(process.id(), ids)).whenComplete((answer, failure) -> {
            var claimed = answer instanceof Answer.Claimed found ? found : new Answer.Claimed(List.of(), false);
            places.addAndGet(wanted - claimed.steps().size());
            for (var assignment : claimed.steps()) {
                begin(pool, assignment, asked);
            }
            if (claimed.more()) {
                tick(pool);
            }
            feed();
        });
    }

    private int take() {
        int before = places.getAndUpdate(free -> free - Math.min(free, MOST_CLAIMS));
        return Math.min(before, MOST_CLAIMS);
    }

    /** Renews the claims of all running steps, and repeats the reports that the ledger could not take. */
    public void renew() {
        var byPool = new HashMap<PoolName, List<Running>>();
        for (var step : running.values()) {
            byPool.computeIfAbsent(step.pool, name -> new ArrayList<>()).add(step);
        }
        long asked = process.nanos().getAsLong();
        byPool.forEach((pool, steps) -> {
            var held = steps.stream()
                    .map(step -> new Held(step.environment.name(), step.claim.id()))
                    .toList();
            var _ = ledger.submit(pool, new Command.RenewClaims(held)).thenAccept(answer -> {
                if (answer instanceof Answer.Renewed renewed) {
                    for (var step : steps) {
                        if (renewed.lost().contains(step.claim.id())) {
                            step.lost = true;
                        } else {
                            step.trustedFrom = asked;
                        }
                    }
                }
            });
            steps.stream().filter(step -> step.result != null).forEach(this::report);
        });
    }

    /** How many steps are running. */
    public int size() {
        return running.size();
    }

    private void begin(PoolName pool, Assignment assignment, long asked) {
        var step = new Running(pool, assignment, asked);
        running.put(step.claim.id(), step);
        executor.execute(() -> {
            try {
                step.result = perform(step);
            } catch (InterruptedException e) {
                // The service stops. Whoever comes next takes the step over.
                Thread.currentThread().interrupt();
                end(step);
                return;
            }
            report(step);
        });
    }

    private Command.Result perform(Running step) throws InterruptedException {
        Provider provider;
        try {
            provider = workbench.provider(step.pool);
        } catch (IllegalStateException | StoreException e) {
            return new Command.Result.Unavailable(String.valueOf(e.getMessage()), null);
        }
        try {
            for (var earlier : step.assignment.fence()) {
                var ours = running.get(earlier.id());
                if (ours != null) {
                    ours.lost =
                            true; // it may not have begun yet: then there is nothing that the provider could find to
                    // stop
                }
                if (!provider.fence(earlier.id().value(), task(step, null))) {
                    return new Command.Result.Unfenced();
                }
            }
            if (!provider.steps().contains(step.step)) {
                return new Command.Result.Done(null, null, Duration.ZERO); // the pool has this step no more
            }
            return result(step, run(step, provider));
        } catch (StoreException e) {
            return new Command.Result.Unavailable(String.valueOf(e.getMessage()), null);
        } catch (RuntimeException e) {
            LOG.error("defect of the provider of pool {} in {}", step.pool, step.step, e);
            return new Command.Result.Unavailable(
                    "the provider failed: " + e.getClass().getSimpleName(), null);
        }
    }

    private StepResult run(Running step, Provider provider) throws InterruptedException {
        if (!provider.keepsBaseline()) {
            return provider.run(step.step, task(step, null));
        }
        var baselines = keeping.baselines();
        var baseline = baselines.of(step.environment);
        if (step.step == Step.CLEAN && baseline == null && baselines.adopts(step.pool)) {
            return new StepResult.Done(
                    null, "nothing was cleaned: what is there may belong to it, nobody has said yet", Duration.ZERO);
        }
        var task = task(step, baseline);
        var result = provider.run(step.step, task);
        return step.step == Step.VERIFY
                ? baselines.kept(step.pool, step.environment, baseline, result, task.claimHeld())
                : result;
    }

    private Task task(Running step, @Nullable Inventory baseline) {
        var environment = step.environment;
        return new Task(
                environment.name().value(),
                json.readValue(environment.record().facts(), OBJECT),
                environment.epoch(),
                holder(environment.tenant(), step.assignment.profile()),
                step.claim.id().value(),
                step.timeout(),
                () -> !step.lost && process.nanos().getAsLong() - step.trustedFrom < TRUSTED_NANOS,
                baseline,
                () -> keeping.baselines().isAccountIdle(environment));
    }

    private static Task.@Nullable Holder holder(@Nullable Tenant tenant, @Nullable String profile) {
        return tenant == null
                ? null
                : new Task.Holder(tenant.allocation().value(), tenant.requester(), tenant.principal(), profile);
    }

    private Command.Result result(Running step, StepResult result) {
        return switch (result) {
            case StepResult.Done done -> {
                var tenant = step.environment.tenant();
                var access = step.step == Step.ISSUE && done.access() != null && tenant != null
                        ? keeping.sealer()
                                .seal(
                                        tenant.allocation(),
                                        step.environment.name(),
                                        step.environment.epoch(),
                                        done.access())
                        : null;
                yield new Command.Result.Done(access, shortened(done.report()), done.settle());
            }
            case StepResult.Failed failed -> new Command.Result.Failed(failed.reason(), shortened(failed.report()));
            case StepResult.Unavailable unavailable ->
                new Command.Result.Unavailable(unavailable.reason(), shortened(unavailable.report()));
        };
    }

    /** The end of it: that is where programs say what went wrong. */
    private static @Nullable String shortened(@Nullable String report) {
        return report == null || report.length() <= LONGEST_REPORT
                ? report
                : "…" + report.substring(report.length() - LONGEST_REPORT);
    }

    /**
     * Reports the result; one that the ledger cannot take now is kept, with its claim renewed, and reported again. A report whose
     * answer is still to come is not repeated: the second would find the claim gone, as if the first had not counted.
     */
    private void report(Running step) {
        var result = step.result;
        if (result == null || !step.reporting.compareAndSet(false, true)) {
            return;
        }
        var _ = ledger.submit(
                        step.pool,
                        new Command.Report(step.environment.name(), step.claim.id(), step.environment.epoch(), result))
                .whenComplete((answer, failure) -> {
                    if (failure != null) {
                        step.reporting.set(false);
                    } else {
                        if (answer instanceof Answer.Reported(boolean taken) && !taken) {
                            LOG.info(
                                    "{} of {}: the claim was lost, its result was not taken",
                                    step.step,
                                    step.environment.name());
                        }
                        end(step);
                    }
                });
    }

    private void end(Running step) {
        if (running.remove(step.claim.id()) != null) {
            places.incrementAndGet();
            feed();
        }
    }

    /** A place is free: it goes to the pool that has waited longest. */
    private void feed() {
        PoolName next = null;
        synchronized (hungry) {
            var first = hungry.iterator();
            if (first.hasNext() && places.get() > 0) {
                next = first.next();
                first.remove();
            }
        }
        if (next != null) {
            tick(next);
        }
    }

    private static final class Running {
        final PoolName pool;
        final Assignment assignment;
        final Environment environment;
        final Claim claim;
        final Step step;
        volatile long trustedFrom;
        volatile boolean lost;
        volatile Command.@Nullable Result result;
        /** The result was handed over, and the ledger has not answered yet. */
        final AtomicBoolean reporting = new AtomicBoolean();

        Running(PoolName pool, Assignment assignment, long trustedFrom) {
            this.pool = pool;
            this.assignment = assignment;
            this.environment = assignment.environment();
            this.claim = assignment.claim();
            this.step = assignment.work().step();
            this.trustedFrom = trustedFrom;
        }

        /** The time-out of the step: what its claim may last at the longest, but for the grace. */
        Duration timeout() {
            return assignment.timeout();
        }
    }
}
