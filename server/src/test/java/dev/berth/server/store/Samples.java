package dev.berth.server.store;

import dev.berth.core.Allocation;
import dev.berth.core.AllocationId;
import dev.berth.core.AllocationState;
import dev.berth.core.Command;
import dev.berth.core.Decision;
import dev.berth.core.Environment;
import dev.berth.core.EnvironmentName;
import dev.berth.core.EnvironmentState;
import dev.berth.core.Event;
import dev.berth.core.Holder;
import dev.berth.core.KeyUse;
import dev.berth.core.Line;
import dev.berth.core.Need;
import dev.berth.core.NeedClass;
import dev.berth.core.Policy;
import dev.berth.core.Pool;
import dev.berth.core.Registration;
import dev.berth.core.Request;
import dev.berth.core.Shape;
import dev.berth.core.ShapeCount;
import dev.berth.core.Step;
import dev.berth.core.Value;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Values for tests, plain where a test does not care. */
public final class Samples {
    /** Whole milliseconds, as all times in the store. */
    public static final Instant NOON = Instant.parse("2026-03-01T12:00:00.123Z");

    private static final Random RANDOM = new Random(7);

    private Samples() {}

    /** Lends without any step. */
    public static Policy policy() {
        return policy(Set.of());
    }

    public static Policy policy(Set<Step> steps) {
        return policy(steps, Policy.Queueing.DEFAULT, Policy.Quota.NONE);
    }

    public static Policy policy(Set<Step> steps, Policy.Queueing queue, Policy.Quota quota) {
        return new Policy(
                "sample",
                "{}",
                steps,
                Duration.ofHours(3),
                Duration.ofHours(6),
                null,
                Duration.ofSeconds(30),
                false,
                Map.of(),
                null,
                queue,
                quota,
                Map.of(),
                null,
                20,
                1,
                false);
    }

    /** The same that lends one environment of an account at a time. */
    public static Policy isolating(Policy plain) {
        return with(plain, plain.adopt(), plain.hold(), true);
    }

    /** The same that leaves a new environment as it is. */
    public static Policy adopting(Policy plain) {
        return with(plain, true, plain.hold(), plain.isolates());
    }

    static Policy with(Policy plain, boolean adopt, Policy.@Nullable Hold hold, boolean isolates) {
        return new Policy(
                plain.provider(),
                plain.settings(),
                plain.steps(),
                plain.session(),
                plain.maxSession(),
                plain.keepalive(),
                plain.retryAfter(),
                adopt,
                plain.limits(),
                plain.verifyEvery(),
                plain.queue(),
                plain.quota(),
                plain.quotas(),
                hold,
                plain.parallel(),
                plain.perAccount(),
                isolates);
    }

    public static Registration record(String name) {
        return record(name, "identity of " + name, null);
    }

    public static Registration record(String name, String identity, @Nullable String account) {
        return record(name, identity, account, Shape.PLAIN);
    }

    public static Registration record(String name, String identity, @Nullable String account, Shape shape) {
        return new Registration(new EnvironmentName(name), identity, account, shape, "{}", "digest of " + name);
    }

    /** What an environment has that is told apart by its colour. */
    public static Shape coloured(String colour) {
        return Shape.of(Map.of("colour", new Value.Text(colour)), Map.of(), List.of());
    }

    /** So many of one colour. */
    public static NeedClass wanting(int count, String colour) {
        return NeedClass.of(
                List.of(new Need(
                        count,
                        new TreeMap<>(Map.of("colour", new Value.Text(colour))),
                        Collections.emptySortedMap(),
                        null)),
                false);
    }

    public static Environment environment(Pool pool, String name, EnvironmentState state) {
        return environment(pool, name, 0, state);
    }

    public static Environment environment(Pool pool, String name, long order, EnvironmentState state) {
        return new Environment(pool.number(), record(name), 0, null, null, NOON, order, null, state);
    }

    public static Environment in(Environment environment, EnvironmentState state) {
        return new Environment(
                environment.pool(),
                environment.record(),
                environment.epoch(),
                environment.drain(),
                environment.quarantine(),
                environment.since(),
                environment.order(),
                environment.tenant(),
                state);
    }

