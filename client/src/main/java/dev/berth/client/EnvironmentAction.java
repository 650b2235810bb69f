package dev.berth.client;

import java.util.Locale;

/** What an operator can do to an environment. */
public enum EnvironmentAction {
    /** A full clean-up, from dirty too. */
    CLEAN,
    /** A check now; agreement makes a dirty one available. */
    VERIFY,
    /** Lend it no more; it goes away once it is free. */
    RETIRE,
    /** Take it out of use with a reason; an allocated one at its end. */
    QUARANTINE;

    /** The word on the wire. */
    public String wire() {
        return name().toLowerCase(Locale.ROOT);
    }
}
