package dev.berth.server.auth;

import dev.berth.core.Event;
import dev.berth.core.PoolName;
import dev.berth.server.store.Store;

/**
 * An event with the pool it is of.
 *
 * @param number the pool's number, which cursors are made of
 */
public record PoolEvent(int number, PoolName pool, Event event) {
    static PoolEvent of(Store.StoredEvent stored) {
        return new PoolEvent(stored.pool(), stored.name(), stored.event());
    }
}
