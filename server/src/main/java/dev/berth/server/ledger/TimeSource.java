package dev.berth.server.ledger;

import java.time.Instant;

/** Tells the time by which deadlines are reckoned; never goes back. Read once for a batch. */
@FunctionalInterface
public interface TimeSource {
    Instant now();

    /** The database was asked for the time, and told it a moment ago. Whoever has no use for that goes by a clock of its own. */
    default void heard(Instant database) {}
}
