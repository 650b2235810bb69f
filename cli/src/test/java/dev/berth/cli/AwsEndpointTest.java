package dev.berth.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.client.Allocation;
import dev.berth.client.BerthClient;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What an SDK asks that is told to run in a container. */
class AwsEndpointTest {
    private static final Instant NOON = Instant.parse("2026-01-01T12:00:00Z");
    private static final String FRESH = "POST /allocations/a1/credentials";

    private final HttpClient http = HttpClient.newHttpClient();
    private FakeBerth berth;
    private BerthClient client;

    @BeforeEach
    void start() throws IOException {
        berth = new FakeBerth();
        client = BerthClient.at(URI.create(berth.url())).retryFor(Duration.ZERO).build();
    }

    @AfterEach
    void stop() {
        http.close();
        berth.close();
    }

    static String lent(String key, Instant expiration) {
        return """
                {"id":"a1","state":"active","pool":"release","requester":"job","environments":[
                  {"name":"e1","epoch":1,"region":"us-east-1","credentials":{"accessKeyId":"%s","secretAccessKey":"secret of %s",
                   "sessionToken":"token of %s","expiration":"%s"},
                   "env":{"AWS_ACCESS_KEY_ID":"%s","AWS_SECRET_ACCESS_KEY":"s","AWS_SESSION_TOKEN":"t","AWS_REGION":"us-east-1"}},
                  {"name":"e2","epoch":1,"credentials":{"password":"hush"}}]}""".formatted(key, key, key, expiration, key);
    }

    private Allocation allocation(String key, Instant expiration) {
        berth.answer("GET /allocations/a1", 200, lent(key, expiration));
        return client.allocation("a1");
    }

    private AwsEndpoint endpoint(Allocation allocation) throws IOException {
        return AwsEndpoint.start(allocation, () -> client.credentials("a1"), () -> NOON);
    }

    private HttpResponse<String> get(AwsEndpoint endpoint, String more, String token) throws Exception {
        var uri = URI.create(endpoint.variables().get("AWS_CONTAINER_CREDENTIALS_FULL_URI") + more);
        var request = HttpRequest.newBuilder(uri);
        if (!token.isEmpty()) {
            request.header("Authorization", token);
        }
        return http.send(request.build(), BodyHandlers.ofString());
    }

    private static String token(AwsEndpoint endpoint) {
        return endpoint.variables().get("AWS_CONTAINER_AUTHORIZATION_TOKEN");
    }

    private boolean isRenewed() {
        return berth.asked().stream().anyMatch(asked -> asked.line().equals(FRESH));
    }

    @Test
    void whoKnowsTheSecretIsToldTheCredentials() throws Exception {
        try (var endpoint = endpoint(allocation("AKIA1", NOON.plusSeconds(3600)))) {
            var answer = get(endpoint, "", token(endpoint));
            assertThat(answer.statusCode()).isEqualTo(200);
            assertThat(Json.MAPPER.readTree(answer.body())).isEqualTo(Json.MAPPER.readTree("""
                    {"AccessKeyId":"AKIA1","SecretAccessKey":"secret of AKIA1","Token":"token of AKIA1",
                     "Expiration":"2026-01-01T13:00:00Z"}"""));
            assertThat(endpoint.variables()).hasSize(2);
            assertThat(token(endpoint)).hasSize(43);
        }
        assertThat(isRenewed()).as("they are good for an hour").isFalse();
    }

    @Test
    void nobodyElseIsToldAnything() throws Exception {
        try (var endpoint = endpoint(allocation("AKIA1", NOON.plusSeconds(3600)))) {
            assertThat(get(endpoint, "", "").statusCode()).isEqualTo(401);
            assertThat(get(endpoint, "", token(endpoint) + "x").statusCode()).isEqualTo(401);
            assertThat(get(endpoint, "", "").body()).doesNotContain("AKIA1");
            assertThat(get(endpoint, "2", token(endpoint)).statusCode()).isEqualTo(404);
            assertThat(get(endpoint, "/../2", token(endpoint)).statusCode()).isEqualTo(404);
        }
    }

    @Test
    void credentialsAreRenewedBeforeAnybodyAsks() throws Exception {
        berth.answer(FRESH, 200, lent("AKIA2", NOON.plusSeconds(3600)));
        try (var endpoint = endpoint(allocation("AKIA1", NOON))) {
            long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
            while (!get(endpoint, "", token(endpoint)).body().contains("AKIA2")) {
                assertThat(System.nanoTime()).isLessThan(deadline);
            }
        }
    }

    @Test
    void aLoginThatCannotBeMadeForAMomentCostsOneTryAlone() throws Exception {
        var allocation = allocation("AKIA1", NOON);
        var fresh = allocation("AKIA2", NOON.plusSeconds(3600));
        var tries = new AtomicInteger();
        var pauses = Duration.ofMillis(10);
        try (var endpoint = AwsEndpoint.start(
                allocation,
                () -> {
                    if (tries.getAndIncrement() == 0) {
                        throw new CliFailure(ExitCode.NOT_ALLOWED, "cannot log in with AWS credentials: try later");
                    }
                    return fresh;
                },
                () -> NOON,
                pauses)) {
            long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
            while (!get(endpoint, "", token(endpoint)).body().contains("AKIA2")) {
                assertThat(System.nanoTime()).isLessThan(deadline);
            }
        }
    }

    @Test
    void whatHasExpiredIsNotTold() throws Exception {
        berth.answer(FRESH, 503, "{\"code\":\"access-failed\",\"message\":\"throttled\"}");
        try (var endpoint = endpoint(allocation("AKIA1", NOON))) {
            assertThat(get(endpoint, "", token(endpoint)).statusCode()).isEqualTo(503);
        }
    }

    private Map<String, String> applied(boolean plain) throws IOException {
        var allocation = allocation("AKIA1", NOON.plusSeconds(3600));
        var env = new HashMap<>(Map.of(
                "HOME", "/h",
                "AWS_PROFILE", "mine",
                "AWS_ACCESS_KEY_ID", "mine",
                "AWS_SESSION_TOKEN", "mine",
                "AWS_WEB_IDENTITY_TOKEN_FILE", "mine",
                "AWS_REGION", "mars"));
        try (var aws = AwsAccess.open(client, allocation, plain)) {
            aws.apply(env, allocation.environments().getFirst().env());
        }
        return env;
    }

    @Test
    void aCommandIsLedToTheCredentialsOfItsLeaseAndToNoOthers() throws Exception {
        assertThat(applied(false))
                .containsOnlyKeys(
                        "HOME",
                        "AWS_REGION",
                        "AWS_DEFAULT_REGION",
                        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
                        "AWS_SHARED_CREDENTIALS_FILE",
                        "AWS_CONFIG_FILE")
                .containsEntry("AWS_REGION", "us-east-1")
                .containsEntry("AWS_CONFIG_FILE", "/dev/null");
        assertThat(applied(true))
                .isEqualTo(Map.of(
                        "HOME", "/h",
                        "AWS_ACCESS_KEY_ID", "AKIA1",
                        "AWS_SECRET_ACCESS_KEY", "s",
                        "AWS_SESSION_TOKEN", "t",
                        "AWS_REGION", "us-east-1",
                        "AWS_DEFAULT_REGION", "us-east-1"));
    }
}
