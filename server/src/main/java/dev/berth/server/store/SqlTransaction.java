package dev.berth.server.store;

import dev.berth.core.Decision;
import dev.berth.core.Policy;
import dev.berth.core.Pool;
import dev.berth.core.PoolName;
import dev.berth.core.Slice;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** What the ledger does in one transaction. */
final class SqlTransaction implements Store.Transaction {
    private final Database database;
    private final Database.Session session;
    private final Rows rows;
    private final PoolReads pools;

    SqlTransaction(Database database, Rows rows, PoolReads pools) {
        this.database = database;
        this.session = database.begin();
        this.rows = rows;
        this.pools = pools;
    }

    @Override
    public Store.Moment moment() {
        return database.moment(session.lane());
    }

    @Override
    public List<PoolName> pools() {
        return session.lane().list(row -> new PoolName(row.getString(1)), "SELECT name FROM pool ORDER BY name");
    }

    @Override
    public Optional<Pool> lock(PoolName name) {
        return pools.lock(session.lane(), name);
    }

    @Override
    public Pool create(PoolName name, Policy policy, Instant now) {
        session.lane().updateOne("""
                INSERT INTO pool (name, policy, listed, generation, sequence, events, available, allocated, cleaning, checking, dirty,
                    retiring, waiting, polling, on_hold, issuing, maintained, breaker_failures, touched_at)
                VALUES (?, ?, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ?)""", name.value(), Rows.text(policy), now);
        return lock(name).orElseThrow();
    }

    @Override
    public Slice load(Pool pool, Slice.Needs needs, Instant now) {
        return new SliceLoader(session.lane(), rows, pool, needs, now).load();
    }

    @Override
    public void write(Decision decision, Pool before) {
        new DecisionWriter(session.lane()).write(decision, before);
    }

    @Override
    public void stamp(String batch, Instant now) {
        Batches.stamp(session.lane(), batch, now);
    }

    @Override
    public void commit() {
        session.commit();
    }

    @Override
    public void close() {
        session.close();
    }
}
