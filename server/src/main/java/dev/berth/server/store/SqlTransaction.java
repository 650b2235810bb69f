package dev.berth.server.store;

import dev.berth.core.Decision;
import dev.berth.core.Policy;
import dev.berth.core.Pool;
import dev.berth.core.PoolName;
import dev.berth.core.Slice;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** What the ledger does in one transaction. */
final class SqlTransaction implements Store.Transaction {
    private final Database database;
    private final Database.Session session;
    private final Rows rows;
    private final PoolReads pools;
    private final Map<Integer, KnownPool> known;
    private final RecentRows recent;
    /** Of the pools that are locked, as they are stored. */
    private final Map<Integer, Long> revisions = new HashMap<>();
    /** What was decided on, then what is written: known to all once it is committed. */
    private final Map<Integer, KnownPool> here = new HashMap<>();

    private final Map<Integer, Slice> loaded = new HashMap<>();
    private final Map<Integer, Decision> written = new HashMap<>();
    /** About environments, by their names. */
    private final Map<String, EventPlace> latestEvents = new HashMap<>();

    /**
     * @param known of pools, by number: what earlier transactions left for later ones
     * @param recent of all pools: likewise
     */
    SqlTransaction(Database database, Rows rows, PoolReads pools, Map<Integer, KnownPool> known, RecentRows recent) {
        this.database = database;
        this.session = database.begin();
        this.rows = rows;
        this.pools = pools;
        this.known = known;
        this.recent = recent;
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
        return pools.lock(session.lane(), name, revisions);
    }

    @Override
    public Pool create(PoolName name, Policy policy, Instant now) {
        session.lane().updateOne("""
                INSERT INTO pool (name, policy, listed, generation, sequence, events, available, allocated, cleaning, checking, dirty,
                    retiring, waiting, polling, on_hold, issuing, maintained, breaker_failures, touched_at, revision)
                VALUES (?, ?, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, ?, 0)""", name.value(), Rows.text(policy), now);
        return lock(name).orElseThrow();
    }

    @Override
    public Slice load(Pool pool, Slice.Needs needs, Instant now) {
        if (written.containsKey(pool.number())) {
            throw new IllegalStateException("pool %s was decided on before".formatted(pool.name()));
        }
        var slice = new SliceLoader(session.lane(), rows, pool, known(pool), recent, needs, now, latestEvents).load();
        loaded.put(pool.number(), slice);
        return slice;
    }

    private KnownPool known(Pool pool) {
        return here.computeIfAbsent(pool.number(), number -> {
            long revision = revisions.getOrDefault(number, 0L);
            var earlier = known.get(number);
            return earlier != null && earlier.isOf(pool, revision) ? earlier : read(pool, revision);
        });
    }

    private KnownPool read(Pool pool, long revision) {
        var lane = session.lane();
        return KnownPool.of(pool, revision, pools.shapes(lane, pool.number()), pools.lines(lane, pool.number()));
    }

    @Override
    public void write(Decision decision, Pool before) {
        var after = known(before).after(decision);
        new DecisionWriter(session.lane(), latestEvents).write(decision, before, after.revision());
        here.put(before.number(), after);
        written.put(before.number(), decision);
    }

    @Override
    public void stamp(String batch, Instant now) {
        Batches.stamp(session.lane(), batch, now);
    }

    @Override
    public CompletableFuture<Void> commitAsync() {
        var durable = session.commitAsync();
        written.forEach((number, decision) -> {
            var slice = loaded.get(number);
            var pool = here.get(number);
            if (slice != null && pool != null) {
                recent.learn(pool.lineage(), slice, decision, latestEvents);
            }
        });
        known.putAll(here);
        return durable;
    }

    @Override
    public void close() {
        session.close();
    }
}
