package dev.berth.server.auth;

import dev.berth.server.ledger.LedgerException;
import dev.berth.server.store.StoreException;
import java.util.function.Supplier;

/** Reads of the store, for callers that know the ledger's failures only. */
final class Reads {
    private Reads() {}

    /**
     * @throws LedgerException of kind {@code STORE_UNAVAILABLE} where the store fails
     */
    static <T> T of(Supplier<T> read) {
        try {
            return read.get();
        } catch (StoreException e) {
            throw new LedgerException(LedgerException.Kind.STORE_UNAVAILABLE, "the store cannot be used now", e);
        }
    }
}
