package dev.berth.acceptance;

import java.net.URI;
import java.util.Map;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.client.builder.AwsClientBuilder;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.cloudformation.CloudFormationClient;
import software.amazon.awssdk.services.cloudwatchlogs.CloudWatchLogsClient;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ecr.EcrClient;
import software.amazon.awssdk.services.iam.IamClient;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.BucketVersioningStatus;
import software.amazon.awssdk.services.secretsmanager.SecretsManagerClient;
import software.amazon.awssdk.services.sts.StsClient;

/** An account of the emulator, with the role that Berth lends, as somebody in it with every right. */
final class AwsAccount {
    static final String TRUST = """
            {"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"sts:AssumeRole"}]}""";
    static final String ANYTHING = """
            {"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}""";

    /** {@link #TRUST} with more actions. */
    static String trust(String... actions) {
        return TRUST.replace("\"sts:AssumeRole\"", "[\"sts:AssumeRole\",\"" + String.join("\",\"", actions) + "\"]");
    }

    /** The role that an account has from the beginning, where it does not lend another one. */
    static final String ADMIN = "Admin";

    private final String id;
    private final String region;
    private final String admin;
    private final URI endpoint;
    private final StaticCredentialsProvider credentials;

    AwsAccount(URI endpoint, String id, String region, String admin) {
        this.id = id;
        this.region = region;
        this.admin = admin;
        this.endpoint = endpoint;
        var outside = StaticCredentialsProvider.create(AwsBasicCredentials.create("AKIAOUTSIDE", "x"));
        try (var sts = client(StsClient.builder(), endpoint, region, outside)) {
            var owner = sts.assumeRole(assume ->
                            assume.roleArn("arn:aws:iam::" + id + ":role/Owner").roleSessionName("owner"))
                    .credentials();
            this.credentials = StaticCredentialsProvider.create(
                    AwsSessionCredentials.create(owner.accessKeyId(), owner.secretAccessKey(), owner.sessionToken()));
        }
        if (admin.equals(ADMIN)
                && iam().listRoles().roles().stream()
                        .noneMatch(role -> role.roleName().equals(ADMIN))) {
            iam().createRole(create -> create.roleName(ADMIN).assumeRolePolicyDocument(TRUST));
            iam().putRolePolicy(put -> put.roleName(ADMIN).policyName("admin").policyDocument(ANYTHING));
        }
    }

    private static <B extends AwsClientBuilder<B, C>, C> C client(
            B builder, URI endpoint, String region, StaticCredentialsProvider credentials) {
        return builder.endpointOverride(endpoint)
                .region(Region.of(region))
                .credentialsProvider(credentials)
                .build();
    }

    /** Whoever was lent it, with what he was given. */
    static final class Holder {
        private final URI endpoint;
        private final String region;
        private final StaticCredentialsProvider credentials;

        Holder(URI endpoint, String region, Map<String, String> env) {
            this.endpoint = endpoint;
            this.region = region;
            AwsCredentials given = AwsSessionCredentials.create(
                    env.get("AWS_ACCESS_KEY_ID"), env.get("AWS_SECRET_ACCESS_KEY"), env.get("AWS_SESSION_TOKEN"));
            this.credentials = StaticCredentialsProvider.create(given);
        }

        StsClient sts() {
            return client(StsClient.builder(), endpoint, region, credentials);
        }

        S3Client s3() {
            return client(S3Client.builder().forcePathStyle(true), endpoint, region, credentials);
        }

        IamClient iam() {
            return client(IamClient.builder(), endpoint, region, credentials);
        }
    }

    String id() {
        return id;
    }

    String region() {
        return region;
    }

    String adminRole() {
        return role(admin);
    }

    String role(String name) {
        return "arn:aws:iam::" + id + ":role/" + name;
    }

    /** Any service of it. */
    <B extends AwsClientBuilder<B, C>, C> C client(B builder) {
        return client(builder, endpoint, region, credentials);
    }

    IamClient iam() {
        return client(IamClient.builder(), endpoint, region, credentials);
    }

    S3Client s3() {
        return client(S3Client.builder().forcePathStyle(true), endpoint, region, credentials);
    }

    CloudFormationClient stacks() {
        return client(CloudFormationClient.builder(), endpoint, region, credentials);
    }

    CloudWatchLogsClient logs() {
        return client(CloudWatchLogsClient.builder(), endpoint, region, credentials);
    }

    EcrClient ecr() {
        return client(EcrClient.builder(), endpoint, region, credentials);
    }

    Ec2Client ec2() {
        return client(Ec2Client.builder(), endpoint, region, credentials);
    }

    SecretsManagerClient secrets() {
        return client(SecretsManagerClient.builder(), endpoint, region, credentials);
    }

    /** A stack with one resource of each. */
    void stack(String name, String resources, boolean guarded) {
        stacks().createStack(create -> create.stackName(name)
                .templateBody("{\"Resources\":{" + resources + "}}")
                .enableTerminationProtection(guarded));
    }

    static String bucketResource(String name) {
        return "\"Bucket\":{\"Type\":\"AWS::S3::Bucket\",\"Properties\":{\"BucketName\":\"%s\",\"VersioningConfiguration\":{\"Status\":\"Enabled\"}}}"
                .formatted(name);
    }

    void bucket(String name) {
        s3().createBucket(create ->
                create.bucket(name).createBucketConfiguration(where -> where.locationConstraint(region)));
    }

    /** Versions, a delete marker and an upload that was never finished. */
    void fill(String bucket) {
        var s3 = s3();
        s3.putBucketVersioning(
                put -> put.bucket(bucket).versioningConfiguration(to -> to.status(BucketVersioningStatus.ENABLED)));
        s3.putObject(put -> put.bucket(bucket).key("twice"), RequestBody.fromString("one"));
        s3.putObject(put -> put.bucket(bucket).key("twice"), RequestBody.fromString("two"));
        s3.putObject(put -> put.bucket(bucket).key("gone"), RequestBody.fromString("x"));
        s3.deleteObject(delete -> delete.bucket(bucket).key("gone"));
        s3.createMultipartUpload(create -> create.bucket(bucket).key("part"));
    }

    /** Puts an image into a repository. */
    void image(String repository) {
        ecr().putImage(put -> put.repositoryName(repository).imageTag("latest").imageManifest("""
                {"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":{"mediaType":"application/vnd.docker.container.image.v1+json","size":1,"digest":"sha256:aa"},"layers":[]}"""));
    }
}
