package dev.berth.core;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A step that is to be done for an environment, and how far it is.
 *
 * @param step which
 * @param failures how often the environment failed in this episode
 * @param stalls how often in a row it could not be tried for a reason the environment did not cause, or its worker was lost
 * @param dueAt when it may be (re)tried; for a finished one, when its settling time is over
 * @param claim who is at it; null when nobody is
 * @param unfenced claims of earlier workers that may still be in motion: whoever comes next makes them harmless first
 * @param settling done, but what comes next has to wait for {@code dueAt}
 */
public record Work(
        Step step,
        int failures,
        int stalls,
        Instant dueAt,
        @Nullable Claim claim,
        List<Claim> unfenced,
        boolean settling) {

    /** How many workers may be lost at a step before that counts as its failure. */
    static final int MOST_LOST = 10;

    private static final Duration FIRST_PAUSE = Duration.ofSeconds(1);
    private static final Duration LONGEST_PAUSE = Duration.ofMinutes(5);

    public Work {
        Objects.requireNonNull(step);
        Objects.requireNonNull(dueAt);
        unfenced = List.copyOf(unfenced);
    }

    static Work fresh(Step step, Instant dueAt) {
        return new Work(step, 0, 0, dueAt, null, List.of(), false);
    }

    /** When something has to be looked at again: the claim lapses, or the step is due. */
    public Instant nextAt() {
        return claim == null ? dueAt : claim.until();
    }

    boolean claimable(Instant now) {
        return !settling && !nextAt().isAfter(now);
    }

    Work claimedBy(Claim next) {
        return new Work(step, failures, claim == null ? stalls : stalls + 1, dueAt, next, inMotion(), false);
    }

    Work renewed(Instant now) {
        return new Work(
                step, failures, stalls, dueAt, Objects.requireNonNull(claim).renewed(now), unfenced, false);
    }

    /** The claim is void: its worker is gone or was never heard of again. */
    Work abandoned(Instant now) {
        return new Work(step, failures, stalls + 1, now, null, inMotion(), false);
    }

    Work retried(Step again, Instant now) {
        return new Work(again, failures + 1, 0, now.plus(pause(failures + 1)), null, List.of(), false);
    }

    /** It could not be tried: nor is it known whether earlier workers could be made harmless, so that is still to be done. */
    Work stalled(Instant now) {
        return new Work(step, failures, stalls + 1, now.plus(pause(stalls + 1)), null, unfenced, false);
    }

    Work postponed(Instant until) {
        return new Work(step, failures, stalls, until, null, List.of(), false);
    }

    Work settlingUntil(Instant until) {
        return new Work(step, failures, 0, until, null, List.of(), true);
    }

    /** As it is when the worker with the claim has reported, and is in motion no more. */
    Work reported() {
        return new Work(step, failures, stalls, dueAt, null, unfenced, settling);
    }

    /** Whether too many workers were lost at it. */
    boolean isHopeless() {
        return inMotion().size() >= MOST_LOST;
    }

    /** Whether every worker that was lost at it has run out of time by itself. */
    boolean isStill(Instant now) {
        return inMotion().stream().noneMatch(lost -> lost.deadline().isAfter(now));
    }

    /** The claims that may still be in motion when this work is dropped for other work. */
    List<Claim> inMotion() {
        return claim == null
                ? unfenced
                : Stream.concat(unfenced.stream(), Stream.of(claim)).toList();
    }

    private static Duration pause(int tries) {
        var pause = FIRST_PAUSE.multipliedBy(1L << Math.min(tries - 1, 20));
        return pause.compareTo(LONGEST_PAUSE) < 0 ? pause : LONGEST_PAUSE;
    }
}
