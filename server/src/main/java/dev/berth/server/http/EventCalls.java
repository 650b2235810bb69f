package dev.berth.server.http;

import dev.berth.core.Decision;
import dev.berth.core.PoolName;
import dev.berth.server.auth.EventDesk;
import dev.berth.server.auth.EventDesk.Gap;
import dev.berth.server.auth.PoolEvent;
import dev.berth.server.auth.Role;
import dev.berth.server.ledger.Ledger;
import dev.berth.server.ledger.LedgerException;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;

/** {@code GET /events}: a page as JSON, or everything as it happens as server-sent events. Streams are woken by commits. */
final class EventCalls implements Ledger.Listener {
    private static final HeaderName LAST_EVENT_ID = HeaderNames.create("Last-Event-ID");
    private static final Set<String> QUERY = Set.of("pool", "cursor", "limit");
    private static final int PAGE = 100;
    private static final int LARGEST_PAGE = 1000;
    private static final int AT_ONCE = 500;
    /** So often something is sent, so that both sides notice a connection that is gone. */
    private static final Duration HEARTBEAT = Duration.ofSeconds(15);

    private static final byte[] COMMENT = ":\n\n".getBytes(StandardCharsets.US_ASCII);

    private final EventDesk desk;
    private final Semaphore places;
    private final Followers followers = new Followers();
    private volatile boolean closed;

    /**
     * @param mostStreams how many streams may be open at once
     */
    EventCalls(EventDesk desk, int mostStreams) {
        this.desk = desk;
        this.places = new Semaphore(mostStreams);
    }

    Reply get(Call call) {
        call.allowQuery(QUERY);
        var pool = call.query("pool");
        var only = pool == null ? null : existing(pool);
        boolean operator = call.principal().has(Role.OPERATOR);
        return call.accepts("text/event-stream") ? stream(call, only, operator) : page(call, only, operator);
    }

    private PoolName existing(String pool) {
        if (!PoolName.isValid(pool) || !desk.exists(new PoolName(pool))) {
            throw new Problem(ErrorCode.NO_SUCH_POOL, "No pool '%s'".formatted(pool));
        }
        return new PoolName(pool);
    }

    private static @Nullable Map<Integer, Long> cursor(String field, @Nullable String text) {
        if (text == null) {
            return null;
        }
        var seen = EventCursor.decode(text);
        if (seen == null) {
            throw Problem.field(field, "is not a cursor of this service");
        }
        return seen;
    }

    // ---- pages

    private Reply page(Call call, @Nullable PoolName only, boolean operator) {
        var from = cursor("cursor", call.query("cursor"));
        var seen = from == null ? new TreeMap<Integer, Long>() : from;
        var news = desk.after(seen, only, call.limit(PAGE, LARGEST_PAGE));
        var gaps = from == null ? List.<Gap>of() : gaps(news, from, only);
        return Reply.json(200, json -> {
            json.writeStartObject();
            json.writeName("events");
            json.writeStartArray();
            for (var gap : gaps) {
                seen.put(gap.number(), gap.to());
                EventJson.write(json, gap, EventCursor.encode(seen));
            }
            for (var event : news.events()) {
                seen.put(event.number(), event.event().number());
                EventJson.write(json, event, EventCursor.encode(seen), operator);
            }
            json.writeEndArray();
            json.writeStringProperty("next", EventCursor.encode(seen));
            json.writeEndObject();
        });
    }

    /** What somebody with a cursor from outside has missed. */
    private List<Gap> gaps(EventDesk.News news, Map<Integer, Long> from, @Nullable PoolName only) {
        var gaps = new ArrayList<>(news.gaps());
        gaps.addAll(desk.lostWhole(from, only));
        return gaps;
    }

    // ---- streams

    private Reply stream(Call call, @Nullable PoolName only, boolean operator) {
        var header = call.header(LAST_EVENT_ID);
        var given = header != null && !header.isEmpty()
                ? cursor("Last-Event-ID", header)
                : cursor("cursor", call.query("cursor"));
        if (closed || !places.tryAcquire()) {
            throw new Problem(
                    closed ? ErrorCode.STOPPING : ErrorCode.OVERLOADED, "As many event streams are open as may be");
        }
        // Woken before the first look, so that nothing that is committed from here on is missed.
        var follower = followers.follow(only);
        Map<Integer, Long> seen;
        List<Gap> lost;
        try {
            seen = given == null ? new TreeMap<>(desk.newest()) : given;
            lost = given == null ? List.of() : desk.lostWhole(seen, only);
        } catch (RuntimeException e) {
            leave(follower);
            throw e;
        }
        return Reply.events(out -> {
            try {
                begin(out, seen, lost);
                follow(out, seen, only, operator, follower);
            } finally {
                leave(follower);
            }
        });
    }

    private void leave(Followers.Follower follower) {
        follower.close();
        places.release();
    }

    /** Tells the place where the stream begins at once: who is cut off before the first event goes on from there. */
    private static void begin(OutputStream out, Map<Integer, Long> seen, List<Gap> lost) throws IOException {
        var text = new ByteArrayOutputStream();
        text.write(("id: " + EventCursor.encode(seen) + "\n\n").getBytes(StandardCharsets.US_ASCII));
        for (var gap : lost) {
            append(text, gap, seen);
        }
        out.write(text.toByteArray());
        out.flush();
    }

    private void follow(
            OutputStream out,
            Map<Integer, Long> seen,
            @Nullable PoolName only,
            boolean operator,
            Followers.Follower follower)
            throws IOException {
        while (!closed) {
            EventDesk.News news;
            try {
                news = desk.after(seen, only, AT_ONCE);
            } catch (LedgerException _) {
                return; // the store is away: the client comes back with its cursor
            }
            if (!news.events().isEmpty()) {
                out.write(text(news, seen, operator));
                out.flush();
            } else if (!follower.await(HEARTBEAT)) {
                out.write(COMMENT);
                out.flush();
            }
            if (Thread.currentThread().isInterrupted()) {
                return;
            }
        }
    }

    private static byte[] text(EventDesk.News news, Map<Integer, Long> seen, boolean operator) {
        var text = new ByteArrayOutputStream();
        news.gaps().forEach(gap -> append(text, gap, seen));
        for (PoolEvent event : news.events()) {
            seen.put(event.number(), event.event().number());
            var cursor = EventCursor.encode(seen);
            append(
                    text,
                    cursor,
                    event.event().type().slug(),
                    Json.write(json -> EventJson.write(json, event, cursor, operator)));
        }
        return text.toByteArray();
    }

    private static void append(ByteArrayOutputStream text, Gap gap, Map<Integer, Long> seen) {
        seen.put(gap.number(), gap.to());
        var cursor = EventCursor.encode(seen);
        append(text, cursor, "gap", Json.write(json -> EventJson.write(json, gap, cursor)));
    }

    private static void append(ByteArrayOutputStream text, String cursor, String type, byte[] data) {
        text.writeBytes(("id: " + cursor + "\nevent: " + type + "\ndata: ").getBytes(StandardCharsets.US_ASCII));
        text.writeBytes(data); // JSON as we write it has no line breaks
        text.writeBytes("\n\n".getBytes(StandardCharsets.US_ASCII));
    }

    @Override
    public void committed(PoolName pool, Decision decision) {
        if (!decision.events().isEmpty()) {
            wake(pool);
        }
    }

    /** Something happened in the pool. */
    void wake(PoolName pool) {
        followers.wake(pool);
    }

    /** Ends all streams, and begins none any more. */
    void close() {
        closed = true;
        followers.wakeAll();
    }
}
