package dev.berth.server.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class SharedClockTest {
    private static final Instant NOON = Instant.parse("2026-03-01T12:00:00Z");

    private long nanos = 5;
    private final List<Duration> jumps = new ArrayList<>();

    private SharedClock clock(Instant notBefore) {
        return new SharedClock(notBefore, NOON, () -> nanos, jumps::add);
    }

    private void pass(Duration time) {
        nanos += time.toNanos();
    }

    @Test
    void itGoesOnFromWhatTheDatabaseSaid() {
        var clock = clock(Instant.EPOCH);
        assertThat(clock.now()).isEqualTo(NOON);
        pass(Duration.ofSeconds(3));
        assertThat(clock.now()).isEqualTo(NOON.plusSeconds(3));
        clock.heard(NOON.plusMillis(3_400)); // the clocks of two machines never go at the same pace
        assertThat(clock.now()).isEqualTo(NOON.plusMillis(3_400));
        clock.heard(NOON.plusMillis(3_300));
        assertThat(clock.now()).as("never back").isEqualTo(NOON.plusMillis(3_400));
        pass(Duration.ofMillis(200));
        assertThat(clock.now()).isEqualTo(NOON.plusMillis(3_500));
        assertThat(jumps).isEmpty();
    }

    @Test
    void aDatabaseWhoseClockIsSetIsFollowedSlowly() {
        var clock = clock(Instant.EPOCH);
        pass(Duration.ofSeconds(1));
        clock.heard(NOON.plusSeconds(3_601));
        assertThat(clock.now()).isBetween(NOON.plusSeconds(1), NOON.plusSeconds(2));
        pass(Duration.ofSeconds(10));
        assertThat(clock.now()).isBetween(NOON.plusSeconds(11), NOON.plusSeconds(22));
        assertThat(jumps).hasSize(1).allMatch(jump -> jump.equals(Duration.ofHours(1)));
    }

    @Test
    void itBeginsNoEarlierThanWhatWasDecidedOn() {
        var clock = clock(NOON.plusSeconds(60));
        assertThat(clock.now()).isEqualTo(NOON.plusSeconds(60));
        pass(Duration.ofSeconds(1));
        assertThat(clock.now()).isBetween(NOON.plusSeconds(60), NOON.plusSeconds(61));
    }
}
