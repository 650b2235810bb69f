package dev.berth.server.store;

/** The contract on a PostgreSQL. */
class PostgresStoreTest extends StoreContract {
    @Override
    Store open() {
        return TestPostgres.emptied().open();
    }

    @Override
    boolean readsBesideTheWriter() {
        return true;
    }
}
