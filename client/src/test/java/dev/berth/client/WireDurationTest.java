package dev.berth.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class WireDurationTest {
    @ParameterizedTest
    @CsvSource({"20s,20", "90m,5400", "3h,10800", "1h30m,5400", "7d,604800", "0s,0", "1d2h3m4s,93784"})
    void readsTheFormsOfTheApi(String text, long seconds) {
        assertThat(WireDuration.parse(text)).isEqualTo(Duration.ofSeconds(seconds));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "20", "s", "1.5h", "-1s", "30m1h", "PT20S", "20 s", "99999999999s"})
    void refusesAnythingElse(String text) {
        assertThatThrownBy(() -> WireDuration.parse(text)).isInstanceOf(IllegalArgumentException.class);
    }

    @ParameterizedTest
    @CsvSource({"5400,1h30m", "60,1m", "0,0s", "93784,26h3m4s"})
    void writesWhatItReads(long seconds, String text) {
        assertThat(WireDuration.format(Duration.ofSeconds(seconds))).isEqualTo(text);
        assertThat(WireDuration.parse(text)).isEqualTo(Duration.ofSeconds(seconds));
    }

    @Test
    void roundsUpToWholeSeconds() {
        assertThat(WireDuration.format(Duration.ofMillis(1001))).isEqualTo("2s");
    }
}
