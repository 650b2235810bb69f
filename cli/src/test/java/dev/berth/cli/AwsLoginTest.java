package dev.berth.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import dev.berth.server.auth.AwsAuthenticator;
import dev.berth.server.auth.AwsPattern;
import dev.berth.server.auth.Directory;
import dev.berth.server.auth.Principal;
import dev.berth.server.auth.Role;
import dev.berth.server.auth.Verdict;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.core.exception.SdkClientException;

/** {@code berth login aws}, and what follows it, held against what the service understands. */
class AwsLoginTest {
    private static final String NO_POOLS = "{\"pools\":[]}";

    @TempDir
    private Path home;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private final AtomicReference<String> signedFor = new AtomicReference<>();
    private FakeBerth berth;
    private HttpServer sts;

    @BeforeEach
    void start() throws IOException {
        berth = new FakeBerth();
        berth.answer("GET /pools", 200, NO_POOLS);
        sts = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        sts.createContext("/", exchange -> {
            try (exchange) {
                signedFor.set(exchange.getRequestHeaders().getFirst(AwsAuthenticator.SERVICE_HEADER));
                byte[] body =
                        "<GetCallerIdentityResponse><Arn>arn:aws:iam::222222222222:user/ann</Arn></GetCallerIdentityResponse>"
                                .getBytes(StandardCharsets.UTF_8);
                exchange.sendResponseHeaders(200, body.length);
                exchange.getResponseBody().write(body);
            }
        });
        sts.start();
    }

    @AfterEach
    void stop() {
        berth.close();
        sts.stop(0);
    }

    private String endpoint() {
        return "http://127.0.0.1:" + sts.getAddress().getPort();
    }

    private int berth(Map<String, String> env, String... args) {
        out.reset();
        err.reset();
        var around = new Surroundings(
                env,
                home,
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8),
                false,
                false);
        return BerthCommand.tree(around).execute(args);
    }

    private Map<String, String> keys() {
        return Map.of(
                "BERTH_URL",
                berth.url(),
                "AWS_ACCESS_KEY_ID",
                "AKIA1",
                "AWS_SECRET_ACCESS_KEY",
                "hush",
                "AWS_SESSION_TOKEN",
                "a/token+of=",
                "AWS_REGION",
                "eu-west-1");
    }

    private String sent() {
        return berth.asked().getLast().authorization();
    }

    /** Whom a service sees in it that is called so. */
    private Verdict seen(String login, String service, URI endpoint) {
        var directory = Directory.of(List.of(new Directory.Listed(
                new Principal("ann", Set.of(Role.VIEWER), null),
                List.of(),
                new AwsPattern(Set.of("222222222222"), List.of(), List.of()))));
        return new AwsAuthenticator(
                        () -> new AwsAuthenticator.Settings(service, endpoint, "aws"), () -> directory, Instant::now)
                .check(login);
    }

    @Test
    void whatIsMadeIsWhatTheServiceUnderstands() {
        var host = berth.url().substring("http://".length());
        assertThat(berth(keys(), "login", "aws", "--sts-endpoint", endpoint()))
                .as(err.toString(StandardCharsets.UTF_8))
                .isZero();
        assertThat(out.toString(StandardCharsets.UTF_8)).contains("lets you in");
        assertThat(seen(sent(), host, URI.create(endpoint()))).isInstanceOf(Verdict.Known.class);
        assertThat(signedFor.get()).isEqualTo(host);
    }

    @Test
    void theCommandsThatFollowLogInByThemselvesUntilItIsForgotten() throws IOException {
        assertThat(berth(keys(), "login", "aws", "--service", "ci.example")).isZero();
        var remembered = Files.readString(home.resolve(".config/berth/logins.json"));
        assertThat(remembered)
                .contains("ci.example")
                .contains("eu-west-1")
                .doesNotContain("AKIA1")
                .doesNotContain("hush");

        assertThat(berth(keys(), "status")).isZero();
        assertThat(sent()).startsWith("Berth-AWS ");
        var login = new String(
                Base64.getDecoder().decode(sent().substring("Berth-AWS ".length())), StandardCharsets.US_ASCII);
        assertThat(login)
                .startsWith("https://sts.eu-west-1.amazonaws.com/?")
                .contains("X-Amz-SignedHeaders=host%3Bx-berth-service")
                .contains("X-Amz-Security-Token=a%2Ftoken%2Bof%3D")
                .doesNotContain("hush");

        assertThat(berth(keys(), "login", "aws", "--forget")).isZero();
        berth(keys(), "status");
        assertThat(sent()).isNull();
    }

    @Test
    void whoIsNotLetInIsRememberedNowhere() {
        berth.answer(
                "GET /pools", 401, "{\"code\":\"unauthenticated\",\"message\":\"No principal of this service is …\"}");
        assertThat(berth(keys(), "login", "aws")).isEqualTo(ExitCode.NOT_ALLOWED);
        assertThat(home.resolve(".config")).doesNotExist();
    }

    @Test
    void aHeaderIsPrintedForOtherPrograms() {
        assertThat(berth(keys(), "login", "aws", "--print", "--service", "ci.example"))
                .isZero();
        assertThat(berth.asked()).isEmpty();
        var header = out.toString(StandardCharsets.UTF_8).strip();
        assertThat(seen(header, "ci.example", URI.create(endpoint())))
                .as("it leads to AWS, and the service asks another")
                .isInstanceOf(Verdict.Unknown.class);
    }

    @Test
    void aTokenIsPrintedForProgramsThatKnowThoseAlone() {
        berth.answer("POST /tokens/aws", 201, """
                {"id":"login-1","principal":"ann","createdAt":"2026-01-01T00:00:00Z","expiresAt":"2026-01-01T01:00:00Z","token":"berth_abc"}""");
        assertThat(berth(keys(), "login", "aws", "--token", "--service", "ci.example"))
                .as(err.toString(StandardCharsets.UTF_8))
                .isZero();
        assertThat(out.toString(StandardCharsets.UTF_8)).isEqualTo("berth_abc\n");
        assertThat(sent()).as("nobody logs in to log in").isNull();
        assertThat(berth.asked().getLast().body())
                .startsWith("{\"url\":\"https://sts.eu-west-1.amazonaws.com/?")
                .doesNotContain("hush");
        assertThat(home.resolve(".config")).doesNotExist();
        assertThat(berth(keys(), "login", "aws", "--token", "--print")).isEqualTo(ExitCode.USAGE);
    }

    @Test
    void aLoginThatIsGoodStaysInUseWhileNoOtherCanBeMade() {
        var minutes = new AtomicLong();
        var gone = new AtomicBoolean();
        var login = new AwsLogin(
                new AwsLogin.Settings("ci.example", "eu-west-1", null, null),
                () -> {
                    if (gone.get()) {
                        throw SdkClientException.create("the credential process failed");
                    }
                    return AwsBasicCredentials.create("AKIA1", "hush");
                },
                () -> Duration.ofMinutes(minutes.get()).toNanos());
        var first = login.get();
        gone.set(true);
        minutes.set(13);
        assertThat(login.get()).isEqualTo(first);
        minutes.set(15);
        assertThatThrownBy(login::get)
                .isInstanceOf(CliFailure.class)
                .hasMessage("cannot log in with AWS credentials: the credential process failed");
        gone.set(false);
        assertThat(login.get()).startsWith("Berth-AWS ");
    }
}
