package dev.berth.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.server.auth.AccessKeyDesk;
import dev.berth.server.auth.AccessVault;
import dev.berth.server.auth.Directory;
import dev.berth.server.auth.Principal;
import dev.berth.server.auth.Role;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

/** Callers who sign. */
class SignaturesTest extends ServiceTest {
    private static final String ASK = "{\"pool\":\"release\",\"requester\":\"job-1\"}";

    private Signer alice = new Signer("", "", "/");

    @BeforeEach
    void begin() {
        service.pool("release", Service.policy(), 3);
        alice = signer("alice", "us-east-1/");
    }

    private Signer signer(String principal, String scope) {
        return signer(made("{\"principal\":\"" + principal + "\",\"sigv4\":true}"), scope);
    }

    private static Signer signer(JsonNode key, String scope) {
        return new Signer(
                key.path("accessKeyId").asString(), key.path("secretAccessKey").asString(), scope);
    }

    private JsonNode made(String body) {
        var made = service.call(Service.ADMIN, "POST", "/tokens", body);
        assertThat(made.status()).isEqualTo(201);
        return made.body();
    }

    private String host() {
        return "127.0.0.1:" + service.port();
    }

    /** What is sent, and beside it what is signed in place of it. */
    private record Wish(String method, String target, String body, String host, String path, String query) {
        static Wish of(SignaturesTest test, String method, String target, String body) {
            var parts = target.split("\\?", 2);
            return new Wish(method, target, body, test.host(), parts[0], parts.length > 1 ? parts[1] : "");
        }

        Wish signedPath(String other) {
            return new Wish(method, target, body, host, other, query);
        }

        Wish signedHost(String other) {
            return new Wish(method, target, body, other, path, query);
        }

        Wish sentBody(String other) {
            return new Wish(method, target, other, host, path, query);
        }
    }

    private Wish ask() {
        return Wish.of(this, "POST", "/allocations", ASK);
    }

    private record Told(int status, JsonNode body) {
        String detail() {
            return body.path("detail").asString();
        }
    }

    private Told send(Signer signer, Wish wish) {
        return send(wish, headers(signer, wish, Map.of()));
    }

    private Map<String, String> headers(Signer signer, Wish wish, Map<String, String> more) {
        return signer.sign(service.now.get(), wish.method, wish.host, wish.path, wish.query, wish.body, more);
    }

    private Told send(Wish wish, Map<String, String> headers) {
        var request = HttpRequest.newBuilder(service.uri(wish.target))
                .method(wish.method, wish.body.isEmpty() ? BodyPublishers.noBody() : BodyPublishers.ofString(wish.body))
                .timeout(Duration.ofSeconds(30));
        headers.forEach(request::header);
        HttpResponse<String> answer = service.client()
                .sendAsync(request.build(), BodyHandlers.ofString())
                .join();
        return new Told(answer.statusCode(), Service.JSON.readTree(answer.body()));
    }

    private void refused(Told told, String why) {
        assertThat(told.status()).as(told.body().toString()).isEqualTo(401);
        assertThat(told.detail()).contains(why);
        assertThat(told.body().toString()).doesNotContain(alice.secret());
    }

    @Test
    void whoSignsBorrowsAndReturns() {
        var lent = send(alice, ask());
        assertThat(lent.status()).isEqualTo(200);
        var id = lent.body().path("id").asString();
        assertThat(service.store
                        .allocations(new dev.berth.server.store.Store.AllocationQuery(null, null, null, null, null, 10))
                        .items())
                .extracting(allocation -> allocation.principal())
                .containsExactly("alice");
        assertThat(send(alice, Wish.of(this, "GET", "/allocations/" + id, "")).status())
                .isEqualTo(200);
        var listed = send(alice, Wish.of(this, "GET", "/allocations?limit=5&pool=release", ""));
        assertThat(listed.body().path("allocations").size()).isEqualTo(1);
        var returned = send(alice, Wish.of(this, "DELETE", "/allocations/" + id, "{\"outcome\":\"success\"}"));
        assertThat(returned.status()).isEqualTo(200);
        assertThat(send(signer("bob", "eu-central-1/execute-api"), Wish.of(this, "GET", "/allocations/" + id, ""))
                        .status())
                .isEqualTo(404);
    }

