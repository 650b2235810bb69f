package dev.berth.server.auth;

import dev.berth.core.EnvironmentName;
import dev.berth.core.PoolName;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What the configuration says of access, read when a holder asks. */
public interface StandingAccess {
    /**
     * Credentials that nobody issues.
     *
     * @param profile the access profile that its holder asked for; null for the default one
     * @return by name; null where the environment has none
     */
    @Nullable
    Map<String, Object> credentials(PoolName pool, EnvironmentName environment, @Nullable String profile);

    /**
     * Which variable of a wrapped command gets which part of the access: {@code credentials.NAME} or {@code connection.NAME}, by
     * variable; empty where the pool maps none.
     */
    Map<String, String> variables(PoolName pool);
}
