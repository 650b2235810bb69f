package dev.berth.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.http.ContentStreamProvider;
import software.amazon.awssdk.http.SdkHttpMethod;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.http.auth.aws.signer.AwsV4HttpSigner;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.BucketVersioningStatus;
import software.amazon.awssdk.services.sts.StsClient;

/**
 * A service whose configuration is in S3, and whose callers AWS names, on the emulator. It checks no signatures: that the service has to be
 * signed for is tried without it.
 */
class CallerIdentityTest {
    private static final String BUCKET = "ci-configuration";
    private static final String KEY = "berth/berth.yaml";
    private static final AwsBasicCredentials OWN = AwsBasicCredentials.create("AKIAOWN", "own");

    private static Moto moto;
    private static S3Client s3;
    private static String first;
    private static BerthProcess berth;

    @BeforeAll
    static void start(@TempDir Path folder) {
        moto = Moto.start(folder);
        s3 = S3Client.builder()
                .forcePathStyle(true)
                .endpointOverride(moto.url())
                .region(Region.EU_WEST_1)
                .credentialsProvider(StaticCredentialsProvider.create(OWN))
                .build();
        s3.createBucket(create ->
                create.bucket(BUCKET).createBucketConfiguration(where -> where.locationConstraint("eu-west-1")));
        s3.putBucketVersioning(put -> put.bucket(BUCKET)
                .versioningConfiguration(versions -> versions.status(BucketVersioningStatus.ENABLED)));
        first = put(1);
        berth = BerthProcess.startFrom(
                folder,
                "s3://" + BUCKET + "/" + KEY,
                Map.of(
                        "AWS_ENDPOINT_URL",
                        moto.url().toString(),
                        "AWS_REGION",
                        "eu-west-1",
                        "AWS_ACCESS_KEY_ID",
                        OWN.accessKeyId(),
                        "AWS_SECRET_ACCESS_KEY",
                        OWN.secretAccessKey()));
    }

    @AfterAll
    static void stop() {
        if (berth != null) {
            berth.close();
        }
        if (s3 != null) {
            s3.close();
        }
        if (moto != null) {
            moto.close();
        }
    }

    /** Puts a configuration with so many boards there, and tells its version. */
    private static String put(int boards) {
        var yaml = """
                pools: { lab: { provider: fixed, revocable: false } }
                environments: %s
                aws-callers: { service: ci.example, endpoint: "%s" }
                principals:
                  - { name: root, roles: [admin, viewer], token: { env: ROOT_TOKEN } }
                  - { name: runners, roles: [consumer], pools: [lab], aws: { accounts: ["222222222222"], roles: ["ci-*"] } }
                """.formatted(
                        IntStream.rangeClosed(1, boards)
                                .mapToObj("{name: board-%d, pool: lab}"::formatted)
                                .toList(),
                        moto.url());
        return s3.putObject(put -> put.bucket(BUCKET).key(KEY), RequestBody.fromString(yaml))
                .versionId();
    }

    private static AwsSessionCredentials assume(String role) {
        try (var sts = StsClient.builder()
                .endpointOverride(moto.url())
                .region(Region.EU_WEST_1)
                .credentialsProvider(StaticCredentialsProvider.create(OWN))
                .build()) {
            var given = sts.assumeRole(assume -> assume.roleArn("arn:aws:iam::222222222222:role/team/" + role)
                            .roleSessionName("build-7"))
                    .credentials();
            return AwsSessionCredentials.create(given.accessKeyId(), given.secretAccessKey(), given.sessionToken());
        }
    }

    /** The call as an SDK signs it, in the form that the service takes. */
    private static String login(AwsSessionCredentials caller) {
        var body = "Action=GetCallerIdentity&Version=2011-06-15";
        var call = SdkHttpRequest.builder()
                .method(SdkHttpMethod.POST)
                .uri(URI.create(moto.url() + "/"))
                .putHeader("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
                .putHeader("X-Berth-Service", "ci.example")
                .build();
        var signed = AwsV4HttpSigner.create()
                .sign(sign -> sign.identity(caller)
                        .request(call)
                        .payload(ContentStreamProvider.fromUtf8String(body))
                        .putProperty(AwsV4HttpSigner.SERVICE_SIGNING_NAME, "sts")
                        .putProperty(AwsV4HttpSigner.REGION_NAME, "eu-west-1"))
                .request();
        var headers = signed.headers().entrySet().stream()
                .map(header -> "\"%s\":\"%s\""
                        .formatted(header.getKey(), header.getValue().getFirst()))
                .collect(Collectors.joining(",", "{", "}"));
        return "{\"url\":\"%s\",\"method\":\"POST\",\"body\":\"%s\",\"headers\":%s}"
                .formatted(signed.getUri(), body, headers);
    }

    @Test
    void whoSignsAnIdentityAsSdksDoIsGivenATokenOfThePrincipalThatItIs() {
        var given = berth.call(null, "POST", "/tokens/aws", login(assume("ci-main")));
        assertThat(given.statusCode()).as(given.body()).isEqualTo(201);
        assertThat(given.body()).contains("\"principal\":\"runners\"");
        var token = given.body().replaceAll("(?s).*\"token\":\"([^\"]*)\".*", "$1");
        assertThat(berth.call(token, "GET", "/pools", null).body()).contains("\"lab\"");

        var stranger = berth.call(null, "POST", "/tokens/aws", login(assume("admin")));
        assertThat(stranger.statusCode()).isEqualTo(401);
        assertThat(stranger.body()).contains("arn:aws:sts::222222222222:assumed-role/admin/build-7");
    }

    @Test
    void anObjectThatIsReplacedComesIntoForceUnderItsVersion() {
        assertThat(events()).contains("\"version\":\"" + first + "\"");
        var next = put(3);
        long deadline = System.nanoTime() + Running.PATIENCE.toNanos();
        while (!events().contains("\"version\":\"" + next + "\"")) {
            assertThat(System.nanoTime() - deadline).as(() -> berth.printed()).isNegative();
            LockSupport.parkNanos(100_000_000);
        }
        assertThat(berth.call(BerthProcess.ROOT_TOKEN, "GET", "/environments", null)
                        .body())
                .contains("board-3");
    }

    private static String events() {
        return berth.call(BerthProcess.ROOT_TOKEN, "GET", "/events?pool=lab", null)
                .body();
    }
}
