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
 */
public record Task(
        String environment,
        Map<String, Object> facts,
        long epoch,
        @Nullable Holder holder,
        String claim,
        Duration timeout,
        BooleanSupplier claimHeld) {

    public Task {
        Objects.requireNonNull(environment);
        Objects.requireNonNull(claim);
        Objects.requireNonNull(timeout);
        Objects.requireNonNull(claimHeld);
        facts = Map.copyOf(facts);
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
