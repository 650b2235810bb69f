package dev.berth.server.store;

import dev.berth.core.Allocation;
import dev.berth.core.AllocationId;
import dev.berth.core.Environment;
import dev.berth.core.EnvironmentName;
import dev.berth.core.ForecastPool;
import dev.berth.core.Holder;
import dev.berth.core.Pool;
import dev.berth.core.PoolName;
import dev.berth.core.ShapeCount;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The store in a SQL database. */
final class SqlStore implements Store {
    /** So often a small change is tried that another one comes before. */
    private static final int TRIES = 5;

    private final Database database;
    private final Rows rows = new Rows();
    private final PoolReads pools;
    private final AllocationReads allocations;
    private final PastReads past;
    private final EnvironmentReads environments;
    private final EventReads events;
    private final Map<Integer, KnownPool> known = new ConcurrentHashMap<>();
    private final RecentRows recent = new RecentRows();

    /**
     * @param database closed with this
     */
    SqlStore(Database database) {
        this.database = database;
        this.pools = new PoolReads(database, rows);
        this.allocations = new AllocationReads(database, rows, pools);
        this.past = new PastReads(database, rows);
        this.environments = new EnvironmentReads(database, rows, pools);
        this.events = new EventReads(database, pools);
    }

    // ---- transactions

    @Override
    public Transaction begin() {
        return new SqlTransaction(database, rows, pools, known, recent);
    }

    @Override
    public Optional<Notifications> notifications(String process) {
        return database.notifications(process);
    }

    @Override
    public boolean committed(String batch) {
        return write(lane -> Batches.committed(lane, batch));
    }

    /** A small change of its own, beside the ledger. */
    private <T> T write(Function<Lane, T> change) {
        for (int tries = 1; ; tries++) {
            T result;
            CompletableFuture<Void> durable;
            try (var session = database.begin()) {
                result = change.apply(session.lane());
                durable = session.commitAsync();
            } catch (ConflictException e) {
                if (tries == TRIES) {
                    throw e;
                }
                continue;
            }
            Durable.await(durable);
            return result;
        }
    }

    // ---- reads

    @Override
    public List<Pool> pools() {
        return pools.pools();
    }

    @Override
    public Optional<Pool> pool(PoolName name) {
        return pools.pool(name);
    }

    @Override
    public @Nullable Instant nextDue(int pool) {
        return pools.nextDue(pool);
    }

    @Override
    public @Nullable Instant nextWork(int pool) {
        return pools.nextWork(pool);
    }

    @Override
    public Optional<Allocation> allocation(AllocationId id) {
        return allocations.allocation(id);
    }

    @Override
    public Page<Allocation> allocations(AllocationQuery query) {
        return allocations.allocations(query);
    }

    @Override
    public List<Waiting> queue(int pool) {
        return allocations.queue(pool);
    }

    @Override
    public List<ShapeCount> shapes(int pool) {
        return pools.shapes(pool);
    }

    @Override
    public List<ForecastPool.Busy> busy(int pool, int limit) {
        return environments.busy(pool, limit);
    }

    @Override
    public List<Loan> history(int pool, int limit) {
        return past.loans(pool, limit);
    }

    @Override
    public List<Holder> holders(int pool) {
        return pools.holders(pool);
    }

    @Override
    public @Nullable Instant oldestWaiting(int pool) {
        return allocations.oldestWaiting(pool);
    }

    @Override
    public Statistics statistics(int pool, Instant since, Instant now) {
        return past.statistics(pool, since, now);
    }

    @Override
    public Page<Environment> environments(EnvironmentQuery query) {
        return environments.environments(query);
    }

    @Override
    public Optional<Environment> environment(EnvironmentName name) {
        return environments.environment(name);
    }

    @Override
    public List<StoredEvent> history(EnvironmentName name, int limit) {
        return events.about(name, limit);
    }

    @Override
    public List<StoredEvent> events(Map<Integer, Long> after, int limit) {
        return events.events(after, limit);
    }

    @Override
    public Map<Integer, Long> oldestEvents() {
        return events.oldestEvents();
    }

    // ---- tokens

