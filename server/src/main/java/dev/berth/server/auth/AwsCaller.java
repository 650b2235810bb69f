package dev.berth.server.auth;

import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Who somebody is to AWS, as STS tells it.
 *
 * @param partition {@code aws}, {@code aws-us-gov} …: the same account number in another one is somebody else's
 * @param role the name of the role that was assumed, without its path; null for a user
 */
record AwsCaller(
        String partition,
        String account,
        String arn,
        @Nullable String role) {
    private static final Pattern ARN = Pattern.compile("arn:(aws[a-z-]*):(sts|iam)::([0-9]{12}):([!-~]{1,2000})");
    private static final Pattern ASSUMED = Pattern.compile("assumed-role/([A-Za-z0-9_+=,.@-]{1,128})/[!-~]{1,128}");

    /** Reads the name of a caller; empty where it is none. */
    static Optional<AwsCaller> of(String arn) {
        var parts = ARN.matcher(arn);
        if (!parts.matches()) {
            return Optional.empty();
        }
        var role = ASSUMED.matcher(parts.group(4));
        boolean assumed = parts.group(2).equals("sts") && role.matches();
        return Optional.of(new AwsCaller(parts.group(1), parts.group(3), arn, assumed ? role.group(1) : null));
    }
}
