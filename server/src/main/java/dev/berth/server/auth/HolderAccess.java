package dev.berth.server.auth;

import java.time.DateTimeException;
import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What the holder of one environment is told to get in. Secret.
 *
 * @param credentials by name; null where there are none
 * @param connection where the environment's facts do not say it; null otherwise
 * @param env variables for a wrapped command, by name; may be empty
 */
public record HolderAccess(
        @Nullable Map<String, Object> credentials, @Nullable Map<String, Object> connection, Map<String, String> env) {
    static final HolderAccess NONE = new HolderAccess(null, null, Map.of());

    /** Whether the credentials themselves say, as {@code expiration}, that they stopped working before that. */
    public boolean isExpiredAt(Instant now) {
        if (credentials == null || !(credentials.get("expiration") instanceof String text)) {
            return false;
        }
        try {
            return !now.isBefore(Instant.parse(text));
        } catch (DateTimeException _) {
            return false; // a word of the provider's own
        }
    }

    /** Secrets do not print. */
    @Override
    public String toString() {
        return "HolderAccess[…]";
    }
}
