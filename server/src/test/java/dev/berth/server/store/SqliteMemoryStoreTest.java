package dev.berth.server.store;

/** The contract on the store that simulations use. */
class SqliteMemoryStoreTest extends StoreContract {
    @Override
    Store open() {
        return SqliteStore.inMemory();
    }
}
