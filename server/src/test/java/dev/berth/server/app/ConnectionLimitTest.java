package dev.berth.server.app;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ConnectionLimitTest {
    @ParameterizedTest
    @CsvSource({
        "1024, 1024, false, 576",
        "20000, 1024, false, 14808",
        "1048576, 128, false, 2048",
        "1048576, 192, true, 1024",
        "1048576, 1024, false, 16384",
        "9223372036854775807, 16384, true, 20000",
        "100, 1024, false, 16"
    })
    void filesAndMemorySayHowManyConnectionsThereMayBe(long files, long heapMebibytes, boolean tls, int connections) {
        assertThat(ConnectionLimit.of(files, heapMebibytes << 20, tls)).isEqualTo(connections);
    }
}
