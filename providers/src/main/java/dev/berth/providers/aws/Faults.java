package dev.berth.providers.aws;

import dev.berth.providers.StepResult;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.BooleanSupplier;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.sts.model.StsException;

/**
 * What an error of AWS means for a step: whether the environment caused it. Nothing becomes dirty for Berth's own credentials, for
 * throttling, or for an endpoint that is down; what the account refuses is the account's, and unknown is dirty.
 */
final class Faults {
    private static final int LONGEST = 600;

    private static final Set<String> DENIED =
            Set.of("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError");
    /** Of credentials, not of what they may do. */
    private static final Set<String> CREDENTIALS = Set.of(
            "ExpiredToken",
            "ExpiredTokenException",
            "RequestExpired",
            "InvalidClientTokenId",
            "UnrecognizedClientException",
            "InvalidAccessKeyId",
            "AuthFailure",
            "SignatureDoesNotMatch",
            "IncompleteSignature",
            "InvalidToken",
            "RequestTimeTooSkewed");
    /** How AWS says that a refusal comes from the caller's side: its policies, or its organization's. */
    private static final List<String> OUR_SIDE = List.of(
            "identity-based polic",
            "session polic",
            "service control polic",
            "permissions boundary",
            "permissions boundaries",
            "vpc endpoint polic");

    private Faults() {}

    static String code(SdkException e) {
        return e instanceof AwsServiceException service && service.awsErrorDetails() != null
                ? String.valueOf(service.awsErrorDetails().errorCode())
                : "";
    }

    static String message(SdkException e) {
        String text = e instanceof AwsServiceException service && service.awsErrorDetails() != null
                ? service.awsErrorDetails().serviceName() + " said " + code(e) + ": "
                        + service.awsErrorDetails().errorMessage()
                : String.valueOf(e.getMessage());
        String line = text.replaceAll("\\s+", " ").strip();
        return line.length() <= LONGEST ? line : line.substring(0, LONGEST) + "…";
    }

    static boolean denied(SdkException e) {
        return DENIED.contains(code(e));
    }

    /** Whether AWS says that a policy refuses it by name, and not only that none allows it. */
    static boolean explicitlyDenied(SdkException e) {
        return denied(e) && message(e).contains("explicit deny");
    }

    static boolean expired(SdkException e) {
        return code(e).startsWith("ExpiredToken");
    }

    /** Whether it may work when there are fewer calls. */
    static boolean throttled(SdkException e) {
        return e instanceof AwsServiceException service
                && (service.isThrottlingException() || service.statusCode() == 429);
    }

    /** Whether nothing is to be learnt about the environment from this. */
    static boolean elsewhere(SdkException e) {
        return !(e instanceof AwsServiceException service)
                || throttled(e)
                || service.statusCode() >= 500
                || CREDENTIALS.contains(code(e));
    }

    /**
     * What the step ends with.
     *
     * @param step how it is called
     * @param ownCredentialsWork asked where the role could not be assumed
     */
    static StepResult result(String step, SdkException e, BooleanSupplier ownCredentialsWork) {
        String reason = step + ": " + message(e);
        if (elsewhere(e)) {
            return new StepResult.Unavailable(reason, null);
        }
        if (e instanceof StsException && denied(e)) {
            // The role's trust policy is the account's, and its holder may have changed it; Berth's own rights are not.
            String said = message(e).toLowerCase(Locale.ROOT);
            boolean ours = OUR_SIDE.stream().anyMatch(said::contains) || !ownCredentialsWork.getAsBoolean();
            return ours ? new StepResult.Unavailable(reason, null) : new StepResult.Failed(reason, null);
        }
        return new StepResult.Failed(reason, null);
    }
}
