package dev.berth.server.proof;

import dev.berth.server.proof.Api.Reply;
import dev.berth.server.proof.Journal.Entry.Granted;
import dev.berth.server.proof.Journal.Entry.Kept;
import dev.berth.server.proof.Journal.Entry.Lost;
import dev.berth.server.proof.Journal.Entry.Released;
import dev.berth.server.proof.Journal.Entry.Releasing;
import dev.berth.server.proof.Journal.Entry.Trampled;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * One caller that borrows and gives back, and writes down what it knows. What was not answered it asks again, where it may: with its
 * key, or where the call is idempotent. It puts a file into each folder that it was lent, and expects to find that and nothing else.
 */
final class LoadClient implements Runnable {
    private static final String[] LONGER = {"Prefer", "wait=3"};
    private static final Duration MOVING_IN = Duration.ofSeconds(5);

    private final String name;
    private final RandomGenerator random;
    private final Gate gate;
    private final Journal journal;
    private final AtomicLong answers;
    private final Path folders;
    private @Nullable URI dead;
    private int asked;

    /** @param folders where the folders of the environments of pool {@code shop} are */
    LoadClient(String name, RandomGenerator random, Gate gate, Journal journal, AtomicLong answers, Path folders) {
        this.name = name;
        this.random = random;
        this.gate = gate;
        this.journal = journal;
        this.answers = answers;
        this.folders = folders;
    }

