package dev.berth.cli;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;

/** The folder in which a service on this machine keeps its things, and what it leaves there for its clients. */
final class DataFolder {
    private final Path path;

    DataFolder(Path path) {
        this.path = path;
    }

    /** Where the folder is when nothing says otherwise. */
    static DataFolder standard(Surroundings around) {
        String named = around.env().get("BERTH_DATA");
        if (named != null && !named.isEmpty()) {
            return new DataFolder(Path.of(named));
        }
        return new DataFolder(state(around).resolve("berth"));
    }

    /** The folder for programs' state: the XDG base directory specification's, or the one of macOS. */
    static Path state(Surroundings around) {
        String xdg = around.env().get("XDG_STATE_HOME");
        if (xdg != null && Path.of(xdg).isAbsolute()) {
            return Path.of(xdg);
        }
        boolean mac = System.getProperty("os.name", "").toLowerCase(Locale.ROOT).contains("mac");
        return mac
                ? around.home().resolve("Library/Application Support")
                : around.home().resolve(".local/state");
    }

    Path path() {
        return path;
    }

    Path adminToken() {
        return path.resolve("admin-token");
    }

    /**
     * Where a service listens.
     *
     * @param certificate SHA-256 of the certificate that it shows, in hexadecimal; null where it speaks plain HTTP
     */
    record Endpoint(URI uri, @Nullable String certificate) {}

    /** Where the service on this machine listens; empty when none ever did. */
    Optional<Endpoint> endpoint() {
        Path file = path.resolve("endpoint.json");
        try {
            JsonNode endpoint = Json.MAPPER.readTree(Files.readString(file));
            JsonNode url = endpoint.path("url");
            if (url.isString()) {
                JsonNode certificate = endpoint.path("certificate");
                return Optional.of(new Endpoint(
                        URI.create(url.stringValue()), certificate.isString() ? certificate.stringValue() : null));
            }
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IOException e) {
            throw new CliFailure(ExitCode.UNAVAILABLE, "cannot read " + file + ": " + e.getMessage(), e);
        } catch (JacksonException | IllegalArgumentException e) {
            throw new CliFailure(ExitCode.UNAVAILABLE, file + " is damaged; name the service with --url", e);
        }
        throw new CliFailure(ExitCode.UNAVAILABLE, file + " names no url; name the service with --url");
    }
}
