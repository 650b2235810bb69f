package dev.berth.server.store;

import dev.berth.core.Allocation;
import dev.berth.core.AllocationId;
import dev.berth.core.Decision;
import dev.berth.core.Environment;
import dev.berth.core.EnvironmentName;
import dev.berth.core.EnvironmentState;
import dev.berth.core.Event;
import dev.berth.core.ForecastPool;
import dev.berth.core.Holder;
import dev.berth.core.NeedClass;
import dev.berth.core.Policy;
import dev.berth.core.Pool;
import dev.berth.core.PoolName;
import dev.berth.core.Sealed;
import dev.berth.core.ShapeCount;
import dev.berth.core.Slice;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * The database. Changes of pools go through {@link #begin}, from the ledger alone; reads see committed state only and may be called
 * from any thread. Every method throws {@link StoreException} when the database does not do what it should: a failed read is never
 * "not found".
 */
public interface Store extends AutoCloseable {

    /** Begins a transaction that may write. Blocks until this connection's turn. */
    Transaction begin();

    /**
     * How the processes that share this store hear of each other; empty where no other can. The caller closes it.
     *
     * @param process this one's id
     */
    Optional<Notifications> notifications(String process);

    /** Whether the transaction stamped with this batch was committed; waits out one whose outcome is still open. */
    boolean committed(String batch);

    /** One transaction. Rolled back when closed without a commit. */
    interface Transaction extends AutoCloseable {
        /** What it is decided by, beside what is loaded. */
        Moment moment();

        /** Names of the pools there are. */
        List<PoolName> pools();

        /**
         * The pool's row, locked until the end of the transaction; empty where there is none. Where several are to be locked, all who do
         * lock them in the order of their names.
         */
        Optional<Pool> lock(PoolName name);

        /**
         * Makes a pool that was not there before, and locks it.
         *
         * @throws ConflictException where it is there by now
         */
        Pool create(PoolName name, Policy policy, Instant now);

        /** What the rules need. */
        Slice load(Pool pool, Slice.Needs needs, Instant now);

        /**
         * Writes the difference.
         *
         * @throws ConflictException where what was decided on is not what is stored: only to be rolled back
         */
        void write(Decision decision, Pool before);

        /**
         * Leaves a mark by which {@link Store#committed} knows this transaction.
         *
         * @param batch {@code PROCESS/NUMBER}; the last one of each process is known
         * @param now how old the mark is, when it comes to pruning
         */
        void stamp(String batch, Instant now);

        /**
         * Commits: what comes next builds on it. It may be told of once it is durable.
         *
         * @return completes when it is, in the order of commits, and on a thread that may not read; exceptionally with a {@link
         *     StoreException} where nobody will know whether it is
         * @throws StoreException after which only {@link Store#committed} knows the outcome
         */
        CompletableFuture<Void> commitAsync();

        /** Commits, and waits until it is durable. */
        default void commit() {
            Durable.await(commitAsync());
        }

        @Override
        void close();
    }

    /**
     * When a transaction is, in the life of the store.
     *
     * @param now what the database says the time is, where several machines share it and their own clocks may differ; null where
     *     there is one machine only
     * @param generation how often the store was restored or copied, or another server of it took over, so that commits may be lost
     */
    record Moment(@Nullable Instant now, int generation) {}

    // ---- reads

    /** All pools, also delisted ones that still drain, by name. */
    List<Pool> pools();

    Optional<Pool> pool(PoolName name);

    /** The earliest instant at which something is due in the pool by itself; null for never. */
    @Nullable
    Instant nextDue(int pool);

    /** The earliest instant at which a step can be claimed in the pool; null for never. */
    @Nullable
    Instant nextWork(int pool);

    /** The allocation, live or ended as long as history is kept. */
    Optional<Allocation> allocation(AllocationId id);

    /** Newest first, live ones and then ended ones as far as asked for. */
    Page<Allocation> allocations(AllocationQuery query);

    /** Every request of the pool that waits, in the order of rank and arrival; also those that are passed over. */
    List<Waiting> queue(int pool);

    /** How many environments of the pool have each of its shapes, by the shape's digest. */
    List<ShapeCount> shapes(int pool);

    /**
     * The environments that are not free now and come back without a person's doing, by whom and since when; at most so many of each
     * shape, those first that have to be back first. Those that are lent without end are left out.
     */
    List<ForecastPool.Busy> busy(int pool, int limit);

    /** Loans that ended, of those requests that were made last the newest first; at most so many requests are looked at. */
    List<Loan> history(int pool, int limit);

    /** What principals, and others who share the pool, have of it or had lately, by name. */
    List<Holder> holders(int pool);

    /** When the oldest waiting request of the pool was made; null when none waits. */
    @Nullable
    Instant oldestWaiting(int pool);

    /** Waits of allocations that were granted since then, and how much of the environments' time was lent. */
    Statistics statistics(int pool, Instant since, Instant now);

    /** By name. Retired ones only when asked for by state. */
    Page<Environment> environments(EnvironmentQuery query);

    /** Also one that was retired, as long as its row is kept. */
    Optional<Environment> environment(EnvironmentName name);

    /** What happened to an environment, newest first. */
    List<StoredEvent> history(EnvironmentName name, int limit);

    /**
     * Events after these numbers, by pool: in order within a pool.
     *
     * @param after the last number seen, by pool number; a pool that is missing is read from its oldest kept event
     */
    List<StoredEvent> events(Map<Integer, Long> after, int limit);

    /** The number of the oldest event that is kept of each of these pools; one more than the last where none is. */
    Map<Integer, Long> oldestEvents();

    // ---- tokens

    void addToken(Token token);

    /** The token with this hash; also when it has expired. */
    Optional<Token> tokenByHash(String hash);

    List<Token> tokens();

    /** Whether there was such a token. */
    boolean removeToken(String id);

    /** Notes a use; loses nothing that matters when it is lost. */
    void tokenUsed(String id, Instant at);

    // ---- access keys

    void addAccessKey(AccessKey key);

    /** The access key of this id; also when it has expired. */
    Optional<AccessKey> accessKey(String id);

    List<AccessKey> accessKeys();

    /** Whether there was such an access key. */
    boolean removeAccessKey(String id);

    /** Notes a use; loses nothing that matters when it is lost. */
    void accessKeyUsed(String id, Instant at);

    // ---- what belongs to environments

    /**
     * What belongs to the environment of this identity.
     *
     * @param version null for the latest
     */
    Optional<Baseline> baseline(String identity, @Nullable Integer version);

    /** Keeps a first baseline. Returns false, and does nothing, where there is one. */
    boolean addFirstBaseline(Baseline first);

    /** What the last verification found that did not agree, until one agrees or somebody accepts it. */
    Optional<Finding> finding(String identity);

    /** Keeps it in place of what was found before. */
    void keepFinding(Finding finding);

    void dropFinding(String identity);

    /** Makes what was found the next baseline; empty where nothing is. */
    Optional<Baseline> acceptFinding(String identity, String by, Instant at);

    /**
     * Whether nobody has, or may still have, access to another environment of the account, in whichever pool: lent, or not yet revoked.
     *
     * @param identity of the one that does not count
     */
    boolean isAccountIdle(String account, String identity);

    // ---- the configuration in force

    /** Empty before the first. */
    Optional<ConfigurationInForce> configuration();

    /** Whether a configuration with this digest was ever in force. */
    boolean wasInForce(String digest);

    /** Puts a text in force under the next sequence number. */
    ConfigurationInForce putInForce(String text, String digest, Instant at);

    // ---- the key that encrypts stored access

    /**
     * What tells whether a key is the one that was used here.
     *
     * @param first is kept where nothing is yet
     * @return what is kept
     */
    String keyCheck(String first);

    /** Keeps this in place of what was there. */
    void replaceKeyCheck(String text);

    // ---- keeping house

    /** Removes history that ended, and events that happened, before then; at most so many rows. Returns how many it was. */
    int prune(Instant before, int limit);

    /** Whether the database answers now. */
    boolean isUsable();

    @Override
    void close();

    /** A page and where the next begins; {@code next} is null on the last. */
    record Page<T>(List<T> items, @Nullable String next) {
        public Page {
            items = List.copyOf(items);
        }
    }

    /**
     * Which allocations.
     *
     * @param pool null for every pool
     * @param state {@code pending}, {@code granting}, {@code active} or {@code ended}; null for all that live
     * @param requester exact text; null for any
     * @param principal whose; null for anybody's
     * @param cursor from an earlier page; null for the first
     */
    record AllocationQuery(
            @Nullable PoolName pool,
            @Nullable String state,
            @Nullable String requester,
            @Nullable String principal,
            @Nullable String cursor,
            int limit) {}

    /**
     * Which environments.
     *
     * @param pool null for every pool
     * @param state null for all but retired ones
     */
    record EnvironmentQuery(
            @Nullable PoolName pool,
            EnvironmentState.@Nullable Name state,
            @Nullable String cursor,
            int limit) {}

    /**
     * An event with the pool it is of.
     *
     * @param pool the pool's number
     */
    record StoredEvent(int pool, PoolName name, Event event) {}

    /**
     * A request that waits.
     *
     * @param sharer whose share of the pool it counts as; empty where that makes no difference
     * @param interestUntil null while it is passed over
     * @param duration asked for; null for the pool's session
     */
    record Waiting(
            AllocationId id,
            String principal,
            String sharer,
            NeedClass need,
            int priority,
            long rank,
            long arrival,
            Instant createdAt,
            Instant until,
            @Nullable Instant interestUntil,
            @Nullable Duration duration) {

        public int count() {
            return need.count();
        }
    }

    /**
     * What was lent once.
     *
     * @param sharer whose share of the pool it counted as; empty where that made no difference
     * @param asked how long it was wanted; null for the pool's session
     * @param waited from the request until access was there
     * @param lasted from there to the end
     */
    record Loan(
            String principal,
            String sharer,
            NeedClass need,
            int priority,
            @Nullable Duration asked,
            Duration waited,
            Duration lasted,
            Instant endedAt) {

        public Instant askedAt() {
            return endedAt.minus(lasted).minus(waited);
        }
    }

    /**
     * What the pool did lately.
     *
     * @param p50 of the time from request to grant; null when nothing was granted
     * @param utilisation share of the environments' time that was lent, 0 to 1
     */
    record Statistics(
            @Nullable Duration p50,
            @Nullable Duration p90,
            @Nullable Duration p99,
            double utilisation) {}

    /** What was issued to a principal, to call with. */
    sealed interface Issued {
        /** What it is told about and revoked by. No secret. */
        String id();

        String principal();

        Instant createdAt();

        /** Null for never. */
        @Nullable
        Instant expiresAt();

        /** To about a minute; null for never. */
        @Nullable
        Instant lastUsedAt();
    }

    /**
     * A bearer token of a principal. Its secret is known by its hash only.
     *
     * @param expiresAt null for never
     * @param lastUsedAt to about a minute; null for never
     */
    record Token(
            String id,
            String principal,
            String hash,
            Instant createdAt,
            @Nullable Instant expiresAt,
            @Nullable Instant lastUsedAt)
            implements Issued {}

    /**
     * An access key of a principal, which signs requests.
     *
     * @param id the access key id
     * @param secret encrypted: whoever checks a signature has to have it
     * @param expiresAt null for never
     * @param lastUsedAt to about a minute; null for never
     */
    record AccessKey(
            String id,
            String principal,
            Sealed secret,
            Instant createdAt,
            @Nullable Instant expiresAt,
            @Nullable Instant lastUsedAt)
            implements Issued {}

    /**
     * What belongs to an environment.
     *
     * @param version from 1 on
     * @param environment its name, as it was then
     * @param by who kept it
     * @param content opaque to the store
     */
    record Baseline(String identity, int version, EnvironmentName environment, Instant at, String by, String content) {}

    /** What was found in an environment and did not agree with its baseline. */
    record Finding(String identity, EnvironmentName environment, Instant at, String content) {}

    /** The configuration that counts, whatever a file says. */
    record ConfigurationInForce(long sequence, String text, String digest, Instant since) {}
}
