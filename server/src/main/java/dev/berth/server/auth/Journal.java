package dev.berth.server.auth;

import dev.berth.core.Command;
import dev.berth.core.Event;
import dev.berth.server.ledger.Ledger;
import dev.berth.server.store.Store;
import java.util.HashMap;
import java.util.Map;

/** Tells, among the events of every pool, what somebody did to the service as a whole. */
public final class Journal {
    private final Ledger ledger;
    private final Store store;

    public Journal(Ledger ledger, Store store) {
        this.ledger = ledger;
        this.store = store;
    }

    /**
     * Leaves word of it; does not wait until it is there.
     *
     * @param by who did it, and from where
     * @param data no secrets
     */
    public void note(Event.Type type, Principal by, Map<String, String> data) {
        var told = new HashMap<>(data);
        if (by.address() != null) {
            told.put("from", by.address());
        }
        for (var pool : Reads.of(store::pools)) {
            var _ = ledger.submit(pool.name(), new Command.Note(type, null, by.name(), told));
        }
    }
}
