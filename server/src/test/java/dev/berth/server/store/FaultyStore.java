package dev.berth.server.store;

import dev.berth.core.Allocation;
import dev.berth.core.AllocationId;
import dev.berth.core.Decision;
import dev.berth.core.Environment;
import dev.berth.core.EnvironmentName;
import dev.berth.core.ForecastPool;
import dev.berth.core.Holder;
import dev.berth.core.Policy;
import dev.berth.core.Pool;
import dev.berth.core.PoolName;
import dev.berth.core.ShapeCount;
import dev.berth.core.Slice;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** A store that asks a test before and after each step whether that step fails, and lets it change what passes through. */
public final class FaultyStore implements Store {
    private final Store store;
    private final Faults faults;

    public FaultyStore(Store store, Faults faults) {
        this.store = store;
        this.faults = faults;
    }

    /** What goes wrong: a {@link StoreException} thrown here is what the caller gets. */
    public interface Faults {
        /** Before a transaction begins. */
        default void beginning() {}

        default Slice loaded(Pool pool, Slice.Needs needs, Slice slice) {
            return slice;
        }

        default Decision writing(Decision decision) {
            return decision;
        }

        /** What was decided is written, and not committed yet. */
        default void written() {}

        /**
         * Before COMMIT reaches the database.
         *
         * @return false to leave it out, and say that it was done
         */
        default boolean committing() {
            return true;
        }

        /** After COMMIT, before its answer. */
        default void committed() {}

        /** When that is durable. */
        default CompletableFuture<Void> durable(CompletableFuture<Void> commit) {
            return commit;
        }

        /** Before a look at what became of a batch. */
        default void asked() {}

        /** Before any other call. */
        default void reading() {}
    }

    @Override
    public Transaction begin() {
        faults.beginning();
        return new FaultyTransaction(store.begin());
    }

    private final class FaultyTransaction implements Transaction {
        private final Transaction transaction;

        FaultyTransaction(Transaction transaction) {
            this.transaction = transaction;
        }

        @Override
        public Moment moment() {
            return transaction.moment();
        }

        @Override
        public List<PoolName> pools() {
            return transaction.pools();
        }

        @Override
        public Optional<Pool> lock(PoolName name) {
            return transaction.lock(name);
        }

        @Override
        public Pool create(PoolName name, Policy policy, Instant now) {
            return transaction.create(name, policy, now);
        }

        @Override
        public Slice load(Pool pool, Slice.Needs needs, Instant now) {
            return faults.loaded(pool, needs, transaction.load(pool, needs, now));
        }

        @Override
        public void write(Decision decision, Pool before) {
            transaction.write(faults.writing(decision), before);
            faults.written();
        }

        @Override
        public void stamp(String batch, Instant now) {
            transaction.stamp(batch, now);
        }

        @Override
        public CompletableFuture<Void> commitAsync() {
            if (!faults.committing()) {
                return CompletableFuture.completedFuture(null);
            }
            var durable = transaction.commitAsync();
            faults.committed();
            return faults.durable(durable);
        }

        @Override
        public void close() {
            transaction.close();
        }
    }

    @Override
    public Optional<Notifications> notifications(String process) {
        return store.notifications(process);
    }

    @Override
    public boolean committed(String batch) {
        faults.asked();
        return store.committed(batch);
    }

    private Store reading() {
        faults.reading();
        return store;
    }

    @Override
    public List<Pool> pools() {
        return reading().pools();
    }

    @Override
    public Optional<Pool> pool(PoolName name) {
        return reading().pool(name);
    }

    @Override
    public @Nullable Instant nextDue(int pool) {
        return reading().nextDue(pool);
    }

    @Override
    public @Nullable Instant nextWork(int pool) {
        return reading().nextWork(pool);
    }

    @Override
    public Optional<Allocation> allocation(AllocationId id) {
        return reading().allocation(id);
    }

    @Override
    public Page<Allocation> allocations(AllocationQuery query) {
        return reading().allocations(query);
    }

