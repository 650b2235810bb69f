package dev.berth.cli;

import dev.berth.client.AllocationQuery;
import dev.berth.client.AllocationState;
import dev.berth.client.BerthClient;
import dev.berth.client.Event;
import dev.berth.client.EventPage;
import dev.berth.client.EventQuery;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The show of {@code berth demo}: starts the jobs as processes and tells the service's events in words. */
final class Demo implements AutoCloseable {
    private static final String POOL = "scratch";
    private static final String KILLED = "job 2";
    private static final List<String> JOBS = List.of("job 1", KILLED, "job 3", "job 4");
    private static final Duration KEEPALIVE = Duration.ofSeconds(10);
    private static final Duration PATIENCE = Duration.ofMinutes(2);
    private static final int MOST_LEFT = 100;
    private static final String RED = "31";
    private static final String GREEN = "32";
    private static final String BLUE = "34";

    private final Surroundings around;
    private final BerthClient client;
    private final Path folder;
    private final Map<String, Process> jobs = new HashMap<>();
    private @Nullable Thread teller;
    private final boolean colored;
    private volatile long startedAt = System.nanoTime();

    /** Guards the two below. */
    private final Object turn = new Object();

    /** Who asked, by allocation; later events name only that. */
    private final Map<String, String> requesters = new HashMap<>();

    /** What happened so far: {@code "ended job 1"}. */
    private final Set<String> happened = new HashSet<>();

    Demo(Surroundings around, BerthClient client, Path folder) {
        this.around = around;
        this.client = client;
        this.folder = folder;
        this.colored = around.liveOut() && !around.env().containsKey("NO_COLOR");
    }

    private void tellFrom(@Nullable String cursor) {
        teller = Thread.ofVirtual()
                .name("berth-demo-events")
                .start(() -> client.follow(new EventQuery(POOL, cursor, null), this::tell));
    }

    /** An earlier show on the same data folder is not told again. */
    private @Nullable String newest() {
        String cursor = null;
        while (true) {
            EventPage page = client.events(new EventQuery(POOL, cursor, 500));
            if (page.events().isEmpty() || page.next() == null) {
                return page.next() == null ? cursor : page.next();
            }
            cursor = page.next();
        }
    }

    /** Runs the show; false when it did not go as it should. */
    boolean show() throws InterruptedException, IOException {
        endLeftovers();
        awaitFree();
        startedAt = System.nanoTime();
        tellFrom(newest());
        Path killed = folder.resolve("jobs/killed");
        Files.deleteIfExists(killed);
        // Job 1 works until all have asked, so that the order is the same on a slow machine.
        start(
                "job 1",
                "i=0; while [ ! -e \"$DEMO_KILLED\" ] && [ $i -lt 600 ]; do sleep 0.2; i=$((i + 1)); done; sleep 2");
        start(KILLED, "exec sleep 600");
        await("works job 1");
        await("works " + KILLED);
        start("job 3", "exec sleep 10");
        await("waits job 3");
        // One after the other, so that they stand in line in the order of their names.
        start("job 4", "exec sleep 1");
        await("waits job 4");
        say(KILLED, "is killed with -9: it cannot give back anything", RED);
        kill(jobs.get(KILLED));
        Files.createFile(killed);
        boolean well = true;
        for (String job : JOBS) {
            await("ended " + job);
            well &= job.equals(KILLED) || exited(job);
        }
        awaitFree();
        around.out().println();
        around.out()
                .println(
                        well
                                ? "All had their turn, one at a time in each folder; the killed job's folder came back by"
                                        + " itself."
                                : "Not every job went well; what they said is in " + folder.resolve("jobs"));
        return well;
    }

    /** The jobs of a demo that was killed may still run, and give signs of life; without a loan they end by themselves. */
    private void endLeftovers() {
        for (AllocationState state :
                List.of(AllocationState.PENDING, AllocationState.GRANTING, AllocationState.ACTIVE)) {
            client.allocations(new AllocationQuery(POOL, state, null, null, MOST_LEFT)).allocations().stream()
                    .filter(left -> JOBS.contains(left.requester()))
                    .forEach(left -> client.release(left.id(), "left by an earlier demo"));
        }
    }

    private void start(String job, String work) throws IOException {
        Path log = Files.createDirectories(folder.resolve("jobs")).resolve(job.replace(' ', '-') + ".log");
        List<String> command = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
        String options = System.getProperty("berth.options");
        command.addAll(
                options == null ? List.of("-cp", System.getProperty("java.class.path")) : List.of("@" + options));
        command.addAll(List.of(Main.class.getName(), "run", "--pool", POOL, "--requester", job, "--wait", "5m"));
        command.addAll(List.of("--keepalive", KEEPALIVE.toSeconds() + "s", "--", "sh", "-c"));
        command.add("echo 'made by " + job + "' > \"$SCRATCH_DIR/result\"; " + work);
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                .redirectErrorStream(true)
                .redirectOutput(log.toFile());
        Map<String, String> env = builder.environment();
        env.remove("BERTH_URL");
        env.remove("BERTH_TOKEN");
        env.put("BERTH_DATA", folder.toString());
        env.put("DEMO_KILLED", folder.resolve("jobs/killed").toString());
        jobs.put(job, builder.start());
    }

