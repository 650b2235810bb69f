package dev.berth.core;

import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Where an allocation is. Each state has only what is legal in it. */
public sealed interface AllocationState {

    /** When something is to be done about it whatever anybody does; null when never. */
    @Nullable
    Instant dueAt();

    /** Its environments, or those it had; empty while it waits. */
    List<Grant> grants();

    /**
     * Waits in the queue.
     *
     * @param until when it gives up
     * @param setbacks what went wrong before
     */
    record Pending(Instant until, Setbacks setbacks) implements AllocationState {
        public Pending {
            Objects.requireNonNull(until);
            Objects.requireNonNull(setbacks);
        }

        @Override
        public Instant dueAt() {
            return until;
        }

        @Override
        public List<Grant> grants() {
            return List.of();
        }
    }

    /**
     * Environments are chosen, access is being issued.
     *
     * @param until when its wait in the queue would end, should this grant be undone
     * @param giveUpAt when issuing has taken too long
     */
    record Granting(List<Grant> grants, Instant until, Instant giveUpAt, Setbacks setbacks) implements AllocationState {
        public Granting {
            grants = List.copyOf(grants);
            Objects.requireNonNull(until);
            Objects.requireNonNull(giveUpAt);
            Objects.requireNonNull(setbacks);
        }

        @Override
        public Instant dueAt() {
            return giveUpAt;
        }
    }

    /**
     * Held.
     *
     * @param expiresAt the session's end; null where the pool has none
     * @param keepaliveBy when the next sign of life is due; null when none is asked for
     */
    record Active(
            List<Grant> grants,
            Instant grantedAt,
            @Nullable Instant expiresAt,
            @Nullable Instant keepaliveBy) implements AllocationState {
        public Active {
            grants = List.copyOf(grants);
            Objects.requireNonNull(grantedAt);
        }

        @Override
        public @Nullable Instant dueAt() {
            if (expiresAt == null || keepaliveBy == null) {
                return expiresAt == null ? keepaliveBy : expiresAt;
            }
            return expiresAt.isBefore(keepaliveBy) ? expiresAt : keepaliveBy;
        }
    }

    /**
     * Over.
     *
     * @param grants what it had, without access
     * @param outcome what its holder said of it; null for nothing
     */
    record Ended(
            List<Grant> grants,
            @Nullable Instant grantedAt,
            @Nullable Instant expiresAt,
            Instant endedAt,
            EndReason reason,
            @Nullable String outcome)
            implements AllocationState {
        public Ended {
            grants = List.copyOf(grants);
            Objects.requireNonNull(endedAt);
            Objects.requireNonNull(reason);
        }

        @Override
        public @Nullable Instant dueAt() {
            return null;
        }
    }

    /**
     * Grants that were undone.
     *
     * @param avoid environments for which access could not be issued: not chosen again
     */
    record Setbacks(Set<EnvironmentName> avoid) {
        public static final Setbacks NONE = new Setbacks(Set.of());
        /** So many times access may fail for a request. */
        static final int MOST = 3;

        public Setbacks {
            avoid = Set.copyOf(avoid);
        }
    }
}
