package dev.berth.server.store;

import dev.berth.core.Allocation;
import dev.berth.core.AllocationId;
import dev.berth.core.AllocationState;
import dev.berth.core.Environment;
import dev.berth.core.EnvironmentName;
import dev.berth.core.EnvironmentState;
import dev.berth.core.Holder;
import dev.berth.core.KeyUse;
import dev.berth.core.Line;
import dev.berth.core.Need;
import dev.berth.core.NeedClass;
import dev.berth.core.Pool;
import dev.berth.core.PoolName;
import dev.berth.core.Rules;
import dev.berth.core.Search;
import dev.berth.core.Slice;
import dev.berth.core.Step;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Loads a slice: every statement is an index look-up, and every list has a limit that does not grow with the pool. */
final class SliceLoader {
    private static final int MOST_DUE = 256;
    /** So many free environments of different accounts at most, beyond one of each. */
    private static final int MOST_OF_ACCOUNTS = 4096;
    /** Of one account so many are looked at, in case that a request avoids some. */
    private static final int SOME = 4;
    /** The first loan of a principal to end is looked for among so many of the pool. */
    private static final int MOST_LOANS = 1000;
    /** Candidates beyond what can be claimed: those in a busy account are passed over. */
    private static final int SPARE_WORK = 32;

    private final Lane lane;
    private final Rows rows;
    private final Pool pool;
    private final KnownPool known;
    private final RecentRows recent;
    private final Slice.Needs needs;
    private final Instant now;
    private final Map<AllocationId, Allocation> allocations = new LinkedHashMap<>();
    private final Map<EnvironmentName, Environment> environments = new LinkedHashMap<>();
    private final Map<String, EventPlace> latestEvents;
    private final Map<String, Holder> holders = new HashMap<>();
    private final Set<String> holdersAsked = new HashSet<>();
    private final Set<String> accountsAsked = new HashSet<>();
    private boolean complete = true;

    /**
     * @param latestEvents gets the latest event about each environment that is loaded, by its name
     */
    SliceLoader(
            Lane lane,
            Rows rows,
            Pool pool,
            KnownPool known,
            RecentRows recent,
            Slice.Needs needs,
            Instant now,
            Map<String, EventPlace> latestEvents) {
        this.lane = lane;
        this.rows = rows;
        this.pool = pool;
        this.known = known;
        this.recent = recent;
        this.latestEvents = latestEvents;
        this.needs = needs;
        this.now = now;
    }

    Slice load() {
        boolean afterOutage = Rules.isAfterOutage(pool, needs.claims(), now);
        var shapes = known.shapes();
        var fit = rows.fit(pool, shapes);
        var lines = known.lines();
        var keys = keys();
        ours(needs.allocations());
        dueAllocations(afterOutage);
        named(needs.environments());
        var identities = identities();
        var due = dueEnvironments();
        var work = needs.work() == 0 ? List.<EnvironmentName>of() : work();
        if (needs.claims()) {
            environments(
                    "SELECT " + Rows.ENVIRONMENT_COLUMNS + " FROM environment WHERE pool = ? AND claimed = 1",
                    pool.number());
        }
        if (needs.wantsAll(pool.policy())) {
            environments(
                    "SELECT " + Rows.ENVIRONMENT_COLUMNS
                            + " FROM environment WHERE pool = ? AND state <> 'retired' ORDER BY name",
                    pool.number());
        }
        neighbours(needs.accounts());
        theirs();
        var busy = needs.work() == 0 ? Map.<String, Integer>of() : busyAccounts();
        var places = places();
        holders(lines.keySet().stream().map(Line.Key::holder).toList());
        // Made of what the batch itself is about: what is loaded from here on comes free by nothing that it does.
        var search = new Search(pool, shapes, fit, environments.values(), holders, now, Search.MOST_HEADS);
        var queue = queue(search.heads(lines.values()));
        if (afterOutage) {
            allocations(
                    "SELECT " + Rows.LIVE_COLUMNS + " FROM allocation WHERE pool = ? AND due_at > ?",
                    pool.number(),
                    now);
        }
        named(search.names(needs.asks(), allocations.values()));
        theirs();
        var free = free(search);
        theirs();
        holders();
        return new Slice(
                pool,
                allocations,
                environments,
                identities,
                shapes,
                fit,
                lines,
                holders,
                givenBack(),
                queue,
                free,
                places,
                census(search),
                returns(search),
                due,
                work,
                keys,
                busy,
                complete);
    }

