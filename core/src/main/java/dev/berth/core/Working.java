package dev.berth.core;

import dev.berth.core.Decision.Change;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * A slice while it is being decided on: what the commands before have made of it. Keeps the pool's counts in step with every change,
 * and in the end tells the difference.
 */
final class Working {
    final Instant now;
    private final Slice slice;
    private final Map<AllocationId, Allocation> allocations;
    private final Map<EnvironmentName, Environment> environments;
    private final Map<KeyUse.Key, KeyUse> keys;
    private final Map<AllocationId, @Nullable Allocation> allocationsBefore = new LinkedHashMap<>();
    /** By the name of now; the one before may have had another. */
    private final Map<EnvironmentName, @Nullable Environment> environmentsBefore = new LinkedHashMap<>();

    private final Set<KeyUse.Key> keysTouched = new LinkedHashSet<>();
    private final List<Event> events = new ArrayList<>();
    /** By shape, in the order in which they are lent. */
    private final Map<String, TreeMap<Long, EnvironmentName>> free = new HashMap<>();
    /** What is here of a pool that isolates accounts, by account. */
    private final Map<String, TreeSet<EnvironmentName>> accounts = new HashMap<>();

    private final Map<String, ShapeCount> shapes;
    private final Set<String> shapesTouched = new LinkedHashSet<>();
    private final Map<NeedClass, List<List<String>>> fits = new HashMap<>();
    private int fittedShapes;

    private boolean resized;

    private final Map<Line.Key, Line> lines;
    private final Set<Line.Key> linesTouched = new LinkedHashSet<>();
    /** Those who wait and are not passed over, as far as they were loaded. */
    private final Map<Line.Key, TreeMap<Turn, AllocationId>> queue = new LinkedHashMap<>();

    /** Of lines that were loaded in part, how far. */
    private final Map<Line.Key, Turn> lastHeads = new HashMap<>();

    private final Map<Slice.Place, AllocationId> places;
    private final Map<String, Holder> holders;
    private final Set<String> holdersTouched = new LinkedHashSet<>();
    private final List<Allocation> forgotten = new ArrayList<>();

    private Policy policy;
    private boolean listed;
    /** The names of what is here, by identity; empty until somebody asks. */
    private final Map<String, Set<EnvironmentName>> things = new HashMap<>();

    private int generation;
    private long edits;
    private long sequence;
    private int waiting;
    private int polling;
    private int onHold;
    private int issuing;
    private int maintained;
    private Pool.Breaker breaker;
    private final Map<EnvironmentState.Name, Integer> counts = new EnumMap<>(EnvironmentState.Name.class);
    private int retiring;
    private final Map<String, Integer> busyAccounts;
    private boolean unserved;

    Working(Slice slice, Instant now) {
        this.slice = slice;
        this.now = now;
        allocations = new HashMap<>(slice.allocations());
        environments = new HashMap<>(slice.environments());
        keys = new HashMap<>(slice.keys());
        shapes = new HashMap<>(slice.shapes());
        lines = new HashMap<>(slice.lines());
        places = new HashMap<>(slice.places());
        holders = new HashMap<>(slice.holders());
        slice.free().forEach(name -> offer(environment(name)));
        busyAccounts = new HashMap<>(slice.busyAccounts());
        for (var id : slice.queue()) {
            var turn = Turn.of(allocation(id));
            line(allocation(id).line()).put(turn, id);
            lastHeads.merge(allocation(id).line(), turn, Working::later);
        }
        var pool = slice.pool();
        policy = pool.policy();
        if (policy.isolates()) {
            environments.values().forEach(this::group);
        }
        listed = pool.listed();
        generation = pool.generation();
        sequence = pool.sequence();
        waiting = pool.waiting();
        polling = pool.polling();
        onHold = pool.onHold();
        issuing = pool.issuing();
        maintained = pool.maintained();
        breaker = pool.breaker();
        counts.put(EnvironmentState.Name.AVAILABLE, pool.counts().available());
        counts.put(EnvironmentState.Name.ALLOCATED, pool.counts().allocated());
        counts.put(EnvironmentState.Name.CLEANING, pool.counts().cleaning());
        counts.put(EnvironmentState.Name.CHECKING, pool.counts().checking());
        counts.put(EnvironmentState.Name.WITHHELD, pool.counts().withheld());
        counts.put(EnvironmentState.Name.DIRTY, pool.counts().dirty());
        retiring = pool.counts().retiring();
    }

