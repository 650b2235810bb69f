package dev.berth.client;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A new token, shown this once.
 *
 * @param id its public id
 * @param token the secret
 * @param principal whose it is
 * @param expiresAt when it stops working, or null for never
 * @param json the answer as it came; it holds the secret
 */
public record CreatedToken(
        String id,
        String token,
        @Nullable String principal,
        @Nullable Instant expiresAt,
        String json) {

    /** Tells which token it is; never the secret. */
    @Override
    public String toString() {
        return "CreatedToken[" + id + "]";
    }
}
