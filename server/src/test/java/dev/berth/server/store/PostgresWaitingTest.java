package dev.berth.server.store;

/** The contract of waiting on a PostgreSQL. */
class PostgresWaitingTest extends WaitingContract {
    @Override
    Store open() {
        return TestPostgres.emptied().open();
    }
}