    Slice slice() {
        return slice;
    }

    int poolNumber() {
        return slice.pool().number();
    }

    PoolName poolName() {
        return slice.pool().name();
    }

    Policy policy() {
        return policy;
    }

    /** Where it lends more or fewer of an account than before, all environments are here. */
    void enact(Policy next) {
        boolean changes = policy.isolates() != next.isolates();
        policy = next;
        if (changes) {
            environments.values().forEach(this::group);
            accounts.keySet().forEach(account -> separate(ofAccount(account)));
        }
    }

    boolean listed() {
        return listed;
    }

    void list(boolean inConfiguration) {
        listed = inConfiguration;
    }

    int generation() {
        return generation;
    }

    /** From here on every change of what is not lent raises its epoch to this generation's. */
    void enterGeneration(int next) {
        generation = next;
    }

    long nextTurn() {
        return ++sequence;
    }

    Pool.Breaker breaker() {
        return breaker;
    }

    void breaker(Pool.Breaker next) {
        breaker = next;
    }

    int claims(boolean issue) {
        return issue ? issuing : maintained;
    }

    /** How many upkeep steps run in a provider account. */
    int busy(String account) {
        return busyAccounts.getOrDefault(account, 0);
    }

    int count(EnvironmentState.Name state) {
        return counts.getOrDefault(state, 0);
    }

    /** All environments of the pool that are not retired. */
    int total() {
        int total = 0;
        for (var state : EnvironmentState.Name.values()) {
            total += state == EnvironmentState.Name.RETIRED ? 0 : count(state);
        }
        return total;
    }

    // ---- environments

    @Nullable
    Environment find(EnvironmentName name) {
        return environments.get(name);
    }

    /** What is, or was last, this physical thing, under whatever name and in whatever pool. */
    @Nullable
    Environment findThing(String identity) {
        if (things.isEmpty()) {
            environments.values().forEach(this::note);
        }
        return things.getOrDefault(identity, Set.of()).stream()
                .map(this::environment)
                .max(Comparator.<Environment, Boolean>comparing(
                                environment -> !(environment.state() instanceof EnvironmentState.Retired))
                        .thenComparing(Environment::since)
                        .thenComparingLong(Environment::epoch))
                .orElse(null);
    }

    private void note(Environment environment) {
        things.computeIfAbsent(environment.record().identity(), _ -> new HashSet<>())
                .add(environment.name());
    }

    Environment environment(EnvironmentName name) {
        var found = environments.get(name);
        if (found == null) {
            throw new IllegalStateException("environment " + name + " is not in the slice");
        }
        return found;
    }

    /** Those that this batch wrote, by their names of now. */
    Set<EnvironmentName> changed() {
        return environmentsBefore.keySet();
    }

    /** Writes an environment that was moved by this trigger; those of its account that this keeps back, or lets go, come after it. */
    void move(Transitions.Trigger trigger, @Nullable Environment from, Environment next) {
        write(trigger, from, next);
        if (policy.isolates()) {
            var account = next.record().account();
            separate(account == null ? List.of(environment(next.name())) : ofAccount(account));
            var old = from == null ? null : from.record().account();
            if (old != null && !old.equals(account)) {
                separate(ofAccount(old));
            }
        }
    }

