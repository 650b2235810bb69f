package dev.berth.server.config;

import java.net.URI;
import org.jspecify.annotations.Nullable;

/**
 * How callers say who they are to AWS.
 *
 * @param service what their logins are signed for; null where the file does not say
 * @param endpoint where STS is, in place of AWS's own; null for these
 * @param partition of AWS, in which they are
 */
public record AwsCallers(@Nullable String service, @Nullable URI endpoint, String partition) {
    static final AwsCallers USUAL = new AwsCallers(null, null, "aws");
}
