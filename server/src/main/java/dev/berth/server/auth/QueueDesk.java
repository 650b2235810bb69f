package dev.berth.server.auth;

import dev.berth.core.Allocation;
import dev.berth.core.AllocationState.Pending;
import dev.berth.server.store.StoreException;
import java.util.Optional;
import java.util.function.BiFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What principals are told of a wait in the queue. */
public final class QueueDesk {
    private static final Logger LOG = LoggerFactory.getLogger(QueueDesk.class);
    private final BiFunction<Principal, Allocation, Optional<Outlook>> outlooks;

    /**
     * @param outlooks tells a principal what is known of an allocation that waits, as far as the principal may know it; empty where
     *     it waits no more
     */
    public QueueDesk(BiFunction<Principal, Allocation, Optional<Outlook>> outlooks) {
        this.outlooks = outlooks;
    }

    /**
     * Empty where it does not wait, and where the store cannot be asked now: what there is to answer was decided before, and who waits
     * is not to miss the id of what it waits for.
     */
    public Optional<Outlook> outlook(Principal principal, Allocation allocation) {
        if (!(allocation.state() instanceof Pending)) {
            return Optional.empty();
        }
        try {
            return outlooks.apply(principal, allocation);
        } catch (StoreException e) {
            LOG.debug("nothing is told of the wait for {}: {}", allocation.id(), e.toString());
            return Optional.empty();
        }
    }
}
