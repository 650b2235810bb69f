package dev.berth.server.store;

import org.junit.jupiter.api.Test;

/** The contract on a PostgreSQL. */
class PostgresStoreTest extends StoreContract {
    @Override
    Store open() {
        return TestPostgres.emptied().open();
    }

    @Test
    void readsDuringAnOpenTransactionSeeWhatIsCommitted() {
        readDuringAnOpenTransaction();
    }
}
