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
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/**
 * One caller that borrows and gives back, and writes down what it knows. What was not answered it asks again, where it may: with its
 * key, or where the call is idempotent. It puts a file into each folder that it was lent, and expects to find that and nothing else.
 */
final class LoadClient implements Runnable {
    private static final String[] LONGER = {"Prefer", "wait=3"};

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

    private void borrow() throws InterruptedException {
        asked++;
        var pool = random.nextInt(5) < 3 ? "plain" : "shop";
        var key = random.nextInt(10) < 7 ? name + "-" + asked : null;
        var body = Api.asking(
                pool,
                ",\"keepalive\":\"10s\",\"environments\":[{\"count\":%d}]%s"
                        .formatted(random.nextInt(8) == 0 ? 2 : 1, random.nextBoolean() ? ",\"maxWait\":\"3s\"" : ""));
        var granted = ask(body, key);
        if (granted == null) {
            return;
        }
        write(granted, key);
        var id = granted.path("id").asString();
        boolean ours = pool.equals("shop") && moveIn(id, epochs(granted).keySet());
        if (key != null && random.nextInt(5) == 0) {
            var again = ask(body, key);
            if (again != null) {
                write(again, key);
            }
        }
        if (!use(id)) {
            return;
        }
        if (ours) {
            lookAround(id, epochs(granted).keySet());
        }
        release(id, random.nextBoolean() ? "success" : "failure");
        if (random.nextInt(3) == 0) {
            release(id, "said-later");
        }
    }

    private void write(JsonNode granted, @Nullable String key) {
        var by = granted.path("keepaliveBy");
        journal.add(new Granted(
                granted.path("id").asString(),
                System.nanoTime(),
                key,
                epochs(granted),
                by.isString() ? Instant.parse(by.asString()) : null));
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
    private @Nullable JsonNode ask(String body, @Nullable String key) throws InterruptedException {
        var headers = new ArrayList<>(List.of(LONGER));
        if (key != null) {
            headers.addAll(List.of("Idempotency-Key", key));
        }
        Optional<Reply> reply;
        do {
            reply = call("POST", "/allocations", body, headers.toArray(String[]::new));
        } while (key != null && isUnknown(reply));
        var status = reply.map(Reply::status).orElse(0);
        if (status != 200 && status != 202) {
            return null;
        }
        var allocation = reply.orElseThrow().body();
        while (!allocation.path("state").asString().equals("active")) {
            if (allocation.path("state").asString().equals("ended")) {
                return null;
            }
            var next = answer("GET", "/allocations/" + allocation.path("id").asString(), null, LONGER);
            if (next.status() != 200) {
                throw new AssertionError("an allocation that was answered is " + next.status() + ": " + next.text());
            }
            allocation = next.body();
        }
        return allocation;
    }

    private static boolean isUnknown(Optional<Reply> reply) {
        return reply.isEmpty() || reply.get().status() == 503;
    }

    /** Keeps it alive for a while. Returns false when it was lost. */
    private boolean use(String id) throws InterruptedException {
        int times = random.nextInt(6);
        for (int i = 0; i < times; i++) {
            var reply = answer("POST", "/allocations/" + id + "/keepalive", null);
            if (reply.status() != 200) {
                journal.add(
                        new Lost(id, System.nanoTime(), Instant.now(), reply.status() + " " + reply.field("message")));
                return false;
            }
            journal.add(new Kept(id, System.nanoTime(), Instant.parse(reply.field("keepaliveBy"))));
        }
        return true;
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

    private void lookAround(String id, Iterable<String> environments) {
        for (var environment : environments) {
            if (!Files.exists(folders.resolve(environment).resolve("work").resolve(id))) {
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
        var url = gate.pass(dead);
        try {
            var reply = new Api(url, Site.CONSUMER).call(method, path, body, headers);
            answers.incrementAndGet();
            return Optional.of(reply);
        } catch (IOException e) {
            dead = url;
            return Optional.empty();
        }
    }
}
