package dev.berth.providers;

import dev.berth.core.Step;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Code that knows the environments of one pool: how to issue and revoke access, clean and verify. One instance serves one pool under
 * one configuration, for many environments at once; it keeps no state about them between calls.
 */
public interface Provider {

    /** The steps this pool's environments have. Only these are ever asked for; fixed for the life of the instance. */
    Set<Step> steps();

    /**
     * Runs one step, blocking until it is over; called on a virtual thread, outside any transaction.
     *
     * <p>May assume: nobody else works on this environment under a claim that is still good, and whoever worked on it under an
     * earlier one was {@linkplain #fence fenced}. Must guarantee: idempotence (a step may be run again after a crash, whatever the
     * first run had done); that nothing it started is still running when it returns; that it ends within {@link Task#timeout()};
     * that it checks {@link Task#claimHeld()} before each changing call and stops when that says no.
     *
     * <ul>
     *   <li>{@code ISSUE} returns access that works for this epoch alone.
     *   <li>{@code REVOKE} makes harmless every access of {@link Task#epoch()} or an older epoch, known or not. It must not touch
     *       access of a newer one.
     *   <li>{@code CLEAN} may be called for an environment that is already clean, and for one of which nothing is known.
     *   <li>{@code VERIFY} trusts nothing the cleaner says: what it cannot read is a failure, never agreement.
     * </ul>
     *
     * @return never null; a failure of the environment, and a failure it did not cause, are values
     * @throws InterruptedException when stopped from outside: everything that was started has been ended first
     */
    StepResult run(Step step, Task task) throws InterruptedException;

    /**
     * Access of a kind that has no {@link Step#ISSUE}: what the configuration says, read when a holder asks and stored nowhere.
     *
     * @param profile the access profile that the holder asked for; null for the default one
     * @return credentials by name, or null where there are none; those of a profile that is there no more are none, never those of
     *     another one
     */
    @Nullable
    Map<String, Object> standingCredentials(String environment, @Nullable String profile);

    /**
     * Whether its verification compares with a baseline, and lists what is there each time. What is in an environment that was never
     * lent becomes its baseline; of such a kind, {@link Step#CLEAN} is not asked for before there is one, where the pool adopts what it
     * registers.
     */
    default boolean keepsBaseline() {
        return false;
    }

    /**
     * Fresh access of the same epoch for the holder who has it already, in place of one that is about to expire. Called without a claim,
     * perhaps while the environment is being revoked: what this returns must be harmless once {@link Step#REVOKE} of the task's epoch
     * is done, whichever came first.
     *
     * @return null when this kind's access does not expire: what was issued stays as it is
     * @throws RefreshFailed when it cannot be had now
     */
    default StepResult.@Nullable Access refresh(Task task) throws InterruptedException, RefreshFailed {
        return null;
    }

    /** Fresh access cannot be had; the message says why, without secrets. */
    final class RefreshFailed extends Exception {
        private static final long serialVersionUID = 1L;

        public RefreshFailed(String message) {
            super(message);
        }
    }

    /**
     * Makes the worker harmless that held this claim, and returns once it is: its programs are killed, its sessions denied. Called
     * by whoever takes a claim over, before its first call. Idempotent; a claim nothing is known of is no error.
     *
     * @return false when this cannot be known here (the worker ran on another machine, say): the caller then waits out the whole
     *     time-out of the step
     */
    boolean fence(String claim) throws InterruptedException;

    /**
     * The same for kinds whose workers leave their traces in the environment itself.
     *
     * @param task what is to be done next, under the claim that took the other one over
     */
    default boolean fence(String claim, Task task) throws InterruptedException {
        return fence(claim);
    }
}
