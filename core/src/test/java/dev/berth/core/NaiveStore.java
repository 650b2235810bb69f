package dev.berth.core;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
    final List<Event> lastEvents = new ArrayList<>();
    private final int mostDue;
    private final int mostHeads;
    private final UnaryOperator<Decision> tamper;

    NaiveStore(int mostDue, int mostHeads, UnaryOperator<Decision> tamper) {
        this.mostDue = mostDue;
        this.mostHeads = mostHeads;
        this.tamper = tamper;
    }

    NaiveStore() {
        this(256, 256, UnaryOperator.identity());
    }

    /** One batch, and the further ones that it says are to follow at once. The answers are those of the first. */
    Decision run(int pool, List<Command> commands, Instant now) {
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
        var slice = load(pool, Slice.Needs.of(commands), now);
        var decision = tamper.apply(Rules.decide(slice, commands, now));
        new StoreCheck(this).apply(pool, commands, decision, now);
        return decision;
    }

    @Nullable
    Allocation find(AllocationId id) {
        var found = live.get(id);
        return found == null ? ended.get(id) : found;
    }

    // ---- loading

    Slice load(Pool pool, Slice.Needs needs, Instant now) {
        boolean afterOutage = Rules.isAfterOutage(pool, needs.claims(), now);
        boolean complete = true;
        var allocations = new LinkedHashMap<AllocationId, Allocation>();
        var loaded = new LinkedHashMap<EnvironmentName, Environment>();
        var known = new HashMap<KeyUse.Key, KeyUse>();
        for (var key : needs.keys()) {
            var use = keys.get(key);
            if (use != null) {
                known.put(key, use);
                add(allocations, find(use.allocation()));
            }
        }
        needs.allocations().forEach(id -> add(allocations, find(id)));
        var overdue = ofPool(pool)
                .filter(allocation -> isDue(allocation.state().dueAt(), now))
                .sorted(Comparator.comparing(allocation -> allocation.state().dueAt()))
                .limit(afterOutage ? Long.MAX_VALUE : mostDue)
                .toList();
        complete &= afterOutage || overdue.size() < mostDue;
        overdue.forEach(allocation -> add(allocations, allocation));
        needs.environments().forEach(name -> addEnvironment(loaded, name));
        var identities = new HashMap<String, EnvironmentName>();
        for (var identity : needs.identities()) {
            environments.values().stream()
                    .filter(environment -> environment.record().identity().equals(identity))
                    .max(Comparator.<Environment, Boolean>comparing(
                                    environment -> !(environment.state() instanceof EnvironmentState.Retired))
                            .thenComparing(Environment::since)
                            .thenComparingLong(Environment::epoch))
                    .ifPresent(found -> {
                        loaded.putIfAbsent(found.name(), found);
                        identities.put(identity, found.name());
                    });
        }
        var due = inPool(pool)
                .filter(environment -> isDue(environment.state().dueAt(), now))
                .sorted(Comparator.comparing(environment -> environment.state().dueAt()))
                .limit(mostDue)
                .map(Environment::name)
                .toList();
        complete &= due.size() < mostDue;
        due.forEach(name -> addEnvironment(loaded, name));
        var work = needs.work() == 0 ? List.<EnvironmentName>of() : work(pool, needs.work(), now);
        work.forEach(name -> addEnvironment(loaded, name));
        if (needs.claims()) {
            inPool(pool).filter(NaiveStore::isClaimed).forEach(found -> loaded.putIfAbsent(found.name(), found));
        }
        List.copyOf(loaded.values()).stream()
                .filter(environment -> environment.pool() == pool.number()
                        && environment.state() instanceof EnvironmentState.Allocated
                        && environment.tenant() != null)
                .forEach(environment ->
                        add(allocations, find(environment.tenant().allocation())));
        allocations.values().stream()
                .flatMap(allocation -> allocation.state().grants().stream())
                .forEach(grant -> addEnvironment(loaded, grant.environment()));
        int heads = pool.counts().available() > 0 ? mostHeads : Math.min(mostHeads, loaded.size() + 1);
        var queue = queue(pool).limit(heads).toList();
        queue.forEach(head -> add(allocations, head));
        queue.forEach(head -> ((AllocationState.Pending) head.state())
                .setbacks()
                .avoid()
                .forEach(name -> addEnvironment(loaded, name)));
        var free = free(pool, needs.asked() + needs.environments().size(), allocations);
        free.forEach(name -> addEnvironment(loaded, name));
        if (afterOutage) {
            ofPool(pool).forEach(allocation -> add(allocations, allocation));
        }
        var busy = new HashMap<String, Integer>();
        inPool(pool)
                .filter(environment -> isClaimed(environment)
                        && !isIssuing(environment)
                        && environment.record().account() != null)
                .forEach(environment -> busy.merge(environment.record().account(), 1, Integer::sum));
        return new Slice(
                pool,
                allocations,
                loaded,
                identities,
                free,
                queue.stream().map(Allocation::id).toList(),
                due,
                work,
                known,
                needs.work() == 0 ? Map.of() : busy,
                complete);
    }

    private List<EnvironmentName> work(Pool pool, int wanted, Instant now) {
        var names = new ArrayList<EnvironmentName>();
        for (boolean issuing : new boolean[] {true, false}) {
            inPool(pool)
                    .filter(environment ->
                            isDue(environment.state().workAt(), now) && isIssuing(environment) == issuing)
                    .sorted(Comparator.comparing(
                            environment -> environment.state().workAt()))
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

    private List<EnvironmentName> free(Pool pool, int asked, Map<AllocationId, Allocation> allocations) {
        long wanted = asked;
        int avoided = 0;
        for (var allocation : allocations.values()) {
            switch (allocation.state()) {
                case AllocationState.Pending pending -> {
                    wanted += allocation.request().count();
                    avoided = Math.max(avoided, pending.setbacks().avoid().size());
                }
                case AllocationState.Granting granting -> {
                    wanted += allocation.request().count();
                    avoided = Math.max(avoided, granting.setbacks().avoid().size() + 1);
                }
                case AllocationState.Active _, AllocationState.Ended _ -> {}
            }
        }
        return inPool(pool)
                .filter(Environment::isFree)
                .sorted(Comparator.comparingLong(Environment::order))
                .limit(wanted + avoided)
                .map(Environment::name)
                .toList();
    }

    private void addEnvironment(Map<EnvironmentName, Environment> loaded, EnvironmentName name) {
        var found = environments.get(name);
        if (found != null) {
            loaded.putIfAbsent(name, found);
        }
    }

    private static void add(Map<AllocationId, Allocation> loaded, @Nullable Allocation found) {
        if (found != null) {
            loaded.putIfAbsent(found.id(), found);
        }
    }

    // ---- looking

    Stream<Environment> inPool(Pool pool) {
        return environments.values().stream().filter(environment -> environment.pool() == pool.number());
    }

    Stream<Allocation> ofPool(Pool pool) {
        return live.values().stream().filter(allocation -> allocation.id().poolNumber() == pool.number());
    }

    Stream<Allocation> queue(Pool pool) {
        return ofPool(pool)
                .filter(allocation -> allocation.state() instanceof AllocationState.Pending)
                .sorted(Comparator.comparingLong(Allocation::arrival));
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
