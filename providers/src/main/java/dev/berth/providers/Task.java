package dev.berth.providers;

import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What a step is about.
 *
 * @param environment the environment's name
 * @param facts its public facts as JSON values, {@code account}, {@code region}, {@code capabilities}, {@code connection}, {@code
 *     access} among them; no secrets
 * @param epoch the epoch of the grant that is being issued, or of the last one for a step between grants; grows with every grant
 * @param holder who holds the environment, or held it last; null for one that was never lent
 * @param claim the worker's right to do this step: names everything it starts, so that it can be fenced later
 * @param timeout how long the step may take, from now
 * @param claimHeld whether the claim is still good; cheap, to be asked before each changing call
 * @param baseline what belongs to the environment and is never deleted, as this provider listed it; null before the first listing
 *     was kept, and for kinds that list nothing
 * @param accountIdle whether nobody holds another environment with the same {@code account}, asked of the store anew each time:
 *     what is shared by all of an account may be changed only if it was listed before this said yes. False where it cannot be known
 */
public record Task(
        String environment,
        Map<String, Object> facts,
        long epoch,
        @Nullable Holder holder,
        String claim,
        Duration timeout,
        BooleanSupplier claimHeld,
        @Nullable Inventory baseline,
        BooleanSupplier accountIdle) {

    public Task {
        Objects.requireNonNull(environment);
        Objects.requireNonNull(claim);
        Objects.requireNonNull(timeout);
        Objects.requireNonNull(claimHeld);
        Objects.requireNonNull(accountIdle);
        facts = Map.copyOf(facts);
    }

    /** One without a baseline, of which nothing is known about the rest of the account. */
    public Task(
            String environment,
            Map<String, Object> facts,
            long epoch,
            @Nullable Holder holder,
            String claim,
            Duration timeout,
            BooleanSupplier claimHeld) {
        this(environment, facts, epoch, holder, claim, timeout, claimHeld, null, () -> false);
    }

    /**
     * Who an environment is or was lent to.
     *
     * @param allocation the allocation's id
     * @param requester the free text that named who asked
     * @param principal who authenticated
     * @param profile the access profile that was asked for, one of those under {@code access} of the facts unless that changed; null
     *     for the default one, for steps other than issue and revoke, and where it is not known any more
     */
    public record Holder(
            String allocation,
            String requester,
            String principal,
            @Nullable String profile) {}
}
