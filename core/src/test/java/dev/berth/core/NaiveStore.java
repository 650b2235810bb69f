package dev.berth.core;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A store in maps: finds everything by looking at all, loads slices as limited as a real one's, and checks whatever it is to write. */
final class NaiveStore {
    private static final int SPARE_WORK = 4;

    final Map<Integer, Pool> pools = new TreeMap<>();
    final Map<EnvironmentName, Environment> environments = new TreeMap<>();
    final Map<AllocationId, Allocation> live = new LinkedHashMap<>();
    final Map<AllocationId, Allocation> ended = new HashMap<>();
    final Map<KeyUse.Key, KeyUse> keys = new HashMap<>();
    final Map<Part, ShapeCount> shapes = new HashMap<>();
    final Map<LineOf, Line> lines = new LinkedHashMap<>();
    final Map<Part, Holder> holders = new HashMap<>();
    final List<Event> lastEvents = new ArrayList<>();

    /** Something of a pool, by its digest or name. */
    record Part(int pool, String name) {}

    /** A line of a pool. */
    record LineOf(int pool, Line.Key key) {}

    private final int mostDue;
    private final int mostHeads;
    private final UnaryOperator<Decision> tamper;
    private final UnaryOperator<Slice> blind;
    /** What the last commands, and the batches that followed them at once, wrote. */
    final Set<EnvironmentName> lastChanged = new HashSet<>();
    /** What lived after the last commands, and after each of the batches that followed them at once. */
    final List<Map<AllocationId, Allocation>> lastLiving = new ArrayList<>();

    NaiveStore(int mostDue, int mostHeads, UnaryOperator<Decision> tamper) {
        this(mostDue, mostHeads, tamper, UnaryOperator.identity());
    }

    /**
     * @param tamper plants a defect in decisions
     * @param blind plants one in the rules: they do not see all
     */
    NaiveStore(int mostDue, int mostHeads, UnaryOperator<Decision> tamper, UnaryOperator<Slice> blind) {
        this.blind = blind;
        this.mostDue = mostDue;
        this.mostHeads = mostHeads;
        this.tamper = tamper;
    }

    NaiveStore() {
        this(256, 256, UnaryOperator.identity());
    }

    /** One batch, and the further ones that it says are to follow at once. The answers are those of the first. */
    Decision run(int pool, List<Command> commands, Instant now) {
        lastChanged.clear();
        lastLiving.clear();
        var first = once(pool, commands, now);
        lastEvents.clear();
        lastEvents.addAll(first.events());
        boolean again = first.again();
        for (int rounds = 0; again; rounds++) {
            if (rounds > 2_000) {
                throw new AssertionError("another batch is asked for without an end");
            }
            var next = once(pool, List.of(new Command.Tick()), now);
            lastEvents.addAll(next.events());
            again = next.again();
        }
        new StoreCheck(this).rest(pool, now);
        return first;
    }

    private Decision once(int number, List<Command> commands, Instant now) {
        var pool = pools.get(number);
        var slice = blind.apply(load(pool, Slice.Needs.of(commands), now));
        var decision = tamper.apply(Rules.decide(slice, commands, now));
        decision.environments().forEach(change -> lastChanged.add(change.after().name()));
        new StoreCheck(this).apply(pool, commands, decision, now);
        lastLiving.add(Map.copyOf(live));
        return decision;
    }

    @Nullable
    Allocation find(AllocationId id) {
        var found = live.get(id);
        return found == null ? ended.get(id) : found;
    }

    // ---- loading

    Slice load(Pool pool, Slice.Needs needs, Instant now) {
        return new Loading(pool, needs, now).slice();
    }

    /** What one slice comes to have, in the order that {@link Search} asks for. */
    private final class Loading {
        private final Pool pool;
        private final Slice.Needs needs;
        private final Instant now;
        private final Map<AllocationId, Allocation> allocations = new LinkedHashMap<>();
        private final Map<EnvironmentName, Environment> loaded = new LinkedHashMap<>();
        private boolean complete = true;

        Loading(Pool pool, Slice.Needs needs, Instant now) {
            this.pool = pool;
            this.needs = needs;
            this.now = now;
        }

