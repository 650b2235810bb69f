package dev.berth.server.store;

import dev.berth.core.Allocation;
import dev.berth.core.AllocationId;
import dev.berth.core.AllocationState;
import dev.berth.core.Environment;
import dev.berth.core.EnvironmentName;
import dev.berth.core.EnvironmentState;
import dev.berth.core.KeyUse;
import dev.berth.core.Pool;
import dev.berth.core.PoolName;
import dev.berth.core.Rules;
import dev.berth.core.Slice;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Loads a slice: every statement is an index look-up, and every list has a limit that does not grow with the pool. */
final class SliceLoader {
    private static final int MOST_DUE = 256;
    private static final int MOST_HEADS = 256;
    /** Candidates beyond what can be claimed: those in a busy account are passed over. */
    private static final int SPARE_WORK = 32;

    private final Lane lane;
    private final Pool pool;
    private final Slice.Needs needs;
    private final Instant now;
    private final Map<AllocationId, Allocation> allocations = new LinkedHashMap<>();
    private final Map<EnvironmentName, Environment> environments = new LinkedHashMap<>();
    private boolean complete = true;

    SliceLoader(Lane lane, Pool pool, Slice.Needs needs, Instant now) {
        this.lane = lane;
        this.pool = pool;
        this.needs = needs;
        this.now = now;
    }

    Slice load() {
        boolean afterOutage = Rules.isAfterOutage(pool, needs.claims(), now);
        var keys = keys();
        needs.allocations().forEach(this::allocation);
        dueAllocations(afterOutage);
        needs.environments().forEach(this::environment);
        var identities = identities();
        var due = dueEnvironments();
        var work = needs.work() == 0 ? List.<EnvironmentName>of() : work();
        if (needs.claims()) {
            environments(
                    "SELECT " + Rows.ENVIRONMENT_COLUMNS + " FROM environment WHERE pool = ? AND claimed = 1",
                    pool.number());
        }
        tenants();
        allocations.values().stream()
                .flatMap(allocation -> allocation.state().grants().stream())
                .toList()
                .forEach(grant -> environment(grant.environment()));
        var queue = queue();
        var free = free();
        if (afterOutage) {
            allocations(
                    "SELECT " + Rows.LIVE_COLUMNS + " FROM allocation WHERE pool = ? AND due_at > ?",
                    pool.number(),
                    now);
        }
        var busy = needs.work() == 0 ? Map.<String, Integer>of() : busyAccounts();
        return new Slice(pool, allocations, environments, identities, free, queue, due, work, keys, busy, complete);
    }

    private Map<KeyUse.Key, KeyUse> keys() {
        var keys = new HashMap<KeyUse.Key, KeyUse>();
        for (var key : needs.keys()) {
            lane.one(
                            row -> new KeyUse(key, new AllocationId(row.getString(1)), row.getString(2)),
                            "SELECT allocation, digest FROM idempotency_key WHERE principal = ? AND key = ?",
                            key.principal(),
                            key.value())
                    .ifPresent(use -> {
                        keys.put(key, use);
                        anyAllocation(use.allocation());
                    });
        }
        return keys;
    }

    private void allocation(AllocationId id) {
        if (id.poolNumber() == pool.number()) {
            anyAllocation(id);
        }
    }

    /** Also one of another pool: a key may have been used there. */
    private void anyAllocation(AllocationId id) {
        if (!allocations.containsKey(id)) {
            var name = id.poolNumber() == pool.number() ? pool.name() : poolName(id.poolNumber());
            lane.one(
                            row -> Rows.live(row, name),
                            "SELECT " + Rows.LIVE_COLUMNS + " FROM allocation WHERE id = ?",
                            id.value())
                    .or(() -> lane.one(
                            row -> Rows.ended(row, name),
                            "SELECT " + Rows.ENDED_COLUMNS + " FROM ended_allocation WHERE id = ?",
                            id.value()))
                    .ifPresent(found -> allocations.put(id, found));
        }
    }

    private PoolName poolName(int number) {
        return lane.one(row -> new PoolName(row.getString(1)), "SELECT name FROM pool WHERE number = ?", number)
                .orElseThrow(() -> new StoreException("no pool has number " + number));
    }

    private int allocations(String sql, Object... arguments) {
        var found = lane.list(row -> Rows.live(row, pool.name()), sql, arguments);
        found.forEach(allocation -> allocations.putIfAbsent(allocation.id(), allocation));
        return found.size();
    }

    private void dueAllocations(boolean all) {
        int limit = all ? Integer.MAX_VALUE : MOST_DUE;
        int found = allocations(
                "SELECT " + Rows.LIVE_COLUMNS
                        + " FROM allocation WHERE pool = ? AND due_at <= ? ORDER BY due_at LIMIT ?",
                pool.number(),
                now,
                limit);
        complete &= found < limit;
    }

    private void environment(EnvironmentName name) {
        if (!environments.containsKey(name)) {
            lane.one(
                            Rows::environment,
                            "SELECT " + Rows.ENVIRONMENT_COLUMNS + " FROM environment WHERE name = ?",
                            name.value())
                    .ifPresent(found -> environments.put(name, found));
        }
    }

