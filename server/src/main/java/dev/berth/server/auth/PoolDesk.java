package dev.berth.server.auth;

import dev.berth.core.Answer;
import dev.berth.core.Command;
import dev.berth.core.Environment;
import dev.berth.core.EnvironmentName;
import dev.berth.core.EnvironmentState;
import dev.berth.core.Pool;
import dev.berth.core.PoolName;
import dev.berth.core.Refusal;
import dev.berth.server.ledger.Ledger;
import dev.berth.server.ledger.LedgerException;
import dev.berth.server.ledger.TimeSource;
import dev.berth.server.store.Store;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/** What principals may see of pools and environments, and what operators may do with these. Every method throws {@link LedgerException}. */
public final class PoolDesk {
    /** How far back waits and utilisation are reckoned. */
    private static final Duration STATISTICS = Duration.ofHours(24);

    private static final int HISTORY = 100;
    private static final int ACTED_ON_AT_ONCE = 500;

    private final Ledger ledger;
    private final Store store;
    private final TimeSource time;

    public PoolDesk(Ledger ledger, Store store, TimeSource time) {
        this.ledger = ledger;
        this.store = store;
        this.time = time;
    }

    /**
     * A pool and what it did in the last 24 hours.
     *
     * @param oldestSeconds how long the first in the queue has waited; 0 where none waits
     * @param p50 of the time from request to grant; null where nothing was granted
     * @param utilisation share of the environments' time that was lent, 0 to 1
     */
    public record Report(
            Pool pool,
            long oldestSeconds,
            @Nullable Duration p50,
            @Nullable Duration p90,
            @Nullable Duration p99,
            double utilisation) {}

    /** All pools, for those who count: no names are to be shown of it to anybody. */
    public List<Pool> all() {
        return Reads.of(store::pools);
    }

    /** How many tokens and access keys there are. */
    public int tokens() {
        return Reads.of(() -> store.tokens().size() + store.accessKeys().size());
    }

    /** The pools that the principal may see, by name. */
    public List<Report> list(Principal principal) {
        return all().stream()
                .filter(pool -> principal.sees(pool.name()))
                .map(this::report)
                .toList();
    }

    /** One pool; empty where there is none that the principal may see. */
    public Optional<Report> find(Principal principal, String name) {
        return poolName(name)
                .filter(principal::sees)
                .flatMap(pool -> Reads.of(() -> store.pool(pool)))
                .map(this::report);
    }

    private Report report(Pool pool) {
        var now = time.now();
        var statistics = Reads.of(() -> store.statistics(pool.number(), now.minus(STATISTICS), now));
        var oldest = pool.waiting() == 0 ? null : Reads.of(() -> store.oldestWaiting(pool.number()));
        return new Report(
                pool,
                oldest == null ? 0 : Math.max(0, Duration.between(oldest, now).toSeconds()),
                statistics.p50(),
                statistics.p90(),
                statistics.p99(),
                statistics.utilisation());
    }

    private static Optional<PoolName> poolName(String text) {
        return PoolName.isValid(text) ? Optional.of(new PoolName(text)) : Optional.empty();
    }

    /** The name of the pool that an environment is in. */
    public String poolOf(Environment environment) {
        return Reads.of(() -> ledger.poolOf(environment.pool()))
                .map(PoolName::value)
                .orElse("");
    }

    /**
     * By name.
     *
     * @param pool null for every pool
     * @param state null for all but retired ones
     * @param cursor null for the first page
     */
    public Page<Environment> environments(
            @Nullable PoolName pool, EnvironmentState.@Nullable Name state, @Nullable String cursor, int limit) {
        var found = Reads.of(() -> store.environments(new Store.EnvironmentQuery(pool, state, cursor, limit)));
        return new Page<>(found.items(), found.next());
    }

    /** An environment, a retired one too; empty where there is none. */
    public Optional<Environment> environment(String name) {
        return EnvironmentName.isValid(name)
                ? Reads.of(() -> store.environment(new EnvironmentName(name)))
                : Optional.empty();
    }

    /** What happened to it lately, newest first. */
    public List<PoolEvent> history(Environment environment) {
        return Reads.of(() -> store.history(environment.name(), HISTORY)).stream()
                .map(PoolEvent::of)
                .toList();
    }

    /**
     * Acts on one environment: {@link Answer.Acted}, or refused.
     *
     * @param reason of a quarantine; null where none is given
     */
    public Answer act(Principal operator, String name, Command.Action action, @Nullable String reason) {
        var environment = environment(name);
        var pool = environment.flatMap(one -> Reads.of(() -> ledger.poolOf(one.pool())));
        if (environment.isEmpty() || pool.isEmpty()) {
            return new Answer.Refused(Refusal.NO_SUCH_ENVIRONMENT, "No environment " + name, null);
        }
        return ledger.call(
                pool.get(),
                new Command.Act(environment.get().name(), action, reason, operator.name(), operator.address()));
    }

    /** What became of one of many. */
    public record Outcome(EnvironmentName environment, Answer answer) {}

    /**
     * Acts on all environments of a pool, or on those in one state; empty where there is no such pool. One that fails stops the rest:
     * the action can be asked for again.
     *
     * @param state null for all but retired ones
     */
    public Optional<List<Outcome>> actOnAll(
            Principal operator,
            String poolName,
            EnvironmentState.@Nullable Name state,
            Command.Action action,
            @Nullable String reason) {
        var pool = poolName(poolName)
                .filter(name -> Reads.of(() -> ledger.numberOf(name)).isPresent());
        if (pool.isEmpty()) {
            return Optional.empty();
        }
        // The names are gathered first: the action moves environments out of the state that they are listed by.
        var names = new ArrayList<EnvironmentName>();
        String cursor = null;
        do {
            var page = environments(pool.get(), state, cursor, ACTED_ON_AT_ONCE);
            page.items().forEach(environment -> names.add(environment.name()));
            cursor = page.next();
        } while (cursor != null);
        var outcomes = new ArrayList<Outcome>(names.size());
        for (int from = 0; from < names.size(); from += ACTED_ON_AT_ONCE) {
            var some = names.subList(from, Math.min(names.size(), from + ACTED_ON_AT_ONCE));
            var answers = some.stream()
                    .map(name -> ledger.submit(
                            pool.get(), new Command.Act(name, action, reason, operator.name(), operator.address())))
                    .toList();
            for (int i = 0; i < some.size(); i++) {
                outcomes.add(new Outcome(some.get(i), join(answers.get(i))));
            }
        }
        return Optional.of(outcomes);
    }

    private static Answer join(CompletableFuture<Answer> answer) {
        try {
            return answer.join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof LedgerException known ? known : e;
        }
    }

    public Instant now() {
        return time.now();
    }
}
