package dev.berth.server.http;

import static dev.berth.server.http.Service.ALICE;
import static dev.berth.server.http.Service.policy;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AllocationsTest {
    @TempDir
    Path folder;

    private Service service;

    @BeforeEach
    void start() {
        service = new Service(folder);
        service.pool("release", policy(), 2);
    }

    @AfterEach
    void stop() {
        service.close();
    }

    @Test
    void anEnvironmentIsLentKeptAliveAndGivenBack() {
        var granted = service.ask(ALICE, "release");
        assertThat(granted.status()).as(granted.text()).isEqualTo(200);
        var id = granted.body().path("id").asString();

        var kept = service.call(ALICE, "POST", "/allocations/" + id + "/keepalive", null);
        assertThat(kept.status()).isEqualTo(200);

        var seen = service.call(ALICE, "GET", "/allocations/" + id, null);
        assertThat(seen.body()).isEqualTo(granted.body());

        for (int i = 0; i < 2; i++) {
            var released = service.call(ALICE, "DELETE", "/allocations/" + id, "{\"outcome\":\"success\"}");
            assertThat(released.status()).isEqualTo(200);
            assertThat(released.text()).isEqualTo("{}");
        }
        var ended = service.call(ALICE, "GET", "/allocations/" + id, null);
        assertThat(ended.body().path("outcome").asString()).isEqualTo("success");
    }
}
