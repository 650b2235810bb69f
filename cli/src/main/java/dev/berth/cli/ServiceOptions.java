package dev.berth.cli;

import dev.berth.client.BerthClient;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where the service is and who asks: from the command line, the environment, or the data folder on this machine. */
final class ServiceOptions {
    private static final Duration RETRIES = Duration.ofSeconds(10);

    private final Surroundings around;

    @Option(
            names = "--url",
            paramLabel = "URL",
            description = "Where the service is. Default: BERTH_URL, else the service of the data folder.")
    private @Nullable String url;

    @Option(
            names = "--token-file",
            paramLabel = "FILE",
            description =
                    "The file that holds the bearer token. Default: the token in BERTH_TOKEN, else what"
                            + " 'berth login' was told of the service, else, for the service of the data folder, its admin token.")
    private @Nullable Path tokenFile;

    @Option(
            names = "--data",
            paramLabel = "DIR",
            description = "The data folder of the service on this machine. Default: BERTH_DATA, else"
                    + " ~/.local/state/berth.")
    private @Nullable Path data;

    @Option(
            names = "--ca-file",
            paramLabel = "FILE",
            description = "The authorities to trust where the service is called by https, in PEM. Default:"
                    + " BERTH_CA_FILE, else those of the JDK; of the service of the data folder, its own certificate.")
    private @Nullable Path caFile;

    ServiceOptions(Surroundings around) {
        this.around = around;
    }

    BerthClient client() {
        return client(RETRIES);
    }

    /** Where the service is. */
    URI uri() {
        return place().uri();
    }

    /** A client that logs in like this. */
    BerthClient client(Supplier<@Nullable String> authorization) {
        return client(place(), RETRIES, authorization);
    }

    /** A client that repeats calls for at most {@code retryFor}. */
    BerthClient client(Duration retryFor) {
        Place place = place();
        return client(place, retryFor, authorization(place));
    }

    /** A token, or what 'berth login' was told. */
    private Supplier<@Nullable String> authorization(Place place) {
        AwsLogin login = tokenGiven()
                ? null
                : Logins.of(around)
                        .find(place.uri())
                        .map(settings -> AwsLogin.of(settings, around.env()))
                        .orElse(null);
        if (login != null) {
            return login;
        }
        return () -> {
            String token = place.token().get();
            return token == null ? null : "Bearer " + token;
        };
    }

    private BerthClient client(Place place, Duration retryFor, Supplier<@Nullable String> authorization) {
        BerthClient.Builder client =
                BerthClient.at(place.uri()).authorization(authorization).retryFor(retryFor);
        Path authorities = authorities();
        if (authorities != null) {
            trust(client, authorities);
        } else if (place.certificate() != null) {
            client.sslContext(ShownCertificate.only(place.certificate()));
        }
        return client.build();
    }

    private @Nullable Path authorities() {
        if (caFile != null) {
            return caFile;
        }
        String named = around.env().get("BERTH_CA_FILE");
        return named == null || named.isEmpty() ? null : Path.of(named);
    }

    private static void trust(BerthClient.Builder client, Path authorities) {
        try {
            client.caFile(authorities);
        } catch (IllegalArgumentException e) {
            throw new CliFailure(ExitCode.USAGE, "--ca-file, BERTH_CA_FILE: " + e.getMessage(), e);
        }
    }

    /**
     * Where the service is.
     *
     * @param certificate as {@link DataFolder.Endpoint} has it, of the service of the data folder alone
     */
    private record Place(
            URI uri,
            Supplier<@Nullable String> token,
            @Nullable String certificate) {}

    private Place place() {
        DataFolder folder = data == null ? DataFolder.standard(around) : new DataFolder(data);
        String named = url;
        if (named == null && data == null) {
            named = around.env().get("BERTH_URL");
        }
        if (named != null && !named.isEmpty()) {
            URI uri = checked(named);
            // Its own admin token goes to the service that wrote it and to no other address.
            boolean own = !tokenGiven()
                    && folder.endpoint().map(DataFolder.Endpoint::uri).equals(Optional.of(uri));
            return new Place(uri, token(own ? folder : null), null);
        }
        DataFolder.Endpoint endpoint = folder.endpoint()
                .orElseThrow(() -> new CliFailure(
                        ExitCode.UNAVAILABLE,
                        "no service found: neither --url nor BERTH_URL is given, and none has run on the data folder "
                                + folder.path() + " (start one with 'berth serve' or 'berth demo')"));
        return new Place(endpoint.uri(), token(folder), endpoint.certificate());
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
