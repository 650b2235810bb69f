package dev.berth.server.ledger;

import java.time.Instant;

/** Tells the time by which deadlines are reckoned; never goes back. Read once for a batch. */
@FunctionalInterface
public interface TimeSource {
    Instant now();
}