    @Override
    public void run() {
        try {
            while (!gate.isOver()) {
                borrow();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** How a client goes about it. */
    private enum Way {
        AT_ONCE(""),
        ASKING_AGAIN(""),
        HELD(",\"maxWait\":\"3s\""),
        LOOKING(",\"maxWait\":\"3s\"");

        final String more;

        Way(String more) {
            this.more = more;
        }

        /** It waits by itself, and not with an open request. */
        boolean pauses() {
            return this == ASKING_AGAIN || this == LOOKING;
        }
    }

    /**
     * What it wants.
     *
     * @param requester of this wish alone
     * @param key null for none
     */
    private record Wish(
            String pool,
            int count,
            Way way,
            String requester,
            @Nullable String key) {
        String body() {
            return "{\"pool\":\"%s\",\"requester\":\"%s\",\"keepalive\":\"10s\",\"environments\":[{\"count\":%d}]%s}"
                    .formatted(pool, requester, count, way.more);
        }
    }

    private void borrow() throws InterruptedException {
        asked++;
        var own = name + "-" + asked;
        var wish = new Wish(
                random.nextInt(5) < 3 ? "plain" : "shop",
                random.nextInt(8) == 0 ? 2 : 1,
                Way.values()[random.nextInt(Way.values().length)],
                own,
                random.nextInt(10) < 7 ? own : null);
        var granted = ask(wish);
        if (granted == null) {
            return;
        }
        write(granted, wish);
        var id = granted.path("id").asString();
        @Nullable Instant by = keepaliveBy(granted);
        boolean ours = wish.pool().equals("shop")
                && isSure(by.minus(MOVING_IN))
                && moveIn(id, epochs(granted).keySet());
        if (wish.key() != null && random.nextInt(5) == 0) {
            var again = ask(wish);
            if (again != null) {
                write(again, wish);
            }
        }
        by = use(id, by);
        if (by == null) {
            return;
        }
        if (ours) {
            lookAround(id, epochs(granted).keySet(), by);
        }
        release(id, random.nextBoolean() ? "success" : "failure");
        if (random.nextInt(3) == 0) {
            release(id, "said-later");
        }
    }

    private void write(JsonNode granted, Wish wish) {
        journal.add(new Granted(
                granted.path("id").asString(),
                System.nanoTime(),
                wish.key(),
                epochs(granted),
                keepaliveBy(granted),
                wish.count()));
    }

    /**
     * None is told where the service notices, together with this call, that an earlier connection of ours was cut: the grant has to be
     * collected once more then, and until when it is held is not known here.
     */
    private static Instant keepaliveBy(JsonNode granted) {
        var by = granted.path("keepaliveBy");
        return by.isString() ? Instant.parse(by.asString()) : Instant.now();
    }

    /** An answer may have come so late that what it tells of has been taken back. */
    private static boolean isSure(Instant by) {
        return Instant.now().isBefore(by);
    }

    static Map<String, Long> epochs(JsonNode allocation) {
        var epochs = new HashMap<String, Long>();
        allocation
                .path("environments")
                .forEach(lent -> epochs.put(
                        lent.path("name").asString(), lent.path("epoch").asLong()));
        return epochs;
    }

    /** The active allocation that it came to; null where it was refused, or nobody can know. */
    private @Nullable JsonNode ask(Wish wish) throws InterruptedException {
        var headers = new ArrayList<String>();
        if (!wish.way().pauses()) {
            headers.addAll(List.of(LONGER));
        }
        if (wish.key() != null) {
            headers.addAll(List.of("Idempotency-Key", wish.key()));
        }
        Optional<Reply> reply;
        boolean sure = true;
        int tries = 0;
        do {
            reply = call("POST", "/allocations", wish.body(), headers.toArray(String[]::new));
            sure &= reply.isPresent() && !reply.get().field("code").equals("outcome-unknown");
            tries++;
        } while (asksAgain(wish, reply, tries));
        var status = reply.map(Reply::status).orElse(0);
        if (status != 200 && status != 202) {
            if (sure && (status == 423 || status == 429 || status == 503)) {
                journal.refused(wish.requester());
            }
            return null;
        }
        return awaitGrant(reply.orElseThrow().body(), wish);
    }

    private boolean asksAgain(Wish wish, Optional<Reply> reply, int tries) {
        if (wish.key() != null && isUnknown(reply)) {
            return true;
        }
        boolean none = reply.map(Reply::status).orElse(0) == 423;
        if (none && wish.way() == Way.ASKING_AGAIN && tries < 5) {
            pause();
            return true;
        }
        return false;
    }

    private @Nullable JsonNode awaitGrant(JsonNode first, Wish wish) throws InterruptedException {
        var allocation = first;
        while (!allocation.path("state").asString().equals("active")) {
            if (allocation.path("state").asString().equals("ended")) {
                return null;
            }
            if (wish.way().pauses()) {
                pause();
            }
            var path = "/allocations/" + allocation.path("id").asString();
            var next = wish.way().pauses() ? answer("GET", path, null) : answer("GET", path, null, LONGER);
            if (next.status() != 200) {
                throw new AssertionError("an allocation that was answered is " + next.status() + ": " + next.text());
            }
            allocation = next.body();
        }
        return allocation;
    }

    /** As a client does between two times that it asks the same. */
    private void pause() {
        LockSupport.parkNanos(20_000_000 + random.nextInt(100_000_000));
    }

    private static boolean isUnknown(Optional<Reply> reply) {
        return reply.isEmpty() || reply.get().status() == 503;
    }

    /** Keeps it alive for a while. Returns until when it is held at least; null when it was lost. */
    private @Nullable Instant use(String id, Instant granted) throws InterruptedException {
        var by = granted;
        int times = random.nextInt(6);
        for (int i = 0; i < times; i++) {
            var reply = answer("POST", "/allocations/" + id + "/keepalive", null);
            if (reply.status() != 200) {
                journal.add(
                        new Lost(id, System.nanoTime(), Instant.now(), reply.status() + " " + reply.field("message")));
                return null;
            }
            by = keepaliveBy(reply.body());
            journal.add(new Kept(id, System.nanoTime(), by));
        }
        return by;
    }

    private void release(String id, String outcome) throws InterruptedException {
        journal.add(new Releasing(id, System.nanoTime(), outcome));
        var reply = answer("DELETE", "/allocations/" + id, "{\"outcome\":\"" + outcome + "\"}");
        if (reply.status() != 200) {
            throw new AssertionError("a release was answered with " + reply.status() + ": " + reply.text());
        }
        journal.add(new Released(id, System.nanoTime()));
    }

    // ---- folders

    private boolean moveIn(String id, Iterable<String> environments) {
        for (var environment : environments) {
            var folder = folders.resolve(environment).resolve("work");
            try (var files = Files.list(folder)) {
                var left = files.toList();
                if (!left.isEmpty()) {
                    journal.add(new Trampled(id, System.nanoTime(), "found in its folder: " + left));
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
            try {
                Files.writeString(folder.resolve(id), id);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return true;
    }

    private void lookAround(String id, Iterable<String> environments, Instant by) {
        for (var environment : environments) {
            boolean there =
                    Files.exists(folders.resolve(environment).resolve("work").resolve(id));
            if (!there && isSure(by)) {
                journal.add(new Trampled(id, System.nanoTime(), "its file is gone from " + environment));
            }
        }
    }

    // ---- calling

    /** Of a call that may be repeated until somebody answers. */
    private Reply answer(String method, String path, @Nullable String body, String... headers)
            throws InterruptedException {
        while (true) {
            var reply = call(method, path, body, headers);
            if (!isUnknown(reply)) {
                return reply.orElseThrow();
            }
        }
    }

    /** Empty when no answer came. */
    private Optional<Reply> call(String method, String path, @Nullable String body, String... headers)
            throws InterruptedException {
        var url = gate.pass(dead, random);
        try {
            var reply = new Api(url, Site.CONSUMER).call(method, path, body, headers);
            if (reply.status() == 500) {
                throw new AssertionError(method + " " + path + " was answered with " + reply.text());
            }
            if (reply.status() == 503) {
                pause();
            } else {
                answers.incrementAndGet();
            }
            return Optional.of(reply);
        } catch (IOException e) {
            dead = url;
            return Optional.empty();
        }
    }
}
