package dev.berth.cli;

import dev.berth.client.Allocation;
import dev.berth.client.BerthClient;
import dev.berth.client.LentEnvironment;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** How a wrapped command finds the AWS credentials of its lease, and no others. */
final class AwsAccess implements AutoCloseable {
    /** Keys as plain variables: an SDK that finds these asks nobody else. */
    private static final List<String> KEYS = List.of(
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
            "AWS_SECURITY_TOKEN",
            "AWS_CREDENTIAL_EXPIRATION");

    /** Where else SDKs look, before or after: those of whoever started us are not the lease's. */
    private static final Set<String> OTHERS = Set.of(
            "AWS_PROFILE",
            "AWS_DEFAULT_PROFILE",
            "AWS_ROLE_ARN",
            "AWS_ROLE_SESSION_NAME",
            "AWS_WEB_IDENTITY_TOKEN_FILE",
            "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN",
            "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");

    private final Allocation allocation;
    private final @Nullable AwsEndpoint endpoint;
    private final boolean present;

    private AwsAccess(Allocation allocation, @Nullable AwsEndpoint endpoint, boolean present) {
        this.allocation = allocation;
        this.endpoint = endpoint;
        this.present = present;
    }

    /**
     * Begins to renew the credentials, where there are any and nobody wants them as they are.
     *
     * @param plain whether they are handed over as variables, which never change
     */
    static AwsAccess open(BerthClient client, Allocation allocation, boolean plain) throws IOException {
        boolean present = allocation.environments().stream()
                .anyMatch(environment -> AwsCredentials.of(environment).isPresent());
        AwsEndpoint endpoint = !present || plain
                ? null
                : AwsEndpoint.start(allocation, () -> client.credentials(allocation.id()), Instant::now);
        return new AwsAccess(allocation, endpoint, present);
    }

    /**
     * Puts into the environment of a command what leads to the credentials, and takes out what leads to others.
     *
     * @param env with the variables of whoever started us
     * @param provided the variables that the providers name
     */
    void apply(Map<String, String> env, Map<String, String> provided) {
        if (present) {
            env.keySet().removeAll(KEYS);
            env.keySet().removeAll(OTHERS);
        }
        env.putAll(provided);
        if (!present) {
            return;
        }
        List<LentEnvironment> environments = allocation.environments();
        for (int i = 0; i < environments.size(); i++) {
            String suffix = i == 0 ? "" : "_" + (i + 1);
            if (AwsCredentials.of(environments.get(i)).isEmpty()) {
                continue;
            }
            if (endpoint != null) {
                KEYS.forEach(name -> env.remove(name + suffix));
            }
            String region = environments.get(i).region();
            if (region != null) {
                String named = provided.getOrDefault("AWS_REGION" + suffix, region);
                env.put("AWS_REGION" + suffix, named);
                env.put("AWS_DEFAULT_REGION" + suffix, named);
            }
        }
        if (endpoint != null) {
            env.putAll(endpoint.variables());
            // A default profile would come first.
            env.put("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
            env.put("AWS_CONFIG_FILE", "/dev/null");
        }
    }

    @Override
    public void close() {
        if (endpoint != null) {
            endpoint.close();
        }
    }
}
