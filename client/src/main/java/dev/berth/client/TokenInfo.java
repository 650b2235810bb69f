package dev.berth.client;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A token without its secret.
 *
 * @param id its public id
 * @param principal whose it is
 * @param createdAt when it was made, or null where not told
 * @param expiresAt when it stops working, or null for never
 * @param lastUsedAt when it was last used, or null for never
 */
public record TokenInfo(
        String id,
        @Nullable String principal,
        @Nullable Instant createdAt,
        @Nullable Instant expiresAt,
        @Nullable Instant lastUsedAt) {}
