package dev.berth.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** {@code berth serve} as a process of its own, on a free port and a folder of the test's. */
final class BerthProcess implements AutoCloseable {
    /** The token of whoever the configuration gives {@code token: { env: ROOT_TOKEN }}, and of this class's own commands. */
    static final String ROOT_TOKEN = "token-of-root-for-the-tests-alone";

    private static final String SERVING = "berth: serving ";

    private final Path folder;
    private final Running serve;
    private final URI url;
    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    private BerthProcess(Path folder, Running serve, URI url) {
        this.folder = folder;
        this.serve = serve;
        this.url = url;
    }

    /**
     * Starts it; returns once it serves.
     *
     * @param yaml its configuration
     * @param variables that the configuration names
     * @param more arguments of {@code serve}
     */
    static BerthProcess start(Path folder, String yaml, Map<String, String> variables, String... more) {
        try {
            Files.writeString(folder.resolve("berth.yaml"), yaml);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return startFrom(folder, folder.resolve("berth.yaml").toString(), variables, more);
    }

    /**
     * Starts it on a configuration that somebody else keeps; returns once it serves.
     *
     * @param config where that is, as {@code --config} takes it
     */
    static BerthProcess startFrom(Path folder, String config, Map<String, String> variables, String... more) {
        var args = new ArrayList<>(List.of("serve", "--config", config, "--port", "0"));
        args.addAll(List.of(more));
        var serve = Running.start(folder, with(folder, variables), line(args));
        try {
            serve.await(
                    () -> serve.errors().contains(SERVING) || !serve.process().isAlive());
            var url = serve.errors()
                    .lines()
                    .filter(line -> line.startsWith(SERVING))
                    .map(line -> URI.create(line.substring(SERVING.length()).strip()))
                    .findFirst()
                    .orElseThrow(() -> new AssertionError("it does not serve; it said: " + serve.printed()));
            return new BerthProcess(folder, serve, url);
        } catch (AssertionError e) {
            serve.close();
            throw e;
        }
    }

    private static Map<String, String> with(Path folder, Map<String, String> variables) {
        var all = new HashMap<>(variables);
        all.put("BERTH_DATA", folder.resolve("data").toString());
        all.put("BERTH_TOKEN", ROOT_TOKEN);
        all.put("ROOT_TOKEN", ROOT_TOKEN);
        return all;
    }

    private static List<String> line(List<String> args) {
        var line = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                System.getProperty("java.class.path"),
                "dev.berth.cli.Main"));
        line.addAll(args);
        return line;
    }

    URI url() {
        return url;
    }

    /** What it printed so far, its log included. */
    String printed() {
        return serve.printed();
    }

    /** Runs {@code berth} as the one with {@link #ROOT_TOKEN}, to a good end, and tells what it printed. */
    String berth(String... args) {
        return Running.done(folder, with(folder, Map.of()), Running.PATIENCE, line(List.of(args)));
    }

    /**
     * Calls it.
     *
     * @param token sent as bearer token; null for none
     * @param body null for none
     * @param headers names and values in turn
     */
    HttpResponse<String> call(
            @Nullable String token, String method, String path, @Nullable String body, String... headers) {
        var request = HttpRequest.newBuilder(url.resolve(path))
                .timeout(Running.PATIENCE.multipliedBy(2))
                .method(method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body));
        if (token != null) {
            request.header("Authorization", "Bearer " + token);
        }
        if (headers.length > 0) {
            request.headers(headers);
        }
        try {
            return http.send(request.build(), BodyHandlers.ofString());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /** How many environments of all its pools are free. */
    int available() {
        var status = call(null, "GET", "/", null);
        assertThat(status.statusCode()).isEqualTo(200);
        var counted = status.body().replaceAll("(?s).*\"available\":(\\d+).*", "$1");
        return Integer.parseInt(counted);
    }

    /** Ends at once, as {@code kill -9}. */
    @Override
    public void close() {
        http.shutdownNow();
        serve.close();
    }
}
