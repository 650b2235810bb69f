package dev.berth.server.http;

import static dev.berth.server.http.Service.ALICE;
import static dev.berth.server.http.Service.OPERATOR;
import static dev.berth.server.http.Service.VIEWER;
import static dev.berth.server.http.Service.policy;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class EventsTest extends ServiceTest {

    @BeforeEach
    void pools() {
        service.pool("release", policy(), 1);
        service.pool("lab", policy(), 1);
    }

    private void lendAndRelease(String pool) {
        var granted = service.ask(ALICE, pool);
        service.call(
                ALICE, "DELETE", "/allocations/" + granted.body().path("id").asString(), null);
    }

    // ---- pages

    @Test
    void pagesTellEverythingOnceAndInOrder() {
        lendAndRelease("release");
        lendAndRelease("lab");
        var seen = new ArrayList<String>();
        String cursor = "";
        while (true) {
            var page = service.call(VIEWER, "GET", "/events?limit=2&cursor=" + cursor, null);
            for (var event : page.body().path("events")) {
                seen.add(event.path("pool").asString() + " " + event.path("number") + " "
                        + event.path("type").asString());
            }
            cursor = page.body().path("next").asString();
            if (page.body().path("events").isEmpty()) {
                break;
            }
        }
        assertThat(seen).doesNotHaveDuplicates();
        assertThat(seen.stream().filter(line -> line.startsWith("lab")))
                .containsExactly("lab 1 environment-registered", "lab 2 allocation-granted", "lab 3 allocation-ended");
        lendAndRelease("release");
        assertThat(service.call(VIEWER, "GET", "/events?cursor=" + cursor, null)
                        .body()
                        .path("events")
                        .size())
                .isEqualTo(2);
    }

    @Test
    void onePoolsEventsCanBeAskedFor() {
        lendAndRelease("release");
        var page = service.call(VIEWER, "GET", "/events?pool=lab", null);
        assertThat(page.body().path("events").size()).isEqualTo(1);
        assertThat(service.call(VIEWER, "GET", "/events?pool=none", null).code())
                .isEqualTo("no-such-pool");
    }

    @Test
    void whatIsNoCursorIsRefused() {
        for (var cursor : new String[] {"x", "AAAA", "MS4", "MS54", "MS4xLTEueA", "%F0%9F%98%80"}) {
            var answer = service.call(VIEWER, "GET", "/events?cursor=" + cursor, null);
            assertThat(answer.status()).as(cursor).isIn(200, 400);
            if (!cursor.equals("MS4")) {
                assertThat(answer.code()).as(cursor).isEqualTo("invalid-request");
            }
        }
    }

    @Test
    void anOldCursorGetsAGapFirst() {
        var start = service.call(VIEWER, "GET", "/events?limit=1", null)
                .body()
                .path("next")
                .asString();
        lendAndRelease("release");
        var between = Instant.parse("2026-07-01T12:30:00Z");
        service.now.set(Instant.parse("2026-07-01T13:00:00Z"));
        lendAndRelease("release");
        while (service.store.prune(between, 100) > 0) {}

        var page = service.call(VIEWER, "GET", "/events?cursor=" + start, null)
                .body()
                .path("events");
        assertThat(page.get(0).path("type").asString()).isEqualTo("gap");
        assertThat(page.get(0).path("pool").asString()).isIn("release", "lab");
        assertThat(service.call(VIEWER, "GET", "/events", null).text()).doesNotContain("\"gap\"");
        try (var stream = open(VIEWER, "/events?pool=release", start)) {
            var gap = stream.next();
            assertThat(gap).contains("event: gap").contains("\"from\":");
            assertThat(stream.next()).doesNotContain("gap");
            assertThat(stream.skipped).isZero();
        }
    }

    @Test
    void aPoolOfWhichNothingIsKeptIsAGapToo() {
        var start = service.call(VIEWER, "GET", "/events?limit=1", null)
                .body()
                .path("next")
                .asString();
        lendAndRelease("release");
        while (service.store.prune(Instant.parse("2026-08-01T00:00:00Z"), 100) > 0) {}
        var page = service.call(VIEWER, "GET", "/events?cursor=" + start, null);
        assertThat(page.text()).contains("\"gap\"");
        var next = page.body().path("next").asString();
        assertThat(service.call(VIEWER, "GET", "/events?cursor=" + next, null).text())
                .doesNotContain("\"gap\"");
    }

    @Test
    void whatAProviderReportedIsForOperators() {
        service.pool("slow", Service.with(java.util.Set.of(dev.berth.core.Step.ISSUE)), 1);
        var _ = service.later(ALICE, "POST", "/allocations", want("slow", ""), request -> request);
        var step = Waits.until(() -> service.claimIfAny("slow"));
        service.report("slow", step, new dev.berth.core.Command.Result.Failed("no keys", "trace of the program"));
        assertThat(service.call(OPERATOR, "GET", "/events?pool=slow", null).text())
                .contains("trace of the program");
        assertThat(service.call(VIEWER, "GET", "/events?pool=slow", null).text())
                .contains("no keys")
                .doesNotContain("trace of the program");
        assertThat(service.call(OPERATOR, "GET", "/environments/slow-1", null).text())
                .contains("trace of the program");
        assertThat(service.call(VIEWER, "GET", "/environments/slow-1", null).text())
                .doesNotContain("trace of the program");
    }

    // ---- streams

    /** A stream that is read block by block. */
    private static final class Stream implements AutoCloseable {
        private final BufferedReader lines;
        private String id = "";
        private int skipped;

        Stream(BufferedReader lines) {
            this.lines = lines;
        }

        /** The next event's block; comments and blocks that are no event are passed over. */
        String next() {
            var block = new StringBuilder();
            try {
                while (true) {
                    var line = lines.readLine();
                    if (line == null) {
                        return "END";
                    }
                    if (line.startsWith("id: ")) {
                        id = line.substring(4);
                    }
                    if (!line.isEmpty()) {
                        block.append(line).append('\n');
                    } else if (block.indexOf("data: ") >= 0) {
                        return block.toString();
                    } else {
                        block.setLength(0);
                    }
                }
            } catch (IOException e) {
                return "END";
            }
        }

        @Override
        public void close() {
            try {
                lines.close();
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        }
    }

    private Stream open(String token, String path, @Nullable String lastId) {
        var request = service.request(token, "GET", path, null).header("Accept", "text/event-stream");
        if (lastId != null) {
            request.header("Last-Event-ID", lastId);
        }
        try {
            var response = service.client().send(request.build(), BodyHandlers.ofInputStream());
            assertThat(response.statusCode()).isEqualTo(200);
            assertThat(response.headers().firstValue("Content-Type")).contains("text/event-stream");
            return new Stream(new BufferedReader(new InputStreamReader(response.body(), StandardCharsets.UTF_8)));
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void aStreamTellsWhatHappensFromNowOnAndTakesUpWhereItWasCutOff() {
        var types = new ArrayList<String>();
        String last;
        try (var stream = open(VIEWER, "/events", null)) {
            lendAndRelease("release");
            types.add(type(stream.next()));
            last = stream.id;
        }
        lendAndRelease("lab");
        try (var stream = open(VIEWER, "/events", last)) {
            types.add(type(stream.next()));
            types.add(type(stream.next()));
            types.add(type(stream.next()));
            lendAndRelease("release");
            types.add(type(stream.next()));
            types.add(type(stream.next()));
        }
        assertThat(types)
                .isEqualTo(List.of(
                        "allocation-granted",
                        "allocation-ended",
                        "allocation-granted",
                        "allocation-ended",
                        "allocation-granted",
                        "allocation-ended"));
    }

    private static String type(String block) {
        return block.lines()
                .filter(line -> line.startsWith("event: "))
                .findFirst()
                .orElse(block)
                .replace("event: ", "");
    }

    @Test
    void theStreamOfOnePoolHasNoEventsOfOthers() {
        try (var stream = open(VIEWER, "/events?pool=lab", null)) {
            lendAndRelease("release");
            lendAndRelease("lab");
            assertThat(stream.next()).contains("\"pool\":\"lab\"");
            assertThat(stream.next()).contains("\"pool\":\"lab\"");
        }
    }

    @Test
    void aServiceThatStopsEndsItsStreams() {
        try (var stream = open(VIEWER, "/events", null)) {
            service.api.close();
            assertThat(stream.next()).isEqualTo("END");
        }
        var refused =
                service.call(VIEWER, "GET", "/events", null, request -> request.header("Accept", "text/event-stream"));
        assertThat(refused.status()).isEqualTo(503);
        assertThat(refused.code()).isEqualTo("stopping");
    }
}
