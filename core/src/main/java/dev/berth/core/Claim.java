package dev.berth.core;

import java.time.Duration;
import java.time.Instant;
import java.util.Objects;

/**
 * A worker's right to do one step for one environment for now.
 *
 * @param id what results and renewals are checked against
 * @param process which process has it; a process id that is never used again after a restart
 * @param until the end of this short lease, unless renewed
 * @param deadline when the step's time-out, and a grace for stopping it, has passed: no renewal goes beyond it
 */
public record Claim(ClaimId id, String process, Instant until, Instant deadline) {
    /** How long a claim lasts unless it is renewed. */
    public static final Duration LEASE = Duration.ofSeconds(15);
    /** What a worker has for ending a step that ran out of time, before its claim can be taken over. */
    public static final Duration GRACE = Duration.ofSeconds(30);

    public Claim {
        Objects.requireNonNull(id);
        Objects.requireNonNull(process);
        Objects.requireNonNull(until);
        Objects.requireNonNull(deadline);
    }

    Claim renewed(Instant now) {
        var next = now.plus(LEASE);
        return new Claim(id, process, next.isBefore(deadline) ? next : deadline, deadline);
    }
}
