package dev.berth.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class DurationTextTest {

    @Test
    void whatIsWrittenIsReadAgain() {
        for (var text : new String[] {"0s", "20s", "1m30s", "1h30m", "7d", "1d2h3m4s"}) {
            assertThat(DurationText.format(DurationText.parse(text))).isEqualTo(text);
        }
        assertThat(DurationText.parse("90m")).isEqualTo(Duration.ofMinutes(90));
        assertThat(DurationText.format(Duration.ofMinutes(90))).isEqualTo("1h30m");
    }

    @Test
    void whatIsNoDurationIsNone() {
        for (var text :
                new String[] {"", "s", "5", "1m1h", "1s1s", "-1s", "1.5h", "1 h", "1H", "1ms", "1234567890s", "1w", "١s"
                }) {
            assertThat(DurationText.parse(text)).as(text).isNull();
        }
    }
}
