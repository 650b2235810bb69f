package dev.berth.client;

import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/** Growing pauses, spread so that clients which failed together do not come back together. For one thread. */
final class Backoff {
    private final Duration first;
    private final Duration longest;
    private Duration next;

    Backoff(Duration first, Duration longest) {
        this.first = first;
        this.longest = longest;
        this.next = first;
    }

    /** The next pause, at least {@code atLeast} (what the service asked for). */
    Duration next(Duration atLeast) {
        Duration base = next;
        Duration doubled = base.multipliedBy(2);
        next = doubled.compareTo(longest) > 0 ? longest : doubled;
        long millis = base.toMillis();
        Duration spread = Duration.ofMillis(ThreadLocalRandom.current().nextLong(millis / 2, millis + 1));
        return spread.compareTo(atLeast) > 0 ? spread : atLeast;
    }

    void reset() {
        next = first;
    }
}
