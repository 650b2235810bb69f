package dev.berth.server.store;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** What the databases do each in its own way. All the rest is one set of statements, which every one of them understands. */
interface Database extends AutoCloseable {

    /** Begins a transaction that may write, on a connection that is its alone until it is closed. Blocks until there is one. */
    Session begin();

    /** Asks for what is committed, on a connection that is the query's alone. Blocks until there is one. */
    <T extends @Nullable Object> T read(Function<Lane, T> query);

    /** How a look-up of a row ends that nobody else may change until the transaction is over. */
    String lockingClause();

    /** What the transaction that the lane is in is decided by. */
    Store.Moment moment(Lane lane);

    /** See {@link Store#notifications}. */
    Optional<Notifications> notifications(String process);

    @Override
    void close();

    /** A transaction. Rolled back when it is closed without a commit. */
    interface Session extends AutoCloseable {
        Lane lane();

        /**
         * As {@link Store.Transaction#commitAsync}.
         *
         * @throws StoreException after which nobody knows whether it is committed
         */
        CompletableFuture<Void> commitAsync();

        @Override
        void close();
    }
}
