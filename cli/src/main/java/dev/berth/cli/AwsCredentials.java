package dev.berth.cli;

import dev.berth.client.Allocation;
import dev.berth.client.LentEnvironment;
import java.time.DateTimeException;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/**
 * Credentials of AWS that work for a while.
 *
 * @param expiration when they stop working; null where that is not told
 */
record AwsCredentials(
        String accessKeyId,
        String secretAccessKey,
        String sessionToken,
        @Nullable Instant expiration) {

    /** Those of an environment; empty where its access is of another kind. */
    static Optional<AwsCredentials> of(LentEnvironment environment) {
        String id = text(environment, "accessKeyId");
        String secret = text(environment, "secretAccessKey");
        String token = text(environment, "sessionToken");
        if (id == null || secret == null || token == null) {
            return Optional.empty();
        }
        return Optional.of(new AwsCredentials(id, secret, token, instant(text(environment, "expiration"))));
    }

    /**
     * Those of one environment of an allocation.
     *
     * @param name of the environment; null for the first
     */
    static AwsCredentials of(Allocation allocation, @Nullable String name) {
        return find(allocation, name)
                .orElseThrow(() -> new CliFailure(
                        ExitCode.USAGE,
                        "allocation " + allocation.id()
                                + (name == null ? "" : " has no environment " + name + ", or it")
                                + " has no AWS credentials to be shown"));
    }

    /** As the other; empty where there are none, or they are not shown. */
    static Optional<AwsCredentials> find(Allocation allocation, @Nullable String name) {
        return allocation.environments().stream()
                .filter(environment -> name == null || environment.name().equals(name))
                .findFirst()
                .flatMap(AwsCredentials::of);
    }

    private static @Nullable String text(LentEnvironment environment, String field) {
        return environment.credentials().get(field) instanceof String text && !text.isEmpty() ? text : null;
    }

    private static @Nullable Instant instant(@Nullable String text) {
        try {
            return text == null ? null : Instant.parse(text);
        } catch (DateTimeException e) {
            return null;
        }
    }

    /**
     * As a container's credentials are told (AWS SDKs and Tools Reference Guide, "Container credential provider").
     */
    String containerForm() {
        ObjectNode form = keys();
        form.put("Token", sessionToken);
        return expiring(form).toString();
    }

    /** As a {@code credential_process} tells them (AWS SDKs and Tools Reference Guide, "Process credential provider"). */
    String processForm() {
        ObjectNode form = Json.MAPPER.createObjectNode().put("Version", 1);
        form.setAll(keys());
        form.put("SessionToken", sessionToken);
        return expiring(form).toString();
    }

    private ObjectNode keys() {
        return Json.MAPPER.createObjectNode().put("AccessKeyId", accessKeyId).put("SecretAccessKey", secretAccessKey);
    }

    private ObjectNode expiring(ObjectNode form) {
        return expiration == null ? form : form.put("Expiration", expiration.toString());
    }

    /** Secrets do not print. */
    @Override
    public String toString() {
        return "AwsCredentials[" + accessKeyId + "]";
    }
}
