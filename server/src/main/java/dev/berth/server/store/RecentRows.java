package dev.berth.server.store;

import dev.berth.core.Allocation;
import dev.berth.core.AllocationId;
import dev.berth.core.Decision;
import dev.berth.core.Environment;
import dev.berth.core.EnvironmentName;
import dev.berth.core.EnvironmentState;
import dev.berth.core.Slice;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Allocations and environments that earlier batches loaded or wrote: most are asked for again soon, by the next sign of life or the
 * release. Each is of the {@link KnownPool.Lineage} of its pool at that time, and good for that alone. For any thread.
 *
 * <p>Of a pool's environments those that are retired are left out: another pool may take them over, which this one does not notice.
 */
final class RecentRows {
    /** Of allocations, and of environments; those go that were not asked for the longest. */
    private static final int MOST = 4096;

    private final Map<AllocationId, Known<Allocation>> allocations = new Recent<>();
    private final Map<EnvironmentName, Known<Seen>> environments = new Recent<>();

    private record Known<T>(KnownPool.Lineage lineage, T value) {}

    /**
     * An environment.
     *
     * @param latest the latest event about it
     */
    record Seen(Environment environment, @Nullable EventPlace latest) {}

    /** One that is live; null where it is not known. */
    synchronized @Nullable Allocation allocation(KnownPool.Lineage lineage, AllocationId id) {
        return of(lineage, allocations.get(id));
    }

    /** One of the pool itself; null where it is not known. */
    synchronized @Nullable Seen environment(KnownPool.Lineage lineage, EnvironmentName name) {
        return of(lineage, environments.get(name));
    }

    private static <T> @Nullable T of(KnownPool.Lineage lineage, @Nullable Known<T> known) {
        return known != null && known.lineage == lineage ? known.value : null;
    }

    /**
     * Takes up what was loaded of a pool and then committed. To be called before the pool's lineage is told to the next batch.
     *
     * @param latestEvents about environments, by their names
     */
    synchronized void learn(
            KnownPool.Lineage lineage, Slice slice, Decision decision, Map<String, EventPlace> latestEvents) {
        int pool = decision.pool().number();
        slice.allocations().values().forEach(allocation -> learn(lineage, pool, allocation));
        decision.allocations().forEach(change -> learn(lineage, pool, change.after()));
        decision.forgotten().forEach(place -> allocations.remove(place.id()));
        slice.environments().values().forEach(environment -> learn(lineage, pool, environment, latestEvents));
        decision.environments().forEach(change -> learn(lineage, pool, change.after(), latestEvents));
    }

    private void learn(KnownPool.Lineage lineage, int pool, Allocation allocation) {
        if (allocation.hasEnded()) {
            allocations.remove(allocation.id());
        } else if (allocation.id().poolNumber() == pool) {
            allocations.put(allocation.id(), new Known<>(lineage, allocation));
        }
    }

    private void learn(
            KnownPool.Lineage lineage, int pool, Environment environment, Map<String, EventPlace> latestEvents) {
        var name = environment.name();
        if (environment.pool() != pool || environment.state() instanceof EnvironmentState.Retired) {
            environments.remove(name);
        } else {
            environments.put(name, new Known<>(lineage, new Seen(environment, latestEvents.get(name.value()))));
        }
    }

    private static final class Recent<K, V> extends LinkedHashMap<K, V> {
        private static final long serialVersionUID = 1L;

        Recent() {
            super(16, 0.75f, true);
        }

        @Override
        protected boolean removeEldestEntry(Map.Entry<K, V> eldest) {
            return size() > MOST;
        }
    }
}
