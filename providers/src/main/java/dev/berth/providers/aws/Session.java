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
import software.amazon.awssdk.awscore.client.builder.AwsClientBuilder;
import software.amazon.awssdk.awscore.client.builder.AwsSyncClientBuilder;
import software.amazon.awssdk.services.apigateway.ApiGatewayClient;
import software.amazon.awssdk.services.apigatewayv2.ApiGatewayV2Client;
import software.amazon.awssdk.services.autoscaling.AutoScalingClient;
import software.amazon.awssdk.services.cloudformation.CloudFormationClient;
import software.amazon.awssdk.services.cloudwatch.CloudWatchClient;
import software.amazon.awssdk.services.cloudwatchlogs.CloudWatchLogsClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ecr.EcrClient;
import software.amazon.awssdk.services.ecs.EcsClient;
import software.amazon.awssdk.services.elasticloadbalancing.ElasticLoadBalancingClient;
import software.amazon.awssdk.services.elasticloadbalancingv2.ElasticLoadBalancingV2Client;
import software.amazon.awssdk.services.eventbridge.EventBridgeClient;
import software.amazon.awssdk.services.iam.IamClient;
import software.amazon.awssdk.services.kms.KmsClient;
import software.amazon.awssdk.services.lambda.LambdaClient;
import software.amazon.awssdk.services.rds.RdsClient;
import software.amazon.awssdk.services.route53.Route53Client;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.secretsmanager.SecretsManagerClient;
import software.amazon.awssdk.services.sfn.SfnClient;
import software.amazon.awssdk.services.sns.SnsClient;
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
        return client(StsClient.class, StsClient::builder);
    }

    IamClient iam() {
        return client(IamClient.class, IamClient::builder);
    }

    CloudFormationClient stacks() {
        return client(CloudFormationClient.class, CloudFormationClient::builder);
    }

    S3Client s3() {
        // An emulator has no host name for each bucket.
        return client(S3Client.class, () -> S3Client.builder().forcePathStyle(endpoint != null));
    }

    EcrClient ecr() {
        return client(EcrClient.class, EcrClient::builder);
    }

    CloudWatchLogsClient logs() {
        return client(CloudWatchLogsClient.class, CloudWatchLogsClient::builder);
    }

    Ec2Client ec2() {
        return client(Ec2Client.class, Ec2Client::builder);
    }

    SecretsManagerClient secrets() {
        return client(SecretsManagerClient.class, SecretsManagerClient::builder);
    }

    KmsClient kms() {
        return client(KmsClient.class, KmsClient::builder);
    }

    SsmClient ssm() {
        return client(SsmClient.class, SsmClient::builder);
    }

    DynamoDbClient tables() {
        return client(DynamoDbClient.class, DynamoDbClient::builder);
    }

    SqsClient queues() {
        return client(SqsClient.class, SqsClient::builder);
    }

    LambdaClient lambda() {
        return client(LambdaClient.class, LambdaClient::builder);
    }

    AutoScalingClient autoScaling() {
        return client(AutoScalingClient.class, AutoScalingClient::builder);
    }

    EcsClient ecs() {
        return client(EcsClient.class, EcsClient::builder);
    }

    ElasticLoadBalancingClient classicBalancers() {
        return client(ElasticLoadBalancingClient.class, ElasticLoadBalancingClient::builder);
    }

    ElasticLoadBalancingV2Client balancers() {
        return client(ElasticLoadBalancingV2Client.class, ElasticLoadBalancingV2Client::builder);
    }

    RdsClient rds() {
        return client(RdsClient.class, RdsClient::builder);
    }

    SnsClient topics() {
        return client(SnsClient.class, SnsClient::builder);
    }

    EventBridgeClient events() {
        return client(EventBridgeClient.class, EventBridgeClient::builder);
    }

    SfnClient machines() {
        return client(SfnClient.class, SfnClient::builder);
    }

    CloudWatchClient alarms() {
        return client(CloudWatchClient.class, CloudWatchClient::builder);
    }

    ApiGatewayClient restApis() {
        return client(ApiGatewayClient.class, ApiGatewayClient::builder);
    }

    ApiGatewayV2Client httpApis() {
        return client(ApiGatewayV2Client.class, ApiGatewayV2Client::builder);
    }

    Route53Client zones() {
        return client(Route53Client.class, Route53Client::builder);
    }

    private <B extends AwsClientBuilder<B, C> & AwsSyncClientBuilder<B, C>, C extends AutoCloseable> C client(
            Class<C> type, Supplier<B> builder) {
        return type.cast(
                clients.computeIfAbsent(type, _ -> Sdk.client(builder.get(), credentials, region, endpoint, longest)));
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
