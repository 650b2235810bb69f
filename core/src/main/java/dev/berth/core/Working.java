package dev.berth.core;

import dev.berth.core.Decision.Change;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
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
    /** In the order in which they are lent. */
    private final TreeMap<Long, EnvironmentName> free = new TreeMap<>();

    private final TreeMap<Long, AllocationId> queue = new TreeMap<>();

    private Policy policy;
    private boolean listed;
    private long sequence;
    private int waiting;
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
        slice.free().forEach(name -> free.put(environment(name).order(), name));
        busyAccounts = new HashMap<>(slice.busyAccounts());
        for (var id : slice.queue()) {
            var head = allocation(id);
            queue.put(head.arrival(), id);
        }
        var pool = slice.pool();
        policy = pool.policy();
        listed = pool.listed();
        sequence = pool.sequence();
        waiting = pool.waiting();
        issuing = pool.issuing();
        maintained = pool.maintained();
        breaker = pool.breaker();
        counts.put(EnvironmentState.Name.AVAILABLE, pool.counts().available());
        counts.put(EnvironmentState.Name.ALLOCATED, pool.counts().allocated());
        counts.put(EnvironmentState.Name.CLEANING, pool.counts().cleaning());
        counts.put(EnvironmentState.Name.CHECKING, pool.counts().checking());
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

    void enact(Policy next) {
        policy = next;
    }

    boolean listed() {
        return listed;
    }

    void list(boolean inConfiguration) {
        listed = inConfiguration;
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

    /** As many as are lent again some day without a person's doing. */
    int lendable() {
        return total() - count(EnvironmentState.Name.DIRTY) - retiring;
    }

    // ---- environments

    @Nullable
    Environment find(EnvironmentName name) {
        return environments.get(name);
    }

    /** What is, or was last, this physical thing, under whatever name and in whatever pool. */
    @Nullable
    Environment findThing(String identity) {
        return environments.values().stream()
                .filter(environment -> environment.record().identity().equals(identity))
                .max(Comparator.<Environment, Boolean>comparing(
                                environment -> !(environment.state() instanceof EnvironmentState.Retired))
                        .thenComparing(Environment::since)
                        .thenComparingLong(Environment::epoch))
                .orElse(null);
    }

    Environment environment(EnvironmentName name) {
        var found = environments.get(name);
        if (found == null) {
            throw new IllegalStateException("environment " + name + " is not in the slice");
        }
        return found;
    }

    /** Writes an environment that was moved by this trigger. */
    void move(Transitions.Trigger trigger, @Nullable Environment from, Environment after) {
        // As it is here: the caller may have taken marks off already, and the difference has to show that.
        var before = from == null ? null : environment(from.name());
        Transitions.check(trigger, before, after);
        var original = before;
        if (before != null) {
            tally(before, -1);
            free.remove(before.order(), before.name());
            environments.remove(before.name());
            if (environmentsBefore.containsKey(before.name())) {
                original = environmentsBefore.remove(before.name());
            }
        }
        environmentsBefore.put(after.name(), original);
        environments.put(after.name(), after);
        tally(after, 1);
        if (after.isFree()) {
            free.put(after.order(), after.name());
        }
    }

    private void tally(Environment environment, int by) {
        if (environment.pool() != poolNumber()) {
            return; // a retired row of another pool, that is being taken over: it was counted nowhere
        }
        counts.merge(environment.state().name(), by, Integer::sum);
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

    /**
     * As many free environments, first to be lent first; null when there are not so many.
     *
     * @param only what is left for whom it is picked; null for everything
     */
    @Nullable
    List<Environment> pick(int count, Set<EnvironmentName> avoid, @Nullable Set<EnvironmentName> only) {
        var picked = new ArrayList<Environment>(count);
        for (Iterator<EnvironmentName> candidates = free.values().iterator();
                picked.size() < count && candidates.hasNext(); ) {
            var name = candidates.next();
            if (!avoid.contains(name) && (only == null || only.contains(name))) {
                picked.add(environment(name));
            }
        }
        return picked.size() == count ? picked : null;
    }

    // ---- allocations

    /** Those of this pool that the slice has, as they are now. A key may have brought one of another pool. */
    List<Allocation> ownAllocations() {
        return slice.allocations().keySet().stream()
                .filter(id -> id.poolNumber() == poolNumber())
                .map(this::allocation)
                .toList();
    }

    @Nullable
    Allocation find(AllocationId id) {
        return allocations.get(id);
    }

    Allocation allocation(AllocationId id) {
        var found = allocations.get(id);
        if (found == null) {
            throw new IllegalStateException("allocation " + id + " is not in the slice");
        }
        return found;
    }

    void put(Allocation after) {
        var before = allocations.put(after.id(), after);
        allocationsBefore.putIfAbsent(after.id(), before);
        boolean waited = before != null && before.state() instanceof AllocationState.Pending;
        boolean waits = after.state() instanceof AllocationState.Pending;
        if (waited && !waits) {
            queue.remove(after.arrival());
            waiting--;
        } else if (waits && !waited) {
            queue.put(after.arrival(), after.id());
            waiting++;
        }
    }

    /** Those who wait, in order, as far as they were loaded. */
    List<Allocation> queue() {
        return queue.values().stream().map(this::allocation).toList();
    }

    /** Whether others wait behind those in {@link #queue()}. */
    boolean hasMoreWaiting() {
        return waiting > queue.size();
    }

    /** Another batch is to follow, for those who wait and were not loaded. */
    void leaveUnserved() {
        unserved = true;
    }

    int waiting() {
        return waiting;
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
                sequence,
                pool.events() + events.size(),
                new Pool.Counts(
                        count(EnvironmentState.Name.AVAILABLE),
                        count(EnvironmentState.Name.ALLOCATED),
                        count(EnvironmentState.Name.CLEANING),
                        count(EnvironmentState.Name.CHECKING),
                        count(EnvironmentState.Name.DIRTY),
                        retiring),
                waiting,
                issuing,
                maintained,
                breaker,
                now);
        return new Decision(
                after,
                changedAllocations,
                changedEnvironments,
                used,
                freed,
                events,
                answers,
                unserved || !slice.complete());
    }
}
