package dev.berth.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.berth.server.auth.AwsAuthenticator;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Callers whom AWS names. STS is a small server here, which knows for which service a login was signed by its session token. */
class AwsIdentityTest extends ServiceTest {
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("uuuuMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC);
    private static final String IDENTITY = "Action=GetCallerIdentity&Version=2011-06-15";
    private static final String FORM = "application/x-www-form-urlencoded; charset=utf-8";
    private static final String RUNNER = "arn:aws:sts::222222222222:assumed-role/ci-main/build-7";

    private final List<String> asked = new CopyOnWriteArrayList<>();
    private HttpServer sts;
    private volatile String arn = RUNNER;
    private volatile int status = 200;

    @BeforeEach
    void startSts() throws IOException {
        sts = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        sts.createContext("/", this::answer);
        sts.start();
        settings("ci.example", "aws");
        service.pool("release", Service.policy(), 2);
    }

    @AfterEach
    void stopSts() {
        sts.stop(0);
    }

    private void settings(@Nullable String name, String partition) {
        service.awsCallers.set(new AwsAuthenticator.Settings(name, URI.create(endpoint()), partition));
    }

    private String endpoint() {
        return "http://127.0.0.1:" + sts.getAddress().getPort();
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            asked.add(exchange.getRequestURI().toString());
            var signedFor = "for-" + exchange.getRequestHeaders().getFirst("x-berth-service");
            boolean right = exchange.getRequestMethod().equals("GET")
                    ? exchange.getRequestURI().getQuery().contains("Token=" + signedFor + "&")
                    : signedFor.equals(exchange.getRequestHeaders().getFirst("x-amz-security-token"))
                            && new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8)
                                    .equals(IDENTITY)
                            && FORM.equals(exchange.getRequestHeaders().getFirst("content-type"))
                            && exchange.getRequestHeaders()
                                    .getFirst("user-agent")
                                    .startsWith("Java");
            var body = right ? """
                    <GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
                      <GetCallerIdentityResult><Arn>%s</Arn><UserId>AROA:x</UserId><Account>222222222222</Account>
                      </GetCallerIdentityResult></GetCallerIdentityResponse>""".formatted(arn) : "<Error><Code>SignatureDoesNotMatch</Code></Error>";
            var bytes = body.getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(right ? status : 403, bytes.length);
            exchange.getResponseBody().write(bytes);
        }
    }

    private String query(Instant at) {
        return "Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256"
                + "&X-Amz-Credential=ASIA1%2F20260701%2Fus-east-1%2Fsts%2Faws4_request&X-Amz-Date=" + TIME.format(at)
                + "&X-Amz-Expires=900&X-Amz-Security-Token=for-ci.example"
                + "&X-Amz-SignedHeaders=host%3Bx-berth-service&X-Amz-Signature=" + "0".repeat(64);
    }

    private String url() {
        return endpoint() + "/?" + query(service.now.get());
    }

    private Service.Answered call(String url) {
        var login = Base64.getUrlEncoder().withoutPadding().encodeToString(url.getBytes(StandardCharsets.UTF_8));
        return service.call(
                "",
                "POST",
                "/allocations",
                "{\"pool\":\"release\",\"requester\":\"job\"}",
                request -> request.header("Authorization", "Berth-AWS " + login));
    }

    @Test
    void whomAwsNamesIsThePrincipalOfItsAccountAndRole() {
        var granted = call(url());
        assertThat(granted.status()).as(granted.text()).isEqualTo(200);
        assertThat(granted.body().path("principal").asString()).isEqualTo("runners");
        assertThat(call(url()).status()).isEqualTo(200);
        assertThat(asked).as("what STS said is good for a while").hasSize(1);
    }

    @Test
    void whoeverElseAwsNamesIsNobody() {
        var mark = service.now.get();
        for (var other : List.of(
                "arn:aws:sts::222222222222:assumed-role/admin-ci-main/x",
                "arn:aws:sts::333333333333:assumed-role/ci-main/x",
                "arn:aws-cn:sts::222222222222:assumed-role/ci-main/x",
                "arn:aws:iam::222222222222:user/ci-main",
                "arn:aws:iam::222222222222:root",
                "nonsense")) {
            arn = other;
            mark = mark.plusSeconds(1);
            assertThat(call(endpoint() + "/?" + query(mark)).status()).as(other).isEqualTo(401);
        }
        assertThat(asked).hasSize(6);
    }

    @Test
    void aLoginIsForOneService() {
        settings("elsewhere.example", "aws");
        assertThat(call(url()).body().path("detail").asString()).contains("made for another service");
        assertThat(call(url()).status()).isEqualTo(401);
        assertThat(asked).as("what STS refused is not asked for again at once").hasSize(1);
        settings(null, "aws");
        assertThat(call(url()).body().path("detail").asString()).contains("aws-callers.service");
    }

    @Test
    void aLoginEnds() {
        var login = url();
        assertThat(call(login).status()).isEqualTo(200);
        service.now.updateAndGet(now -> now.plus(Duration.ofMinutes(15)));
        assertThat(call(login).body().path("detail").asString()).contains("expired");
        assertThat(call(endpoint() + "/?" + query(service.now.get().plus(Duration.ofMinutes(6))))
                        .body()
                        .path("detail")
                        .asString())
                .contains("future");
    }

    @Test
    void nothingButThatOneCallOfStsIsEverMade() {
        var query = query(service.now.get());
        var port = sts.getAddress().getPort();
        for (var wrong : List.of(
                "http://localhost:" + port + "/?" + query,
                "https://127.0.0.1:" + port + "/?" + query,
                "http://x@127.0.0.1:" + port + "/?" + query,
                endpoint() + "/other?" + query,
                endpoint() + "/?" + query + "#x",
                endpoint() + "/?" + query + "&Action=AssumeRole",
                endpoint() + "/?" + query + "&DurationSeconds=900",
                endpoint() + "/?" + query.replace("GetCallerIdentity", "GetSessionToken"),
                endpoint() + "/?" + query.replace("%3Bx-berth-service", ""),
                endpoint() + "/?" + query.replace("us-east-1%2Fsts", "us-east-1%2Fs3"),
                endpoint() + "/?" + query.replace("&X-Amz-Expires=900", ""),
                endpoint() + "/",
                "nonsense",
                "http://169.254.169.254/?" + query)) {
            assertThat(call(wrong).status()).as(wrong).isEqualTo(401);
        }
        service.awsCallers.set(new AwsAuthenticator.Settings("ci.example", null, "aws"));
        for (var host : List.of(
                "http://sts.amazonaws.com",
                "https://sts.amazonaws.com:8443",
                "https://sts.amazonaws.com.evil.example",
                "https://evil.example/sts.amazonaws.com",
                "https://evil-sts.amazonaws.com",
                "https://sts.evil.amazonaws.com")) {
            assertThat(call(host + "/?" + query).status()).as(host).isEqualTo(401);
        }
        assertThat(asked).isEmpty();
    }

    @Test
    void whereStsDoesNotAnswerNobodyIsRefused() {
        status = 500;
        var answer = call(url());
        assertThat(answer.code()).isEqualTo("identity-unavailable");
        assertThat(answer.header("Retry-After")).isNotNull();
        status = 200;
        assertThat(call(url()).status()).isEqualTo(200);
        sts.stop(0);
        assertThat(call(endpoint() + "/?" + query(service.now.get().plusSeconds(1)))
                        .code())
                .isEqualTo("identity-unavailable");
    }

    private Service.Answered exchange(String body) {
        return service.call("", "POST", "/tokens/aws", body);
    }

    private static String json(String url, String more) {
        return "{\"url\":\"" + url + "\"" + more + "}";
    }

    /** As an SDK signs a POST; what it says of itself goes nowhere. */
    private String posted(String signedHeaders, String token, String body) {
        return json(endpoint() + "/", """
                ,"method":"POST","body":"%s","headers":{"Host":"sts","User-Agent":"an-sdk/1","Content-Type":"%s",
                 "X-Amz-Date":"%s","X-Amz-Security-Token":"%s","X-Berth-Service":"ci.example",
                 "Authorization":"AWS4-HMAC-SHA256 Credential=ASIA1/20260701/us-east-1/sts/aws4_request, SignedHeaders=%s, Signature=%s"}
                """.formatted(
                        body, FORM, TIME.format(service.now.get()), token, signedHeaders, "0".repeat(64)));
    }

    private static final String HEADERS =
            "content-length;content-type;host;x-amz-date;x-amz-security-token;x-berth-service";

    @Test
    void aLoginInABodyIsExchangedOnceForATokenThatLastsAnHour() {
        for (var login : List.of(json(url(), ""), posted(HEADERS, "for-ci.example", IDENTITY))) {
            var given = exchange(login);
            assertThat(given.status()).as(given.text()).isEqualTo(201);
            assertThat(given.body().path("principal").asString()).isEqualTo("runners");
            assertThat(given.body().path("expiresAt").asString())
                    .isEqualTo(service.now.get().plus(Duration.ofHours(1)).toString());
            var token = given.body().path("token").asString();
            assertThat(service.call(token, "GET", "/pools", null).status()).isEqualTo(200);
            assertThat(exchange(login).body().path("detail").asString()).contains("exchanged before");
            assertThat(service.call(token, "GET", "/tokens", null).status()).isEqualTo(403);
        }
        var events = service.call(Service.VIEWER, "GET", "/events?pool=release", null);
        assertThat(events.text()).contains("token-created", "\"of\":\"runners\"", "\"from\":\"127.0.0.1\"");

        service.now.updateAndGet(now -> now.plus(Duration.ofHours(1)));
        var next = exchange(json(url(), ",\"expires\":\"10m\""));
        assertThat(next.status()).as(next.text()).isEqualTo(201);
        assertThat(service.call(Service.ADMIN, "GET", "/tokens", null)
                        .body()
                        .path("tokens")
                        .size())
                .as("what has ended is gone")
                .isEqualTo(1);
    }

    @Test
    void noOtherLoginInABodyIsExchanged() {
        assertThat(exchange(posted(HEADERS, "for-other.example", IDENTITY)).status())
                .isEqualTo(401);
        assertThat(asked).hasSize(1);
        for (var wrong : List.of(
                posted("content-type;host;x-amz-date", "for-ci.example", IDENTITY),
                posted("x-amz-date;x-berth-service", "for-ci.example", IDENTITY),
                posted("host;host;x-amz-date;x-berth-service", "for-ci.example", IDENTITY),
                posted("accept;host;x-amz-date;x-berth-service", "for-ci.example", IDENTITY),
                posted(HEADERS, "for-ci.example", IDENTITY + "&DurationSeconds=900"),
                posted(HEADERS, "for-ci.example", IDENTITY.replace("GetCallerIdentity", "GetSessionToken")),
                posted(HEADERS, "for-ci.example", "Action=GetCallerIdentity"),
                posted(HEADERS, "for-ci.example", IDENTITY).replace("\"ci.example\"", "\"other.example\""),
                posted(HEADERS, "for-ci.example", IDENTITY).replace("us-east-1/sts", "us-east-1/s3"),
                posted(HEADERS, "for-ci.example", IDENTITY).replace(endpoint() + "/", endpoint() + "/x"),
                posted(HEADERS, "for-ci.example", IDENTITY).replace(endpoint(), "http://169.254.169.254"),
                json(url() + "&Action=AssumeRole", ""))) {
            assertThat(exchange(wrong).status()).as(wrong).isEqualTo(401);
        }
        assertThat(asked).hasSize(1);
        for (var malformed : List.of(
                "",
                "{}",
                json(url(), ",\"body\":\"x\""),
                json(url(), ",\"headers\":{}"),
                json(url(), ",\"method\":\"POST\""),
                json(url(), ",\"expires\":\"2h\""),
                json(url(), ",\"other\":1"))) {
            assertThat(exchange(malformed).status()).as(malformed).isEqualTo(400);
        }
        assertThat(exchange("x".repeat(40_000)).status()).isEqualTo(413);
        assertThat(service.call("", "GET", "/tokens/aws", null).header("Allow")).isEqualTo("POST");
        status = 500;
        assertThat(exchange(json(url(), "")).code()).isEqualTo("identity-unavailable");
        assertThat(asked).hasSize(2);
    }
}
