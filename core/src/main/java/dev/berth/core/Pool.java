package dev.berth.core;

import java.time.Instant;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A pool's own row: locked by whoever decides for it.
 *
 * @param number what ids and rows know it by; never used again
 * @param policy in force
 * @param listed whether the configuration has it; a pool that it has no more only drains
 * @param generation of the store when the pool was last decided on: the high part of every epoch that is given from then on
 * @param sequence the last number given to an arrival or a freed environment: the order that does not depend on a clock
 * @param events the number of its last event
 * @param counts its environments by state
 * @param waiting how many requests wait
 * @param polling how many callers keep asking instead of waiting
 * @param onHold how many environments are kept for persons
 * @param issuing how many environments are being issued access for under a claim
 * @param maintained how many other steps run under a claim
 * @param breaker failures that no environment caused
 * @param touchedAt when a batch was last committed for it: a longer silence was an outage
 */
public record Pool(
        int number,
        PoolName name,
        Policy policy,
        boolean listed,
        int generation,
        long sequence,
        long events,
        Counts counts,
        int waiting,
        int polling,
        int onHold,
        int issuing,
        int maintained,
        Breaker breaker,
        Instant touchedAt) {

    public Pool {
        Objects.requireNonNull(name);
        Objects.requireNonNull(policy);
        Objects.requireNonNull(counts);
        Objects.requireNonNull(breaker);
        Objects.requireNonNull(touchedAt);
    }

    /** A pool that was never there before. */
    public static Pool create(int number, PoolName name, Policy policy, Instant now) {
        return new Pool(number, name, policy, true, 0, 0, 0, Counts.NONE, 0, 0, 0, 0, 0, Breaker.CLOSED, now);
    }

    /** Environments by state; those marked retiring are counted beside them too. */
    public record Counts(
            int available, int allocated, int cleaning, int checking, int withheld, int dirty, int retiring) {
        static final Counts NONE = new Counts(0, 0, 0, 0, 0, 0, 0);

        public int total() {
            return available + allocated + cleaning + checking + withheld + dirty;
        }
    }

    /**
     * Failures in a row that no environment caused.
     *
     * @param openUntil nothing is tried before; then one step probes. Null while closed
     */
    public record Breaker(int failures, @Nullable Instant openUntil) {
        static final Breaker CLOSED = new Breaker(0, null);
    }
}