    /** As after the file of the service's own key was lost, and another one was made. */
    @Test
    void aKeyWhoseSecretCanBeReadNoMoreLetsNobodyIn() throws Exception {
        var directory = Directory.of(
                List.of(new Directory.Listed(new Principal("alice", Set.of(Role.CONSUMER), null), List.of())));
        var key = new AccessKeyDesk(
                        service.store,
                        AccessVault.open(folder.resolve("lost.key")),
                        () -> directory,
                        service.now::get,
                        new SecureRandom())
                .create("alice", null)
                .orElseThrow();
        var told = send(new Signer(key.key().id(), key.secret(), "us-east-1/"), ask());
        refused(told, "can be read no more");
        assertThat(told.body().toString()).doesNotContain(key.secret());
        assertThat(send(alice, ask()).status()).isEqualTo(200);
    }

    @Test
    void twoWithTheSameWordsInTheSameSecondGetALoanEach() {
        var headers = headers(alice, ask(), Map.of());
        var ids = List.of(send(ask(), headers), send(ask(), headers)).stream()
                .map(told -> told.body().path("id").asString())
                .toList();
        assertThat(ids).doesNotHaveDuplicates().doesNotContain("");
    }

    @Test
    void anyRegionAndServiceIsTaken() {
        for (var scope : List.of("/", "us-east-1/execute-api", "eu-west-1/s3", "/berth")) {
            var signer = new Signer(alice.key(), alice.secret(), scope);
            assertThat(send(signer, Wish.of(this, "GET", "/pools", "")).status())
                    .as(scope)
                    .isEqualTo(200);
        }
    }

    @Test
    void anAddressThatEndsWithASlashIsSignedInEitherWay() {
        var wish = Wish.of(this, "GET", "//pools", "");
        assertThat(send(alice, wish).status()).isEqualTo(200);
        assertThat(send(alice, wish.signedPath("/pools")).status()).isEqualTo(200);
        refused(send(alice, wish.signedPath("/allocations")), "does not fit");
        assertThat(send(alice, Wish.of(this, "POST", "///allocations", ASK)).status())
                .isEqualTo(200);
    }

    @Test
    void thePrefixThatCallersKnowMayStayOrBeTakenOffByAProxyThatAlsoTellsAnotherHost() {
        for (var target : List.of("/pools", "//pools", "/berth/pools", "/berth//pools")) {
            var wish = Wish.of(this, "GET", target, "");
            assertThat(send(alice, wish).status()).as(target).isEqualTo(200);
            for (var host : List.of(host(), "ci.example")) {
                assertThat(send(alice, wish.signedPath("/berth/pools").signedHost(host))
                                .status())
                        .as(target)
                        .isEqualTo(200);
            }
            refused(send(alice, wish.signedHost("ci.example.org")), "does not fit");
            refused(send(alice, wish.signedPath("/other/pools")), "does not fit");
        }
        assertThat(send(alice, Wish.of(this, "GET", "/berth", ""))
                        .body()
                        .path("service")
                        .asString())
                .isEqualTo("berth");
        assertThat(send(alice, Wish.of(this, "GET", "/berthpools", "")).status())
                .isEqualTo(404);
        assertThat(send(alice, Wish.of(this, "GET", "/berth/berth/pools", "")).status())
                .isEqualTo(404);
    }

    @Test
    void aBearerTokenMayComeByTheseWaysToo() {
        for (var target : List.of("//pools", "/berth/pools")) {
            assertThat(send(Wish.of(this, "GET", target, ""), Map.of("Authorization", "Bearer " + Service.ALICE))
                            .status())
                    .isEqualTo(200);
        }
    }