    private List<EnvironmentName> environments(String sql, Object... arguments) {
        var names = new ArrayList<EnvironmentName>();
        for (var environment : lane.list(Rows::environment, sql, arguments)) {
            environments.putIfAbsent(environment.name(), environment);
            names.add(environment.name());
        }
        return names;
    }

    private Map<String, EnvironmentName> identities() {
        var identities = new HashMap<String, EnvironmentName>();
        for (var identity : needs.identities()) {
            lane.one(
                            Rows::environment,
                            "SELECT " + Rows.ENVIRONMENT_COLUMNS
                                    + " FROM environment WHERE identity = ? ORDER BY state = 'retired', since DESC LIMIT 1",
                            identity)
                    .ifPresent(found -> {
                        environments.putIfAbsent(found.name(), found);
                        identities.put(identity, found.name());
                    });
        }
        return identities;
    }

    private List<EnvironmentName> dueEnvironments() {
        var due = environments(
                "SELECT " + Rows.ENVIRONMENT_COLUMNS
                        + " FROM environment WHERE pool = ? AND due_at <= ? ORDER BY due_at LIMIT ?",
                pool.number(),
                now,
                MOST_DUE);
        complete &= due.size() < MOST_DUE;
        return due;
    }

    private List<EnvironmentName> work() {
        var work = new ArrayList<EnvironmentName>();
        for (boolean issuing : new boolean[] {true, false}) {
            work.addAll(environments(
                    "SELECT " + Rows.ENVIRONMENT_COLUMNS + """
                             FROM environment AS candidate WHERE pool = ?1 AND issuing = ?2 AND work_at <= ?3
                            AND (issuing = 1 OR claimed = 1 OR account IS NULL OR
                                (SELECT COUNT(*) FROM environment AS busy WHERE busy.pool = ?1
                                 AND busy.account = candidate.account AND busy.claimed = 1 AND busy.issuing = 0) < ?4)
                            ORDER BY work_at LIMIT ?5""",
                    pool.number(),
                    issuing,
                    now,
                    pool.policy().perAccount(),
                    needs.work() + SPARE_WORK));
        }
        return work;
    }

    private Map<String, Integer> busyAccounts() {
        var busy = new HashMap<String, Integer>();
        for (var candidate : environments.values()) {
            var account = candidate.record().account();
            if (account != null && !busy.containsKey(account)) {
                busy.put(
                        account,
                        lane.one(row -> row.getInt(1), """
                                        SELECT COUNT(*) FROM environment
                                        WHERE pool = ? AND account = ? AND claimed = 1 AND issuing = 0""", pool.number(), account)
                                .orElse(0));
            }
        }
        return busy;
    }

    /** The allocations that hold what was loaded: a step's end may make them active or undo them. */
    private void tenants() {
        Set<AllocationId> holders = new LinkedHashSet<>();
        for (var environment : environments.values()) {
            if (environment.pool() == pool.number()
                    && environment.state() instanceof EnvironmentState.Allocated
                    && environment.tenant() != null) {
                holders.add(environment.tenant().allocation());
            }
        }
        holders.forEach(this::allocation);
    }

    private List<AllocationId> queue() {
        if (pool.waiting() == 0) {
            return List.of();
        }
        // With something free although somebody waits, the first may be ones that cannot be served: the next ones count
        // then.
        int limit = pool.counts().available() > 0 ? MOST_HEADS : Math.min(MOST_HEADS, environments.size() + 1);
        var heads = lane.list(
                row -> Rows.live(row, pool.name()),
                "SELECT " + Rows.LIVE_COLUMNS
                        + " FROM allocation WHERE pool = ? AND state = 'pending' ORDER BY arrival LIMIT ?",
                pool.number(),
                limit);
        var queue = new ArrayList<AllocationId>(heads.size());
        for (var head : heads) {
            allocations.putIfAbsent(head.id(), head);
            queue.add(head.id());
            if (head.state() instanceof AllocationState.Pending(var _, var setbacks)) {
                setbacks.avoid().forEach(this::environment);
            }
        }
        return queue;
    }

    /** As many as all that is asked for, and the heads of the queue, could take; a few more for those that avoid some. */
    private List<EnvironmentName> free() {
        long wanted =
                needs.asked() + (long) needs.environments().size(); // what is named may be taken out before it is lent
        int avoided = 0;
        for (var allocation : allocations.values()) {
            switch (allocation.state()) {
                case AllocationState.Pending pending -> {
                    wanted += allocation.request().count();
                    avoided = Math.max(avoided, pending.setbacks().avoid().size());
                }
                case AllocationState.Granting granting -> { // may come back to the queue
                    wanted += allocation.request().count();
                    avoided = Math.max(avoided, granting.setbacks().avoid().size() + 1);
                }
                case AllocationState.Active _, AllocationState.Ended _ -> {}
            }
        }
        long limit = Math.min(pool.counts().available(), wanted + avoided);
        return limit == 0
                ? List.of()
                : environments(
                        "SELECT " + Rows.ENVIRONMENT_COLUMNS
                                + " FROM environment WHERE pool = ? AND state = 'available' ORDER BY turn LIMIT ?",
                        pool.number(),
                        limit);
    }
}
