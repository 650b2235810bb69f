package dev.berth.server.config;

import dev.berth.core.EnvironmentName;
import dev.berth.core.PoolName;
import dev.berth.core.Registration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What one configuration changes of pools and environments against another. Principals and secrets are no part of it: where nothing
 * changes here, the next configuration may still be another one, which its digest tells.
 *
 * @param pools every pool of either, in the order of the next file, then those that go; unchanged ones among them
 */
public record ConfigurationChange(Map<PoolName, PoolChange> pools) {
    /** So many environments of a pool may go without being asked about, however small it is. */
    static final int FEW = 5;

    public ConfigurationChange {
        pools = Collections.unmodifiableMap(new LinkedHashMap<>(pools));
    }

    /** How a pool fares. */
    public enum Fate {
        ADDED,
        REMOVED,
        /** Its policy, variables or what it says of revoking are other ones. */
        CHANGED,
        KEPT
    }

    /**
     * What changes in one pool. An environment that moves to another pool is de-registered in the one and registered in the other.
     *
     * @param had how many environments it had
     * @param registered names that appear
     * @param deregistered names that drain and go
     * @param changed names whose record changes
     * @param replaced which of the changed ones stand for another physical thing than before, which drains
     */
    public record PoolChange(
            Fate fate,
            int had,
            List<EnvironmentName> registered,
            List<EnvironmentName> deregistered,
            List<EnvironmentName> changed,
            List<EnvironmentName> replaced) {
        public PoolChange {
            registered = List.copyOf(registered);
            deregistered = List.copyOf(deregistered);
            changed = List.copyOf(changed);
            replaced = List.copyOf(replaced);
        }

        /** Whether nothing at all changes. */
        public boolean nothing() {
            return fate == Fate.KEPT && registered.isEmpty() && deregistered.isEmpty() && changed.isEmpty();
        }

        /** How many may go without leave: the larger of {@value #FEW} and a fifth. */
        int free() {
            return Math.max(FEW, had / 5);
        }

        private int going() {
            return deregistered.size() + replaced.size();
        }

        private @Nullable String refusal(PoolName name) {
            if (had == 0) {
                return null;
            }
            if (fate == Fate.REMOVED || (deregistered.size() == had && registered.isEmpty())) {
                return "pool '%s' would lose all of its environments, %d".formatted(name, had);
            }
            return going() > free()
                    ? "pool '%s' would lose %d of its %d environments, more than %d"
                            .formatted(name, going(), had, free())
                    : null;
        }
    }

    /** What it takes to get from one configuration to the next. */
    public static ConfigurationChange between(Configuration inForce, Configuration next) {
        Map<PoolName, PoolChange> changes = new LinkedHashMap<>();
        Set<PoolName> names = new LinkedHashSet<>(next.pools().keySet());
        names.addAll(inForce.pools().keySet());
        for (PoolName name : names) {
            changes.put(name, change(inForce.pools().get(name), next.pools().get(name)));
        }
        return new ConfigurationChange(changes);
    }

    /** Whether no pool and no environment changes. */
    public boolean nothing() {
        return pools.values().stream().allMatch(PoolChange::nothing);
    }

    /**
     * Guards against a file that lost its content: why the change needs leave to remove, a sentence for each pool. Empty where it
     * removes no whole pool and of none more than the larger of 5 and 20%.
     */
    public List<String> removals() {
        List<String> refusals = new ArrayList<>();
        pools.forEach((name, change) -> {
            String refusal = change.refusal(name);
            if (refusal != null) {
                refusals.add(refusal);
            }
        });
        return List.copyOf(refusals);
    }

    private static PoolChange change(@Nullable ConfiguredPool before, @Nullable ConfiguredPool after) {
        Map<EnvironmentName, Registration> had = before == null ? Map.of() : before.environments();
        Map<EnvironmentName, Registration> has = after == null ? Map.of() : after.environments();
        List<EnvironmentName> registered = new ArrayList<>();
        List<EnvironmentName> changed = new ArrayList<>();
        List<EnvironmentName> replaced = new ArrayList<>();
        has.forEach((name, record) -> {
            Registration old = had.get(name);
            if (old == null) {
                registered.add(name);
            } else if (!old.digest().equals(record.digest())) {
                changed.add(name);
                if (!old.identity().equals(record.identity())) {
                    replaced.add(name);
                }
            }
        });
        List<EnvironmentName> deregistered =
                had.keySet().stream().filter(name -> !has.containsKey(name)).toList();
        return new PoolChange(fate(before, after), had.size(), registered, deregistered, changed, replaced);
    }

    private static Fate fate(@Nullable ConfiguredPool before, @Nullable ConfiguredPool after) {
        if (before == null) {
            return Fate.ADDED;
        }
        if (after == null) {
            return Fate.REMOVED;
        }
        boolean same = before.policy().equals(after.policy())
                && before.revocable() == after.revocable()
                && before.variables().equals(after.variables());
        return same ? Fate.KEPT : Fate.CHANGED;
    }
}
