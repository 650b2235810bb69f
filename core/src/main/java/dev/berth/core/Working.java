package dev.berth.core;

import dev.berth.core.Decision.Change;
import java.time.Instant;
import java.util.ArrayList;
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
    private final LinkedHashSet<EnvironmentName> free;
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

    Working(Slice slice, Instant now) {
        this.slice = slice;
        this.now = now;
        allocations = new HashMap<>(slice.allocations());
        environments = new HashMap<>(slice.environments());
        keys = new HashMap<>(slice.keys());
        free = new LinkedHashSet<>(slice.free());
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

    Environment environment(EnvironmentName name) {
        var found = environments.get(name);
        if (found == null) {
            throw new IllegalStateException("environment " + name + " is not in the slice");
        }
        return found;
    }

    /** Writes an environment that was moved by this trigger. */
    void move(Transitions.Trigger trigger, @Nullable Environment before, Environment after) {
        Transitions.check(trigger, before, after);
        if (before != null) {
            tally(before, -1);
            free.remove(before.name());
            environments.remove(before.name());
        }
        var original = before == null ? null : before;
        if (before != null && environmentsBefore.containsKey(before.name())) {
            original = environmentsBefore.remove(before.name());
        }
        environmentsBefore.put(after.name(), original);
        environments.put(after.name(), after);
        tally(after, 1);
        if (after.isFree()) {
            free.add(after.name());
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
            }
        }
    }

    /** As many free environments as these, first to be lent first; null when there are not so many. */
    @Nullable
    List<Environment> pick(int count, Set<EnvironmentName> avoid) {
        var picked = new ArrayList<Environment>(count);
        for (Iterator<EnvironmentName> candidates = free.iterator(); picked.size() < count && candidates.hasNext(); ) {
            var name = candidates.next();
            if (!avoid.contains(name)) {
                picked.add(environment(name));
            }
        }
        return picked.size() == count ? picked : null;
    }

    // ---- allocations

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

    /** The first of the queue; null when nobody waits, or nobody who was loaded. */
    @Nullable
    Allocation head() {
        var first = queue.firstEntry();
        return first == null ? null : allocation(first.getValue());
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
        boolean unserved = queue.isEmpty() && waiting > 0 && count(EnvironmentState.Name.AVAILABLE) > 0;
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