    /** @param those all of an account */
    private void separate(List<Environment> those) {
        for (var environment : those) {
            if (environment.state() instanceof EnvironmentState.Idle idle) {
                var state = idle(idle, those);
                if (!state.equals(idle)) {
                    write(Transitions.Trigger.SEPARATED, environment, environment.in(state, now));
                }
            }
        }
    }

    /** By whom it is withheld, a dirty one first, or that it is free. */
    private EnvironmentState idle(EnvironmentState.Idle before, List<Environment> ofAccount) {
        Environment by = null;
        for (var other : policy.isolates() ? ofAccount : List.<Environment>of()) {
            if (other.isOut() && (by == null || other.state() instanceof EnvironmentState.Dirty)) {
                by = other;
            }
        }
        return by == null
                ? new EnvironmentState.Available(before.checkAt())
                : new EnvironmentState.Withheld(
                        before.checkAt(), by.name(), by.state() instanceof EnvironmentState.Dirty);
    }

    private List<Environment> ofAccount(String account) {
        var names = accounts.get(account);
        return names == null ? List.of() : names.stream().map(this::environment).toList();
    }

    /** What would be withheld if this were lent. */
    List<Environment> freeBeside(Environment environment) {
        var account = environment.record().account();
        return account == null || !policy.isolates()
                ? List.of()
                : ofAccount(account).stream()
                        .filter(other -> other.isFree() && !other.name().equals(environment.name()))
                        .toList();
    }

    private void group(Environment environment) {
        var account = environment.record().account();
        if (account != null && environment.pool() == poolNumber()) {
            accounts.computeIfAbsent(account, _ -> new TreeSet<>()).add(environment.name());
        }
    }

    private void ungroup(Environment environment) {
        var account = environment.record().account();
        if (account != null) {
            accounts.getOrDefault(account, new TreeSet<>()).remove(environment.name());
        }
    }

    private void write(Transitions.Trigger trigger, @Nullable Environment from, Environment next) {
        // As it is here: the caller may have taken marks off already, and the difference has to show that.
        var before = from == null ? null : environment(from.name());
        Transitions.check(trigger, before, next);
        // While it is held its epoch is the holder's.
        var after = next.state() instanceof EnvironmentState.Allocated ? next : next.ofGeneration(generation);
        var original = before;
        resized |= !Objects.equals(countedAs(before), countedAs(after));
        if (before != null) {
            tally(before, -1);
            withdraw(before);
            if (policy.isolates()) {
                ungroup(before);
            }
            environments.remove(before.name());
            things.getOrDefault(before.record().identity(), new HashSet<>()).remove(before.name());
            if (environmentsBefore.containsKey(before.name())) {
                original = environmentsBefore.remove(before.name());
            }
        }
        environmentsBefore.put(after.name(), original);
        environments.put(after.name(), after);
        if (policy.isolates()) {
            group(after);
        }
        if (!things.isEmpty()) {
            note(after);
        }
        tally(after, 1);
        if (after.isFree()) {
            offer(after);
        }
    }

    /** The shape that it is one more of; null where it is counted nowhere. */
    private @Nullable Shape countedAs(@Nullable Environment environment) {
        return environment == null
                        || environment.pool() != poolNumber()
                        || environment.state() instanceof EnvironmentState.Retired
                ? null
                : environment.record().shape();
    }

    private void tally(Environment environment, int by) {
        if (environment.pool() != poolNumber()) {
            return; // a retired row of another pool, that is being taken over: it was counted nowhere
        }
        counts.merge(environment.state().name(), by, Integer::sum);
        var shape = environment.record().shape();
        shapes.merge(
                shape.digest(),
                ShapeCount.none(shape).plus(environment, by),
                (count, _) -> count.plus(environment, by));
        shapesTouched.add(shape.digest());
        if (environment.isRetiring() && environment.state().name() != EnvironmentState.Name.RETIRED) {
            retiring += by;
        }
        var work = environment.state().work();
        if (work != null && work.claim() != null) {
            if (work.step() == Step.ISSUE) {
                issuing += by;
            } else {
                maintained += by;
                if (environment.record().account() != null) {
                    busyAccounts.merge(environment.record().account(), by, Integer::sum);
                }
            }
        }
    }

