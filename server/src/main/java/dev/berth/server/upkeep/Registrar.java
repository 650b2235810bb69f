package dev.berth.server.upkeep;

import dev.berth.core.Command;
import dev.berth.core.Environment;
import dev.berth.core.EnvironmentName;
import dev.berth.core.EnvironmentState;
import dev.berth.core.Pool;
import dev.berth.core.PoolName;
import dev.berth.core.Registration;
import dev.berth.server.config.Configuration;
import dev.berth.server.config.ConfiguredPool;
import dev.berth.server.ledger.Ledger;
import dev.berth.server.store.Store;
import dev.berth.server.store.Store.EnvironmentQuery;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Keeps what is registered in step with the configuration in force: compares the two and hands the ledger the difference. Whatever
 * cannot be done yet (a record that moved to another pool, and has to drain in the old one first) is done by a later run. Idempotent:
 * a crash in between leaves nothing that the next run would not mend.
 */
public final class Registrar {
    private static final int CHUNK = 500;
    private static final int PAGE = 10_000;

    private final Ledger ledger;
    private final Store store;

    public Registrar(Ledger ledger, Store store) {
        this.ledger = ledger;
        this.store = store;
    }

    /**
     * Brings everything into step, as far as it can be now.
     *
     * @return whether nothing is left to be done later
     */
    public boolean run(Configuration configuration) {
        var pools = new HashMap<PoolName, Pool>();
        store.pools().forEach(pool -> pools.put(pool.name(), pool));
        for (var pool : configuration.pools().values()) {
            enact(pool, pools.get(pool.name()));
        }
        for (var pool : pools.values()) {
            if (pool.listed() && !configuration.pools().containsKey(pool.name())) {
                ledger.call(pool.name(), new Command.Delist());
            }
        }
        return register(configuration);
    }

    private void enact(ConfiguredPool pool, @Nullable Pool known) {
        if (known == null || !known.listed() || !known.policy().equals(pool.policy())) {
            ledger.call(pool.name(), new Command.Enact(pool.policy()));
        }
    }

    private boolean register(Configuration configuration) {
        var wanted = new HashMap<EnvironmentName, PoolName>();
        configuration
                .pools()
                .values()
                .forEach(pool -> pool.environments().keySet().forEach(name -> wanted.put(name, pool.name())));
        var inStep = new HashSet<EnvironmentName>();
        var gone = new HashMap<PoolName, List<EnvironmentName>>();
        for (var state : new EnvironmentState.@Nullable Name[] {null, EnvironmentState.Name.RETIRED}) {
            compare(configuration, wanted, state, inStep, gone);
        }
        gone.forEach((pool, names) -> {
            for (int i = 0; i < names.size(); i += CHUNK) {
                ledger.call(pool, new Command.Deregister(names.subList(i, Math.min(names.size(), i + CHUNK))));
            }
        });
        boolean complete = true;
        for (var pool : configuration.pools().values()) {
            complete &= register(pool, inStep);
        }
        return complete;
    }

    /** Goes through the rows there are, a page at a time, and sorts out which are as they should be and which are to go. */
    private void compare(
            Configuration configuration,
            Map<EnvironmentName, PoolName> wanted,
            EnvironmentState.@Nullable Name state,
            Set<EnvironmentName> inStep,
            Map<PoolName, List<EnvironmentName>> gone) {
        String cursor = null;
        do {
            var page = store.environments(new EnvironmentQuery(null, state, cursor, PAGE));
            for (var row : page.items()) {
                var pool = ledger.poolOf(row.pool())
                        .orElseThrow(() -> new IllegalStateException("environment " + row.name() + " is in no pool"));
                var wantedIn = wanted.get(row.name());
                if (wantedIn == null || !pool.equals(wantedIn)) {
                    if (isToGo(row)) {
                        gone.computeIfAbsent(pool, name -> new ArrayList<>()).add(row.name());
                    }
                } else if (isInStep(row, record(configuration, wantedIn, row.name()))) {
                    inStep.add(row.name());
                }
            }
            cursor = page.next();
        } while (cursor != null);
    }

    private static Registration record(Configuration configuration, PoolName pool, EnvironmentName name) {
        var configured = configuration.pools().get(pool);
        var record = configured == null ? null : configured.environments().get(name);
        if (record == null) {
            throw new IllegalStateException("environment " + name + " is not in pool " + pool);
        }
        return record;
    }

    private static boolean isToGo(Environment row) {
        return row.state() instanceof EnvironmentState.Retired retired
                ? retired.byOperator()
                : row.drain() != Environment.Drain.DEREGISTERED;
    }

    private static boolean isInStep(Environment row, Registration record) {
        boolean same = row.record().digest().equals(record.digest());
        return same
                && (row.state() instanceof EnvironmentState.Retired retired
                        ? retired.byOperator()
                        : row.drain() != Environment.Drain.DEREGISTERED);
    }

    private boolean register(ConfiguredPool pool, Set<EnvironmentName> inStep) {
        var records = pool.environments().values().stream()
                .filter(record -> !inStep.contains(record.name()))
                .toList();
        for (int i = 0; i < records.size(); i += CHUNK) {
            ledger.call(pool.name(), new Command.Register(records.subList(i, Math.min(records.size(), i + CHUNK))));
        }
        return records.isEmpty();
    }
}
