package dev.berth.providers;

import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** How a step ended. */
public sealed interface StepResult {

    /**
     * It did what it was for.
     *
     * @param access of {@code ISSUE} alone: what the holder is given, null otherwise
     * @param report what happened, for operators; null for nothing to say
     * @param settle time that must pass before anything follows (credentials that outlive their revocation, say); zero for none
     * @param found of {@code VERIFY} alone: what belongs there from now on, the baseline that it was given, and what the kind has come to
     *     list since that was kept; all that is there, where it was given none. Null for kinds that list nothing
     */
    record Done(
            @Nullable Access access,
            @Nullable String report,
            Duration settle,
            @Nullable Inventory found) implements StepResult {
        public Done {
            Objects.requireNonNull(settle);
        }

        /** Without a listing. */
        public Done(@Nullable Access access, @Nullable String report, Duration settle) {
            this(access, report, settle, null);
        }

        public static Done plain() {
            return new Done(null, null, Duration.ZERO);
        }
    }

    /**
     * The environment failed: tried again within the step's attempts, then the environment is dirty.
     *
     * @param reason one line for lists and events; no secrets
     * @param report what the provider has to show for it, shown to operators only; null for nothing
     * @param found of {@code VERIFY} alone: what is there, which a person may accept as the new baseline; null when it could not be
     *     listed, and for kinds that list nothing
     */
    record Failed(
            String reason,
            @Nullable String report,
            @Nullable Inventory found) implements StepResult {
        public Failed {
            Objects.requireNonNull(reason);
        }

        /** Without a listing. */
        public Failed(String reason, @Nullable String report) {
            this(reason, report, null);
        }
    }

    /**
     * It failed and the environment did not cause it (our own credentials, throttling, an endpoint down): nothing becomes dirty for
     * it, the step is tried again after a while.
     *
     * @param reason one line for lists and events; no secrets
     * @param report as for {@link Failed}
     */
    record Unavailable(String reason, @Nullable String report) implements StepResult {
        public Unavailable {
            Objects.requireNonNull(reason);
        }
    }

    /**
     * What a holder is given to get in. Secret: it is stored encrypted and shown to the holder only.
     *
     * @param credentials secrets by name; may be empty
     * @param connection where and how to connect; null when the environment's own facts say it
     * @param env variables for a wrapped command, by name; may be empty
     */
    record Access(Map<String, Object> credentials, @Nullable Map<String, Object> connection, Map<String, String> env) {
        public Access {
            credentials = Map.copyOf(credentials);
            connection = connection == null ? null : Map.copyOf(connection);
            env = Map.copyOf(env);
        }

        /** Secrets do not print. */
        @Override
        public String toString() {
            return "Access[…]";
        }
    }
}
