package dev.berth.core;

import java.util.Collections;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * One kind of environment that is asked for.
 *
 * @param count how many of it
 * @param capabilities what these must have, by {@link Value#meets}
 * @param constraints which values an attribute may have, by its name: {@link #ACCOUNT}, {@link #NAME}, or one that shapes have
 * @param access the access profile that they must offer; null for the default one
 */
public record Need(
        int count,
        SortedMap<String, Value> capabilities,
        SortedMap<String, SortedSet<String>> constraints,
        @Nullable String access) {
    /** The attribute that is an environment's provider account. */
    public static final String ACCOUNT = "account";
    /** The attribute that is an environment's name. */
    public static final String NAME = "name";

    public Need {
        if (count < 1) {
            throw new IllegalArgumentException("count: at least 1");
        }
        capabilities = Collections.unmodifiableSortedMap(new TreeMap<>(capabilities));
        var allowed = new TreeMap<String, SortedSet<String>>();
        constraints.forEach(
                (type, values) -> allowed.put(type, Collections.unmodifiableSortedSet(new TreeSet<>(values))));
        constraints = Collections.unmodifiableSortedMap(allowed);
    }

    /** So many environments, whichever they are. */
    public static Need any(int count) {
        return new Need(count, Collections.emptySortedMap(), Collections.emptySortedMap(), null);
    }

    static Need capability(String key, Value asked) {
        return new Need(1, new TreeMap<>(Map.of(key, asked)), Collections.emptySortedMap(), null);
    }

    static Need constraint(String type, SortedSet<String> values) {
        return new Need(1, Collections.emptySortedMap(), new TreeMap<>(Map.of(type, values)), null);
    }

    static Need profile(String access) {
        return new Need(1, Collections.emptySortedMap(), Collections.emptySortedMap(), access);
    }

    /** Whether it asks for accounts or names, which a shape does not have. */
    public boolean isPinned() {
        return constraints.containsKey(ACCOUNT) || constraints.containsKey(NAME);
    }

    /** Whether environments of this shape have all that is asked for, but for their account and name. */
    public boolean fits(Shape shape) {
        if (access != null && !shape.profiles().contains(access)) {
            return false;
        }
        for (var asked : capabilities.entrySet()) {
            var own = shape.capabilities().get(asked.getKey());
            if (own == null || !own.meets(asked.getValue())) {
                return false;
            }
        }
        for (var constraint : constraints.entrySet()) {
            var own = shape.attributes().get(constraint.getKey());
            if (!constraint.getKey().equals(ACCOUNT)
                    && !constraint.getKey().equals(NAME)
                    && (own == null || !constraint.getValue().contains(own))) {
                return false;
            }
        }
        return true;
    }

    /** Whether the account and the name are among those that are asked for. */
    public boolean allows(EnvironmentName name, @Nullable String account) {
        return allows(NAME, name.value()) && allows(ACCOUNT, account);
    }

    /** Whether an environment can serve it. */
    boolean wants(Environment environment) {
        return fits(environment.record().shape())
                && allows(environment.name(), environment.record().account());
    }

    private boolean allows(String type, @Nullable String own) {
        Set<String> allowed = constraints.get(type);
        return allowed == null || (own != null && allowed.contains(own));
    }

    /** How many facts of the shape it does not ask for: what others may need more. */
    int surplus(Shape shape) {
        int surplus = shape.profiles().size() - (access == null ? 0 : 1);
        for (var own : shape.capabilities().entrySet()) {
            var asked = capabilities.get(own.getKey());
            surplus += asked == null
                    ? own.getValue().facts()
                    : Math.max(0, own.getValue().facts() - used(asked, own.getValue()));
        }
        return surplus;
    }

    private static int used(Value asked, Value own) {
        return asked.equals(Value.Text.ANY) ? own.facts() : asked instanceof Value.Fields ? asked.facts() : 1;
    }

    Need times(int more) {
        return new Need(count + more, capabilities, constraints, access);
    }

    boolean isLike(Need other) {
        return capabilities.equals(other.capabilities)
                && constraints.equals(other.constraints)
                && Objects.equals(access, other.access);
    }

    void json(StringBuilder out) {
        out.append("{\"count\":").append(count).append(",\"capabilities\":");
        JsonText.object(out, capabilities, JsonText::value);
        out.append(",\"constraints\":");
        JsonText.object(out, constraints, (text, values) -> JsonText.array(text, values, JsonText::string));
        if (access != null) {
            out.append(",\"access\":");
            JsonText.string(out, access);
        }
        out.append('}');
    }
}
