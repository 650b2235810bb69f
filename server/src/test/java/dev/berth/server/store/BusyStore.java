package dev.berth.server.store;

import static dev.berth.server.store.Samples.NOON;
import static dev.berth.server.store.Samples.allocation;
import static dev.berth.server.store.Samples.ask;
import static dev.berth.server.store.Samples.environment;
import static dev.berth.server.store.Samples.free;
import static dev.berth.server.store.Samples.isolating;
import static dev.berth.server.store.Samples.pending;
import static dev.berth.server.store.Samples.policy;
import static dev.berth.server.store.Samples.request;

import dev.berth.core.Allocation;
import dev.berth.core.AllocationState;
import dev.berth.core.Caller;
import dev.berth.core.ClaimId;
import dev.berth.core.Command;
import dev.berth.core.Environment;
import dev.berth.core.EnvironmentName;
import dev.berth.core.EnvironmentState;
import dev.berth.core.Holder;
import dev.berth.core.KeyUse;
import dev.berth.core.Need;
import dev.berth.core.NeedClass;
import dev.berth.core.Policy;
import dev.berth.core.Pool;
import dev.berth.core.PoolName;
import dev.berth.core.Request;
import dev.berth.core.Rules;
import dev.berth.core.Slice;
import dev.berth.core.Step;
import dev.berth.core.Work;
import dev.berth.server.store.Samples.Draft;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.IntStream;

/** A store with something in it, and all that is done with it while it is busy. */
final class BusyStore {
    private static final int SIZE = 4_000;

    private BusyStore() {}

    /** Takes note of the statements that are prepared. */
    static Connection recording(Connection connection, Set<String> statements) {
        return (Connection) Proxy.newProxyInstance(
                BusyStore.class.getClassLoader(), new Class<?>[] {Connection.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("prepareStatement")) {
                        statements.add((String) arguments[0]);
                    }
                    try {
                        return method.invoke(connection, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    /** Some thousands of environments, and of requests that wait. */
    static Pool fill(Store store) {
        Pool pool;
        try (var transaction = store.begin()) {
            var quota = new Policy.Quota(1, null);
            pool = transaction.create(
                    new PoolName("pool"), policy(Set.of(Step.CLEAN), Policy.Queueing.DEFAULT, quota), NOON);
            transaction.commit();
        }
        var draft = new Draft(pool).counts(SIZE, SIZE);
        draft.add(IntStream.range(0, SIZE)
                .mapToObj(i -> environment(
                        pool,
                        "e" + i,
                        i,
                        i % 2 == 0
                                ? free()
                                : new EnvironmentState.Cleaning(
                                        new Work(Step.CLEAN, 0, 0, NOON.plusSeconds(i), null, List.of(), false))))
                .toArray(Environment[]::new));
        draft.add(IntStream.range(0, SIZE)
                .mapToObj(i -> allocation(pool, i, pending()))
                .toArray(Allocation[]::new));
        return draft.write(store);
    }

    private static Request special(String attribute, boolean distinct) {
        var constraints = new TreeMap<String, SortedSet<String>>();
        if (!distinct) {
            constraints.put(attribute, new TreeSet<>(Set.of("a", "e1")));
        }
        var need = new Need(2, Collections.emptySortedMap(), constraints, null);
        return request(NeedClass.of(List.of(need), distinct), Duration.ZERO, null);
    }

    /** All that a busy service does, and what its pages and its housekeeping ask for. */
    static void runAll(Store store, Pool pool) {
        var held = allocation(pool, 9, new AllocationState.Active(List.of(), NOON, NOON, null, null, false, null));
        var key = new KeyUse.Key("ann", "key");
        new Draft(pool)
                .counts(SIZE, SIZE)
                .add(held)
                .use(new KeyUse(key, held.id(), "d"))
                .add(new Holder("ann", 1, 0, 0, NOON, NOON))
                .write(store);
        var commands = List.<Command>of(
                ask(Samples.id(pool), request(1, Duration.ofSeconds(9), "key")),
                ask(Samples.id(pool), request(1, Duration.ofSeconds(9), "other")),
                ask(Samples.id(pool), request(3, Duration.ZERO, null)),
                ask(Samples.id(pool), special(Need.ACCOUNT, false)),
                ask(Samples.id(pool), special(Need.NAME, false)),
                ask(Samples.id(pool), special("region", true)),
                new Command.Release(held.id(), new Caller("ann", false), null),
                new Command.Register(List.of(Samples.record("e1"), Samples.record("new"))),
                new Command.Act(new EnvironmentName("e2"), Command.Action.QUARANTINE, "r", "bob"),
                new Command.VoidClaims("p"),
                new Command.ClaimWork("p", List.of(new ClaimId("c-1"), new ClaimId("c-2"))),
                new Command.Tick());
        var apart = new ArrayList<>(commands);
        apart.add(new Command.Enact(isolating(pool.policy())));
        apart.add(new Command.Register(List.of(Samples.record("apart", "apart", "account"))));
        for (var now : List.of(
                NOON.plusSeconds(1),
                NOON.plusSeconds(59),
                NOON.plusSeconds(70),
                NOON.plusSeconds(71),
                NOON.plusSeconds(72))) {
            var batch = now.isBefore(NOON.plusSeconds(71)) ? commands : apart;
            try (var transaction = store.begin()) {
                var locked = transaction.lock(pool.name()).orElseThrow();
                var slice = transaction.load(locked, Slice.Needs.of(batch), now);
                transaction.write(Rules.decide(slice, batch, now), locked);
                transaction.stamp("p/1", now);
                transaction.commit();
            }
        }
        store.committed("p/1");
        store.pools();
        store.pool(pool.name());
        store.nextDue(pool.number());
        store.nextWork(pool.number());
        store.allocation(held.id());
        store.environment(new EnvironmentName("e1"));
        store.queue(pool.number());
        store.shapes(pool.number());
        store.busy(pool.number(), 10);
        store.history(pool.number(), 10);
        store.holders(pool.number());
        store.oldestWaiting(pool.number());
        store.allocations(new Store.AllocationQuery(pool.name(), null, null, null, null, 10));
        store.allocations(new Store.AllocationQuery(
                pool.name(), "ended", null, null, held.id().value(), 10));
        store.environments(new Store.EnvironmentQuery(pool.name(), null, "e5", 10));
        store.environments(new Store.EnvironmentQuery(pool.name(), EnvironmentState.Name.DIRTY, null, 10));
        store.statistics(pool.number(), NOON, NOON.plusSeconds(9));
        store.events(Map.of(pool.number(), 1L), 10);
        store.oldestEvents();
        store.history(new EnvironmentName("e1"), 10);
        store.tokenByHash("hash");
        store.wasInForce("digest");
        store.prune(NOON.plusSeconds(500), 10);
    }
}
