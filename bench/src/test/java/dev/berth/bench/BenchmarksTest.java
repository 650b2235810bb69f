package dev.berth.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class BenchmarksTest {
    static Set<String> names() {
        return Main.benchmarks().keySet();
    }

    @ParameterizedTest
    @MethodSource("names")
    void eachRunsForAMomentAndReportsFigures(String name) throws Exception {
        var text = new ByteArrayOutputStream();
        var report = new Report(new PrintStream(text, true, StandardCharsets.UTF_8));

        Main.benchmarks().get(name).run(report, Effort.moment());

        assertThat(report.sections()).isNotEmpty();
        assertThat(report.sections())
                .allSatisfy(section -> assertThat(section.figures())
                        .isNotEmpty()
                        .allSatisfy(figure -> assertThat(figure.median()).isNotNaN()));
        assertThat(report.json()).contains(report.sections().getFirst().name());
        assertThat(text.toString(StandardCharsets.UTF_8))
                .contains(report.sections().getFirst().figures().getFirst().name());
    }

    @Test
    void aReplyIsWholeWhenItsBodyIs() {
        var bytes = "HTTP/1.1 423 Locked\r\nContent-Type: a/b\r\nContent-Length:  5\r\n\r\nhello"
                .getBytes(StandardCharsets.US_ASCII);
        var in = ByteBuffer.allocate(100);
        var reply = new Reply();

        for (byte one : bytes) {
            assertThat(reply.isWhole(in)).isFalse();
            in.put(one);
        }

        assertThat(reply.isWhole(in)).isTrue();
        assertThat(reply.status()).isEqualTo(423);
        assertThat(reply.bodyAt()).isEqualTo(bytes.length - 5);
    }

    @Test
    void theMedianOfAnEvenNumberLiesBetweenTheMiddleTwo() {
        assertThat(Contest.median(java.util.List.of(9.0, 1.0, 2.0, 4.0))).isEqualTo(3.0);
        assertThat(Contest.median(java.util.List.of(9.0, 1.0, 2.0))).isEqualTo(2.0);
    }

    @Test
    void aQuantileIsTheSmallestValueThatSoManyDoNotExceed() {
        var values = new long[] {30, 10, 20, 40, 0};

        assertThat(Contest.quantile(values, 4, 0.5)).isEqualTo(20);
        assertThat(Contest.quantile(new long[] {3, 1, 2}, 3, 0.99)).isEqualTo(3);
    }
}
