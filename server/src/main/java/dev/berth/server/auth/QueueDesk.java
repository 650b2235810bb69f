package dev.berth.server.auth;

import dev.berth.core.Allocation;
import dev.berth.core.AllocationState.Pending;
import dev.berth.server.store.Store;
import java.util.Optional;
import java.util.function.BiFunction;

/** What principals are told of a wait in the queue. Every method throws {@link dev.berth.server.ledger.LedgerException}. */
public final class QueueDesk {
    private final BiFunction<Principal, Allocation, Optional<Outlook>> outlooks;

    /**
     * @param outlooks tells a principal what is known of an allocation that waits, as far as the principal may know it; empty where
     *     it waits no more
     */
    public QueueDesk(BiFunction<Principal, Allocation, Optional<Outlook>> outlooks) {
        this.outlooks = outlooks;
    }

    /** Knows the place in the queue, and no more. */
    public static QueueDesk of(Store store) {
        return new QueueDesk((principal, allocation) -> Optional.of(new Outlook(
                1 + Reads.of(() -> store.waitingBefore(allocation.id().poolNumber(), allocation.arrival())),
                null,
                null,
                "waits for " + allocation.request().count() + " environments")));
    }

    /** Empty where it does not wait. */
    public Optional<Outlook> outlook(Principal principal, Allocation allocation) {
        return allocation.state() instanceof Pending ? outlooks.apply(principal, allocation) : Optional.empty();
    }
}
