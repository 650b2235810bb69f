package dev.berth.server.config;

import java.io.IOException;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Sees when the configuration file has a new text. Has no thread and no clock: whoever owns it polls, one call at a time.
 *
 * <p>A text counts once two reads agree that are at least {@link ConfigurationSource#apart} apart, so that a file which is being written is
 * not used half.
 */
public final class ConfigurationWatcher {
    private final ConfigurationSource source;
    private String reported;
    private @Nullable Candidate candidate;

    /** What the file looked like when its text was read twice and was the reported one; null until then. */
    private @Nullable Map<String, Object> settled;

    /** @param reported the digest of the text that needs no report: what was read at start */
    public ConfigurationWatcher(ConfigurationSource source, String reported) {
        this.source = source;
        this.reported = reported;
    }

    private record Candidate(String digest, Map<String, Object> attributes, long nanoTime) {}

    /** What a look at the file found. */
    public sealed interface Seen {
        /** Nothing that was not reported before, or nothing yet that is sure. */
        record Nothing() implements Seen {}

        /**
         * A new text. It is reported once, whether it turns out to be usable or not.
         *
         * @param version as {@link ConfigurationSource.Text} has it
         */
        record Changed(String text, String digest, @Nullable String version) implements Seen {
            @Override
            public String toString() {
                return "Changed[" + digest + "]";
            }
        }

        /**
         * The file cannot be read now: what is in force stays.
         *
         * @param reason names the file and what is wrong
         */
        record Unreadable(String reason) implements Seen {}
    }

    /**
     * Looks at the file.
     *
     * @param nanoTime of the monotonic clock, as {@link System#nanoTime()}
     */
    public Seen poll(long nanoTime) {
        try {
            return look(nanoTime);
        } catch (IOException e) {
            candidate = null;
            settled = null;
            String message = e.getMessage();
            return new Seen.Unreadable(message == null ? source + " cannot be read" : message);
        }
    }

    private Seen look(long nanoTime) throws IOException {
        // Before the text: a change in between shows next time.
        Map<String, Object> attributes = source.attributes();
        if (!attributes.isEmpty() && attributes.equals(settled)) {
            return new Seen.Nothing();
        }
        ConfigurationSource.Text text = source.read();
        String digest = Configuration.digestOf(text.text());
        if (!source.apart().isZero() && !agrees(digest, attributes, nanoTime)) {
            return new Seen.Nothing();
        }
        candidate = null;
        settled = attributes;
        if (digest.equals(reported)) {
            return new Seen.Nothing();
        }
        reported = digest;
        return new Seen.Changed(text.text(), digest, text.version());
    }

    /** Whether a read so long ago that it counts saw the same. */
    private boolean agrees(String digest, Map<String, Object> attributes, long nanoTime) {
        Candidate before = candidate;
        if (before == null
                || !before.digest().equals(digest)
                || !before.attributes().equals(attributes)) {
            candidate = new Candidate(digest, attributes, nanoTime);
            return false;
        }
        return nanoTime - before.nanoTime() >= source.apart().toNanos();
    }
}
