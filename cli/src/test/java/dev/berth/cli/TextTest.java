package dev.berth.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TextTest {
    @ParameterizedTest
    @CsvSource({"0,0s", "59,59s", "60,1m", "200,3m 20s", "7500,2h 5m", "86400,1d", "273600,3d 4h", "-5,0s"})
    void durationsAreRoundedToWhatMatters(long seconds, String text) {
        assertThat(Text.duration(Duration.ofSeconds(seconds))).isEqualTo(text);
    }

    @ParameterizedTest
    @CsvSource({
        "0,10 s",
        "4,10 s",
        "26,30 s",
        "59,60 s",
        "60,1 min",
        "89,1 min",
        "91,2 min",
        "5399,90 min",
        "5400,2 h",
        "86400,24 h",
        "259200,3 d"
    })
    void whatIsNotKnownBetterIsRoughlyTold(long seconds, String text) {
        assertThat(Text.roughly(Duration.ofSeconds(seconds))).isEqualTo(text);
    }

    @Test
    void tablesCannotMoveTheCursor() {
        assertThat(Text.table(List.of("A", "B"), List.of(List.of("x\u001b[2J\n", "y"), List.of("\u202eü", ""))))
                .containsExactly("A       B", "x [2J   y", " ü");
    }

    @Test
    void theForegroundGroupIsReadFromTheProcessStatus() {
        assertThat(Terminal.inForeground("7 (ja) va) S 1 7 7 34816 7 4194304 1"))
                .isTrue();
        assertThat(Terminal.inForeground("7 (java) S 1 7 7 34816 9 4194304 1")).isFalse();
        assertThat(Terminal.inForeground("7 (java) S 1 7 7 0 -1 4194304 1")).isFalse();
    }
}
