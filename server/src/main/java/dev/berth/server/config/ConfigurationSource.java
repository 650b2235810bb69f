package dev.berth.server.config;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Where a configuration is read from. Its text names it, for people. */
public interface ConfigurationSource {

    /**
     * What its references to other files are relative to.
     *
     * @param data the data folder, for what is in no folder of this machine
     */
    Path folder(Path data);

    /**
     * Reads the whole text.
     *
     * @throws IOException with a message that names it and what is wrong
     */
    Text read() throws IOException;

    /**
     * What changes whenever the text does, so that this need not be read again; empty where that is not known.
     *
     * @throws IOException as for {@link #read}
     */
    Map<String, Object> attributes() throws IOException;

    /** How far apart two reads have to be that agree; zero where it is never there half written. */
    Duration apart();

    /** How often to look at it. */
    Duration looking();

    /**
     * A text.
     *
     * @param version by which it is known where it was read; null for none
     */
    record Text(String text, @Nullable String version) {}
}
