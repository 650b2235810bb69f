package dev.berth.server.store;

import dev.berth.core.Allocation;
import dev.berth.core.AllocationId;
import dev.berth.core.AllocationState;
import dev.berth.core.Decision;
import dev.berth.core.Environment;
import dev.berth.core.EnvironmentName;
import dev.berth.core.EnvironmentState;
import dev.berth.core.Event;
import dev.berth.core.KeyUse;
import dev.berth.core.Policy;
import dev.berth.core.Pool;
import dev.berth.core.Registration;
import dev.berth.core.Request;
import dev.berth.core.Step;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
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
                1_000,
                Duration.ofHours(1),
                20,
                1);
    }

    public static Registration record(String name) {
        return new Registration(new EnvironmentName(name), "identity of " + name, null, "{}", "digest of " + name);
    }

    public static Environment environment(Pool pool, String name, EnvironmentState state) {
        return environment(pool, name, 0, state);
    }

    public static Environment environment(Pool pool, String name, long order, EnvironmentState state) {
        return new Environment(pool.number(), record(name), 0, null, null, NOON, order, null, state);
    }

    public static EnvironmentState free() {
        return new EnvironmentState.Available(null);
    }

    public static Request request() {
        return request(1, Duration.ZERO, null);
    }

    public static Request request(int count, Duration maxWait, @Nullable String key) {
        return new Request("job", count, null, null, maxWait, "{}", key, "digest of " + count);
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
                id(pool, NOON.plusMillis(arrival)), pool.name(), "ann", request, arrival, NOON, null, state);
    }

    public static AllocationState pending() {
        return new AllocationState.Pending(NOON.plusSeconds(60), AllocationState.Setbacks.NONE);
    }

    public static Event event(long number, Event.Type type) {
        return new Event(number, NOON, type, null, null, null, Map.of());
    }

    /** A decision in the making. */
    public static final class Draft {
        private Pool pool;
        private final Pool before;
        private final List<Decision.Change<Allocation>> allocations = new ArrayList<>();
        private final List<Decision.Change<Environment>> environments = new ArrayList<>();
        private final List<KeyUse> used = new ArrayList<>();
        private final List<KeyUse.Key> freed = new ArrayList<>();
        private final List<Event> events = new ArrayList<>();

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
                    pool.sequence(),
                    pool.events(),
                    new Pool.Counts(available, 0, 0, 0, 0, 0),
                    waiting,
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

        public Draft add(Event... happened) {
            events.addAll(List.of(happened));
            return this;
        }

        public Decision decision() {
            return new Decision(pool, allocations, environments, used, freed, events, List.of(), false);
        }

        /** Writes and commits it. */
        public Pool write(Store store) {
            try (var transaction = store.begin()) {
                transaction.write(decision(), before);
                transaction.commit();
            }
            return pool;
        }
    }
}
