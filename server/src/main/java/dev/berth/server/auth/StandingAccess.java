package dev.berth.server.auth;

import dev.berth.core.Allocation;
import dev.berth.core.EnvironmentName;
import dev.berth.core.Grant;
import dev.berth.core.PoolName;
import dev.berth.providers.Provider;
import dev.berth.providers.StepResult;
import java.time.Duration;
import java.util.Map;
import java.util.function.BooleanSupplier;
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
     * Fresh access of a grant, in place of what is about to expire. Blocks until there is, or until it is interrupted.
     *
     * @param timeout how long it may take
     * @param held whether the allocation still has the environment
     * @return null where access of this kind does not expire
     * @throws Provider.RefreshFailed where it cannot be had now
     * @throws dev.berth.server.store.StoreException where it is not known how the pool was
     */
    default StepResult.@Nullable Access refresh(
            Allocation allocation, Grant grant, Duration timeout, BooleanSupplier held)
            throws InterruptedException, Provider.RefreshFailed {
        return null;
    }

    /**
     * Which variable of a wrapped command gets which part of the access: {@code credentials.NAME} or {@code connection.NAME}, by
     * variable; empty where the pool maps none.
     */
    Map<String, String> variables(PoolName pool);
}
