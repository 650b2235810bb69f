package dev.berth.server.auth;

import dev.berth.core.Allocation;
import dev.berth.core.AllocationState.Pending;
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

    /** Empty where it does not wait. */
    public Optional<Outlook> outlook(Principal principal, Allocation allocation) {
        return allocation.state() instanceof Pending ? outlooks.apply(principal, allocation) : Optional.empty();
    }
}