    @Test
    void theBodyIsWhatWasSigned() {
        var headers = headers(alice, ask(), Map.of());
        refused(send(ask().sentBody(ASK.replace("job-1", "job-2")), headers), "does not fit");
        refused(send(ask().sentBody(""), headers), "does not fit");
        var hashed = Map.of("x-amz-content-sha256", Signer.hash(ASK));
        assertThat(send(ask(), headers(alice, ask(), hashed)).status()).isEqualTo(200);
        refused(send(ask().sentBody(ASK + " "), headers(alice, ask(), hashed)), "x-amz-content-sha256");
        var unsigned = Map.of("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
        refused(send(ask(), headers(alice, ask(), unsigned)), "x-amz-content-sha256");
    }

    @Test
    void theClockMayBeFifteenMinutesOff() {
        for (int minutes : new int[] {-15, 0, 15}) {
            var at = service.now.get().plus(Duration.ofMinutes(minutes));
            var wish = Wish.of(this, "GET", "/pools", "");
            assertThat(send(wish, alice.sign(at, "GET", host(), "/pools", "", "", Map.of()))
                            .status())
                    .isEqualTo(200);
            var beyond = at.plusSeconds(minutes < 0 ? -1 : 901);
            refused(send(wish, alice.sign(beyond, "GET", host(), "/pools", "", "", Map.of())), "set the clock");
        }
    }

    @Test
    void whatIsNotSignedOrDidNotArriveIsTold() {
        var wish = Wish.of(this, "GET", "/pools", "");
        var headers = headers(alice, wish, Map.of("x-more", "1"));
        var without = new java.util.HashMap<>(headers);
        without.remove("x-more");
        refused(send(wish, without), "x-more");
        var authorization = Objects.requireNonNull(headers.get("Authorization"));
        refused(
                send(wish, with(headers, "Authorization", authorization.replace("host;", ""))),
                "must have host and x-amz-date");
        refused(
                send(wish, with(headers, "Authorization", authorization.replace("host;x-amz-date;", "host;"))),
                "must have host and x-amz-date");
        refused(send(wish, with(headers, "Authorization", authorization.substring(0, 60))), "must read");
        refused(
                send(wish, with(headers, "Authorization", authorization.replace("HMAC-SHA256", "ECDSA-P256-SHA256"))),
                "AWS4-HMAC-SHA256 is understood");
        refused(send(wish, with(headers, "x-amz-date", "20260231T000000Z")), "x-amz-date");
        refused(send(wish, with(headers, "x-amz-date", "yesterday")), "x-amz-date");
        refused(send(wish, with(headers, "x-amz-date", "20260702T120000Z")), "date");
        refused(send(wish, with(headers, "x-more", "2")), "does not fit");
    }

    private static Map<String, String> with(Map<String, String> headers, String name, String value) {
        var all = new java.util.HashMap<>(headers);
        all.put(name, value);
        return all;
    }

    @Test
    void aSessionTokenIsRefusedForAKeyThatHasNone() {
        var wish = Wish.of(this, "GET", "/pools", "");
        refused(send(wish, headers(alice, wish, Map.of("x-amz-security-token", "abc"))), "AWS_SESSION_TOKEN");
        refused(send(wish, with(headers(alice, wish, Map.of()), "x-amz-security-token", "abc")), "AWS_SESSION_TOKEN");
    }

    @Test
    void aPreSignedAddressIsRefused() {
        var wish = Wish.of(this, "GET", "/pools?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=00", "");
        refused(send(wish, Map.of()), "pre-signed");
    }

    @Test
    void anotherSecretAndAnUnknownKeyAreRefused() {
        refused(send(new Signer(alice.key(), alice.secret() + "x", "/"), ask()), "does not fit");
        refused(send(new Signer("AKIAIOSFODNN7EXAMPLE", alice.secret(), "/"), ask()), "no such access key");
        var unknown = alice.key().substring(0, 19) + (alice.key().endsWith("A") ? "B" : "A");
        refused(send(new Signer(unknown, alice.secret(), "/"), ask()), "no such access key");
        assertThat(service.store.accessKeys().getFirst().lastUsedAt()).isNull();
        send(alice, ask());
        assertThat(service.store.accessKeys().getFirst().lastUsedAt()).isEqualTo(service.now.get());
    }

    @Test
    void aKeyEndsAtItsTimeAndWhenItIsRevoked() {
        var day = made("{\"principal\":\"alice\",\"sigv4\":true,\"expires\":\"1d\"}");
        var wish = Wish.of(this, "GET", "/pools", "");
        assertThat(send(signer(day, "/"), wish).status()).isEqualTo(200);
        service.now.updateAndGet(now -> now.plus(Duration.ofDays(1)));
        refused(send(signer(day, "/"), wish), "has expired");
        assertThat(send(alice, wish).status()).isEqualTo(200);
        var listed = service.call(Service.ADMIN, "GET", "/tokens", null);
        assertThat(listed.body()
                        .path("tokens")
                        .valueStream()
                        .map(token -> token.path("kind").asString()))
                .containsExactly("sigv4", "sigv4");
        assertThat(listed.text()).doesNotContain(alice.secret());
        assertThat(service.call(Service.ADMIN, "DELETE", "/tokens/" + alice.key(), null)
                        .status())
                .isEqualTo(200);
        refused(send(alice, wish), "no such access key");
        assertThat(service.call(Service.ADMIN, "DELETE", "/tokens/" + alice.key(), null)
                        .status())
                .isEqualTo(404);
    }

    @Test
    void aRoleCountsForWhoSignsToo() {
        var told = send(signer("vera", "/"), ask());
        assertThat(told.status()).isEqualTo(403);
        assertThat(send(new Signer(alice.key(), "wrong", "/"), Wish.of(this, "GET", "/tokens", ""))
                        .status())
                .isEqualTo(401);
    }

    @Test
    void theSecretIsEncryptedInTheStore() {
        assertThat(service.store.accessKeys().getFirst().secret().text())
                .doesNotContain(alice.secret())
                .hasSizeGreaterThan(80);
        assertThat(service.store.accessKeys().toString()).doesNotContain(alice.secret());
    }

    @Test
    void aBodyThatIsTooLargeIsRefusedThoughItIsSigned() {
        var wish = ask().sentBody("x".repeat(Route.BODY_LIMIT + 1));
        assertThat(send(alice, wish).status()).isEqualTo(413);
    }

    @Test
    void whoseKeyIsUnknownIsAnsweredBeforeTheBodyIsThere() throws IOException {
        var wish = ask();
        var headers = new Signer("BERTHAAAAAAAAAAAAAAA", "x", "/")
                .sign(service.now.get(), "POST", host(), "/allocations", "", ASK, Map.of());
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), service.port())) {
            socket.setSoTimeout(30_000);
            var head = new StringBuilder("POST /allocations HTTP/1.1\r\nHost: " + host() + "\r\nContent-Length: "
                    + wish.body.length() + "\r\n");
            headers.forEach((name, value) ->
                    head.append(name).append(": ").append(value).append("\r\n"));
            socket.getOutputStream().write((head + "\r\n").getBytes(StandardCharsets.US_ASCII));
            var line = new StringBuilder();
            for (int next = socket.getInputStream().read();
                    next >= 0 && next != '\r';
                    next = socket.getInputStream().read()) {
                line.append((char) next);
            }
            assertThat(line.toString()).startsWith("HTTP/1.1 401");
        }
    }

    @Test
    void aKeyIsMadeForAPrincipalThatIsThere() {
        assertThat(service.call(Service.ADMIN, "POST", "/tokens", "{\"principal\":\"nobody\",\"sigv4\":true}")
                        .status())
                .isEqualTo(400);
        var wrong = service.call(Service.ADMIN, "POST", "/tokens", "{\"principal\":\"alice\",\"sigv4\":\"yes\"}");
        assertThat(wrong.status()).isEqualTo(400);
        assertThat(wrong.text()).contains("sigv4").contains("must be true or false");
        assertThat(made("{\"principal\":\"alice\",\"sigv4\":false}").has("token"))
                .isTrue();
    }
}
