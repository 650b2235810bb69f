package dev.berth.client;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.Reader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Follows {@code GET /events} as server-sent events and takes up again after the last one seen. For one thread. */
final class EventStream {
    private static final int LONGEST_EVENT = 4 << 20;

    private final Transport transport;
    private final EventQuery which;
    private final Predicate<Event> sink;
    private final Duration silence;
    private @Nullable String lastId;
    private volatile long heardAt;

    /** @param silence after which a connection is taken for dead; the service says something every 15 s */
    EventStream(Transport transport, EventQuery which, Predicate<Event> sink, Duration silence) {
        this.silence = silence;
        this.transport = transport;
        this.which = which;
        this.sink = sink;
        this.lastId = which.since();
    }

    void run() {
        Backoff backoff = new Backoff(Duration.ofMillis(200), Duration.ofSeconds(5));
        while (true) {
            Duration atLeast = Duration.ZERO;
            try (InputStream stream = transport.open(call());
                    Reader reader = new InputStreamReader(stream, StandardCharsets.UTF_8)) {
                backoff.reset();
                heardAt = System.nanoTime();
                Thread watch = Thread.ofVirtual().name("berth-events-watch").start(() -> closeWhenSilent(stream));
                try {
                    if (!read(new BufferedReader(reader))) {
                        return;
                    }
                } finally {
                    watch.interrupt();
                }
            } catch (BerthProblem problem) {
                if (problem.status() < 500 && problem.status() != 429) {
                    throw problem;
                }
                atLeast = problem.retryAfter().orElse(Duration.ZERO);
            } catch (BerthUnreachable | IOException e) {
                if (Thread.currentThread().isInterrupted()) {
                    return;
                }
            }
            try {
                Thread.sleep(backoff.next(atLeast));
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    /** A connection whose other end vanished looks like one on which nothing happens; reading has no time-out. */
    private void closeWhenSilent(InputStream stream) {
        try (stream) {
            while (true) {
                long left = silence.toNanos() - (System.nanoTime() - heardAt);
                if (left <= 0) {
                    return;
                }
                Thread.sleep(Duration.ofNanos(left));
            }
        } catch (InterruptedException | IOException e) {
            // The stream is at its end anyway: its reader closes it too.
        }
    }

    private Transport.Call call() {
        String query = Transport.query("pool", which.pool());
        Transport.Call call = Transport.Call.get("/events" + query).with("Accept", "text/event-stream");
        return lastId == null ? call : call.with("Last-Event-ID", lastId);
    }

    /** Reads to the end of the connection; false when the sink has had enough. */
    private boolean read(BufferedReader lines) throws IOException {
        StringBuilder data = new StringBuilder();
        String type = null;
        String id = null;
        while (true) {
            String line = lines.readLine();
            heardAt = System.nanoTime();
            if (line == null) {
                // An event cut off in its middle is dropped: it comes again after its predecessor's id.
                return true;
            }
            if (line.isEmpty()) {
                if (!data.isEmpty() && !deliver(data.toString(), type, id)) {
                    return false;
                }
                // Also without data: the service begins by telling where the stream begins.
                lastId = id == null ? lastId : id;
                data.setLength(0);
                type = null;
                continue;
            }
            int colon = line.indexOf(':');
            String field = colon < 0 ? line : line.substring(0, colon);
            String value = colon < 0 ? "" : line.substring(colon + 1);
            value = value.startsWith(" ") ? value.substring(1) : value;
            switch (field) {
                case "data" -> append(data, value);
                case "event" -> type = value;
                case "id" -> id = value;
                default -> {
                    // Comments (an empty field), retry, and what a newer service may add.
                }
            }
        }
    }

    private static void append(StringBuilder data, String value) {
        if (data.length() + value.length() > LONGEST_EVENT) {
            throw new MalformedReply("an event of more than " + LONGEST_EVENT + " characters");
        }
        if (!data.isEmpty()) {
            data.append('\n');
        }
        data.append(value);
    }

    private boolean deliver(String data, @Nullable String type, @Nullable String id) {
        Event event = Replies.event(Replies.tree(data), id);
        if (event.type().isEmpty() && type != null) {
            event = new Event(event.cursor(), type, event.at(), event.pool(), event.fields(), event.json());
        }
        return sink.test(event);
    }
}
