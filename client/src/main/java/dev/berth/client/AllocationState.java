package dev.berth.client;

import java.util.Locale;

/** Where an allocation is in its life. */
public enum AllocationState {
    /** Waits in the queue. */
    PENDING,
    /** Environments are chosen, access is being issued. */
    GRANTING,
    /** Held. */
    ACTIVE,
    /** Over, for good. */
    ENDED;

    /** The word on the wire. */
    public String wire() {
        return name().toLowerCase(Locale.ROOT);
    }

    static AllocationState fromWire(String word) {
        for (AllocationState state : values()) {
            if (state.wire().equals(word)) {
                return state;
            }
        }
        throw new MalformedReply("unknown allocation state '" + word + "'");
    }
}