    /** Lent for as long as one likes. */
    public static EnvironmentState allocated() {
        return new EnvironmentState.Allocated(null, null);
    }

    public static EnvironmentState free() {
        return new EnvironmentState.Available(null);
    }

    public static Request request() {
        return request(1, Duration.ZERO, null);
    }

    public static Request request(int count, Duration maxWait, @Nullable String key) {
        return request(NeedClass.of(List.of(Need.any(count)), false), maxWait, key);
    }

    public static Request request(NeedClass need, Duration maxWait, @Nullable String key) {
        return new Request("job", need, null, null, maxWait, 0, "{}", key, "digest of " + need.digest());
    }

    /** Ann asks, whose connection does not wait. */
    public static Command.Ask ask(AllocationId id, Request request) {
        return new Command.Ask(id, "ann", request, Duration.ZERO, null, false);
    }

    public static AllocationId id(Pool pool) {
        return id(pool, NOON);
    }

    public static AllocationId id(Pool pool, Instant at) {
        return AllocationId.create(pool.number(), at, RANDOM);
    }

    public static Allocation allocation(Pool pool, long arrival, AllocationState state) {
        return allocation(pool, arrival, request(), state);
    }

    public static Allocation allocation(Pool pool, long arrival, Request request, AllocationState state) {
        return new Allocation(
                id(pool, NOON.plusMillis(arrival)),
                pool.name(),
                "ann",
                request,
                "",
                arrival,
                NOON.toEpochMilli(),
                NOON,
                null,
                state);
    }

    public static Allocation in(Allocation allocation, AllocationState state) {
        return new Allocation(
                allocation.id(),
                allocation.pool(),
                allocation.principal(),
                allocation.request(),
                allocation.sharer(),
                allocation.arrival(),
                allocation.rank(),
                allocation.createdAt(),
                allocation.keepalive(),
                state);
    }

    public static AllocationState pending() {
        return pending(NOON.plusSeconds(60));
    }

    /** Somebody is interested in it for as long as it waits. */
    public static AllocationState pending(Instant until, String... avoided) {
        return new AllocationState.Pending(
                until,
                until,
                NOON,
                new AllocationState.Setbacks(
                        Arrays.stream(avoided).map(EnvironmentName::new).collect(Collectors.toSet())));
    }

    /** Passed over. */
    public static AllocationState asleep() {
        return new AllocationState.Pending(NOON.plusSeconds(60), null, NOON, AllocationState.Setbacks.NONE);
    }

    public static Event event(long number, Event.Type type) {
        return new Event(number, NOON, type, null, null, null, Map.of());
    }

    /**
     * A decision in the making. Written by {@link #write}, it counts shapes and lines by itself; polling callers and holders are the
     * test's business.
     */
    public static final class Draft {
        private Pool pool;
        private final Pool before;
        private final List<Decision.Change<Allocation>> allocations = new ArrayList<>();
        private final List<Decision.Change<Environment>> environments = new ArrayList<>();
        private final List<KeyUse> used = new ArrayList<>();
        private final List<KeyUse.Key> freed = new ArrayList<>();
        private final List<Event> events = new ArrayList<>();
        private final List<Allocation> forgotten = new ArrayList<>();
        private final Map<String, ShapeCount> shapes = new LinkedHashMap<>();
        private final Map<Line.Key, Line> lines = new LinkedHashMap<>();
        private final List<Holder> holders = new ArrayList<>();

        public Draft(Pool before) {
            this.before = before;
            this.pool = before;
        }

        public Draft pool(Pool after) {
            pool = after;
            return this;
        }

        public Draft counts(int available, int waiting) {
            return pool(new Pool(
                    pool.number(),
                    pool.name(),
                    pool.policy(),
                    pool.listed(),
                    pool.generation(),
                    pool.sequence(),
                    pool.events(),
                    new Pool.Counts(available, 0, 0, 0, 0, 0, 0),
                    waiting,
                    pool.polling(),
                    pool.onHold(),
                    0,
                    0,
                    pool.breaker(),
                    pool.touchedAt()));
        }

