package dev.berth.server.http;

import dev.berth.core.Need;
import dev.berth.core.NeedClass;
import dev.berth.core.Policy.Queueing;
import dev.berth.core.Request;
import dev.berth.core.Value;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** The body of {@code POST /allocations}. */
final class AllocationBody {
    private static final int LONGEST_POOL = 100;
    private static final int LONGEST_REQUESTER = 1024;
    private static final int MOST_LABELS = 32;
    private static final int LONGEST_LABEL = 100;
    private static final int LONGEST_KEY = 200;
    private static final int LONGEST_WORD = 100;
    private static final int MOST_ENTRIES = 20;
    private static final int MOST_VALUES = 100;
    private static final int LONGEST_VALUE = 1000;
    /** More than any pool has; beyond it a count does not matter. */
    private static final int LARGEST_COUNT = 1_000_000;

    private static final String DISTINCT = "account";
    private static final Set<String> CONSTRAINTS = new TreeSet<>(Set.of("region", Need.ACCOUNT, Need.NAME));

    private @Nullable String pool;
    private @Nullable String requester;
    private @Nullable Duration duration;
    private @Nullable Duration keepalive;
    private @Nullable Duration maxWait;
    private @Nullable Map<String, String> labels;
    private @Nullable String distinct;
    private int priority;
    private final List<Wish> wishes = new ArrayList<>();
    private final SortedMap<String, SortedSet<String>> constraints = new TreeMap<>();

    private AllocationBody() {}

    /**
     * What was read.
     *
     * @param labels of the request, by name
     */
    record Wanted(String pool, Request request, Map<String, String> labels) {}

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
            case "priority" -> {
                var asked = in.whole(name, Queueing.LOWEST_PRIORITY, Queueing.HIGHEST_PRIORITY);
                priority = asked == null ? 0 : asked;
            }
            case "distinct" -> {
                distinct = in.text(name, LONGEST_WORD);
                if (distinct != null && !distinct.equals(DISTINCT)) {
                    in.mistake(name, "must be \"" + DISTINCT + "\"");
                }
            }
            case "constraints" -> in.objects(name, MOST_ENTRIES, Constraint::new);
            case "environments" -> {
                if (in.objects(name, MOST_ENTRIES, Wish::new) == 0) {
                    in.mistake(
                            name, "must have at least one entry; one environment is meant where the field is absent");
                }
            }
            default -> in.unknown(name);
        }
    }

    /** An entry of {@code environments}. */
    private final class Wish implements BodyReader.Entry {
        private int count = 1;
        private SortedMap<String, Value> capabilities = Collections.emptySortedMap();
        private @Nullable String access;

        @Override
        public void read(BodyReader in, String name) {
            switch (name) {
                case "count" -> {
                    var asked = in.whole(name, 1);
                    count = asked == null ? 1 : Math.min(asked, LARGEST_COUNT);
                }
                case "capabilities" -> {
                    var asked = in.capabilities(name);
                    capabilities = asked == null ? Collections.emptySortedMap() : asked;
                }
                case "access" -> {
                    access = in.text(name, LONGEST_WORD);
                    if (access != null && access.isEmpty()) {
                        in.mistake(name, "must not be empty; absent, it is the default profile");
                    }
                }
                default -> in.unknown(name);
            }
        }

        @Override
        public void check(BodyReader in) {
            wishes.add(this);
        }

        Need need() {
            return new Need(count, capabilities, constraints, access);
        }
    }

    /** An entry of {@code constraints}. */
    private final class Constraint implements BodyReader.Entry {
        private @Nullable String type;
        private @Nullable List<String> values;
        private boolean typed;
        private boolean valued;

        @Override
        public void read(BodyReader in, String name) {
            switch (name) {
                case "type" -> {
                    typed = !in.isNull();
                    type = in.text(name, LONGEST_WORD);
                    if (type != null && !CONSTRAINTS.contains(type)) {
                        in.mistake(name, "'" + type + "' is not known: " + String.join(", ", CONSTRAINTS) + " are");
                    }
                }
                case "value" -> {
                    valued = !in.isNull();
                    values = in.textOrList(name, MOST_VALUES, LONGEST_VALUE);
                }
                default -> in.unknown(name);
            }
        }

        @Override
        public void check(BodyReader in) {
            if (!typed) {
                in.mistake("type", "is needed: one of " + String.join(", ", CONSTRAINTS));
            }
            if (!valued) {
                in.mistake("value", "is needed: a text or a list of texts");
            }
            if (type == null || values == null || values.isEmpty()) {
                return;
            }
            var known = constraints.get(type);
            var left = new TreeSet<>(values);
            if (known != null) {
                left.retainAll(known);
            }
            if (left.isEmpty()) {
                in.mistake("value", "contradicts an earlier constraint of type '" + type + "': no value is in both");
                return;
            }
            constraints.put(type, left);
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
        var need = need();
        var wait = maxWait == null ? Duration.ZERO : maxWait;
        Map<String, String> own = labels == null ? Map.of() : labels;
        var shown = own.isEmpty() ? "{}" : json(own);
        var digest =
                key == null ? "" : digest(pool, requester, need.digest(), duration, keepalive, wait, priority, shown);
        return new Wanted(
                pool, new Request(requester, need, duration, keepalive, wait, priority, shown, key, digest), own);
    }

    private NeedClass need() {
        boolean plain = constraints.isEmpty() && distinct == null;
        if (wishes.isEmpty()) {
            return plain ? NeedClass.ONE : NeedClass.of(List.of(new Wish().need()), distinct != null);
        }
        var only = wishes.getFirst();
        return plain && wishes.size() == 1 && only.count == 1 && only.capabilities.isEmpty() && only.access == null
                ? NeedClass.ONE
                : NeedClass.of(wishes.stream().map(Wish::need).toList(), distinct != null);
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
