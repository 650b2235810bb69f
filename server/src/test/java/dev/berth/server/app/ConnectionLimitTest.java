package dev.berth.server.app;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConnectionLimitTest {
    @ParameterizedTest
    @CsvSource({
        "1024, 1024, 576",
        "20000, 1024, 14808",
        "1048576, 128, 2048",
        "1048576, 1024, 16384",
        "9223372036854775807, 16384, 20000",
        "100, 1024, 16"
    })
    void filesAndMemorySayHowManyConnectionsThereMayBe(long files, long heapMebibytes, int connections) {
        assertThat(ConnectionLimit.of(files, heapMebibytes << 20)).isEqualTo(connections);
    }
}
