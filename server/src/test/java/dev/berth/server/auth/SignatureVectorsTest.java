package dev.berth.server.auth;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Signatures against those that AWS publishes. */
class SignatureVectorsTest {
    private static final String SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    private static final Map<String, String> VECTORS = vectors();

    private static Map<String, String> vectors() {
        var all = new LinkedHashMap<String, String>();
        try (var in = Objects.requireNonNull(SignatureVectorsTest.class.getResourceAsStream("sigv4-vectors.txt"))) {
            var blocks = new String(in.readAllBytes(), StandardCharsets.UTF_8).split("(?m)^=== ", -1);
            for (var block : List.of(blocks).subList(1, blocks.length)) {
                int end = block.indexOf('\n');
                all.put(block.substring(0, end), block.substring(end + 1, block.length() - 1));
            }
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        return all;
    }

    static Set<String> names() {
        return VECTORS.keySet();
    }

    /** A request as a text. Lines that begin with a blank go on with the header before. */
    private record Sent(String method, String path, String query, Map<String, List<String>> headers, String text)
            implements SentRequest {
        static Sent of(String text) {
            var parts = text.split("\n\n", 2);
            var lines = parts[0].replaceAll("\n[ \t]", " ").split("\n");
            var target = lines[0].substring(lines[0].indexOf(' ') + 1, lines[0].lastIndexOf(' '));
            var headers = new LinkedHashMap<String, List<String>>();
            for (var line : List.of(lines).subList(1, lines.length)) {
                int colon = line.indexOf(':');
                headers.computeIfAbsent(line.substring(0, colon).toLowerCase(Locale.ROOT), _ -> new ArrayList<>())
                        .add(line.substring(colon + 1));
            }
            int question = target.indexOf('?');
            return new Sent(
                    lines[0].substring(0, lines[0].indexOf(' ')),
                    question < 0 ? target : target.substring(0, question),
                    question < 0 ? "" : target.substring(question + 1),
                    headers,
                    parts.length == 1 ? "" : parts[1]);
        }

        @Override
        public List<String> header(String name) {
            return headers.getOrDefault(name, List.of());
        }

        @Override
        public byte[] body() {
            return text.getBytes(StandardCharsets.UTF_8);
        }

        SignatureHeader signature() {
            return Objects.requireNonNull(
                    SignatureHeader.parse(header("authorization").getFirst()));
        }
    }

    private static boolean fits(Sent request, String secret) throws NoSuchAlgorithmException {
        var signature = request.signature();
        var hash = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(request.body()));
        var texts =
                CanonicalRequest.of(request, List.of(request.path()), request.header("host"), signature.names(), hash);
        return SignatureAuthenticator.matches(
                signature, secret, request.header("x-amz-date").getFirst(), texts);
    }

    @ParameterizedTest
    @MethodSource("names")
    void aSignatureOfAwsFitsItsRequestAndNoOther(String name) throws NoSuchAlgorithmException {
        var text = Objects.requireNonNull(VECTORS.get(name));
        assertThat(fits(Sent.of(text), SECRET)).isTrue();
        assertThat(fits(Sent.of(text), SECRET + "x")).isFalse();
        assertThat(fits(Sent.of("PUT" + text.substring(text.indexOf(' '))), SECRET))
                .isFalse();
        assertThat(fits(Sent.of(text.replaceFirst(" HTTP", "/x HTTP")), SECRET)).isFalse();
        assertThat(fits(Sent.of(text.replaceFirst("example.amazonaws.com", "example.org")), SECRET))
                .isFalse();
        assertThat(fits(Sent.of(text.replaceFirst("Date:20150830T1236", "Date:20150830T1237")), SECRET))
                .isFalse();
        assertThat(fits(Sent.of(text + (text.contains("\n\n") ? "x" : "\n\nx")), SECRET))
                .isFalse();
        assertThat(fits(Sent.of(text.replaceFirst("us-east-1", "us-east-2")), SECRET))
                .isFalse();
        int last = text.lastIndexOf("Signature=") + 73;
        var digit = text.charAt(last) == '0' ? "1" : "0";
        assertThat(fits(Sent.of(text.substring(0, last) + digit + text.substring(last + 1)), SECRET))
                .isFalse();
    }

