package dev.berth.server.config;

import dev.berth.core.EnvironmentName;
import dev.berth.core.Policy;
import dev.berth.core.PoolName;
import dev.berth.core.Registration;
import dev.berth.providers.Provider;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * What the file says of one pool.
 *
 * @param policy how it lends, defaults filled in
 * @param revocable whether what it hands out can be taken back; false where it hands out standing secrets
 * @param variables which variable of a wrapped command gets which part of the access ({@code credentials.password}), by variable
 * @param environments its records by name, in the order of the file
 * @param provider works on these environments
 */
public record ConfiguredPool(
        PoolName name,
        Policy policy,
        boolean revocable,
        Map<String, String> variables,
        Map<EnvironmentName, Registration> environments,
        Provider provider) {

    public ConfiguredPool {
        Objects.requireNonNull(name);
        Objects.requireNonNull(policy);
        Objects.requireNonNull(provider);
        variables = Collections.unmodifiableMap(new TreeMap<>(variables));
        environments = Collections.unmodifiableMap(new LinkedHashMap<>(environments));
    }

    @Override
    public String toString() {
        return "ConfiguredPool[" + name + ", " + policy.provider() + ", " + environments.size() + " environments]";
    }
}