    @Override
    public List<Waiting> queue(int pool) {
        return reading().queue(pool);
    }

    @Override
    public List<ShapeCount> shapes(int pool) {
        return reading().shapes(pool);
    }

    @Override
    public List<ForecastPool.Busy> busy(int pool, int limit) {
        return reading().busy(pool, limit);
    }

    @Override
    public List<Loan> history(int pool, int limit) {
        return reading().history(pool, limit);
    }

    @Override
    public List<Holder> holders(int pool) {
        return reading().holders(pool);
    }

    @Override
    public @Nullable Instant oldestWaiting(int pool) {
        return reading().oldestWaiting(pool);
    }

    @Override
    public Statistics statistics(int pool, Instant since, Instant now) {
        return reading().statistics(pool, since, now);
    }

    @Override
    public Page<Environment> environments(EnvironmentQuery query) {
        return reading().environments(query);
    }

    @Override
    public Optional<Environment> environment(EnvironmentName name) {
        return reading().environment(name);
    }

    @Override
    public List<StoredEvent> history(EnvironmentName name, int limit) {
        return reading().history(name, limit);
    }

    @Override
    public List<StoredEvent> events(Map<Integer, Long> after, int limit) {
        return reading().events(after, limit);
    }

    @Override
    public Map<Integer, Long> oldestEvents() {
        return reading().oldestEvents();
    }

    @Override
    public void addToken(Token token) {
        reading().addToken(token);
    }

    @Override
    public Optional<Token> tokenByHash(String hash) {
        return reading().tokenByHash(hash);
    }

    @Override
    public List<Token> tokens() {
        return reading().tokens();
    }

    @Override
    public boolean removeToken(String id) {
        return reading().removeToken(id);
    }

    @Override
    public void tokenUsed(String id, Instant at) {
        reading().tokenUsed(id, at);
    }

    @Override
    public void addAccessKey(AccessKey key) {
        reading().addAccessKey(key);
    }

    @Override
    public Optional<AccessKey> accessKey(String id) {
        return reading().accessKey(id);
    }

    @Override
    public List<AccessKey> accessKeys() {
        return reading().accessKeys();
    }

    @Override
    public boolean removeAccessKey(String id) {
        return reading().removeAccessKey(id);
    }

    @Override
    public void accessKeyUsed(String id, Instant at) {
        reading().accessKeyUsed(id, at);
    }

    @Override
    public Optional<Baseline> baseline(String identity, @Nullable Integer version) {
        return reading().baseline(identity, version);
    }

    @Override
    public boolean addFirstBaseline(Baseline first) {
        return reading().addFirstBaseline(first);
    }

    @Override
    public Optional<Finding> finding(String identity) {
        return reading().finding(identity);
    }

    @Override
    public void keepFinding(Finding finding) {
        reading().keepFinding(finding);
    }

    @Override
    public void dropFinding(String identity) {
        reading().dropFinding(identity);
    }

    @Override
    public Optional<Baseline> acceptFinding(String identity, String by, Instant at) {
        return reading().acceptFinding(identity, by, at);
    }

    @Override
    public boolean isAccountIdle(String account, String identity) {
        return reading().isAccountIdle(account, identity);
    }

    @Override
    public Optional<ConfigurationInForce> configuration() {
        return reading().configuration();
    }

    @Override
    public boolean wasInForce(String digest) {
        return reading().wasInForce(digest);
    }

    @Override
    public ConfigurationInForce putInForce(String text, String digest, Instant at) {
        return reading().putInForce(text, digest, at);
    }

    @Override
    public String keyCheck(String first) {
        return reading().keyCheck(first);
    }

    @Override
    public void replaceKeyCheck(String text) {
        reading().replaceKeyCheck(text);
    }

    @Override
    public int prune(Instant before, int limit) {
        return reading().prune(before, limit);
    }

    @Override
    public boolean isUsable() {
        return store.isUsable();
    }

    @Override
    public void close() {
        store.close();
    }
}