    @Override
    public void addToken(Token token) {
        write(lane -> {
            IssuedTable.TOKENS.add(lane, token);
            return true;
        });
    }

    @Override
    public Optional<Token> tokenByHash(String hash) {
        return database.read(lane -> IssuedTable.TOKENS.find(lane, hash));
    }

    @Override
    public List<Token> tokens() {
        return database.read(IssuedTable.TOKENS::all);
    }

    @Override
    public boolean removeToken(String id) {
        return write(lane -> IssuedTable.TOKENS.remove(lane, id));
    }

    @Override
    public void tokenUsed(String id, Instant at) {
        write(lane -> {
            IssuedTable.TOKENS.used(lane, id, at);
            return true;
        });
    }

    // ---- access keys

    @Override
    public void addAccessKey(AccessKey key) {
        write(lane -> {
            IssuedTable.ACCESS_KEYS.add(lane, key);
            return true;
        });
    }

    @Override
    public Optional<AccessKey> accessKey(String id) {
        return database.read(lane -> IssuedTable.ACCESS_KEYS.find(lane, id));
    }

    @Override
    public List<AccessKey> accessKeys() {
        return database.read(IssuedTable.ACCESS_KEYS::all);
    }

    @Override
    public boolean removeAccessKey(String id) {
        return write(lane -> IssuedTable.ACCESS_KEYS.remove(lane, id));
    }

    @Override
    public void accessKeyUsed(String id, Instant at) {
        write(lane -> {
            IssuedTable.ACCESS_KEYS.used(lane, id, at);
            return true;
        });
    }

    // ---- what belongs to environments

    @Override
    public Optional<Baseline> baseline(String identity, @Nullable Integer version) {
        return database.read(lane -> Baselines.find(lane, identity, version));
    }

    @Override
    public boolean addFirstBaseline(Baseline first) {
        return write(lane -> Baselines.addFirst(lane, first));
    }

    @Override
    public Optional<Finding> finding(String identity) {
        return database.read(lane -> Baselines.finding(lane, identity));
    }

    @Override
    public void keepFinding(Finding finding) {
        write(lane -> {
            Baselines.keep(lane, finding);
            return true;
        });
    }

    @Override
    public void dropFinding(String identity) {
        if (finding(identity).isPresent()) {
            write(lane -> Baselines.drop(lane, identity));
        }
    }

    @Override
    public Optional<Baseline> acceptFinding(String identity, String by, Instant at) {
        return write(lane -> Baselines.accept(lane, identity, by, at));
    }

    @Override
    public boolean isAccountIdle(String account, String identity) {
        return environments.isIdle(account, identity);
    }

    // ---- the configuration in force

    @Override
    public Optional<ConfigurationInForce> configuration() {
        return database.read(Configurations::last);
    }

    @Override
    public boolean wasInForce(String digest) {
        return database.read(lane -> Configurations.contains(lane, digest));
    }

    @Override
    public ConfigurationInForce putInForce(String text, String digest, Instant at) {
        return write(lane -> Configurations.add(lane, text, digest, at));
    }

    // ---- the key that encrypts stored access

    @Override
    public String keyCheck(String first) {
        var kept = database.read(Generations::keyCheck);
        return kept != null ? kept : write(lane -> Generations.keepKeyCheck(lane, first));
    }

    @Override
    public void replaceKeyCheck(String text) {
        write(lane -> lane.update("UPDATE generation SET key_check = ?", text));
    }

    // ---- keeping house

    @Override
    public int prune(Instant before, int limit) {
        int pruned = write(lane -> Batches.prune(lane, before));
        for (var pool : pools()) {
            int most = limit - pruned;
            if (most > 0) {
                pruned += prune(pool.name(), before, most);
            }
        }
        return pruned;
    }

    private int prune(PoolName name, Instant before, int limit) {
        return write(lane -> pools.lock(lane, name)
                .map(pool -> new House(lane, pool, before).prune(limit))
                .orElse(0));
    }

    @Override
    public boolean isUsable() {
        try {
            pools();
            return true;
        } catch (StoreException e) {
            return false;
        }
    }

    @Override
    public void close() {
        database.close();
    }
}