    private void offer(Environment environment) {
        free.computeIfAbsent(environment.record().shape().digest(), _ -> new TreeMap<>())
                .put(environment.order(), environment.name());
    }

    private void withdraw(Environment environment) {
        var those = free.get(environment.record().shape().digest());
        if (those != null) {
            those.remove(environment.order(), environment.name());
        }
    }

    // ---- shapes

    /** The shapes that serve each of the needs, the best fit first; as they were before the batch, and those that came since. */
    List<List<String>> fits(NeedClass need) {
        if (fittedShapes != shapes.size()) {
            fits.clear();
            fittedShapes = shapes.size();
        }
        var found = fits.get(need);
        if (found == null) {
            found = fit().order(need);
            fits.put(need, found);
        }
        return found;
    }

    /** What is remembered is of the shapes as they were before the batch. */
    private Fit fit() {
        return resized ? new Fit(shapes.values()) : slice.fit();
    }

    int shapes() {
        return shapes.size();
    }

    /** How many environments of this shape there are, and how they are. */
    ShapeCount shape(String digest) {
        return Objects.requireNonNull(shapes.get(digest), "a shape that is not in the slice");
    }

    /** The free ones of a shape, first to be lent first. */
    Iterable<EnvironmentName> free(String shape) {
        var those = free.get(shape);
        return those == null ? List.of() : those.values();
    }

    /** How many free ones of a shape are here. */
    int freeLoaded(String shape) {
        var those = free.get(shape);
        return those == null ? 0 : those.size();
    }

    /** Whether there are more or fewer environments of some shape than before the batch. */
    boolean isResized() {
        return resized;
    }

    /** The instants at which those that were granted in this batch have to be back. */
    List<Instant> returnsOfThisBatch(NeedClass need) {
        var returns = new ArrayList<Instant>();
        for (var name : environmentsBefore.keySet()) {
            var environment = environment(name);
            if (environment.state() instanceof EnvironmentState.Allocated(var _, var backAt)
                    && backAt != null
                    && need.wants(environment)) {
                returns.add(backAt);
            }
        }
        return returns;
    }

    // ---- allocations

    /** Those of this pool that the slice has, as they are now. A key may have brought one of another pool. */
    List<Allocation> ownAllocations() {
        return slice.allocations().keySet().stream()
                .filter(id -> id.poolNumber() == poolNumber() && allocations.containsKey(id))
                .map(this::allocation)
                .toList();
    }

    /** Null for the place of a caller who keeps asking, too: it was never shown to anybody. */
    @Nullable
    Allocation find(AllocationId id) {
        var found = allocations.get(id);
        return found == null || found.state() instanceof AllocationState.Polling ? null : found;
    }

    Allocation allocation(AllocationId id) {
        var found = allocations.get(id);
        if (found == null) {
            throw new IllegalStateException("allocation " + id + " is not in the slice");
        }
        return found;
    }

    /** Grows with every change of an allocation. */
    long edits() {
        return edits;
    }

    void put(Allocation after) {
        edits++;
        var before = allocations.put(after.id(), after);
        if (!allocationsBefore.containsKey(after.id())) {
            allocationsBefore.put(after.id(), before);
        }
        if (before != null) {
            count(before, -1);
        }
        count(after, 1);
        // by the difference: a sign of life is no grant, and waiting counts from the last one
        has(after, held(after) - held(before), queued(after) - queued(before));
        if (before == null && after.state() instanceof AllocationState.Polling) {
            places.put(Slice.Place.of(after), after.id());
        }
    }