    private void holders(Collection<String> names) {
        var missing = new ArrayList<String>();
        for (var name : names) {
            if (!name.isEmpty() && holdersAsked.add(name)) {
                missing.add(name);
            }
        }
        lane.listIn(
                        Rows::holder,
                        "SELECT " + Rows.HOLDER_COLUMNS + " FROM holder WHERE pool = ? AND name IN",
                        missing,
                        pool.number())
                .forEach(found -> holders.put(found.name(), found));
    }

    private void holders() {
        var names = new ArrayList<String>();
        for (var ask : needs.asks()) {
            names.add(ask.principal());
            names.add(pool.policy().sharer(ask.principal(), ask.label()));
        }
        for (var allocation : allocations.values()) {
            if (allocation.id().poolNumber() == pool.number()) {
                names.add(allocation.principal());
                names.add(allocation.sharer());
            }
        }
        holders(names);
    }

    /** One that ends on a sign of life alone has no such time. */
    private Map<String, Instant> givenBack() {
        var givenBack = new HashMap<String, Instant>();
        for (var ask : needs.asks()) {
            var principal = ask.principal();
            var quota = pool.policy().quota(principal).held();
            var holder = holders.get(principal);
            if (quota != null && holder != null && holder.held() >= quota && !givenBack.containsKey(principal)) {
                lane.one(row -> Optional.ofNullable(Rows.instant(row, 1)), """
                                SELECT MIN(CASE WHEN e.hold IS NULL THEN e.expires_at ELSE e.due_at END)
                                FROM (SELECT principal, state, due_at, expires_at, hold FROM allocation
                                    WHERE pool = ? AND due_at IS NOT NULL ORDER BY due_at LIMIT ?) AS e
                                WHERE e.principal = ? AND e.state = 'active'""", pool.number(), MOST_LOANS, principal)
                        .flatMap(found -> found)
                        .ifPresent(first -> givenBack.put(principal, first));
            }
        }
        return givenBack;
    }

    private Map<Slice.Place, AllocationId> places() {
        var places = new HashMap<Slice.Place, AllocationId>();
        if (pool.polling() > 0) {
            for (var place : needs.places()) {
                lane.one(
                                row -> rows.live(row, pool.name()),
                                "SELECT " + Rows.LIVE_COLUMNS + " FROM allocation WHERE pool = ? AND place = ?",
                                pool.number(),
                                place.digest())
                        .ifPresent(found -> {
                            allocations.putIfAbsent(found.id(), found);
                            places.put(place, found.id());
                        });
            }
        }
        return places;
    }

    /** With the allocations that they were used for, which may be of another pool. */
    private Map<KeyUse.Key, KeyUse> keys() {
        var asked = new LinkedHashMap<String, List<String>>();
        for (var key : needs.keys()) {
            asked.computeIfAbsent(key.principal(), principal -> new ArrayList<>())
                    .add(key.value());
        }
        var keys = new HashMap<KeyUse.Key, KeyUse>();
        asked.forEach((principal, values) -> lane.listIn(
                        row -> new KeyUse(
                                new KeyUse.Key(principal, row.getString(1)),
                                new AllocationId(row.getString(2)),
                                row.getString(3)),
                        "SELECT key, allocation, digest FROM idempotency_key WHERE principal = ? AND key IN",
                        values,
                        principal)
                .forEach(use -> keys.put(use.key(), use)));
        all(needs.keys().stream()
                .map(keys::get)
                .filter(Objects::nonNull)
                .map(KeyUse::allocation)
                .toList());
        return keys;
    }