        Slice slice() {
            var known = new HashMap<KeyUse.Key, KeyUse>();
            for (var key : needs.keys()) {
                var use = keys.get(key);
                if (use != null) {
                    known.put(key, use);
                    add(find(use.allocation()));
                }
            }
            needs.allocations().forEach(id -> add(find(id)));
            addOverdue();
            needs.environments().forEach(this::add);
            var identities = identities();
            var due = due();
            due.forEach(this::add);
            var work = needs.work() == 0 ? List.<EnvironmentName>of() : work(pool, needs.work(), now);
            work.forEach(this::add);
            if (needs.claims()) {
                inPool(pool).filter(NaiveStore::isClaimed).forEach(found -> add(found.name()));
            }
            if (needs.wantsAll(pool.policy())) {
                inPool(pool)
                        .filter(found -> !(found.state() instanceof EnvironmentState.Retired))
                        .forEach(found -> add(found.name()));
            }
            if (pool.policy().isolates()) {
                inPool(pool)
                        .filter(found ->
                                needs.accounts().contains(found.record().account()))
                        .forEach(found -> add(found.name()));
            }
            addTheirs();
            var places = places();
            var waiting = new LinkedHashMap<Line.Key, Line>();
            lines.forEach((key, line) -> {
                if (key.pool() == pool.number() && line.waiting() > 0) {
                    waiting.put(line.key(), line);
                }
            });
            var counted = new HashMap<String, ShapeCount>();
            shapes.forEach((key, count) -> {
                if (key.pool() == pool.number() && count.total() > 0) {
                    counted.put(key.name(), count);
                }
            });
            var sharers = new HashMap<String, Holder>();
            waiting.keySet().forEach(key -> addHolder(sharers, key.holder()));
            var fit = new Fit(counted.values());
            var search = new Search(pool, counted, fit, List.copyOf(loaded.values()), sharers, now, mostHeads);
            var queue = queue(search.heads(waiting.values()));
            search.names(needs.asks(), allocations.values()).forEach(this::add);
            addTheirs();
            var free = free(search.free(needs.asks(), allocations.values()));
            free.forEach(this::add);
            addTheirs();
            return new Slice(
                    pool,
                    allocations,
                    loaded,
                    identities,
                    counted,
                    fit,
                    waiting,
                    holders(sharers),
                    givenBack(),
                    queue,
                    free,
                    places,
                    census(search.census(needs.asks(), allocations.values())),
                    returns(search.returns(needs.asks(), allocations.values())),
                    due,
                    work,
                    known,
                    needs.work() == 0 ? Map.of() : busy(),
                    complete);
        }

        private void addOverdue() {
            boolean afterOutage = Rules.isAfterOutage(pool, needs.claims(), now);
            if (afterOutage) {
                ofPool(pool).forEach(this::add);
                return;
            }
            var overdue = ofPool(pool)
                    .filter(allocation -> isDue(allocation.state().dueAt(), now))
                    .sorted(Comparator.comparing(
                            allocation -> allocation.state().dueAt()))
                    .limit(mostDue)
                    .toList();
            complete &= overdue.size() < mostDue;
            overdue.forEach(this::add);
        }

        private Map<String, EnvironmentName> identities() {
            var identities = new HashMap<String, EnvironmentName>();
            for (var identity : needs.identities()) {
                environments.values().stream()
                        .filter(environment -> environment.record().identity().equals(identity))
                        .max(Comparator.<Environment, Boolean>comparing(
                                        environment -> !(environment.state() instanceof EnvironmentState.Retired))
                                .thenComparing(Environment::since)
                                .thenComparingLong(Environment::epoch))
                        .ifPresent(found -> {
                            add(found.name());
                            identities.put(identity, found.name());
                        });
            }
            return identities;
        }

        private List<EnvironmentName> due() {
            var due = inPool(pool)
                    .filter(environment -> isDue(environment.state().dueAt(), now))
                    .sorted(Comparator.comparing(
                            environment -> environment.state().dueAt()))
                    .limit(mostDue)
                    .map(Environment::name)
                    .toList();
            complete &= due.size() < mostDue;
            return due;
        }

        /** Who holds what is loaded, what belongs to whom is loaded, and what shares an account with it where that matters. */
        private void addTheirs() {
            int before;
            do {
                before = loaded.size();
                addHoldersAndHeld();
                if (pool.policy().isolates()) {
                    var accounts = new HashSet<@Nullable String>();
                    loaded.values().forEach(found -> accounts.add(found.record().account()));
                    inPool(pool)
                            .filter(found -> found.record().account() != null
                                    && accounts.contains(found.record().account())
                                    && !(found.state() instanceof EnvironmentState.Retired))
                            .forEach(found -> add(found.name()));
                }
            } while (loaded.size() > before);
        }