    /** The place that a caller who keeps asking has; null where it has none. */
    @Nullable
    Allocation place(Slice.Place asked) {
        var id = places.get(asked);
        return id == null ? null : allocation(id);
    }

    /** Whether it was not there before this batch. */
    boolean isNew(Allocation allocation) {
        return !slice.allocations().containsKey(allocation.id());
    }

    /** Nothing is kept of it: it was never shown. */
    void forget(Allocation place) {
        edits++;
        count(place, -1);
        allocations.remove(place.id());
        allocationsBefore.remove(place.id());
        places.remove(Slice.Place.of(place));
        var stored = slice.allocations().get(place.id());
        if (stored != null) {
            forgotten.add(stored);
        }
    }

    private void count(Allocation allocation, int by) {
        var state = allocation.state();
        waiting += state instanceof AllocationState.Pending ? by : 0;
        polling += state instanceof AllocationState.Polling ? by : 0;
        onHold += isOnHold(allocation) ? by * allocation.request().count() : 0;
        if (allocation.isAwake()) {
            var key = allocation.line();
            var need = key.need().isEmpty() ? null : allocation.request().need();
            lines.merge(key, new Line(key, need, by), (line, _) -> new Line(key, line.need(), line.waiting() + by));
            linesTouched.add(key);
            if (by > 0) {
                line(key).put(Turn.of(allocation), allocation.id());
            } else {
                line(key).remove(Turn.of(allocation));
            }
        }
    }

    private static int held(@Nullable Allocation allocation) {
        return allocation != null
                        && (allocation.state() instanceof AllocationState.Granting
                                || allocation.state() instanceof AllocationState.Active)
                ? allocation.request().count()
                : 0;
    }

    private static int queued(@Nullable Allocation allocation) {
        return allocation != null && allocation.state() instanceof AllocationState.Pending ? 1 : 0;
    }

    private void has(Allocation allocation, int held, int queued) {
        if (held != 0 || queued != 0) {
            has(allocation.principal(), held, queued);
            if (!allocation.sharer().isEmpty() && !allocation.sharer().equals(allocation.principal())) {
                has(allocation.sharer(), held, queued);
            }
        }
    }

    private static boolean isOnHold(Allocation allocation) {
        return allocation.state() instanceof AllocationState.Active active && active.hold() != null;
    }

    private void has(String name, int held, int queued) {
        var holder = holder(name).queueing(queued);
        holders.put(
                name,
                held == 0 ? holder : holder.holding(held, now, policy.queue().halfLife()));
        holdersTouched.add(name);
    }

    Holder holder(String name) {
        var found = holders.get(name);
        return found == null ? Holder.unknown(name, now) : found;
    }

    private Map<Turn, AllocationId> line(Line.Key key) {
        return queue.computeIfAbsent(key, _ -> new TreeMap<>());
    }

    /**
     * The first of those who wait in a line and are not passed over, in order. One that the batch names, and before whom others wait who
     * were not loaded, is none.
     */
    List<Allocation> headsOf(Line line) {
        var those = queue.get(line.key());
        if (those == null) {
            return List.of();
        }
        var last = lastHeads.get(line.key());
        var heads = those.size() >= line.waiting()
                ? those
                : last == null ? new TreeMap<Turn, AllocationId>() : those.headMap(last, true);
        return heads.values().stream().map(this::allocation).toList();
    }

    private static Turn later(Turn one, Turn other) {
        return one.compareTo(other) > 0 ? one : other;
    }

    Line lineOf(Line.Key key) {
        return Objects.requireNonNull(lines.get(key));
    }

    /** Every line of the pool in which somebody waits. */
    List<Line> lines() {
        return lines.values().stream().filter(line -> line.waiting() > 0).toList();
    }

    /** Another batch is to follow, for those who wait and were not loaded. */
    void leaveUnserved() {
        unserved = true;
    }

