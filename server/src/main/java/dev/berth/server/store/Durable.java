package dev.berth.server.store;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;

/** Waiting for commits. */
final class Durable {
    /** Where a commit is durable when it returns. */
    static final CompletableFuture<Void> ALREADY = CompletableFuture.completedFuture(null);

    private Durable() {}

    /**
     * Waits until this commit is durable.
     *
     * @throws StoreException where nobody will know whether it is
     */
    static void await(CompletableFuture<Void> commit) {
        try {
            commit.join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof StoreException known
                    ? new StoreException(String.valueOf(known.getMessage()), known)
                    : e;
        }
    }
}
