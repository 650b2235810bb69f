package dev.berth.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is wrong below the API: each has a problem document all the same. */
class WireTest extends ServiceTest {

    private String exchange(String request) throws IOException {
        try (var socket = new Socket(InetAddress.getLoopbackAddress(), service.port())) {
            socket.setSoTimeout((int) Duration.ofSeconds(60).toMillis());
            socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
            socket.getOutputStream().flush();
            var bytes = new byte[1 << 16];
            int length = 0;
            try {
                for (int more; (more = socket.getInputStream().read(bytes, length, bytes.length - length)) > 0; ) {
                    length += more;
                    var text = new String(bytes, 0, length, StandardCharsets.UTF_8);
                    int body = text.indexOf("\r\n\r\n");
                    if (body > 0 && text.endsWith("}")) {
                        break;
                    }
                }
            } catch (java.net.SocketException e) {
                // closed by the other side: what came before counts
            }
            return new String(bytes, 0, length, StandardCharsets.UTF_8);
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
                GET  HTTP/1.1                            | 400 | malformed-request
                GET /a{b HTTP/1.1                        | 400 | malformed-request
                GET /%zz HTTP/1.1                        | 400 | malformed-request
                BREW /pools HTTP/1.1                     | 405 | method-not-allowed
                """)
    void aBrokenRequestLineIsAProblem(String line, int status, String code) throws IOException {
        problem(exchange(line + "\r\nHost: x\r\n\r\n"), status, code);
    }

    private static void problem(String answer, int status, String code) {
        assertThat(answer).startsWith("HTTP/1.1 " + status);
        assertThat(answer).containsIgnoringCase("content-type: application/problem+json");
        assertThat(answer).containsIgnoringCase("x-request-id: ");
        var body = Service.JSON.readTree(answer.substring(answer.indexOf("\r\n\r\n") + 4));
        assertThat(body.path("code").asString()).isEqualTo(code);
        assertThat(body.path("status").intValue()).isEqualTo(status);
        assertThat(new OpenApi().faults(new OpenApi().document().at("/components/schemas/Problem"), body))
                .isEmpty();
        assertThat(answer).doesNotContain("Exception").doesNotContain("helidon");
    }

    @Test
    void longUrisAndHeadersAreProblems() throws IOException {
        problem(exchange("GET /" + "x".repeat(9_000) + " HTTP/1.1\r\nHost: x\r\n\r\n"), 414, "uri-too-long");
        problem(
                exchange("GET /pools HTTP/1.1\r\nHost: x\r\nX: " + "x".repeat(40_000) + "\r\n\r\n"),
                431,
                "headers-too-large");
    }

    @Test
    void brokenFramingIsAProblem() throws IOException {
        var post = "POST /allocations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " + Service.ALICE + "\r\n";
        problem(exchange(post + "Content-Length: many\r\n\r\n"), 400, "malformed-request");
        problem(exchange(post + "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"), 400, "malformed-request");
        problem(exchange(post + "Content-Length: 99999999999\r\n\r\n"), 413, "body-too-large");
        problem(exchange(post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), 501, "not-implemented");
    }

    @Test
    void nothingIsSaidOfHeadersThatAreNoText() throws IOException {
        var answer = exchange("GET /pools HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \u00ff\u00fe\r\n\r\n");
        assertThat(answer).startsWith("HTTP/1.1 401");
    }
}
