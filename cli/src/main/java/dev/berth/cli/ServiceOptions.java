package dev.berth.cli;

import dev.berth.client.BerthClient;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where the service is and who asks: from the command line, the environment, or the data folder on this machine. */
final class ServiceOptions {
    private final Surroundings around;

    @Option(
            names = "--url",
            paramLabel = "URL",
            description = "Where the service is. Default: BERTH_URL, else the service of the data folder.")
    private @Nullable String url;

    @Option(
            names = "--token-file",
            paramLabel = "FILE",
            description = "The file that holds the bearer token. Default: the token in BERTH_TOKEN, else, for the"
                    + " service of the data folder, its admin token.")
    private @Nullable Path tokenFile;

    @Option(
            names = "--data",
            paramLabel = "DIR",
            description = "The data folder of the service on this machine. Default: BERTH_DATA, else"
                    + " ~/.local/state/berth.")
    private @Nullable Path data;

    ServiceOptions(Surroundings around) {
        this.around = around;
    }

    BerthClient client() {
        return client(Duration.ofSeconds(10));
    }

    /** A client that repeats calls for at most {@code retryFor}. */
    BerthClient client(Duration retryFor) {
        Place place = place();
        return BerthClient.at(place.uri())
                .token(place.token())
                .retryFor(retryFor)
                .build();
    }

    /** The same service for a berth process that this one starts, as environment variables and not as arguments. */
    Map<String, String> asVariables() {
        Place place = place();
        String token = place.token().get();
        return token == null
                ? Map.of("BERTH_URL", place.uri().toString())
                : Map.of("BERTH_URL", place.uri().toString(), "BERTH_TOKEN", token);
    }

    private record Place(URI uri, Supplier<@Nullable String> token) {}

    private Place place() {
        DataFolder folder = data == null ? DataFolder.standard(around) : new DataFolder(data);
        String named = url;
        if (named == null && data == null) {
            named = around.env().get("BERTH_URL");
        }
        if (named != null && !named.isEmpty()) {
            URI uri = checked(named);
            // Its own admin token goes to the service that wrote it and to no other address.
            boolean own = !tokenGiven() && folder.endpoint().equals(Optional.of(uri));
            return new Place(uri, token(own ? folder : null));
        }
        URI uri = folder.endpoint()
                .orElseThrow(() -> new CliFailure(
                        ExitCode.UNAVAILABLE,
                        "no service found: neither --url nor BERTH_URL is given, and none has run on the data folder "
                                + folder.path() + " (start one with 'berth serve' or 'berth demo')"));
        return new Place(uri, token(folder));
    }

    private static URI checked(String text) {
        try {
            URI uri = URI.create(text);
            BerthClient.at(uri);
            return uri;
        } catch (IllegalArgumentException e) {
            throw new CliFailure(ExitCode.USAGE, "'" + text + "': " + e.getMessage(), e);
        }
    }

    private boolean tokenGiven() {
        return tokenFile != null || around.env().containsKey("BERTH_TOKEN");
    }

    private Supplier<@Nullable String> token(@Nullable DataFolder own) {
        Path given = tokenFile;
        if (given != null) {
            return () -> read(given);
        }
        String fromEnv = around.env().get("BERTH_TOKEN");
        if (fromEnv != null && !fromEnv.isBlank()) {
            String token = fit(fromEnv, "BERTH_TOKEN");
            return () -> token;
        }
        if (own == null || !Files.exists(own.adminToken())) {
            return () -> null;
        }
        return () -> read(own.adminToken());
    }

    private static String read(Path file) {
        try {
            return fit(Files.readString(file), file.toString());
        } catch (IOException e) {
            throw new CliFailure(ExitCode.NOT_ALLOWED, "cannot read the token file " + file + ": " + e.getMessage(), e);
        }
    }

    /** Checks here what an HTTP header cannot hold, since the header's own check would show the secret. */
    private static String fit(String token, String where) {
        String stripped = token.strip();
        if (stripped.isEmpty() || !stripped.chars().allMatch(c -> c > 0x20 && c < 0x7f)) {
            throw new CliFailure(ExitCode.NOT_ALLOWED, where + " does not hold a bearer token");
        }
        return stripped;
    }
}
