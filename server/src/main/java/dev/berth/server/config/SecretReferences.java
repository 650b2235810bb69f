package dev.berth.server.config;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Resolves {@code {file: path}} and {@code {env: NAME}}. Nothing that could be a secret, however wrong its place, goes into a message.
 */
final class SecretReferences {
    static final int LARGEST = 64 * 1024;
    static final int MOST = 100;

    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_-]{1,100}");

    private static final String FORM =
            "must be a reference, { file: path } or { env: NAME }: the secret itself does not belong into this file";

    private final Path folder;
    private final Function<String, @Nullable String> environment;
    private final Mistakes mistakes;

    /** A file that many records name is read once. */
    private final Map<Path, Content> files = new HashMap<>();

    SecretReferences(Path folder, Function<String, @Nullable String> environment, Mistakes mistakes) {
        this.folder = folder;
        this.environment = environment;
        this.mistakes = mistakes;
    }

    /** Those of a mapping of names to references; what is wrong is noted and left out. */
    Map<String, Secret> byName(String path, Yaml value) {
        if (!(value instanceof Yaml.Mapping mapping) || mapping.entries().size() > MOST) {
            mistakes.add(value, path, "must be a mapping of at most " + MOST + " names to references to secrets");
            return Map.of();
        }
        Map<String, Secret> found = new TreeMap<>();
        for (Yaml.Entry entry : Section.unique(path, mapping, mistakes)) {
            String name = entry.key().text();
            if (!NAME.matcher(name).matches()) {
                mistakes.add(entry.key(), path, "has a name that is not 1 to 100 letters, digits, '_' or '-'");
                continue;
            }
            Secret secret = resolve(Section.child(path, name), entry.value());
            if (secret != null) {
                found.put(name, secret);
            }
        }
        return found;
    }

    /** Null where there is none, which is noted. */
    @Nullable
    Secret resolve(String path, Yaml value) {
        if (!(value instanceof Yaml.Mapping mapping)
                || mapping.entries().size() != 1
                || !Keys.REFERENCE.has(mapping.entries().getFirst().key().text())) {
            mistakes.add(value, path, FORM);
            return null;
        }
        Yaml.Entry entry = mapping.entries().getFirst();
        String kind = entry.key().text();
        if (!(entry.value() instanceof Yaml.Scalar scalar)
                || scalar.type() != Yaml.Type.TEXT
                || scalar.text().isEmpty()) {
            mistakes.add(value, path, FORM);
            return null;
        }
        Content content = kind.equals("env") ? variable(scalar.text()) : file(scalar.text());
        if (content.problem() != null) {
            mistakes.add(scalar, Section.child(path, kind), content.problem());
        }
        return content.secret();
    }

    private Content variable(String name) {
        if (!name.matches("[A-Za-z_][A-Za-z0-9_]{0,199}")) {
            return Content.problem("is not the name of a variable: letters, digits and _ are, no digit first");
        }
        String value = environment.apply(name);
        if (value == null || value.isEmpty()) {
            return Content.problem(
                    "names the variable " + name + ", which is " + (value == null ? "not set" : "empty"));
        }
        return value.length() > LARGEST
                ? Content.problem("names the variable " + name + ", which is larger than 64 KiB")
                : Content.secret(value);
    }

    private Content file(String name) {
        try {
            return files.computeIfAbsent(folder.resolve(name).normalize(), SecretReferences::read);
        } catch (InvalidPathException e) {
            return Content.problem("is not a path");
        }
    }

    private static Content read(Path file) {
        String subject = "names the file " + Keys.shown(file.toString()) + ", which ";
        if (!Files.exists(file)) {
            return Content.problem(subject + "is not there");
        }
        if (!Files.isRegularFile(file)) {
            return Content.problem(subject + "is no regular file");
        }
        try (InputStream in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(LARGEST + 1);
            if (bytes.length > LARGEST) {
                return Content.problem(subject + "is larger than 64 KiB");
            }
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
            String secret = text.endsWith("\r\n")
                    ? text.substring(0, text.length() - 2)
                    : text.endsWith("\n") ? text.substring(0, text.length() - 1) : text;
            return secret.isEmpty() ? Content.problem(subject + "is empty") : Content.secret(secret);
        } catch (CharacterCodingException e) {
            return Content.problem(subject + "is not UTF-8");
        } catch (IOException e) {
            return Content.problem(subject + "cannot be read");
        }
    }

    private record Content(
            @Nullable Secret secret, @Nullable String problem) {
        static Content secret(String value) {
            return new Content(new Secret(value), null);
        }

        static Content problem(String text) {
            return new Content(null, text);
        }
    }
}
