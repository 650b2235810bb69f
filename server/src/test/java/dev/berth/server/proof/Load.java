package dev.berth.server.proof;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.server.proof.HistoryChecker.Happened;
import dev.berth.server.proof.HistoryChecker.Taken;
import dev.berth.server.proof.Journal.Entry.Granted;
import dev.berth.server.proof.Journal.Entry.Released;
import dev.berth.server.proof.Journal.Entry.Seen;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;

/**
 * Clients at work on the pools {@code plain}, which has nothing to clean, and {@code shop}, whose program is told here, and what they
 * know together.
 */
final class Load {
    static final List<String> POOLS = List.of("plain", "shop");
    static final int CLIENTS = 8;

    /** Of {@code shop}: it gives each environment a folder for work and one with a file for each access that was issued. */
    static final String PROGRAM = """
            folder=$PWD/folders/$BERTH_ENVIRONMENT
            case $BERTH_STEP in
            issue) : >"$folder/access/$BERTH_EPOCH"; echo "{\\"credentials\\":{\\"epoch\\":\\"$BERTH_EPOCH\\"}}" ;;
            revoke)
                for given in "$folder"/access/*; do
                    [ -e "$given" ] || continue
                    [ "${given##*/}" -gt "$BERTH_EPOCH" ] || rm -f "$given"
                done ;;
            clean) mkdir -p "$folder/work" "$folder/access"; rm -rf "$folder/work"; mkdir "$folder/work" ;;
            verify) [ -z "$(ls -A "$folder/work")" ] && [ -z "$(ls -A "$folder/access")" ] ;;
            esac
            """;

    private static final List<String> STEPS = List.of("revoke", "clean", "verify");

    private final Instant began = Instant.now();
    private final long beganNanos = System.nanoTime();
    private final Journal journal = new Journal();
    private final Gate gate = new Gate();
    private final AtomicLong answers = new AtomicLong();
    private final ConcurrentLinkedQueue<Throwable> failures = new ConcurrentLinkedQueue<>();
    private final List<Thread> threads = new ArrayList<>();

    /** Allocations that looked settled at an earlier look: they are not looked up again and again. */
    private final Set<String> settled = new HashSet<>();

    /**
     * Begins, at a closed gate.
     *
     * @param folders where the folders of the environments of {@code shop} are
     */
    Load(Random random, Path folders) {
        for (int i = 0; i < CLIENTS; i++) {
            var client = new LoadClient("client-" + i, new Random(random.nextLong()), gate, journal, answers, folders);
            threads.add(Thread.ofPlatform()
                    .daemon()
                    .name("client-" + i)
                    .uncaughtExceptionHandler((thread, failure) -> failures.add(failure))
                    .start(client));
        }
    }

    /** From now on the service is there. */
    void open(List<URI> urls) {
        gate.open(urls);
    }

    /** From now on it is not; returns once every client knows. */
    void close() throws InterruptedException {
        try {
            gate.close(CLIENTS);
        } catch (AssertionError e) {
            failures.forEach(e::addSuppressed);
            addThreads(e);
            throw e;
        }
    }

    /** Where each of the clients is. */
    private void addThreads(AssertionError e) {
        for (var thread : threads) {
            var at = new AssertionError(thread.getName() + " is " + thread.getState());
            at.setStackTrace(thread.getStackTrace());
            e.addSuppressed(at);
        }
    }

    long answers() {
        return answers.get();
    }

    void awaitAnswers(int more) {
        long until = answers.get() + more;
        Await.until("the clients are at work", () -> answers.get() >= until || !failures.isEmpty());
    }

    /** A client that is refused has answers too, and who lost the answer to a grant keeps what nobody else can have until that is lost. */
    void awaitGrants(int more, Api operator) {
        long until = granted() + more;
        try {
            Await.until("the clients are lent something", () -> granted() >= until || !failures.isEmpty());
        } catch (AssertionError e) {
            for (var pool : POOLS) { // what stands in their way
                e.addSuppressed(
                        new AssertionError(operator.get("/pools/" + pool).text()));
                for (var state : List.of("pending", "active")) {
                    var path = "/allocations?limit=1000&pool=" + pool + "&state=" + state;
                    e.addSuppressed(new AssertionError(operator.get(path).text()));
                }
            }
            addThreads(e);
            throw e;
        }
    }

    /** Looks up everything that a client knows of and that may have changed. Clients must not be at work meanwhile. */
    void look(Api operator) {
        var ids = new LinkedHashSet<String>();
        var released = new HashSet<String>();
        for (var entry : journal.entries()) {
            if (entry instanceof Granted && !settled.contains(entry.id())) {
                ids.add(entry.id());
            } else if (entry instanceof Released) {
                released.add(entry.id());
            }
        }
        for (var id : ids) {
            journal.add(seen(id, operator.get("/allocations/" + id)));
        }
        released.retainAll(ids);
        settled.addAll(released);
    }

