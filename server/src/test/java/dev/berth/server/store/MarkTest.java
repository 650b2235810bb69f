package dev.berth.server.store;

import static dev.berth.server.store.Samples.NOON;
import static dev.berth.server.store.Samples.policy;
import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.core.PoolName;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
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
        assertThat(generation()).isEqualTo(1);
        new Mark(file()).note(new Mark.Progress(7, 0));
        assertThat(generation()).isEqualTo(8);
        assertThat(generation()).isEqualTo(8);
    }

    @Test
    void aStoreThatIsAheadOfItsMarkIsWhatACrashLeaves() {
        new Mark(file()).note(new Mark.Progress(3, 10));
        assertThat(generation())
                .as("a new store beside the mark of an earlier one")
                .isEqualTo(4);
        new Mark(file()).note(new Mark.Progress(3, 10));
        assertThat(generation()).isEqualTo(4);
    }

    @Test
    void aMarkThatIsGoneOrDamagedIsNotTrusted() throws Exception {
        assertThat(generation()).isZero();
        Files.delete(mark());
        assertThat(generation()).isEqualTo(1);
        Files.writeString(mark(), "generation");
        assertThat(generation()).isEqualTo(2);
        assertThat(generation()).isEqualTo(2);
    }

    @Test
    void anotherFileIsAnotherStore() throws Exception {
        assertThat(generation()).isZero();
        var copy = folder.resolve("copy.db");
        Files.copy(file(), copy);
        Files.move(copy, file(), StandardCopyOption.REPLACE_EXISTING);
        assertThat(generation()).isEqualTo(1);
    }
}
