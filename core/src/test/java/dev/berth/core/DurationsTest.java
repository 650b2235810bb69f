package dev.berth.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DurationsTest {

    @ParameterizedTest
    @CsvSource({
        "PT0S,0s",
        "PT0.999S,0s",
        "PT20S,20s",
        "PT59M60S,1h",
        "PT10M,10m",
        "PT90M,1h30m",
        "PT25H,1d1h",
        "P3650D,3650d",
        "P1DT2H3M4.5S,1d2h3m4s"
    })
    void aDurationIsWrittenInTheLargestUnitsThatFit(Duration duration, String text) {
        assertThat(Durations.text(duration)).isEqualTo(text);
    }

    @Test
    void theLongestDurationIsWritten() {
        assertThat(Durations.text(Duration.ofSeconds(Long.MAX_VALUE))).startsWith("106751991167300d");
    }
}
