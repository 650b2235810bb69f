package dev.berth.server.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.berth.server.config.ConfigurationWatcher.Seen;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;

/** On a small server that answers as S3 does, for one object. */
class ConfigurationInS3Test {
    private final List<String> asked = new CopyOnWriteArrayList<>();
    private HttpServer server;
    private S3Client client;
    private ConfigurationInS3 source;
    private volatile int status = 200;
    private volatile String content = "pools: {}\n";
    private volatile String version = "";

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", this::answer);
        server.start();
        client = S3Client.builder()
                .httpClient(UrlConnectionHttpClient.create())
                .endpointOverride(
                        URI.create("http://127.0.0.1:" + server.getAddress().getPort()))
                .credentialsProvider(StaticCredentialsProvider.create(AwsBasicCredentials.create("AKIA1", "hush")))
                .region(Region.US_EAST_1)
                .build();
        source = new ConfigurationInS3("bucket", "ci/berth.yaml", () -> client);
    }

    @AfterEach
    void stop() {
        client.close();
        server.stop(0);
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            asked.add(exchange.getRequestMethod() + " " + exchange.getRequestURI());
            var body = content.getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders()
                    .set("ETag", "\"" + Configuration.digestOf(content).substring(0, 8) + "\"");
            if (!version.isEmpty()) {
                exchange.getResponseHeaders().set("x-amz-version-id", version);
            }
            if (exchange.getRequestMethod().equals("HEAD")) {
                exchange.getResponseHeaders().set("Content-Length", String.valueOf(body.length));
                exchange.sendResponseHeaders(status, -1);
            } else {
                exchange.sendResponseHeaders(status, body.length);
                exchange.getResponseBody().write(body);
            }
        }
    }

    @Test
    void theObjectIsReadWithItsVersion() throws IOException {
        assertThat(source.read().text()).isEqualTo(content);
        assertThat(asked).containsExactly("GET /bucket/ci/berth.yaml");
        assertThat(source.read().version()).as("the ETag, without versions").matches("\"[0-9a-f]{8}\"");
        version = "3sL4kqtJlcpXroDTDmJ";
        assertThat(source.read().version()).isEqualTo(version);
        assertThat(source).hasToString("s3://bucket/ci/berth.yaml");
    }

    @Test
    void aChangeIsSeenByItsETagAndNothingElseIsRead() {
        var watcher = new ConfigurationWatcher(source, Configuration.digestOf(content));
        long at = 0;
        for (int i = 0; i < 5; i++) {
            assertThat(watcher.poll(at += Duration.ofSeconds(10).toNanos())).isInstanceOf(Seen.Nothing.class);
        }
        assertThat(asked.stream().filter(line -> line.startsWith("GET"))).hasSize(1);
        content = "pools: {} # new\n";
        version = "v2";
        assertThat(watcher.poll(at += Duration.ofSeconds(10).toNanos()))
                .isEqualTo(new Seen.Changed(content, Configuration.digestOf(content), "v2"));
        status = 404;
        assertThat(watcher.poll(at + Duration.ofSeconds(10).toNanos()))
                .isEqualTo(new Seen.Unreadable("s3://bucket/ci/berth.yaml is not there"));
    }

    @Test
    void whatCannotBeReadIsSaidWithoutSecrets() {
        status = 403;
        assertThatThrownBy(source::read)
                .isInstanceOf(IOException.class)
                .hasMessageContaining("s3://bucket/ci/berth.yaml may not be read")
                .hasMessageNotContaining("hush");
    }

    @ParameterizedTest
    @ValueSource(strings = {"s3://bucket", "s3://bucket/", "s3:///key", "s3://UPPER/key", "s3://a/key", "/s3/file"})
    void whatIsNoObjectIsNone(String text) {
        assertThat(ConfigurationInS3.of(text)).isEmpty();
    }
}
