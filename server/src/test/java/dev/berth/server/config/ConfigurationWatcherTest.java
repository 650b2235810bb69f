package dev.berth.server.config;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.server.config.ConfigurationWatcher.Seen;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** When a changed file counts. The clock is an argument: no test waits. */
class ConfigurationWatcherTest {
    private Path path;
    private ConfigurationWatcher watcher;

    @BeforeEach
    void startWithAFile(@TempDir Path folder) throws IOException {
        path = Files.writeString(folder.resolve("berth.yaml"), "first");
        watcher = new ConfigurationWatcher(new ConfigurationFile(path), Configuration.digestOf("first"));
    }

    /**
     * A story in steps: {@code 1500} polls at this millisecond, {@code =text} writes, {@code -} deletes, {@code d} makes a folder.
     * What every poll answers: {@code .} nothing, {@code !} unreadable, else the new text.
     */
    @ParameterizedTest
    @CsvSource(
            value = {
                "0 2000 4000 | . . .",
                "0 =new 2000 3000 3999 4000 6000 | . . . . new .",
                "=new 0 1999 2000 | . . new",
                "=ne 0 =new 2000 4000 6000 | . . new .",
                "=new 0 5000 =first 6000 8000 10000 | . new . first .",
                "=new 0 1000 =first 2000 4000 6000 | . . . . .",
                "=new 0 =other 2000 =new 4000 6000 | . . . new",
                "=first 0 2000 4000 | . . .",
                "- 0 2000 =first 3000 5000 =new 6000 8000 | ! ! . . . new",
                "=new 0 - 2000 =new 3000 4000 5000 | . ! . . new",
                "=new 0 2000 - 3000 =new 4000 6000 8000 | . new ! . . .",
                "- d 0 | !",
                "=new 0 3600000 | . new",
            },
            delimiter = '|')
    void textCountsOnceTwoReadsApartAgree(String story, String answers) throws IOException {
        List<String> seen = new ArrayList<>();
        for (String step : story.trim().split(" ", -1)) {
            switch (step.charAt(0)) {
                case '=' -> Files.writeString(path, step.substring(1));
                case '-' -> Files.delete(path);
                case 'd' -> Files.createDirectory(path);
                default -> seen.add(shown(watcher.poll(at(Long.parseLong(step)))));
            }
        }

        assertThat(String.join(" ", seen)).isEqualTo(answers.trim());
    }

    /** The monotonic clock begins anywhere, and may wrap. */
    private static long at(long millis) {
        return Long.MAX_VALUE - 1000 + Duration.ofMillis(millis).toNanos();
    }

    private static String shown(Seen seen) {
        return switch (seen) {
            case Seen.Nothing() -> ".";
            case Seen.Unreadable(String reason) -> reason.isEmpty() ? "?" : "!";
            case Seen.Changed(String text, String digest, var _) ->
                digest.equals(Configuration.digestOf(text)) ? text : "?";
        };
    }

    @Test
    void fileThatIsReplacedByAnotherIsSeen() throws IOException {
        watcher.poll(at(0));
        watcher.poll(at(2000));
        Path other = Files.writeString(path.resolveSibling("other"), "later");
        Files.setLastModifiedTime(other, Files.getLastModifiedTime(path));
        Files.move(other, path, StandardCopyOption.REPLACE_EXISTING);

        assertThat(shown(watcher.poll(at(4000)))).isEqualTo(".");
        assertThat(shown(watcher.poll(at(6000)))).isEqualTo("later");
    }

    @Test
    void linkThatPointsElsewhereIsSeen() throws IOException {
        Path target = Files.writeString(path.resolveSibling("second"), "other");
        watcher.poll(at(0));
        watcher.poll(at(2000));
        Files.delete(path);
        Files.createSymbolicLink(path, target);

        assertThat(shown(watcher.poll(at(4000)))).isEqualTo(".");
        assertThat(shown(watcher.poll(at(6000)))).isEqualTo("other");
    }

    @Test
    void reasonNamesTheFileAndWhatIsWrong() throws IOException {
        Files.write(path, new byte[] {(byte) 0xff});
        assertThat(watcher.poll(at(0))).isEqualTo(new Seen.Unreadable(path + " is not UTF-8"));

        Files.delete(path);
        assertThat(watcher.poll(at(1))).isEqualTo(new Seen.Unreadable(path + " is not there"));

        Files.createDirectory(path);
        assertThat(watcher.poll(at(2))).isEqualTo(new Seen.Unreadable(path + " is no regular file"));
    }
}
