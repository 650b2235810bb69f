package dev.berth.server.upkeep;

import dev.berth.core.PoolName;
import dev.berth.providers.Provider;

/** Where a pool's provider is found. */
@FunctionalInterface
public interface Workbench {

    /**
     * The provider for the pool's policy in force; also for a pool that the configuration has no more.
     *
     * @throws IllegalStateException when it cannot be made here now, with why: nothing becomes dirty for it
     * @throws dev.berth.server.store.StoreException when it is not known how the pool was, for the same
     */
    Provider provider(PoolName pool);
}
