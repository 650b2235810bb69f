package dev.berth.providers.aws;

import java.net.URI;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.awscore.client.builder.AwsClientBuilder;
import software.amazon.awssdk.awscore.client.builder.AwsSyncClientBuilder;
import software.amazon.awssdk.awscore.retry.AwsRetryStrategy;
import software.amazon.awssdk.core.client.config.ClientOverrideConfiguration;
import software.amazon.awssdk.http.SdkHttpClient;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;

/** How clients of AWS are made here: one HTTP client for all, adaptive retries, every call with an end. */
final class Sdk {
    private static final int ATTEMPTS = 5;
    private static final Duration CONNECTING = Duration.ofSeconds(10);
    private static final Duration ANSWERING = Duration.ofSeconds(60);
    /** A call with all its retries. */
    private static final Duration CALL = Duration.ofMinutes(3);

    private Sdk() {}

    /** Made when the first pool's first step needs them: a service without AWS loads nothing of it. */
    private static final class Shared {
        static final SdkHttpClient HTTP = UrlConnectionHttpClient.builder()
                .connectionTimeout(CONNECTING)
                .socketTimeout(ANSWERING)
                .build();
        static final AwsCredentialsProvider OWN =
                DefaultCredentialsProvider.builder().build();
    }

    /** Berth's own credentials. */
    static AwsCredentialsProvider own() {
        return Shared.OWN;
    }

    /**
     * Makes a client; closing it leaves the HTTP client as it is.
     *
     * @param endpoint null for AWS's own
     * @param longest how long one call may take with all its retries
     */
    static <B extends AwsClientBuilder<B, C> & AwsSyncClientBuilder<B, C>, C> C client(
            B builder, AwsCredentialsProvider credentials, String region, @Nullable URI endpoint, Duration longest) {
        builder.httpClient(Shared.HTTP)
                .credentialsProvider(credentials)
                .region(Region.of(region))
                .overrideConfiguration(ClientOverrideConfiguration.builder()
                        .retryStrategy(AwsRetryStrategy.adaptiveRetryStrategy().toBuilder()
                                .maxAttempts(ATTEMPTS)
                                .build())
                        .apiCallTimeout(longest.compareTo(CALL) < 0 ? longest : CALL)
                        .build());
        if (endpoint != null) {
            builder.endpointOverride(endpoint);
        }
        return builder.build();
    }
}
