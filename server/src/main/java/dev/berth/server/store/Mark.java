package dev.berth.server.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Comparator;
import java.util.Optional;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A note beside a database's file of how far its store has come. A store that is behind it was put back from a copy, which the file itself
 * does not tell: {@code cp} leaves it what it was.
 *
 * <p>Noted is only what is durable, at most once a second, and without a sync: after a crash the note may be behind the store, which
 * says nothing, and never ahead of it.
 */
final class Mark {
    private static final Logger LOG = LoggerFactory.getLogger(Mark.class);
    private static final long EVERY = Duration.ofSeconds(1).toNanos();
    private static final Pattern TEXT = Pattern.compile("generation +([0-9]{1,9}) events +([0-9]{1,18})\\R");

    private final Path file;
    private volatile long notedAt;
    private boolean failed;

    /**
     * @param database the file that the store is in
     */
    Mark(Path database) {
        this.file = database.resolveSibling(database.getFileName() + "-mark");
    }

    /**
     * How far a store has come.
     *
     * @param events how many there ever were
     */
    record Progress(int generation, long events) implements Comparable<Progress> {
        @Override
        public int compareTo(Progress other) {
            return Comparator.comparingInt(Progress::generation)
                    .thenComparingLong(Progress::events)
                    .compare(this, other);
        }
    }

    /** What was noted last; empty where nothing was, or what cannot be read any more. */
    Optional<Progress> read() {
        try {
            var text = TEXT.matcher(Files.readString(file));
            if (text.matches()) {
                return Optional.of(new Progress(Integer.parseInt(text.group(1)), Long.parseLong(text.group(2))));
            }
            LOG.warn("{} is damaged", file);
        } catch (NoSuchFileException e) {
            LOG.debug("{} is not there yet", file);
        } catch (IOException e) {
            LOG.warn("{} cannot be read: {}", file, e.toString());
        }
        return Optional.empty();
    }

    boolean isDue() {
        return System.nanoTime() - notedAt >= EVERY;
    }

    /** A note that cannot be written stops nobody: a full disk is told of once, by this. */
    void note(Progress progress) {
        notedAt = System.nanoTime();
        // Always as long, so that it is overwritten in place by one write.
        var text = "generation %10d events %20d%n".formatted(progress.generation(), progress.events());
        try (var channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII)), 0);
            failed = false;
        } catch (IOException e) {
            if (!failed) {
                LOG.warn("{} cannot be written: {}", file, e.toString());
            }
            failed = true;
        }
    }
}