        public Draft add(Environment... added) {
            for (var environment : added) {
                environments.add(new Decision.Change<>(null, environment));
            }
            return this;
        }

        public Draft change(Environment from, Environment to) {
            environments.add(new Decision.Change<>(from, to));
            return this;
        }

        public Draft add(Allocation... added) {
            for (var allocation : added) {
                allocations.add(new Decision.Change<>(null, allocation));
            }
            return this;
        }

        public Draft change(Allocation from, Allocation to) {
            allocations.add(new Decision.Change<>(from, to));
            return this;
        }

        public Draft use(KeyUse use) {
            used.add(use);
            return this;
        }

        public Draft free(KeyUse.Key key) {
            freed.add(key);
            return this;
        }

        public Draft forget(Allocation place) {
            forgotten.add(place);
            return this;
        }

        public Draft add(Holder... known) {
            holders.addAll(List.of(known));
            return this;
        }

        public Draft add(Event... happened) {
            events.addAll(List.of(happened));
            return this;
        }

        public Decision decision() {
            return new Decision(
                    pool,
                    allocations,
                    environments,
                    forgotten,
                    List.copyOf(shapes.values()),
                    List.copyOf(lines.values()),
                    holders,
                    used,
                    freed,
                    events,
                    List.of(),
                    false);
        }

        /** Writes and commits it. */
        public Pool write(Store store) {
            countShapes(store.shapes(pool.number()));
            countLines(store.queue(pool.number()));
            try (var transaction = store.begin()) {
                transaction.write(decision(), before);
                transaction.commit();
            }
            return pool;
        }

        private void countShapes(List<ShapeCount> stored) {
            stored.forEach(count -> shapes.put(count.shape().digest(), count));
            for (var change : environments) {
                if (change.before() != null && change.before().pool() == pool.number()) {
                    count(change.before(), -1);
                }
                count(change.after(), 1);
            }
        }

        private void count(Environment environment, int by) {
            var shape = environment.record().shape();
            var was = shapes.getOrDefault(shape.digest(), ShapeCount.none(shape));
            boolean drains = environment.isRetiring();
            var state = environment.state() instanceof EnvironmentState.Withheld withheld
                    ? withheld.untilMended() ? EnvironmentState.Name.DIRTY : EnvironmentState.Name.ALLOCATED
                    : environment.state().name();
            if (state == EnvironmentState.Name.RETIRED) {
                return;
            }
            boolean upkeep = state == EnvironmentState.Name.CLEANING || state == EnvironmentState.Name.CHECKING;
            shapes.put(
                    shape.digest(),
                    new ShapeCount(
                            shape,
                            was.free() + (!drains && state == EnvironmentState.Name.AVAILABLE ? by : 0),
                            was.held() + (!drains && state == EnvironmentState.Name.ALLOCATED ? by : 0),
                            was.upkeep() + (!drains && upkeep ? by : 0),
                            was.dirty() + (!drains && state == EnvironmentState.Name.DIRTY ? by : 0),
                            was.draining() + (drains ? by : 0)));
        }

        private void countLines(List<Store.Waiting> stored) {
            for (var waiting : stored) {
                if (waiting.interestUntil() != null) {
                    var need = waiting.need();
                    count(new Line.Key(need.isSpecial() ? "" : need.digest(), waiting.sharer()), need, 1);
                }
            }
            for (var change : allocations) {
                var was = change.before();
                if (was != null && was.isAwake()) {
                    count(was.line(), was.request().need(), -1);
                }
                if (change.after().isAwake()) {
                    count(change.after().line(), change.after().request().need(), 1);
                }
            }
        }

        private void count(Line.Key key, NeedClass need, int by) {
            lines.merge(
                    key,
                    new Line(key, key.need().isEmpty() ? null : need, by),
                    (line, _) -> new Line(key, line.need(), line.waiting() + by));
        }
    }
}