    /** Whether anything is another than before the batch. */
    boolean hasChanged() {
        return !environmentsBefore.isEmpty()
                || !allocationsBefore.isEmpty()
                || !forgotten.isEmpty()
                || !policy.equals(slice.pool().policy())
                || listed != slice.pool().listed();
    }

    int waiting() {
        return waiting;
    }

    int polling() {
        return polling;
    }

    int onHold() {
        return onHold;
    }

    /** A place within a line. */
    private record Turn(long rank, long arrival) implements Comparable<Turn> {
        static Turn of(Allocation allocation) {
            return new Turn(allocation.rank(), allocation.arrival());
        }

        @Override
        public int compareTo(Turn other) {
            int byRank = Long.compare(rank, other.rank);
            return byRank == 0 ? Long.compare(arrival, other.arrival) : byRank;
        }
    }

    // ---- keys and events

    @Nullable
    KeyUse find(KeyUse.Key key) {
        return keys.get(key);
    }

    void use(KeyUse use) {
        keys.put(use.key(), use);
        keysTouched.add(use.key());
    }

    void free(KeyUse.Key key) {
        keys.remove(key);
        keysTouched.add(key);
    }

    void event(
            Event.Type type,
            @Nullable AllocationId allocation,
            @Nullable EnvironmentName environment,
            @Nullable String principal,
            Map<String, String> data) {
        events.add(new Event(
                slice.pool().events() + events.size() + 1, now, type, allocation, environment, principal, data));
    }

    /** The facts of an event, and where the command came from that it is of; null for from within. */
    static Map<String, String> from(@Nullable String address, Map<String, String> data) {
        if (address == null) {
            return data;
        }
        var all = new HashMap<>(data);
        all.put("from", address);
        return all;
    }

    // ---- the difference

    Decision decision(List<Answer> answers) {
        var changedAllocations = new ArrayList<Change<Allocation>>();
        allocationsBefore.forEach((id, before) -> {
            var after = allocation(id);
            if (!after.equals(before) && !(before == null && after.hasEnded())) {
                changedAllocations.add(new Change<>(before, after));
            }
        });
        var changedEnvironments = new ArrayList<Change<Environment>>();
        environmentsBefore.forEach((name, before) -> {
            var after = environment(name);
            if (!after.equals(before)) {
                changedEnvironments.add(new Change<>(before, after));
            }
        });
        var used = keysTouched.stream().map(keys::get).filter(Objects::nonNull).toList();
        var freed = keysTouched.stream().filter(key -> !keys.containsKey(key)).toList();
        var pool = slice.pool();
        var after = new Pool(
                pool.number(),
                pool.name(),
                policy,
                listed,
                generation,
                sequence,
                pool.events() + events.size(),
                new Pool.Counts(
                        count(EnvironmentState.Name.AVAILABLE),
                        count(EnvironmentState.Name.ALLOCATED),
                        count(EnvironmentState.Name.CLEANING),
                        count(EnvironmentState.Name.CHECKING),
                        count(EnvironmentState.Name.WITHHELD),
                        count(EnvironmentState.Name.DIRTY),
                        retiring),
                waiting,
                polling,
                onHold,
                issuing,
                maintained,
                breaker,
                now);
        return new Decision(
                after,
                changedAllocations,
                changedEnvironments,
                forgotten,
                shapesTouched.stream()
                        .map(this::shape)
                        .filter(count ->
                                !count.equals(slice.shapes().get(count.shape().digest())))
                        .toList(),
                linesTouched.stream()
                        .map(key -> Objects.requireNonNull(lines.get(key)))
                        .filter(line -> !line.equals(slice.lines().get(line.key())))
                        .toList(),
                holdersTouched.stream()
                        .map(this::holder)
                        .filter(holder -> !holder.equals(slice.holders().get(holder.name())))
                        .toList(),
                used,
                freed,
                events,
                answers,
                unserved || !slice.complete());
    }
}
