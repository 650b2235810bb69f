package dev.berth.core;

import java.time.Duration;
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
     * @param interestUntil until when somebody is known to be interested; null when nobody is: then it is passed over
     * @param openUntil until when somebody's connection waits for it, unless that closes; not later than now where none does
     * @param setbacks what went wrong before
     */
    record Pending(Instant until, @Nullable Instant interestUntil, Instant openUntil, Setbacks setbacks)
            implements AllocationState {
        public Pending {
            Objects.requireNonNull(until);
            Objects.requireNonNull(openUntil);
            Objects.requireNonNull(setbacks);
        }

        @Override
        public Instant dueAt() {
            return interestUntil == null || until.isBefore(interestUntil) ? until : interestUntil;
        }

        @Override
        public List<Grant> grants() {
            return List.of();
        }

        /** Somebody is interested until then, and perhaps waits with an open connection. */
        Pending watched(@Nullable Instant interest, Instant open) {
            return new Pending(until, interest, open, setbacks);
        }
    }

    /**
     * Nobody waits, but its caller was told that nothing is free and keeps asking: it keeps the place of the first time. Never shown.
     *
     * @param askedAt when it asked last
     * @param keptUntil until when what it asks for is kept for it; null while nothing is
     * @param misses how often it did not come in that time
     * @param awake whether it asked again, and since it missed last: else it is passed over
     */
    record Polling(Instant askedAt, @Nullable Instant keptUntil, int misses, boolean awake) implements AllocationState {
        /** So long after the last time it is forgotten. */
        static final Duration MEMORY = Duration.ofMinutes(2);
        /** Who asks faster is noted no more often than this. */
        static final Duration NOTED_EVERY = Duration.ofSeconds(10);
        /** So often it may miss. */
        static final int MOST_MISSES = 2;
        /** What it asks for is kept for so many times as long as it has been asking, and this long besides. */
        private static final int PATIENCE = 3;

        private static final Duration LEAST_KEPT = Duration.ofSeconds(1);

        public Polling {
            Objects.requireNonNull(askedAt);
        }

        /**
         * Whether it is to be noted that it asks now: while it has asked for a short time only, that tells how often it comes.
         *
         * @param first when it asked first
         */
        boolean isNews(Instant first, Instant now) {
            var asking = Duration.between(first, askedAt);
            var pause = asking.compareTo(NOTED_EVERY) < 0 ? asking : NOTED_EVERY;
            return !awake || !askedAt.plus(pause).isAfter(now);
        }

        /**
         * How long something is kept for it: one who asked twice in a second and went away keeps nothing from others for long.
         *
         * @param first when it asked first
         * @param most but no longer than this
         */
        Duration patience(Instant first, Duration most) {
            var patience =
                    Duration.between(first, askedAt).multipliedBy(PATIENCE).plus(LEAST_KEPT);
            return patience.compareTo(most) < 0 ? patience : most;
        }

        @Override
        public Instant dueAt() {
            var forgotten = askedAt.plus(MEMORY).plus(NOTED_EVERY);
            return keptUntil == null || forgotten.isBefore(keptUntil) ? forgotten : keptUntil;
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
     * @param openUntil until when somebody's connection waits for it; null for as long as issuing takes
     * @param loan whether it has what another request gathers
     */
    record Granting(
            List<Grant> grants,
            Instant until,
            Instant giveUpAt,
            @Nullable Instant openUntil,
            boolean loan,
            Setbacks setbacks)
            implements AllocationState {
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

        Granting granting(List<Grant> now) {
            return new Granting(now, until, giveUpAt, openUntil, loan, setbacks);
        }

        Granting watched(@Nullable Instant open) {
            return new Granting(grants, until, giveUpAt, open, loan, setbacks);
        }
    }

    /**
     * Held.
     *
     * @param expiresAt the session's end; null where the pool has none, and while it is kept for a person
     * @param keepaliveBy when the next sign of life is due; null when none is asked for, and until it is collected
     * @param collectBy when it ends unless its caller comes for it; null once that has come
     * @param loan whether it has what another request gathers: then it is not extended
     * @param hold for whom it is kept after a failed run; null where it is not
     */
    record Active(
            List<Grant> grants,
            Instant grantedAt,
            @Nullable Instant expiresAt,
            @Nullable Instant keepaliveBy,
            @Nullable Instant collectBy,
            boolean loan,
            @Nullable Hold hold)
            implements AllocationState {
        public Active {
            grants = List.copyOf(grants);
            Objects.requireNonNull(grantedAt);
        }

        @Override
        public @Nullable Instant dueAt() {
            return hold != null ? hold.until() : earlier(earlier(expiresAt, keepaliveBy), collectBy);
        }

        private static @Nullable Instant earlier(@Nullable Instant one, @Nullable Instant other) {
            return one == null || (other != null && other.isBefore(one)) ? other : one;
        }

        Active until(@Nullable Instant end) {
            return new Active(grants, grantedAt, end, keepaliveBy, collectBy, loan, hold);
        }

        Active alive(@Nullable Instant by) {
            return new Active(grants, grantedAt, expiresAt, by, collectBy, loan, hold);
        }

        Active collected(@Nullable Instant by) {
            return new Active(grants, grantedAt, expiresAt, keepaliveBy, by, loan, hold);
        }

        Active heldFor(Hold person) {
            return new Active(grants, grantedAt, null, null, null, loan, person);
        }
    }

    /**
     * For whom an environment is kept, in place of the session and the keepalive.
     *
     * @param since when that was asked for first
     * @param to principals who may read the access and end it, beside its own
     * @param outcome what the holder said of its run; null for nothing
     */
    record Hold(
            Instant since,
            Instant until,
            Set<String> to,
            @Nullable String outcome) {
        public Hold {
            Objects.requireNonNull(since);
            Objects.requireNonNull(until);
            to = Set.copyOf(to);
        }
    }

    /**
     * Over.
     *
     * @param grants what it had, without access
     * @param outcome what its holder said of it; null for nothing
     * @param heldFor the persons it was held for at its end
     */
    record Ended(
            List<Grant> grants,
            @Nullable Instant grantedAt,
            @Nullable Instant expiresAt,
            Instant endedAt,
            EndReason reason,
            @Nullable String outcome,
            Set<String> heldFor)
            implements AllocationState {
        public Ended {
            heldFor = Set.copyOf(heldFor);
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
