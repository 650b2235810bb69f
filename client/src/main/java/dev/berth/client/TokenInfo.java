package dev.berth.client;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A token or an access key, without its secret.
 *
 * @param id its public id
 * @param principal whose it is
 * @param kind {@code bearer} or {@code sigv4}, or null where not told
 * @param createdAt when it was made, or null where not told
 * @param expiresAt when it stops working, or null for never
 * @param lastUsedAt when it was last used, or null for never
 */
public record TokenInfo(
        String id,
        @Nullable String principal,
        @Nullable String kind,
        @Nullable Instant createdAt,
        @Nullable Instant expiresAt,
        @Nullable Instant lastUsedAt) {}
