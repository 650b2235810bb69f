package dev.berth.server.http;

import dev.berth.core.Need;
import dev.berth.core.NeedClass;
import dev.berth.core.Request;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonToken;

/** The body of {@code POST /allocations}. */
final class AllocationBody {
    private static final int LONGEST_POOL = 100;
    private static final int LONGEST_REQUESTER = 1024;
    private static final int MOST_LABELS = 32;
    private static final int LONGEST_LABEL = 100;
    private static final int LONGEST_KEY = 200;
    private static final String NOT_YET = "is not offered at this service's apiLevel";

    private @Nullable String pool;
    private @Nullable String requester;
    private @Nullable Duration duration;
    private @Nullable Duration keepalive;
    private @Nullable Duration maxWait;
    private @Nullable Map<String, String> labels;
    private long count = 1;

    private AllocationBody() {}

    /** What was read: the pool, and the request to it. */
    record Wanted(String pool, Request request) {}

    /**
     * Reads a body.
     *
     * @param key the Idempotency-Key; null for none
     * @throws Problem with all mistakes
     */
    static Wanted read(byte[] body, @Nullable String key) {
        var wanted = new AllocationBody();
        BodyReader.read(body, wanted::field, wanted::check);
        return wanted.wanted(checkedKey(key));
    }

    private void field(BodyReader in, String name) {
        switch (name) {
            case "pool" -> pool = in.text(name, LONGEST_POOL);
            case "requester" -> requester = in.text(name, LONGEST_REQUESTER);
            case "duration" -> duration = in.duration(name);
            case "keepalive" -> keepalive = in.duration(name);
            case "maxWait" -> maxWait = in.duration(name);
            case "labels" -> labels = in.texts(name, MOST_LABELS, LONGEST_LABEL);
            case "constraints" -> in.empty(name, JsonToken.START_ARRAY, NOT_YET);
            case "priority" -> in.only(name, 0, NOT_YET);
            case "environments" -> {
                count = 0;
                int wants = in.objects(name, this::want);
                count += wants;
                if (wants == 0) {
                    in.mistake(name, "must have at least one entry");
                }
            }
            default -> in.unknown(name);
        }
    }

    private void want(BodyReader in, String name) {
        switch (name) {
            case "count" -> {
                var more = in.whole(name, 1);
                count += more == null ? 0 : more - 1L;
            }
            case "capabilities" -> in.empty(name, JsonToken.START_OBJECT, NOT_YET);
            default -> in.unknown(name);
        }
    }

    private void check(BodyReader in) {
        if (pool == null || pool.isEmpty()) {
            in.mistake("pool", "is needed");
        }
        if (requester == null || requester.isBlank()) {
            in.mistake("requester", "is needed, and must not be empty");
        }
    }

    private Wanted wanted(@Nullable String key) {
        if (pool == null || requester == null) {
            throw new IllegalStateException("a body without mistakes has a pool and a requester");
        }
        int number = (int) Math.min(count, Integer.MAX_VALUE);
        var wait = maxWait == null ? Duration.ZERO : maxWait;
        var shown = labels == null || labels.isEmpty() ? "{}" : json(labels);
        return new Wanted(
                pool,
                new Request(
                        requester,
                        NeedClass.of(List.of(Need.any(number)), false),
                        duration,
                        keepalive,
                        wait,
                        0,
                        shown,
                        key,
                        key == null ? "" : digest(pool, requester, number, duration, keepalive, wait, shown)));
    }

    private static String json(Map<String, String> labels) {
        return new String(Json.write(json -> Json.value(json, labels)), StandardCharsets.UTF_8);
    }

    /** By meaning: {@code 90m} is {@code 1h30m}, and what is absent is its default. Every part begins with its length. */
    private static String digest(@Nullable Object... parts) {
        try {
            var digest = MessageDigest.getInstance("SHA-256");
            for (var part : parts) {
                var text = part == null ? "-" : part.toString();
                digest.update((text.length() + ":" + text).getBytes(StandardCharsets.UTF_8));
            }
            return HexFormat.of().formatHex(digest.digest());
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    private static @Nullable String checkedKey(@Nullable String key) {
        if (key == null) {
            return null;
        }
        boolean fits = !key.isEmpty() && key.length() <= LONGEST_KEY;
        for (int i = 0; fits && i < key.length(); i++) {
            fits = key.charAt(i) > ' ' && key.charAt(i) < 0x7f;
        }
        if (!fits) {
            throw Problem.field("Idempotency-Key", "must have 1 to 200 visible ASCII characters");
        }
        return key;
    }
}