    private void ours(Collection<AllocationId> ids) {
        all(ids.stream().filter(id -> id.poolNumber() == pool.number()).toList());
    }

    /** Live or ended, in the order in which they are asked for. */
    private void all(List<AllocationId> ids) {
        var asked = ids.stream()
                .distinct()
                .filter(id -> !allocations.containsKey(id))
                .toList();
        var found = new HashMap<AllocationId, Allocation>();
        for (var id : asked) {
            var recently = id.poolNumber() == pool.number() ? recent.allocation(known.lineage(), id) : null;
            if (recently != null) {
                found.put(id, recently);
            }
        }
        lane.listIn(
                        row -> rows.live(row, poolName(row.getInt(2))),
                        "SELECT " + Rows.LIVE_COLUMNS + " FROM allocation WHERE id IN",
                        unfound(asked, found.keySet(), AllocationId::value))
                .forEach(allocation -> found.put(allocation.id(), allocation));
        lane.listIn(
                        row -> rows.ended(row, poolName(row.getInt(2))),
                        "SELECT " + Rows.ENDED_COLUMNS + " FROM ended_allocation WHERE id IN",
                        unfound(asked, found.keySet(), AllocationId::value))
                .forEach(allocation -> found.put(allocation.id(), allocation));
        for (var id : asked) {
            var allocation = found.get(id);
            if (allocation != null) {
                allocations.put(id, allocation);
            }
        }
    }

    private static <T> List<String> unfound(List<T> asked, Set<T> found, Function<T, String> text) {
        return asked.stream().filter(each -> !found.contains(each)).map(text).toList();
    }

    private PoolName poolName(int number) {
        if (number == pool.number()) {
            return pool.name();
        }
        return lane.one(row -> new PoolName(row.getString(1)), "SELECT name FROM pool WHERE number = ?", number)
                .orElseThrow(() -> new StoreException("no pool has number " + number));
    }

