package dev.berth.server.http;

import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** A test that calls a service of its own. */
abstract class ServiceTest {
    @TempDir
    Path folder;

    Service service;

    @BeforeEach
    void start() {
        service = new Service(folder);
    }

    @AfterEach
    void stop() {
        service.close();
    }

    static String want(String pool, String more) {
        return "{\"pool\":\"" + pool + "\",\"requester\":\"job-1\"" + (more.isEmpty() ? "" : "," + more) + "}";
    }
}
