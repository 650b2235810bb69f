package dev.berth.cli;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/** How to log in to which service, as {@code berth login} was told. No secrets: these stay where AWS's own tools have them. */
final class Logins {
    private final Path file;

    private Logins(Path file) {
        this.file = file;
    }

    /** Those of the user: below the folder for configurations of the XDG base directory specification. */
    static Logins of(Surroundings around) {
        String xdg = around.env().get("XDG_CONFIG_HOME");
        Path folder = xdg != null && Path.of(xdg).isAbsolute()
                ? Path.of(xdg)
                : around.home().resolve(".config");
        return new Logins(folder.resolve("berth").resolve("logins.json"));
    }

    /** How to log in to the service there; empty where nobody said. */
    Optional<AwsLogin.Settings> find(URI service) {
        JsonNode one = read().path(key(service));
        String name = text(one, "service");
        String region = text(one, "region");
        return name == null || region == null
                ? Optional.empty()
                : Optional.of(new AwsLogin.Settings(name, region, text(one, "profile"), text(one, "endpoint")));
    }

    private static @Nullable String text(JsonNode node, String field) {
        return node.path(field).isString() ? node.path(field).stringValue() : null;
    }

    void put(URI service, AwsLogin.Settings settings) {
        ObjectNode all = read();
        all.putObject(key(service))
                .put("kind", "aws")
                .put("service", settings.service())
                .put("region", settings.region())
                .put("profile", settings.profile())
                .put("endpoint", settings.endpoint());
        write(all);
    }

    /** Whether there was one. */
    boolean remove(URI service) {
        ObjectNode all = read();
        boolean was = all.remove(key(service)) != null;
        if (was) {
            write(all);
        }
        return was;
    }

    private static String key(URI service) {
        String text = service.toString().toLowerCase(Locale.ROOT);
        return text.endsWith("/") ? text.substring(0, text.length() - 1) : text;
    }

    private ObjectNode read() {
        try {
            return Json.MAPPER.readTree(Files.readString(file)) instanceof ObjectNode all
                    ? all
                    : Json.MAPPER.createObjectNode();
        } catch (NoSuchFileException e) {
            return Json.MAPPER.createObjectNode();
        } catch (IOException | JacksonException e) {
            throw new CliFailure(ExitCode.NOT_ALLOWED, "cannot read " + file + ": " + e.getMessage(), e);
        }
    }

    private void write(ObjectNode all) {
        try {
            Files.createDirectories(file.getParent());
            Path part = Files.createTempFile(
                    file.getParent(),
                    "logins",
                    ".part",
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            Files.writeString(part, Json.pretty(all.toString()) + "\n");
            Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new CliFailure(ExitCode.DEFECT, "cannot write " + file + ": " + e.getMessage(), e);
        }
    }
}