        private void addHoldersAndHeld() {
            for (var environment : List.copyOf(loaded.values())) {
                if (environment.pool() == pool.number()
                        && environment.state() instanceof EnvironmentState.Allocated
                        && environment.tenant() != null) {
                    add(find(environment.tenant().allocation()));
                }
            }
            for (var allocation : allocations.values()) {
                allocation.state().grants().forEach(grant -> add(grant.environment()));
                if (allocation.state() instanceof AllocationState.Pending pending) {
                    pending.setbacks().avoid().forEach(this::add);
                }
            }
        }

        private Map<Slice.Place, AllocationId> places() {
            var places = new HashMap<Slice.Place, AllocationId>();
            ofPool(pool)
                    .filter(allocation -> allocation.state() instanceof AllocationState.Polling
                            && needs.places().contains(Slice.Place.of(allocation)))
                    .forEach(allocation -> {
                        add(allocation);
                        places.put(Slice.Place.of(allocation), allocation.id());
                    });
            return places;
        }

        private List<AllocationId> queue(List<Search.Heads> heads) {
            var queue = new ArrayList<AllocationId>();
            for (var head : heads) {
                NaiveStore.this
                        .queue(pool)
                        .filter(allocation -> allocation.line().equals(head.line()))
                        .limit(head.limit())
                        .forEach(allocation -> {
                            add(allocation);
                            queue.add(allocation.id());
                        });
            }
            addTheirs();
            return queue;
        }

        private List<EnvironmentName> free(List<Search.Free> wanted) {
            var found = new HashSet<EnvironmentName>();
            for (var free : wanted) {
                var those = inPool(pool)
                        .filter(environment -> environment.isFree()
                                && environment.record().shape().digest().equals(free.shape())
                                && (free.account() == null
                                        || free.account()
                                                .equals(environment.record().account())))
                        .sorted(Comparator.comparingLong(Environment::order))
                        .toList();
                if (free.accounts() == 0) {
                    those.stream().limit(free.limit()).forEach(environment -> found.add(environment.name()));
                } else {
                    var byAccount = new LinkedHashMap<String, List<Environment>>();
                    those.forEach(environment -> byAccount
                            .computeIfAbsent(accountOf(environment), _ -> new ArrayList<>())
                            .add(environment));
                    byAccount.values().stream()
                            .limit(free.accounts())
                            .flatMap(ofAccount -> ofAccount.stream().limit(free.limit()))
                            .forEach(environment -> found.add(environment.name()));
                }
            }
            // whatever else is here and free, by its name
            loaded.values().stream()
                    .filter(environment -> environment.pool() == pool.number() && environment.isFree())
                    .forEach(environment -> found.add(environment.name()));
            return found.stream()
                    .map(NaiveStore.this.environments::get)
                    .sorted(Comparator.comparingLong(Environment::order))
                    .map(Environment::name)
                    .toList();
        }

        private Map<String, Holder> holders(Map<String, Holder> found) {
            for (var ask : needs.asks()) {
                addHolder(found, ask.principal());
                addHolder(found, pool.policy().sharer(ask.principal(), ask.label()));
            }
            for (var allocation : allocations.values()) {
                addHolder(found, allocation.principal());
                addHolder(found, allocation.sharer());
            }
            return found;
        }

        private void addHolder(Map<String, Holder> found, String name) {
            var holder = NaiveStore.this.holders.get(new Part(pool.number(), name));
            if (holder != null) {
                found.put(name, holder);
            }
        }

        private Map<String, Instant> givenBack() {
            var first = new HashMap<String, Instant>();
            for (var ask : needs.asks()) {
                inPool(pool)
                        .filter(environment -> environment.state() instanceof EnvironmentState.Allocated
                                && environment.tenant() != null
                                && environment.tenant().principal().equals(ask.principal()))
                        .map(environment -> ((EnvironmentState.Allocated) environment.state()).backAt())
                        .filter(Objects::nonNull)
                        .min(Comparator.naturalOrder())
                        .ifPresent(at -> first.put(ask.principal(), at));
            }
            return first;
        }

        private Map<Need, List<Slice.Candidate>> census(List<Search.Census> wanted) {
            var found = new HashMap<Need, List<Slice.Candidate>>();
            for (var census : wanted) {
                var candidates = new LinkedHashSet<Slice.Candidate>();
                for (boolean lendable : new boolean[] {true, false}) {
                    var all = inPool(pool)
                            .filter(environment -> !(environment.state() instanceof EnvironmentState.Retired)
                                    && isLendable(environment) == lendable
                                    && census.shapes()
                                            .contains(
                                                    environment.record().shape().digest())
                                    && census.need()
                                            .allows(
                                                    environment.name(),
                                                    environment.record().account()))
                            .toList();
                    var accounts = new HashSet<String>();
                    Stream.concat(
                                    all.stream().limit(census.limit()),
                                    all.stream()
                                            .filter(environment ->
                                                    census.distinct() && accounts.add(accountOf(environment)))
                                            .limit(census.limit()))
                            .forEach(environment -> candidates.add(new Slice.Candidate(
                                    environment.name(), environment.record().account(), lendable)));
                }
                found.put(census.need(), List.copyOf(candidates));
            }
            return found;
        }

