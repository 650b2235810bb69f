package dev.berth.providers.aws;

import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.services.cloudformation.CloudFormationClient;
import software.amazon.awssdk.services.cloudwatchlogs.CloudWatchLogsClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ecr.EcrClient;
import software.amazon.awssdk.services.iam.IamClient;
import software.amazon.awssdk.services.kms.KmsClient;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.secretsmanager.SecretsManagerClient;
import software.amazon.awssdk.services.sqs.SqsClient;
import software.amazon.awssdk.services.ssm.SsmClient;
import software.amazon.awssdk.services.sts.StsClient;

/** The clients of one account and region with one session's credentials, each made when first asked for. Used by one thread. */
final class Session implements AutoCloseable {
    private final AwsCredentialsProvider credentials;
    private final String region;
    private final @Nullable URI endpoint;
    private final Duration longest;
    private final Map<Class<?>, AutoCloseable> clients = new HashMap<>();
    private final List<AutoCloseable> owned = new ArrayList<>();

    /**
     * @param endpoint null for AWS's own
     * @param longest how long one call may take
     */
    Session(AwsCredentialsProvider credentials, String region, @Nullable URI endpoint, Duration longest) {
        this.credentials = credentials;
        this.region = region;
        this.endpoint = endpoint;
        this.longest = longest;
    }

    /** Has something closed with this session. */
    Session owning(AutoCloseable one) {
        owned.add(one);
        return this;
    }

    String region() {
        return region;
    }

    StsClient sts() {
        return client(StsClient.class, () -> Sdk.client(StsClient.builder(), credentials, region, endpoint, longest));
    }

    IamClient iam() {
        return client(IamClient.class, () -> Sdk.client(IamClient.builder(), credentials, region, endpoint, longest));
    }

    CloudFormationClient stacks() {
        return client(
                CloudFormationClient.class,
                () -> Sdk.client(CloudFormationClient.builder(), credentials, region, endpoint, longest));
    }

    S3Client s3() {
        // An emulator has no host name for each bucket.
        return client(
                S3Client.class,
                () -> Sdk.client(
                        S3Client.builder().forcePathStyle(endpoint != null), credentials, region, endpoint, longest));
    }

    EcrClient ecr() {
        return client(EcrClient.class, () -> Sdk.client(EcrClient.builder(), credentials, region, endpoint, longest));
    }

    CloudWatchLogsClient logs() {
        return client(
                CloudWatchLogsClient.class,
                () -> Sdk.client(CloudWatchLogsClient.builder(), credentials, region, endpoint, longest));
    }

    Ec2Client ec2() {
        return client(Ec2Client.class, () -> Sdk.client(Ec2Client.builder(), credentials, region, endpoint, longest));
    }

    SecretsManagerClient secrets() {
        return client(
                SecretsManagerClient.class,
                () -> Sdk.client(SecretsManagerClient.builder(), credentials, region, endpoint, longest));
    }

    KmsClient kms() {
        return client(KmsClient.class, () -> Sdk.client(KmsClient.builder(), credentials, region, endpoint, longest));
    }

    SsmClient ssm() {
        return client(SsmClient.class, () -> Sdk.client(SsmClient.builder(), credentials, region, endpoint, longest));
    }

    DynamoDbClient tables() {
        return client(
                DynamoDbClient.class,
                () -> Sdk.client(DynamoDbClient.builder(), credentials, region, endpoint, longest));
    }

    SqsClient queues() {
        return client(SqsClient.class, () -> Sdk.client(SqsClient.builder(), credentials, region, endpoint, longest));
    }

    private <C extends AutoCloseable> C client(Class<C> type, Supplier<C> maker) {
        return type.cast(clients.computeIfAbsent(type, _ -> maker.get()));
    }

    @Override
    public void close() {
        clients.values().forEach(Session::close);
        owned.forEach(Session::close);
    }

    private static void close(AutoCloseable one) {
        try {
            one.close();
        } catch (Exception e) {
            throw new IllegalStateException("a client of AWS does not close", e);
        }
    }
}
