package dev.berth.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/** AWS as moto plays it: every service on one port, every account there at once. It denies nobody anything; {@link StrictAws} does. */
final class Moto implements AutoCloseable {
    private static final Pattern URL = Pattern.compile("Running on (http://127\\.0\\.0\\.1:[0-9]+)");

    private final Running server;
    private final URI url;

    private Moto(Running server, URI url) {
        this.server = server;
        this.url = url;
    }

    /** Starts it on a free port; returns once it answers. */
    static Moto start(Path folder) {
        var python = PythonEnvironment.install("moto");
        var server = Running.start(
                folder,
                // Of the images and snapshots that everybody can see it has thousands, and looks at each.
                Map.of("MOTO_EC2_LOAD_DEFAULT_AMIS", "false"),
                List.of(python.program("moto_server").toString(), "-H", "127.0.0.1", "-p", "0"));
        try {
            server.await(() ->
                    URL.matcher(server.printed()).find() || !server.process().isAlive());
            var found = URL.matcher(server.printed());
            assertThat(found.find()).as(() -> "moto said " + server.printed()).isTrue();
            return new Moto(server, URI.create(found.group(1)));
        } catch (AssertionError e) {
            server.close();
            throw e;
        }
    }

    URI url() {
        return url;
    }

    @Override
    public void close() {
        server.close();
    }
}