        private Map<NeedClass, List<Instant>> returns(List<Search.Returns> wanted) {
            var found = new HashMap<NeedClass, List<Instant>>();
            for (var returns : wanted) {
                var instants = new ArrayList<Instant>();
                inPool(pool).forEach(environment -> {
                    if (environment.state() instanceof EnvironmentState.Allocated(var _, var backAt)
                            && backAt != null
                            && !environment.isRetiring()
                            && returns.shapes()
                                    .contains(environment.record().shape().digest())) {
                        instants.add(backAt);
                    }
                });
                found.put(
                        returns.need(),
                        instants.stream().sorted().limit(returns.limit()).toList());
            }
            return found;
        }

        private Map<String, Integer> busy() {
            var busy = new HashMap<String, Integer>();
            inPool(pool)
                    .filter(environment -> isClaimed(environment)
                            && !isIssuing(environment)
                            && environment.record().account() != null)
                    .forEach(environment -> busy.merge(environment.record().account(), 1, Integer::sum));
            return busy;
        }

        private void add(EnvironmentName name) {
            var found = environments.get(name);
            if (found != null) {
                loaded.putIfAbsent(name, found);
            }
        }

        private void add(@Nullable Allocation found) {
            if (found != null) {
                allocations.putIfAbsent(found.id(), found);
            }
        }
    }

    /** Where accounts have to differ, one without an account is its own. */
    static String accountOf(Environment environment) {
        var account = environment.record().account();
        return account == null ? "name " + environment.name() : "account " + account;
    }

    static boolean isLendable(Environment environment) {
        return !environment.isRetiring()
                && switch (environment.state()) {
                    case EnvironmentState.Available _,
                            EnvironmentState.Allocated _,
                            EnvironmentState.Cleaning _,
                            EnvironmentState.Checking _ -> true;
                    case EnvironmentState.Withheld withheld -> !withheld.untilMended();
                    case EnvironmentState.Dirty _, EnvironmentState.Retired _ -> false;
                };
    }

    private List<EnvironmentName> work(Pool pool, int wanted, Instant now) {
        var names = new ArrayList<EnvironmentName>();
        for (boolean issuing : new boolean[] {true, false}) {
            inPool(pool)
                    .filter(environment ->
                            isDue(environment.state().workAt(), now) && isIssuing(environment) == issuing)
                    .sorted(Comparator.<Environment, Boolean>comparing(environment -> !isClaimed(environment))
                            .thenComparing(environment -> environment.state().workAt()))
                    .filter(environment -> issuing
                            || isClaimed(environment)
                            || environment.record().account() == null
                            || inPool(pool)
                                            .filter(other -> isClaimed(other)
                                                    && !isIssuing(other)
                                                    && environment
                                                            .record()
                                                            .account()
                                                            .equals(other.record()
                                                                    .account()))
                                            .count()
                                    < pool.policy().perAccount())
                    .limit((long) wanted + SPARE_WORK)
                    .forEach(environment -> names.add(environment.name()));
        }
        return names;
    }

    // ---- looking

    Stream<Environment> inPool(Pool pool) {
        return environments.values().stream().filter(environment -> environment.pool() == pool.number());
    }

    Stream<Allocation> ofPool(Pool pool) {
        return live.values().stream().filter(allocation -> allocation.id().poolNumber() == pool.number());
    }

    /** Those who wait and are not passed over, callers who keep asking among them, by rank and arrival. */
    Stream<Allocation> queue(Pool pool) {
        return ofPool(pool)
                .filter(Allocation::isAwake)
                .sorted(Comparator.<Allocation>comparingLong(allocation -> allocation.rank())
                        .thenComparingLong(Allocation::arrival));
    }

    static boolean isClaimed(Environment environment) {
        var work = environment.state().work();
        return work != null && work.claim() != null;
    }

    static boolean isIssuing(Environment environment) {
        var work = environment.state().work();
        return work != null && work.step() == Step.ISSUE;
    }

    private static boolean isDue(@Nullable Instant at, Instant now) {
        return at != null && !at.isAfter(now);
    }
}
