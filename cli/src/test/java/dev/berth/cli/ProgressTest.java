package dev.berth.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.client.Allocation;
import dev.berth.client.AllocationState;
import dev.berth.client.QueuePlace;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProgressTest {
    /** Far from this machine's time: estimates are told by the service's clock. */
    private static final Instant START = Instant.parse("2001-01-01T00:00:00Z");

    private final AtomicLong nanos = new AtomicLong(-5);
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    private Progress progress(boolean live) {
        return new Progress(new PrintStream(bytes, true, StandardCharsets.UTF_8), live, "lab", nanos::get);
    }

    private String printed() {
        String text = bytes.toString(StandardCharsets.UTF_8);
        bytes.reset();
        return text;
    }

    private void pass(Progress progress, int seconds) {
        for (int i = 0; i < seconds; i++) {
            nanos.addAndGet(1_000_000_000);
            progress.tick();
        }
    }

    private static QueuePlace place(long position, Integer p50, Integer p90, String waitingFor) {
        return new QueuePlace(
                position,
                p50 == null ? null : START.plusSeconds(p50),
                p90 == null ? null : START.plusSeconds(p90),
                waitingFor);
    }

    private static Allocation pending(QueuePlace place) {
        return new Allocation(
                "a1",
                AllocationState.PENDING,
                "lab",
                "me",
                START,
                null,
                null,
                null,
                null,
                null,
                List.of(),
                null,
                null,
                null,
                0,
                Map.of(),
                List.of(),
                place,
                "{}");
    }

    @Test
    void elsewhereALineIsPrintedOnlyWhenSomethingChangedAndEvery30SecondsAtMost() {
        Progress progress = progress(false);
        progress.waiting(pending(place(3, 240, 720, "waits for 1 with arch=arm64")));
        assertThat(printed())
                .isEqualTo(
                        "berth: pool lab: waiting 0s, position 3, about 4 min, 9 in 10 by 12 min; waits for 1 with arch=arm64\n");

        pass(progress, 100);
        progress.waiting(pending(place(3, 250, 720, "waits for 1 with arch=arm64")));
        assertThat(printed()).isEmpty();

        progress.waiting(pending(place(2, 250, 720, "waits for 1 with arch=arm64")));
        assertThat(printed()).startsWith("berth: pool lab: waiting 1m 40s, position 2, about 3 min, 9 in 10 by 10 min");

        pass(progress, 5);
        progress.waiting(pending(place(1, 250, 720, "waits for 1 with arch=arm64")));
        pass(progress, 24);
        assertThat(printed()).isEmpty();
        pass(progress, 1);
        assertThat(printed()).startsWith("berth: pool lab: waiting 2m 10s, position 1, ");

        progress.waiting(pending(place(1, 2500, 7200, "waits for 1 with arch=arm64")));
        pass(progress, 30);
        assertThat(printed()).contains("about 39 min, 9 in 10 by 2 h").hasLineCount(1);
        progress.close();
        assertThat(printed()).isEmpty();
    }

    @Test
    void thatTheServiceWentAwayIsToldAtOnceAndOnce() {
        Progress progress = progress(false);
        progress.waiting(pending(place(3, null, null, null)));
        printed();
        progress.trouble(new IllegalStateException("cannot be\u001b[2J connected to"));
        assertThat(printed()).isEqualTo("berth: pool lab: waiting 0s, cannot be [2J connected to; trying again\n");
        for (int i = 0; i < 10; i++) {
            progress.waiting(pending(place(3, null, null, null)));
            pass(progress, 1);
            progress.trouble(new IllegalStateException("cannot be connected to"));
            pass(progress, 1);
        }
        assertThat(printed()).isEmpty();
        progress.waiting(pending(place(3, null, null, null)));
        pass(progress, 10);
        assertThat(printed()).isEqualTo("berth: pool lab: waiting 30s, position 3\n");
    }

    @Test
    void onATerminalOneLineIsDrawnAnewEachSecondAndGoneAtTheEnd() {
        Progress progress = progress(true);
        pass(progress, 1);
        assertThat(printed()).isEmpty();
        progress.waiting(pending(null));
        pass(progress, 1);
        assertThat(printed())
                .isEqualTo("\r\u001b[K\u001b[?7lberth: pool lab: waiting 1s for access to be issued \u001b[?7h"
                        + "\r\u001b[K\u001b[?7lberth: pool lab: waiting 2s for access to be issued \u001b[?7h");
        progress.close();
        progress.tick();
        assertThat(printed()).isEqualTo("\r\u001b[K");
    }

    @ParameterizedTest
    @CsvSource(
            nullValues = "-",
            value = {
                "240, 720, 'about 4 min, 9 in 10 by 12 min'",
                "240, 250, about 4 min",
                "-30, 90, 'any moment, 9 in 10 by 2 min'",
                "-30, -5, any moment",
                "240, -, about 4 min",
                "-, 720, 9 in 10 by 12 min",
                "-, -, ''"
            })
    void anEstimateIsToldAsFarAsItIsKnown(Integer p50, Integer p90, String told) {
        assertThat(Progress.estimate(place(1, p50, p90, null), START)).isEqualTo(told);
    }
}
