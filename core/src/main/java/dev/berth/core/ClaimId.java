package dev.berth.core;

import java.util.Objects;

/** Names one claim; never used twice. Letters, digits and {@code -} only, since it names files and sessions too. */
public record ClaimId(String value) {
    public ClaimId {
        Objects.requireNonNull(value);
    }

    @Override
    public String toString() {
        return value;
    }
}