    @Test
    void allOfThemAreThere() {
        assertThat(VECTORS).hasSize(38).containsKeys("get-vanilla", "get-utf8", "get-slashes-normalized");
    }

    @Test
    void aPlainPathIsWrittenInOneWay() {
        assertThat(CanonicalRequest.written("/allocations/ab-C_1.2~")).containsExactly("/allocations/ab-C_1.2~");
        assertThat(CanonicalRequest.written("//allocations"))
                .containsExactlyInAnyOrder("/allocations", "//allocations");
        assertThat(CanonicalRequest.written("/a%20b")).containsExactlyInAnyOrder("/a%2520b", "/a%20b");
        assertThat(CanonicalRequest.written("/..")).contains("/");
        assertThat(CanonicalRequest.written("")).contains("/");
    }

    @Test
    void aQueryIsReadAsTheServiceReadsIt() {
        assertThat(CanonicalRequest.query("b=2&a=x+y&a=%2f&c&=&")).isEqualTo("=&a=%2F&a=x%20y&b=2&c=");
        assertThat(CanonicalRequest.query("a=%zz%4&b=%")).isEqualTo("a=%25zz%254&b=%25");
        assertThat(CanonicalRequest.query("")).isEmpty();
    }

    @Test
    void aHeaderOfAnotherFormIsNone() {
        var whole = "AWS4-HMAC-SHA256 Credential=K/20150830/r/s/aws4_request, SignedHeaders=host;x-amz-date, Signature="
                + "0123456789abcdef".repeat(4);
        assertThat(SignatureHeader.parse(whole)).isNotNull();
        assertThat(SignatureHeader.parse(whole.replace(", ", ","))).isNotNull();
        var empty = SignatureHeader.parse(whole.replace("/r/s/", "///"));
        assertThat(Objects.requireNonNull(empty).scope()).isEqualTo("20150830///aws4_request");
        for (var other : List.of(
                whole + "0",
                whole.toUpperCase(Locale.ROOT),
                whole.replace("aws4_request", "aws5"),
                whole.replace("host;", "Host;"),
                whole.replace("host;", "host;;"),
                whole.replace("host;", "host;host;"),
                whole.replace("host;", "a;".repeat(60)),
                whole.replace("host;", "x".repeat(5000)),
                whole.replace("K/", "/"),
                whole.replace("20150830", "2015"),
                whole.replace("/r/", "/" + "r".repeat(101) + "/"),
                whole.replace("Signature=", "Signed="),
                "AWS4-HMAC-SHA256",
                "AWS4-HMAC-SHA256 " + "Credential=".repeat(300))) {
            assertThat(SignatureHeader.parse(other)).as(other).isNull();
        }
        assertThat(String.valueOf(SignatureHeader.parse(whole))).doesNotContain("abcdef");
    }

    @Test
    void aPublicUrlHasAHostAndPerhapsAPrefix() {
        assertThat(PublicUrl.parse("https://CI.example:443/berth/")).contains(new PublicUrl("ci.example", "/berth"));
        assertThat(PublicUrl.parse("http://ci.example:8080")).contains(new PublicUrl("ci.example:8080", ""));
        assertThat(PublicUrl.parse("http://[::1]/a/b-c")).contains(new PublicUrl("[::1]", "/a/b-c"));
        for (var none : List.of(
                "ci.example",
                "ftp://ci.example",
                "https://",
                "https://u@ci.example",
                "https://ci.example/?a",
                "https://ci.example/#a",
                "https://ci.example//a",
                "https://ci.example/../a",
                "https://ci.example/a%2Fb",
                "https://ci.example/" + "a".repeat(1000))) {
            assertThat(PublicUrl.parse(none)).as(none).isEmpty();
        }
    }
}
