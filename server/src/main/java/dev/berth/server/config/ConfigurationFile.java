package dev.berth.server.config;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;

/** The file that a configuration is read from. */
public record ConfigurationFile(Path path) implements ConfigurationSource {
    private static final Duration LOOKING = Duration.ofSeconds(1);
    private static final Duration APART = Duration.ofSeconds(2);

    public ConfigurationFile {
        Objects.requireNonNull(path);
    }

    @Override
    public Path folder(Path data) {
        return folder();
    }

    /** That of the file. */
    public Path folder() {
        Path folder = path.toAbsolutePath().getParent();
        return folder == null ? path.toAbsolutePath() : folder;
    }

    /**
     * Reads the whole text.
     *
     * @throws IOException with a message that names the file and what is wrong: not there, no regular file, not readable, too
     *     large, not UTF-8
     */
    @Override
    public Text read() throws IOException {
        if (Files.exists(path) && !Files.isRegularFile(path)) {
            throw new IOException(path + " is no regular file");
        }
        try (InputStream in = Files.newInputStream(path)) {
            byte[] bytes = in.readNBytes(ConfigurationParser.LARGEST + 1);
            if (bytes.length > ConfigurationParser.LARGEST) {
                throw new IOException(path + " has more than " + ConfigurationParser.LARGEST + " bytes");
            }
            return new Text(
                    StandardCharsets.UTF_8
                            .newDecoder()
                            .decode(ByteBuffer.wrap(bytes))
                            .toString(),
                    null);
        } catch (NoSuchFileException e) {
            throw new IOException(path + " is not there", e);
        } catch (CharacterCodingException e) {
            throw new IOException(path + " is not UTF-8", e);
        }
    }

    /**
     * The change time cannot be set back as the modification time can; where a system does not have it, the answer is empty and the file
     * is read each time.
     */
    @Override
    public Map<String, Object> attributes() {
        try {
            return Files.readAttributes(path, "unix:ino,dev,size,ctime");
        } catch (IOException | UnsupportedOperationException | IllegalArgumentException e) {
            return Map.of();
        }
    }

    @Override
    public Duration apart() {
        return APART;
    }

    @Override
    public Duration looking() {
        return LOOKING;
    }

    @Override
    public String toString() {
        return path.toString();
    }
}
