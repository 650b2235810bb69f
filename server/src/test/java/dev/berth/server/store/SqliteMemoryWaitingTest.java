package dev.berth.server.store;

/** The contract of waiting on the store that simulations use. */
class SqliteMemoryWaitingTest extends WaitingContract {
    @Override
    Store open() {
        return SqliteStore.inMemory();
    }
}
