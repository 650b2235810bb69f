package dev.berth.cli;

import dev.berth.client.Allocation;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * For whom and how long an allocation is kept after a failed run.
 *
 * @param longest for how long
 * @param to the principals, beside the one that asked for it
 */
record Handover(Duration longest, List<String> to) {
    /** Reads the values of two options. */
    static Handover of(String longestOption, Duration longest, String toOption, @Nullable String to) {
        if (!longest.isPositive()) {
            throw new CliFailure(ExitCode.USAGE, longestOption + " must be 1s at least");
        }
        return new Handover(longest, to == null ? List.of() : Text.names(toOption, to));
    }

    /** The persons, for people, after a space; empty where nobody is named. */
    String whom() {
        return to.isEmpty() ? "" : " for " + Text.clean(String.join(", ", to));
    }

    /** For whom and until when, as the service granted it; after a space. */
    String until(Allocation held) {
        return whom() + (held.heldUntil() == null ? "" : " until " + held.heldUntil());
    }
}