    private static Seen seen(String id, Api.Reply reply) {
        if (reply.status() != 200) {
            return new Seen(id, System.nanoTime(), "answered with " + reply.status(), Map.of(), null, "", "");
        }
        var by = reply.body().path("keepaliveBy");
        return new Seen(
                id,
                System.nanoTime(),
                reply.field("state"),
                LoadClient.epochs(reply.body()),
                by.isString() ? Instant.parse(by.asString()) : null,
                reply.field("endReason"),
                reply.field("outcome"));
    }

    /** Checks what the clients know, and what is stored. */
    void check(StoredRows rows, String when) {
        var checker = new HistoryChecker(this::nanosOf);
        checker.rows(rows.environments(), rows.allocations());
        checker.clients(journal.entries());
        assertThat(rows.integrity()).isEqualTo("ok");
        assertThat(failures).as("clients, %s", when).isEmpty();
        assertThat(checker.violations()).as(when).isEmpty();
    }

    /** The service's clock is this machine's: its own, or that of its database. */
    private long nanosOf(Instant instant) {
        return beganNanos + Duration.between(began, instant).toNanos();
    }

    /**
     * Lets the clients give back what they hold, and end. Then everything has to come to rest by itself.
     *
     * @param operator calls one of the services that are there
     */
    void finish(List<URI> urls, Api operator, Duration atRestWithin, String when) throws InterruptedException {
        look(operator);
        gate.end();
        gate.open(urls);
        for (var thread : threads) {
            thread.join(Gate.joinMillis());
            assertThat(thread.isAlive()).as("%s ended", thread.getName()).isFalse();
        }
        settled.clear();
        look(operator);
        Await.until(
                "every environment is available again and nobody waits, " + when,
                atRestWithin,
                () -> POOLS.stream().allMatch(pool -> isAtRest(operator, pool)));
    }

    private static boolean isAtRest(Api api, String name) {
        var pool = api.get("/pools/" + name).body();
        var states = pool.path("environments");
        return states.path("available").asInt() == states.path("total").asInt()
                && pool.path("queue").path("length").asInt() == 0;
    }

    /**
     * Checks everything that ever happened, once all is at rest.
     *
     * @return how many events there were
     */
    int checkAll(Api operator, String when) {
        var checker = new HistoryChecker(this::nanosOf);
        var all = new ArrayList<Happened>();
        var taken = new ArrayList<Taken>();
        for (var pool : POOLS) {
            var events = operator.events(pool).stream().map(Load::happened).toList();
            checker.events(events, pool.equals("shop") ? STEPS : List.of());
            all.addAll(events);
            taken.addAll(taken(operator, pool));
        }
        checker.clients(journal.entries());
        checker.told(journal.entries(), all, true);
        checker.taken(journal.refused(), taken);
        assertThat(failures).as("clients, %s", when).isEmpty();
        assertThat(checker.violations()).as(when).isEmpty();
        return all.size();
    }

    static Happened happened(JsonNode event) {
        var data = event.path("data");
        var several = data.path("environments").asString("");
        var one = event.path("environment").asString("");
        return new Happened(
                event.path("number").asLong(),
                event.path("type").asString(),
                event.path("allocation").asString(""),
                several.isEmpty() ? (one.isEmpty() ? List.of() : List.of(one)) : List.of(several.split(",", -1)),
                data.path("step").asString(data.path("reason").asString("")));
    }

    private static List<Taken> taken(Api operator, String pool) {
        var all = new ArrayList<Taken>();
        var next = "";
        do {
            var page =
                    operator.get("/allocations?limit=1000&pool=" + pool + next).body();
            page.path("allocations")
                    .forEach(allocation -> all.add(new Taken(
                            allocation.path("requester").asString(),
                            allocation.path("id").asString(),
                            !allocation.path("grantedAt").isNull())));
            next = page.path("next").isString() ? "&cursor=" + page.path("next").asString() : "";
        } while (!next.isEmpty());
        return all;
    }

    /** How many allocations the clients know to have had. */
    long granted() {
        return of(Granted.class).map(Journal.Entry::id).distinct().count();
    }

    /** How often a look found one held. */
    long foundHeld() {
        return of(Seen.class).filter(seen -> seen.state().equals("active")).count();
    }

    /** How many wishes were refused, and took nothing. */
    int refused() {
        return journal.refused().size();
    }

    private <T extends Journal.Entry> Stream<T> of(Class<T> kind) {
        return journal.entries().stream().filter(kind::isInstance).map(kind::cast);
    }
}
