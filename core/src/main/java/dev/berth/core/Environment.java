package dev.berth.core;

import java.time.Instant;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One lendable thing.
 *
 * @param pool the number of its pool
 * @param record what its record says, or said last
 * @param epoch grows with every grant, and to the first of a generation of the store with that; 0 before the first grant
 * @param drain why there is no new grant: retired once it is free; null when it is lent as ever
 * @param quarantine why it is to become dirty at the end of its allocation; null when it is not
 * @param since when it came into this state
 * @param order among the free ones the lowest is lent first: who was given back first
 * @param tenant who holds it, or held it last; null before the first grant
 */
public record Environment(
        int pool,
        Registration record,
        long epoch,
        @Nullable Drain drain,
        @Nullable String quarantine,
        Instant since,
        long order,
        @Nullable Tenant tenant,
        EnvironmentState state) {
    /** An environment is lent less than half a billion times in a generation; numbers of generations have 24 bits. */
    private static final int GENERATION_SHIFT = 29;

    /** Why an environment drains. */
    public enum Drain {
        /** Its record is gone from the configuration; it stops draining when the record is back. */
        DEREGISTERED,
        /** An operator's word, which holds until the record is taken out or changed. */
        OPERATOR
    }

    public Environment {
        Objects.requireNonNull(record);
        Objects.requireNonNull(since);
        Objects.requireNonNull(state);
    }

    public EnvironmentName name() {
        return record.name();
    }

    /** Whether it gets no new grant and is retired once it is free. */
    public boolean isRetiring() {
        return drain != null;
    }

    /** Whether this allocation has it now. */
    public boolean isHeldBy(AllocationId allocation) {
        return state instanceof EnvironmentState.Allocated
                && tenant != null
                && tenant.allocation().equals(allocation);
    }

    /** Whether its account is not to be lent to anybody else: it is held, not clean yet, or not known to be clean. */
    boolean isOut() {
        return switch (state) {
            case EnvironmentState.Allocated _, EnvironmentState.Cleaning _, EnvironmentState.Dirty _ -> true;
            case EnvironmentState.Checking(var _, var dirtyBecause) -> dirtyBecause != null;
            case EnvironmentState.Idle _, EnvironmentState.Retired _ -> false;
        };
    }

    /** Whether it can be lent. */
    public boolean isFree() {
        return state instanceof EnvironmentState.Available && drain == null;
    }

    /** Above every epoch that was given in an earlier generation of the store, also of grants that the store knows nothing of. */
    Environment ofGeneration(int generation) {
        long first = (long) generation << GENERATION_SHIFT;
        return epoch >= first
                ? this
                : new Environment(pool, record, first, drain, quarantine, since, order, tenant, state);
    }

    Environment in(EnvironmentState next, Instant now) {
        var entered = next.name() == state.name() ? since : now;
        return new Environment(pool, record, epoch, drain, quarantine, entered, order, tenant, next);
    }

    Environment lentTo(Tenant next, EnvironmentState.Allocated as, Instant now) {
        return new Environment(pool, record, epoch + 1, drain, null, now, order, next, as);
    }

    Environment freedAs(long turn, EnvironmentState.Available as, Instant now) {
        return new Environment(pool, record, epoch, drain, null, now, turn, tenant, as);
    }

    Environment draining(@Nullable Drain because) {
        return new Environment(pool, record, epoch, because, quarantine, since, order, tenant, state);
    }

    Environment quarantined(@Nullable String reason) {
        return new Environment(pool, record, epoch, drain, reason, since, order, tenant, state);
    }

    Environment recorded(int inPool, Registration as) {
        return new Environment(inPool, as, epoch, drain, quarantine, since, order, tenant, state);
    }
}
