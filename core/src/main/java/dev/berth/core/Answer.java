package dev.berth.core;

import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What a command comes to. An expected refusal is an answer, not an exception. */
public sealed interface Answer {

    /** The allocation as it is after the command. */
    record Current(Allocation allocation) implements Answer {}

    /**
     * Not done, nothing taken.
     *
     * @param detail for the caller's eyes, one sentence
     * @param about the ended allocation that it is about; null where there is none
     * @param retryAfter when it may be worth asking again, at the latest; null where that is not known
     */
    record Refused(
            Refusal refusal,
            String detail,
            @Nullable Allocation about,
            @Nullable Duration retryAfter) implements Answer {
        public Refused(Refusal refusal, String detail, @Nullable Allocation about) {
            this(refusal, detail, about, null);
        }
    }

    /** The environment as it is after the command. */
    record Acted(Environment environment) implements Answer {}

    /** Done, nothing to say. */
    record Done() implements Answer {}

    /**
     * Steps to do now, each under its claim.
     *
     * @param more whether more would be due, had there been more ids
     */
    record Claimed(List<Assignment> steps, boolean more) implements Answer {
        public Claimed {
            steps = List.copyOf(steps);
        }
    }

    /**
     * A step to do.
     *
     * @param environment as it is now, its claim included
     * @param profile the access profile that its tenant asked for, where access is issued or revoked; null for the default one, and
     *     where it is not known any more
     * @param timeout of this attempt
     * @param fence earlier claims to be made harmless first
     */
    record Assignment(
            Environment environment,
            @Nullable String profile,
            Work work,
            Claim claim,
            Duration timeout,
            List<Claim> fence) {
        public Assignment {
            fence = List.copyOf(fence);
        }
    }

    /** The claims that were lost; the others are renewed. */
    record Renewed(Set<ClaimId> lost) implements Answer {
        public Renewed {
            lost = Set.copyOf(lost);
        }
    }

    /** Whether the report was taken: false where its claim or its epoch was over. */
    record Reported(boolean taken) implements Answer {}
}
