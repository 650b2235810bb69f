package dev.berth.core;

import java.time.Instant;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Where an environment is. Each state has only what is legal in it. */
public sealed interface EnvironmentState {

    /** Which of the states, for lists, counts and the transition table. */
    enum Name {
        AVAILABLE,
        ALLOCATED,
        CLEANING,
        CHECKING,
        WITHHELD,
        DIRTY,
        RETIRED
    }

    default Name name() {
        return switch (this) {
            case Available _ -> Name.AVAILABLE;
            case Allocated _ -> Name.ALLOCATED;
            case Cleaning _ -> Name.CLEANING;
            case Checking _ -> Name.CHECKING;
            case Withheld _ -> Name.WITHHELD;
            case Dirty _ -> Name.DIRTY;
            case Retired _ -> Name.RETIRED;
        };
    }

    /** When the rules do something about it by themselves; null for never. */
    default @Nullable Instant dueAt() {
        var work = work();
        return work != null && work.settling() ? work.dueAt() : null;
    }

    /** When a worker may claim its step; null when there is none to claim. */
    default @Nullable Instant workAt() {
        var work = work();
        return work == null || work.settling() ? null : work.nextAt();
    }

    /** The step that is being done or is to be done; null when there is none. */
    default @Nullable Work work() {
        return null;
    }

    /** Nobody has it, and nothing is done with it. */
    sealed interface Idle extends EnvironmentState {
        /** When it is to be verified; null for never. */
        @Nullable
        Instant checkAt();

        /** The same with a check then. */
        Idle checkedAt(@Nullable Instant next);

        @Override
        default @Nullable Instant dueAt() {
            return checkAt();
        }
    }

    /** Free. */
    record Available(@Nullable Instant checkAt) implements Idle {
        @Override
        public Available checkedAt(@Nullable Instant next) {
            return new Available(next);
        }
    }

    /**
     * Not lent while another environment of its account is out, in a pool that lends one of an account at a time.
     *
     * @param by the other one
     * @param untilMended whether that one is dirty: it takes a person until this one can be lent
     */
    record Withheld(@Nullable Instant checkAt, EnvironmentName by, boolean untilMended) implements Idle {
        public Withheld {
            Objects.requireNonNull(by);
        }

        @Override
        public Withheld checkedAt(@Nullable Instant next) {
            return new Withheld(next, by, untilMended);
        }
    }

    /**
     * Granted to its tenant.
     *
     * @param work the issuing of access, until that is done; null then
     * @param backAt not earlier than this it has to be back, as things were when it was granted; null for never
     */
    record Allocated(@Nullable Work work, @Nullable Instant backAt) implements EnvironmentState {}

    /** Being revoked, cleaned or verified before the next grant. */
    record Cleaning(Work work) implements EnvironmentState {
        public Cleaning {
            Objects.requireNonNull(work);
        }
    }

    /** Verified while nobody holds it. {@code dirtyBecause}: why it was dirty before, where a person asked; null when it was free. */
    record Checking(Work work, @Nullable String dirtyBecause) implements EnvironmentState {
        public Checking {
            Objects.requireNonNull(work);
        }
    }

    /** Never lent until a person acts. {@code report}: what the provider had to show for it; null for nothing. */
    record Dirty(String reason, @Nullable String report) implements EnvironmentState {
        public Dirty {
            Objects.requireNonNull(reason);
        }
    }

    /** Gone. {@code dirtyBecause}: it went dirty, and would come back so; null when it was clean. */
    record Retired(@Nullable String dirtyBecause, boolean byOperator) implements EnvironmentState {}
}