    private boolean exited(String job) throws InterruptedException {
        Process process = jobs.get(job);
        return process != null && process.waitFor(10, TimeUnit.SECONDS) && process.exitValue() == 0;
    }

    private static void kill(@Nullable Process process) {
        if (process != null) {
            // With what it started: this stands for a machine that is gone.
            List<ProcessHandle> all = Stream.concat(Stream.of(process.toHandle()), process.descendants())
                    .toList();
            all.forEach(ProcessHandle::destroyForcibly);
        }
    }

    private void await(String what) throws InterruptedException {
        long giveUpAt = System.nanoTime() + PATIENCE.toNanos();
        synchronized (turn) {
            while (!happened.contains(what)) {
                long left = TimeUnit.NANOSECONDS.toMillis(giveUpAt - System.nanoTime());
                if (left <= 0) {
                    throw new CliFailure(
                            ExitCode.DEFECT,
                            "the demo waited " + Text.duration(PATIENCE) + " for '" + what
                                    + "'; what the jobs said is in " + folder.resolve("jobs"));
                }
                turn.wait(left);
            }
        }
    }

    private void awaitFree() throws InterruptedException {
        long giveUpAt = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            var pool = client.pool(POOL);
            if (pool.available() > 0 && pool.available() == pool.total() - pool.dirty()) {
                return;
            }
            if (System.nanoTime() - giveUpAt > 0) {
                throw new CliFailure(
                        ExitCode.DEFECT, "the demo's folders did not become free; see 'berth environments'");
            }
            Thread.sleep(100);
        }
    }

    private boolean tell(Event event) {
        switch (event.type()) {
            case "allocation-requested" -> job(event, "waits", "waits: no folder is free");
            case "allocation-granted" -> job(event, "granted", "is granted " + environments(event));
            case "allocation-active" -> job(event, "works", "has its access, and works in " + environments(event));
            case "allocation-ended" -> job(event, "ended", ended(event));
            case "step-done" -> step(event);
            case "step-failed", "step-unavailable" ->
                folder(
                        event,
                        or(field(event, "step"), "a step") + " failed: "
                                + or(field(event, "reason"), "no reason given"));
            case "environment-available" -> folder(event, "is free, to be lent again");
            case "environment-dirty" -> folder(event, "is dirty: " + or(field(event, "reason"), "no reason given"));
            default -> {}
        }
        return true;
    }

    private void job(Event event, String what, String words) {
        String allocation = or(field(event, "allocation"), "?");
        String requester = field(event, "requester");
        String who;
        synchronized (turn) {
            if (requester != null) {
                requesters.put(allocation, requester);
            }
            who = requesters.getOrDefault(allocation, allocation);
        }
        say(who, words, GREEN);
        synchronized (turn) {
            happened.add(what + " " + who);
            turn.notifyAll();
        }
    }

    private void step(Event event) {
        String report = field(event, "report");
        switch (or(field(event, "step"), "")) {
            case "revoke" -> folder(event, "access taken back: its path leads nowhere now");
            case "clean" -> folder(event, "cleaned" + (report == null ? "" : ": " + report));
            case "verify" -> folder(event, "checked: nothing is left in it");
            default -> {}
        }
    }

    private void folder(Event event, String words) {
        say(or(field(event, "environment"), POOL), words, BLUE);
    }

    private static String environments(Event event) {
        return or(field(event, "environments"), "a folder");
    }

    private static String ended(Event event) {
        String reason = or(field(event, "reason"), "");
        return switch (reason) {
            case "released" -> "is done, and gives back " + environments(event);
            case "keepalive-lost" ->
                "gave no sign of life for " + Text.duration(KEEPALIVE) + ": " + environments(event) + " is taken back";
            default -> "ended: " + reason;
        };
    }

    /** A fact of an event, whether it stands in the event or in its {@code data}. */
    private static @Nullable String field(Event event, String name) {
        Object value = event.fields().get(name);
        if (value == null && event.fields().get("data") instanceof Map<?, ?> data) {
            value = data.get(name);
        }
        return value == null ? null : value.toString();
    }

    private static String or(@Nullable String value, String otherwise) {
        return value == null ? otherwise : value;
    }

    /** By when it is told, which is what the onlooker sees; a few milliseconds after it happened. */
    private void say(String who, String what, String color) {
        double seconds = (System.nanoTime() - startedAt) / 1e9;
        String name = "%-9s".formatted(Text.clean(who));
        around.out()
                .println(String.format(Locale.ROOT, "%6.1f s  ", seconds)
                        + (colored ? "\u001b[" + color + "m" + name + "\u001b[0m" : name)
                        + "  " + Text.clean(what));
    }

    @Override
    public void close() {
        if (teller != null) {
            teller.interrupt();
        }
        jobs.values().stream().filter(Process::isAlive).forEach(Demo::kill);
    }
}
