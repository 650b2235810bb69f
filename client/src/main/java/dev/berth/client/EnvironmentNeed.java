package dev.berth.client;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What one or more environments of a request have to be like. Immutable: each method makes another need.
 *
 * <p>Values of capabilities are strings, numbers, booleans, lists and maps of these, or Jackson's nodes. They are compared as JSON, by type:
 * {@code 1} is not {@code "1"}.
 *
 * @param capabilities what they must have: by equal value, {@code "*"} for any value, a list for one of its elements
 * @param count how many environments like this, 1 at least
 * @param access the access profile that they must offer and that is handed out, or null for the default one
 */
public record EnvironmentNeed(
        Map<String, Object> capabilities,
        int count,
        @Nullable String access) {
    private static final EnvironmentNeed ANY = new EnvironmentNeed(Map.of(), 1, null);

    /** Takes a copy of the map, and checks what the service would refuse whatever its configuration. */
    public EnvironmentNeed {
        capabilities.forEach((key, value) -> {
            Objects.requireNonNull(value, key);
            if (key.isEmpty()) {
                throw new IllegalArgumentException("a capability's name must not be empty");
            }
        });
        capabilities = Collections.unmodifiableMap(new LinkedHashMap<>(capabilities));
        if (count < 1) {
            throw new IllegalArgumentException("count must be at least 1, not " + count);
        }
    }

    /** One environment, whatever it is like. */
    public static EnvironmentNeed any() {
        return ANY;
    }

    /** The same with this capability too, of an equal value. */
    public EnvironmentNeed with(String capability, Object value) {
        Map<String, Object> more = new LinkedHashMap<>(capabilities);
        more.put(capability, value);
        return new EnvironmentNeed(more, count, access);
    }

    /** The same with this capability too, of any value. */
    public EnvironmentNeed withAny(String capability) {
        return with(capability, "*");
    }

    /** The same with this capability too, of one of the values. */
    public EnvironmentNeed withOneOf(String capability, List<?> values) {
        return with(capability, List.copyOf(values));
    }

    /** So many environments like this. */
    public EnvironmentNeed times(int environments) {
        return new EnvironmentNeed(capabilities, environments, access);
    }

    /** The same with this access profile; the default one where null. */
    public EnvironmentNeed access(@Nullable String profile) {
        return new EnvironmentNeed(capabilities, count, profile);
    }
}
