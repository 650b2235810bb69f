package dev.berth.client;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * A new access key for AWS Signature Version 4, shown this once.
 *
 * @param id its public id, by which it is revoked
 * @param accessKeyId what requests name it by
 * @param secretAccessKey the secret
 * @param principal whose it is
 * @param expiresAt when it stops working, or null for never
 * @param json the answer as it came; it holds the secret
 */
public record CreatedAccessKey(
        String id,
        String accessKeyId,
        String secretAccessKey,
        @Nullable String principal,
        @Nullable Instant expiresAt,
        String json) {

    /** Tells which key it is; never the secret. */
    @Override
    public String toString() {
        return "CreatedAccessKey[" + id + "]";
    }
}
