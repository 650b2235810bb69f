package dev.berth.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class InstantTextTest {
    private static final int MANY = 200_000;

    @ParameterizedTest
    @ValueSource(
            strings = {
                "1970-01-01T00:00:00Z",
                "1969-12-31T23:59:59.999Z",
                "2024-02-29T23:59:59.001Z",
                "2100-02-28T12:00:00.100Z",
                "0000-01-01T00:00:00Z",
                "9999-12-31T23:59:59.999Z",
                "-0001-12-31T23:59:59Z",
                "+10000-01-01T00:00:00Z",
                "2026-11-21T14:45:00.123456Z",
                "2026-11-21T14:45:00.000000001Z"
            })
    void anInstantIsWrittenAsTheJdkWritesIt(String text) {
        assertThat(InstantText.of(Instant.parse(text))).isEqualTo(text);
    }

    @Test
    void theEndsOfTimeAreWrittenAsTheJdkWritesThem() {
        assertThat(InstantText.of(Instant.MIN)).isEqualTo(Instant.MIN.toString());
        assertThat(InstantText.of(Instant.MAX)).isEqualTo(Instant.MAX.toString());
    }

    @Test
    void anyInstantIsWrittenAsTheJdkWritesIt() {
        var random = new Random(42);
        for (int i = 0; i < MANY; i++) {
            var instant = Instant.ofEpochMilli(random.nextLong(-70_000_000_000_000L, 300_000_000_000_000L));
            assertThat(InstantText.of(instant)).isEqualTo(instant.toString());
            var whole = instant.truncatedTo(ChronoUnit.SECONDS);
            assertThat(InstantText.of(whole)).isEqualTo(whole.toString());
        }
    }
}