    private int allocations(String sql, Object... arguments) {
        var found = lane.list(row -> rows.live(row, pool.name()), sql, arguments);
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

    /** In the order in which they are asked for. */
    private void named(Collection<EnvironmentName> names) {
        var asked = names.stream()
                .distinct()
                .filter(name -> !environments.containsKey(name))
                .toList();
        var found = new HashMap<EnvironmentName, Environment>();
        for (var name : asked) {
            var recently = recent.environment(known.lineage(), name);
            if (recently != null) {
                found.put(name, noted(recently.environment(), recently.latest()));
            }
        }
        lane.listIn(
                        this::environment,
                        "SELECT " + Rows.ENVIRONMENT_COLUMNS + " FROM environment WHERE name IN",
                        unfound(asked, found.keySet(), EnvironmentName::value))
                .forEach(environment -> found.put(environment.name(), environment));
        for (var name : asked) {
            var environment = found.get(name);
            if (environment != null) {
                environments.put(name, environment);
            }
        }
    }

    private Environment environment(ResultSet row) throws SQLException {
        return noted(rows.environment(lane, row), Rows.latestEvent(row));
    }

    private Environment noted(Environment environment, @Nullable EventPlace latest) {
        if (latest != null) {
            latestEvents.putIfAbsent(environment.name().value(), latest);
        }
        return environment;
    }

    private List<EnvironmentName> environments(String sql, Object... arguments) {
        var names = new ArrayList<EnvironmentName>();
        for (var environment : lane.list(this::environment, sql, arguments)) {
            environments.putIfAbsent(environment.name(), environment);
            names.add(environment.name());
        }
        return names;
    }

    private Map<String, EnvironmentName> identities() {
        var identities = new HashMap<String, EnvironmentName>();
        for (var identity : needs.identities()) {
            lane.one(
                            this::environment,
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
            // Lost claims have places of the pool, and keep all others waiting until they are taken over.
            work.addAll(environments(
                    "SELECT " + Rows.ENVIRONMENT_COLUMNS + """
                             FROM environment WHERE pool = ? AND claimed = 1 AND issuing = ? AND work_at <= ?
                            ORDER BY work_at LIMIT ?""",
                    pool.number(),
                    issuing,
                    now,
                    needs.work() + SPARE_WORK));
            work.addAll(environments(
                    "SELECT " + Rows.ENVIRONMENT_COLUMNS + """
                             FROM environment AS candidate WHERE pool = ? AND issuing = ? AND work_at <= ? AND claimed = 0
                            AND (issuing = 1 OR account IS NULL OR
                                (SELECT COUNT(*) FROM environment AS busy WHERE busy.pool = candidate.pool
                                 AND busy.account = candidate.account AND busy.claimed = 1 AND busy.issuing = 0) < ?)
                            ORDER BY work_at LIMIT ?""",
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

    /** Where one of an account is out at a time, what becomes of it decides on the others. Whether that brought any. */
    private boolean neighbours(Collection<String> accounts) {
        if (!pool.policy().isolates()) {
            return false;
        }
        var missing = new ArrayList<String>();
        for (var account : accounts) {
            if (accountsAsked.add(account)) {
                missing.add(account);
            }
        }
        int before = environments.size();
        lane.listIn(
                        this::environment,
                        "SELECT " + Rows.ENVIRONMENT_COLUMNS
                                + " FROM environment WHERE pool = ? AND state <> 'retired' AND account IN",
                        missing,
                        pool.number())
                .forEach(environment -> environments.putIfAbsent(environment.name(), environment));
        return environments.size() > before;
    }

    /**
     * The allocations that hold what was loaded, since a step's end may make them active or undo them; those that held it last, where
     * what they were given is to be revoked and may be of an access profile. And what those that were loaded have, or avoid.
     */
    private void theirs() {
        do {
            allocationsOfEnvironments();
            environmentsOfAllocations();
        } while (neighbours(environments.values().stream()
                .filter(environment -> environment.pool() == pool.number())
                .map(environment -> environment.record().account())
                .filter(Objects::nonNull)
                .toList()));
    }

    private void allocationsOfEnvironments() {
        Set<AllocationId> tenants = new LinkedHashSet<>();
        for (var environment : environments.values()) {
            if (environment.pool() == pool.number()
                    && (environment.state() instanceof EnvironmentState.Allocated || isRevokedByProfile(environment))
                    && environment.tenant() != null) {
                tenants.add(environment.tenant().allocation());
            }
        }
        ours(tenants);
    }

    private void environmentsOfAllocations() {
        var names = new LinkedHashSet<EnvironmentName>();
        for (var allocation : allocations.values()) {
            allocation.state().grants().forEach(grant -> names.add(grant.environment()));
            if (allocation.state() instanceof AllocationState.Pending pending) {
                names.addAll(pending.setbacks().avoid());
            }
        }
        named(names);
    }

    private static boolean isRevokedByProfile(Environment environment) {
        var work = environment.state().work();
        return work != null
                && work.step() == Step.REVOKE
                && !environment.record().shape().profiles().isEmpty();
    }

    private List<AllocationId> queue(List<Search.Heads> wanted) {
        var queue = new ArrayList<AllocationId>();
        for (var heads : wanted) {
            var found = lane.list(
                    row -> rows.live(row, pool.name()),
                    "SELECT " + Rows.LIVE_COLUMNS + """
                             FROM allocation WHERE pool = ? AND line = ? AND sharer = ? AND awake = 1
                            ORDER BY rank, arrival LIMIT ?""",
                    pool.number(),
                    heads.line().need(),
                    heads.line().holder(),
                    heads.limit());
            for (var head : found) {
                allocations.putIfAbsent(head.id(), head);
                queue.add(head.id());
            }
        }
        return queue;
    }

    // ---- free environments

    private List<EnvironmentName> free(Search search) {
        var free = new LinkedHashSet<EnvironmentName>();
        for (var loaded : environments.values()) { // also those that are asked for by name
            if (loaded.pool() == pool.number() && loaded.isFree()) {
                free.add(loaded.name());
            }
        }
        var wanted = search.free(needs.asks(), allocations.values());
        int spread = (int) wanted.stream().filter(each -> each.accounts() > 0).count();
        for (var each : wanted) {
            if (each.accounts() > 0) {
                free.addAll(freeInAccounts(each, MOST_OF_ACCOUNTS / spread));
            } else if (each.account() != null) {
                free.addAll(freeIn(each.shape(), each.account(), each.limit()));
            } else {
                var names = lane.list(
                        row -> new EnvironmentName(row.getString(1)), """
                        SELECT name FROM environment WHERE pool = ? AND shape = ? AND state = 'available'
                        ORDER BY turn LIMIT ?""", pool.number(), each.shape(), each.limit());
                named(names);
                free.addAll(names);
            }
        }
        return List.copyOf(free);
    }

    private List<EnvironmentName> freeIn(String shape, String account, int limit) {
        return environments("SELECT " + Rows.ENVIRONMENT_COLUMNS + """
                         FROM environment WHERE pool = ? AND shape = ? AND account = ? AND state = 'available'
                        AND account IS NOT NULL ORDER BY turn LIMIT ?""", pool.number(), shape, account, limit);
    }

    /** From account to account; one without an account is its own. */
    private List<EnvironmentName> freeInAccounts(Search.Free wanted, int most) {
        int accounts = Math.min(wanted.accounts(), most);
        int ofEach = Math.max(1, Math.min(wanted.limit(), most / accounts));
        var free = new ArrayList<EnvironmentName>();
        var account = "";
        for (int i = 0; i < accounts; i++) {
            var next = lane.one(row -> row.getString(1), """
                    SELECT account FROM environment
                    WHERE pool = ? AND shape = ? AND account > ? AND state = 'available' AND account IS NOT NULL
                    ORDER BY account LIMIT 1""", pool.number(), wanted.shape(), account);
            if (next.isEmpty()) {
                break;
            }
            account = next.get();
            free.addAll(freeIn(wanted.shape(), account, ofEach));
        }
        free.addAll(environments(
                "SELECT " + Rows.ENVIRONMENT_COLUMNS + """
                         FROM (SELECT * FROM environment WHERE pool = ? AND shape = ? AND state = 'available'
                            ORDER BY turn LIMIT ?) AS e
                        WHERE e.account IS NULL LIMIT ?""", pool.number(), wanted.shape(), MOST_OF_ACCOUNTS, accounts));
        return free;
    }

    // ---- what can be some time

    private Map<Need, List<Slice.Candidate>> census(Search search) {
        var census = new HashMap<Need, List<Slice.Candidate>>();
        for (var wanted : search.census(needs.asks(), allocations.values())) {
            census.put(wanted.need(), candidates(wanted));
        }
        return census;
    }

    private List<Slice.Candidate> candidates(Search.Census wanted) {
        if (wanted.need().constraints().containsKey(Need.NAME)) {
            return named(wanted);
        }
        var found = new LinkedHashSet<Slice.Candidate>();
        for (int lendable : new int[] {1, 0}) {
            var some = new LinkedHashSet<Slice.Candidate>();
            for (var shape : wanted.shapes()) {
                if (some.size() < wanted.limit()) {
                    some.addAll(candidates(wanted, shape, lendable, wanted.limit() - some.size()));
                }
            }
            found.addAll(some);
            if (wanted.distinct()) {
                found.addAll(inDifferentAccounts(wanted, lendable));
            }
        }
        return List.copyOf(found);
    }

    /** Those that are asked for by name are loaded. */
    private List<Slice.Candidate> named(Search.Census wanted) {
        return wanted.need().constraints().getOrDefault(Need.NAME, Collections.emptySortedSet()).stream()
                .filter(EnvironmentName::isValid)
                .map(name -> environments.get(new EnvironmentName(name)))
                .filter(environment -> environment != null
                        && environment.pool() == pool.number()
                        && Rows.lendable(environment) >= 0
                        && wanted.shapes().contains(environment.record().shape().digest())
                        && wanted.need()
                                .allows(environment.name(), environment.record().account()))
                .map(environment -> new Slice.Candidate(
                        environment.name(), environment.record().account(), Rows.lendable(environment) == 1))
                .toList();
    }

    private List<Slice.Candidate> candidates(Search.Census wanted, String shape, int lendable, int limit) {
        var accounts = wanted.need().constraints().get(Need.ACCOUNT);
        if (accounts == null) {
            return lane.list(
                    SliceLoader::candidate,
                    "SELECT name, account, lendable FROM environment WHERE pool = ? AND shape = ? AND lendable = ? LIMIT ?",
                    pool.number(),
                    shape,
                    lendable,
                    limit);
        }
        var found = new ArrayList<Slice.Candidate>();
        for (var account : accounts) {
            if (found.size() < limit) {
                found.addAll(candidates(shape, lendable, account, limit - found.size()));
            }
        }
        return found;
    }

    private List<Slice.Candidate> candidates(String shape, int lendable, String account, int limit) {
        return lane.list(SliceLoader::candidate, """
                SELECT name, account, lendable FROM environment WHERE pool = ? AND shape = ? AND lendable = ? AND account = ?
                LIMIT ?""", pool.number(), shape, lendable, account, limit);
    }

    /** A few of each of as many accounts as are wanted; one without an account is its own. */
    private List<Slice.Candidate> inDifferentAccounts(Search.Census wanted, int lendable) {
        var allowed = wanted.need().constraints().get(Need.ACCOUNT);
        var found = new ArrayList<Slice.Candidate>();
        var accounts = new HashSet<String>();
        for (var shape : wanted.shapes()) {
            var account = "";
            while (accounts.size() < wanted.limit()) {
                var next = allowed == null
                        ? nextAccount(shape, lendable, account)
                        : allowed.tailSet(account + '\0').stream().findFirst();
                if (next.isEmpty()) {
                    break;
                }
                account = next.get();
                var some = candidates(shape, lendable, account, SOME);
                found.addAll(some);
                if (!some.isEmpty()) {
                    accounts.add(account);
                }
            }
            if (allowed == null) {
                found.addAll(lane.list(SliceLoader::candidate, """
                        SELECT name, account, lendable FROM environment
                        WHERE pool = ? AND shape = ? AND lendable = ? AND account IS NULL LIMIT ?""", pool.number(), shape, lendable, wanted.limit()));
            }
        }
        return found;
    }

    private Optional<String> nextAccount(String shape, int lendable, String after) {
        return lane.one(row -> row.getString(1), """
                SELECT account FROM environment WHERE pool = ? AND shape = ? AND lendable = ? AND account > ?
                ORDER BY account LIMIT 1""", pool.number(), shape, lendable, after);
    }

    private static Slice.Candidate candidate(ResultSet row) throws SQLException {
        return new Slice.Candidate(new EnvironmentName(row.getString(1)), row.getString(2), row.getInt(3) == 1);
    }

    private Map<NeedClass, List<Instant>> returns(Search search) {
        var returns = new HashMap<NeedClass, List<Instant>>();
        for (var wanted : search.returns(needs.asks(), allocations.values())) {
            var found = new ArrayList<Instant>();
            for (var shape : wanted.shapes()) {
                found.addAll(lane.list(
                        row -> Instant.ofEpochMilli(row.getLong(1)), """
                        SELECT back_at FROM environment WHERE pool = ? AND shape = ? AND back_at IS NOT NULL
                        ORDER BY back_at LIMIT ?""", pool.number(), shape, wanted.limit()));
            }
            returns.put(
                    wanted.need(), found.stream().sorted().limit(wanted.limit()).toList());
        }
        return returns;
    }
}
