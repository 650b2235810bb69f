package dev.berth.core;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One environment of an allocation, as it was when it was granted.
 *
 * @param facts the environment's facts at that time, a JSON object
 * @param profile the access profile that was asked for; null for the default one
 * @param access what was issued, encrypted; null while nothing was issued, and after the end
 */
public record Grant(
        EnvironmentName environment,
        long epoch,
        String facts,
        @Nullable String profile,
        @Nullable Sealed access) {
    public Grant {
        Objects.requireNonNull(environment);
        Objects.requireNonNull(facts);
    }

    Grant with(@Nullable Sealed issued) {
        return new Grant(environment, epoch, facts, profile, issued);
    }
}
