package dev.berth.server.store;

import dev.berth.core.AllocationId;
import java.time.Duration;
import java.util.List;

/**
 * Word between the processes that share a store, of what they committed. A hint: one that is lost is made up for by a look into the
 * store. Sent and received from one thread each.
 */
public interface Notifications extends AutoCloseable {

    /**
     * Tells the others.
     *
     * @throws StoreException where they are not told
     */
    void send(List<Notification> notifications);

    /**
     * What the others sent, but not what this process did; waits for it, at most so long.
     *
     * @throws StoreException where it cannot be heard now: what was sent meanwhile is lost
     */
    List<Notification> receive(Duration most);

    @Override
    void close();

    /**
     * Somebody committed something.
     *
     * @param pool the pool's number
     * @param after the pool's last event before that
     * @param last the pool's last event with it
     * @param changed the allocations that something was done to; empty where there are too many to name
     * @param isComplete whether all are named
     */
    record Notification(int pool, long after, long last, List<AllocationId> changed, boolean isComplete) {
        public Notification {
            changed = List.copyOf(changed);
        }
    }
}
