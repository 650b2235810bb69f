package dev.berth.cli;

import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.Map;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.http.SdkHttpMethod;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.http.auth.aws.signer.AwsV4FamilyHttpSigner;
import software.amazon.awssdk.http.auth.aws.signer.AwsV4HttpSigner;

/**
 * Says to a service who one is to AWS: an {@code Authorization} header with the pre-signed URL of a GetCallerIdentity, made anew before the
 * one before ends. For several threads.
 */
final class AwsLogin implements Supplier<@Nullable String> {
    /** STS takes none for longer. */
    private static final Duration LIFE = Duration.ofMinutes(15);

    private static final long RENEWED_AFTER = Duration.ofMinutes(10).toNanos();
    /** Where no other can be made. */
    private static final long GOOD_FOR = Duration.ofMinutes(14).toNanos();

    private final Settings settings;
    private final Supplier<AwsCredentials> credentials;
    private final LongSupplier nanoTime;
    private @Nullable String header;
    private long madeAt;

    /**
     * How to log in.
     *
     * @param service the name of the service, as its {@code aws-callers.service} says
     * @param region whose STS is asked
     * @param profile of the AWS configuration; null for the default
     * @param endpoint of STS; null for AWS's own
     */
    record Settings(
            String service,
            String region,
            @Nullable String profile,
            @Nullable String endpoint) {}

    /**
     * @param credentials of whoever logs in, as they are now
     * @param nanoTime as {@link System#nanoTime}
     */
    AwsLogin(Settings settings, Supplier<AwsCredentials> credentials, LongSupplier nanoTime) {
        this.settings = settings;
        this.credentials = credentials;
        this.nanoTime = nanoTime;
    }

    /** With the credentials that AWS's own tools would use. */
    static AwsLogin of(Settings settings, Map<String, String> env) {
        String id = env.getOrDefault("AWS_ACCESS_KEY_ID", "");
        String secret = env.getOrDefault("AWS_SECRET_ACCESS_KEY", "");
        if (settings.profile() == null && !id.isEmpty() && !secret.isEmpty()) {
            String token = env.getOrDefault("AWS_SESSION_TOKEN", "");
            AwsCredentials given = token.isEmpty()
                    ? AwsBasicCredentials.create(id, secret)
                    : AwsSessionCredentials.create(id, secret, token);
            return new AwsLogin(settings, () -> given, System::nanoTime);
        }
        DefaultCredentialsProvider.Builder provider = DefaultCredentialsProvider.builder();
        if (settings.profile() != null) {
            provider.profileName(settings.profile());
        }
        DefaultCredentialsProvider chain = provider.build();
        return new AwsLogin(settings, chain::resolveCredentials, System::nanoTime);
    }

    @Override
    public synchronized String get() {
        String made = header;
        long now = nanoTime.getAsLong();
        if (made != null && now - madeAt <= RENEWED_AFTER) {
            return made;
        }
        try {
            String fresh = "Berth-AWS "
                    + Base64.getEncoder().encodeToString(url().toString().getBytes(StandardCharsets.US_ASCII));
            header = fresh;
            madeAt = now;
            return fresh;
        } catch (CliFailure e) {
            // Whoever has the credentials may be slow for a moment, and a lease hangs on this.
            if (made != null && now - madeAt <= GOOD_FOR) {
                return made;
            }
            throw e;
        }
    }

    /** A pre-signed URL that no header had before. */
    String once() {
        return url().toString();
    }

    private URI url() {
        try {
            SdkHttpRequest call = SdkHttpRequest.builder()
                    .method(SdkHttpMethod.GET)
                    .uri(endpoint())
                    .putRawQueryParameter("Action", "GetCallerIdentity")
                    .putRawQueryParameter("Version", "2011-06-15")
                    .putHeader("x-berth-service", settings.service())
                    .build();
            AwsCredentials signer = credentials.get();
            return AwsV4HttpSigner.create()
                    .sign(request -> request.identity(signer)
                            .request(call)
                            .putProperty(AwsV4HttpSigner.SERVICE_SIGNING_NAME, "sts")
                            .putProperty(AwsV4HttpSigner.REGION_NAME, settings.region())
                            .putProperty(AwsV4HttpSigner.AUTH_LOCATION, AwsV4FamilyHttpSigner.AuthLocation.QUERY_STRING)
                            .putProperty(AwsV4HttpSigner.EXPIRATION_DURATION, LIFE))
                    .request()
                    .getUri();
        } catch (SdkException | IllegalArgumentException e) {
            throw new CliFailure(ExitCode.NOT_ALLOWED, "cannot log in with AWS credentials: " + e.getMessage(), e);
        }
    }

    private URI endpoint() {
        if (settings.endpoint() != null) {
            return URI.create(settings.endpoint());
        }
        String domain = settings.region().startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
        return URI.create("https://sts." + settings.region() + "." + domain + "/");
    }
}
