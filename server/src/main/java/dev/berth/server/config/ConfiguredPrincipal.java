package dev.berth.server.config;

import dev.berth.core.PoolName;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Who may call, as the file says.
 *
 * @param roles of {@link #ROLES}
 * @param pools which it may use as a consumer
 * @param tokens its own bearer tokens; empty where it has only created ones
 * @param aws which callers of AWS it is; null for none
 */
public record ConfiguredPrincipal(
        String name,
        Set<String> roles,
        Set<PoolName> pools,
        List<Secret> tokens,
        @Nullable Aws aws) {
    public static final List<String> ROLES = List.of("viewer", "consumer", "operator", "admin");

    /** The built-in principal, which the file cannot name. */
    public static final String RESERVED = "admin";

    public ConfiguredPrincipal {
        Objects.requireNonNull(name);
        roles = Set.copyOf(roles);
        pools = Set.copyOf(pools);
        tokens = List.copyOf(tokens);
    }

    /**
     * Which callers of AWS it is: whom each of these allows that is not empty.
     *
     * @param roles names, with {@code *} for any characters
     * @param principals ARNs, with {@code *} for any characters
     */
    public record Aws(Set<String> accounts, List<String> roles, List<String> principals) {
        public Aws {
            accounts = Set.copyOf(accounts);
            roles = List.copyOf(roles);
            principals = List.copyOf(principals);
        }
    }

    /** Without the tokens. */
    @Override
    public String toString() {
        return "ConfiguredPrincipal[" + name + ", roles " + roles + ", pools " + pools + "]";
    }
}
