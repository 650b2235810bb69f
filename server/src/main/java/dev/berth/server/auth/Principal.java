package dev.berth.server.auth;

import dev.berth.core.Allocation;
import dev.berth.core.Caller;
import dev.berth.core.PoolName;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Who authenticated, and what they may do.
 *
 * @param pools those that a consumer may use; null for every pool
 * @param address where they call from; null where that is not known
 */
public record Principal(
        String name,
        Set<Role> roles,
        @Nullable Set<PoolName> pools,
        @Nullable String address) {
    /** The one that is there without a configuration. */
    public static final Principal ADMIN = new Principal("admin", Set.of(Role.ADMIN), null);

    public Principal {
        Objects.requireNonNull(name);
        roles = Set.copyOf(roles);
        pools = pools == null ? null : Set.copyOf(pools);
    }

    public Principal(String name, Set<Role> roles, @Nullable Set<PoolName> pools) {
        this(name, roles, pools, null);
    }

    /** The same, as they call from there. */
    public Principal at(String from) {
        return new Principal(name, roles, pools, from);
    }

    public boolean has(Role role) {
        return roles.contains(role) || roles.contains(Role.ADMIN);
    }

    /** Whether it sees what is none of its own. */
    public boolean seesAll() {
        return has(Role.VIEWER) || has(Role.OPERATOR);
    }

    boolean mayBorrowFrom(PoolName pool) {
        return has(Role.CONSUMER) && (has(Role.ADMIN) || pools == null || pools.contains(pool));
    }

    boolean sees(PoolName pool) {
        return seesAll() || mayBorrowFrom(pool);
    }

    boolean sees(Allocation allocation) {
        return seesAll() || owns(allocation) || allocation.isHeldFor(name);
    }

    /** Whether it is the one that made it. */
    public boolean owns(Allocation allocation) {
        return allocation.principal().equals(name);
    }

    Caller caller() {
        return new Caller(name, has(Role.OPERATOR), address);
    }
}
