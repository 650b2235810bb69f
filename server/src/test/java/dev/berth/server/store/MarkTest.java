package dev.berth.server.store;

import static dev.berth.server.store.Samples.NOON;
import static dev.berth.server.store.Samples.policy;
import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.core.PoolName;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whether a file's store begins a new generation when it is opened. */
class MarkTest {
    @TempDir
    private Path folder;

    private Path file() {
        return folder.resolve("berth.db");
    }

    private Path mark() {
        return folder.resolve("berth.db-mark");
    }

    /** Of what the time tells. */
    private static final int AHEAD = 10_000_000;

    private int generation() {
        try (var store = SqliteStore.open(file(), SqliteStore.Synchronous.FULL);
                var transaction = store.begin()) {
            return transaction.moment().generation();
        }
    }

    @Test
    void anOrdinaryStartBeginsNone() {
        assertThat(generation()).isZero();
        assertThat(generation()).isZero();
        try (var store = SqliteStore.open(file(), SqliteStore.Synchronous.FULL);
                var transaction = store.begin()) {
            transaction.create(new PoolName("pool"), policy(), NOON);
            transaction.commit();
        }
        assertThat(generation()).isZero();
        assertThat(mark()).content().startsWith("generation ");
    }

    @Test
    void aStoreThatIsBehindItsMarkBeginsOneAboveAllThatWere() {
        assertThat(generation()).isZero();
        new Mark(file()).note(new Mark.Progress(0, 1));
        assertThat(generation()).isPositive();
        new Mark(file()).note(new Mark.Progress(AHEAD, 0));
        assertThat(generation()).isEqualTo(AHEAD + 1);
        assertThat(generation()).isEqualTo(AHEAD + 1);
    }

    @Test
    void aStoreThatIsAheadOfItsMarkIsWhatACrashLeaves() {
        new Mark(file()).note(new Mark.Progress(AHEAD, 10));
        assertThat(generation())
                .as("a new store beside the mark of an earlier one")
                .isEqualTo(AHEAD + 1);
        new Mark(file()).note(new Mark.Progress(AHEAD, 10));
        assertThat(generation()).isEqualTo(AHEAD + 1);
    }

    @Test
    void aMarkThatIsGoneOrDamagedIsNotTrusted() throws Exception {
        assertThat(generation()).isZero();
        Files.delete(mark());
        int second = generation();
        assertThat(second).isPositive();
        Files.writeString(mark(), "generation");
        int third = generation();
        assertThat(third).isGreaterThan(second);
        assertThat(generation()).isEqualTo(third);
    }

    @Test
    void anotherFileIsAnotherStore() throws Exception {
        assertThat(generation()).isZero();
        var copy = folder.resolve("copy.db");
        Files.copy(file(), copy);
        Files.move(copy, file(), StandardCopyOption.REPLACE_EXISTING);
        assertThat(generation()).isPositive();
    }

    @Test
    void ofTwoThatBeginWithTheSameBackupTheLaterHasTheHigherNumber() {
        long now = Instant.parse("2027-03-01T12:00:00Z").getEpochSecond();
        int first = Generations.next(5, now);
        assertThat(Generations.next(5, now + 180)).isGreaterThan(first);
        assertThat(Generations.next(first, now)).as("at once").isEqualTo(first + 1);
        assertThat(Generations.next(5, Instant.parse("2020-01-01T00:00:00Z").getEpochSecond()))
                .as("by a clock that is wrong")
                .isEqualTo(6);
        assertThat(Generations.next(5, Instant.parse("2112-01-01T00:00:00Z").getEpochSecond()))
                .isEqualTo(6);
        assertThat((long) Generations.next(
                                5, Instant.parse("2056-01-01T00:00:00Z").getEpochSecond())
                        << 29)
                .isLessThan(1L << 53);
    }
}
