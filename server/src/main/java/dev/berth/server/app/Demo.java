package dev.berth.cli;

import dev.berth.client.BerthClient;
import dev.berth.client.Event;
import dev.berth.client.EventPage;
import dev.berth.client.EventQuery;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The show of {@code berth demo}: starts the jobs as processes and tells the service's events in words. */
final class Demo implements AutoCloseable {
    private static final String POOL = "scratch";
    private static final int JOBS = 4;
    private static final String KILLED = "job 2";
    private static final Duration KEEPALIVE = Duration.ofSeconds(10);
    private static final Duration PATIENCE = Duration.ofSeconds(120);
    private static final DateTimeFormatter CLOCK =
            DateTimeFormatter.ofPattern("HH:mm:ss").withZone(ZoneId.systemDefault());

    private final Surroundings around;
    private final BerthClient client;
    private final Path folder;
    private final Map<String, Process> jobs = new HashMap<>();
    private final Thread teller;

    /** Guards the two below. */
    private final Object turn = new Object();

    /** Who asked, by allocation; later events name only that. */
    private final Map<String, String> requesters = new HashMap<>();

    /** What happened so far: {@code "allocation-ended job 1"}, {@code "environment-available scratch-1"}. */
    private final Set<String> happened = new HashSet<>();

    Demo(Surroundings around, BerthClient client, Path folder) {
        this.around = around;
        this.client = client;
        this.folder = folder;
        String since = newest();
        this.teller = Thread.ofVirtual()
                .name("berth-demo-events")
                .unstarted(() -> client.follow(new EventQuery(POOL, since, null), this::tell));
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
        around.out().println("""
                Two scratch folders, four jobs. Each job is 'berth run --pool scratch -- …': it waits for a folder,
                works in it, and gives it back; then Berth cleans it, checks it, and lends it again.
                """);
        awaitFree();
        teller.start();
        for (int i = 1; i <= JOBS; i++) {
            String job = "job " + i;
            start(job);
            // One after the other, so that they stand in line in the order of their names.
            await("allocation-requested " + job);
        }
        await("allocation-active " + KILLED);
        say(Instant.now(), KILLED, "is killed with -9: it can give nothing back");
        kill(jobs.get(KILLED));
        boolean well = true;
        for (int i = 1; i <= JOBS; i++) {
            String job = "job " + i;
            await("allocation-ended " + job);
            well &= job.equals(KILLED) || exited(job);
        }
        awaitFree();
        around.out().println();
        around.out()
                .println(
                        well
                                ? "All four had their turn, the killed one's folder came back, and both are clean."
                                : "Not every job went well; what they said is in " + folder.resolve("jobs"));
        return well;
    }

    private void start(String job) throws IOException {
        Path log = Files.createDirectories(folder.resolve("jobs")).resolve(job.replace(' ', '-') + ".log");
        String work = job.equals(KILLED)
                ? "echo half-done > \"$SCRATCH_DIR/result\"; exec sleep 600"
                : "echo done > \"$SCRATCH_DIR/result\"; exec sleep 3";
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName()));
        command.addAll(List.of("run", "--pool", POOL, "--requester", job, "--wait", "5m"));
        command.addAll(List.of("--keepalive", KEEPALIVE.toSeconds() + "s", "--", "sh", "-c", work));
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                .redirectErrorStream(true)
                .redirectOutput(log.toFile());
        Map<String, String> env = builder.environment();
        env.remove("BERTH_URL");
        env.remove("BERTH_TOKEN");
        env.put("BERTH_DATA", folder.toString());
        jobs.put(job, builder.start());
    }

    private boolean exited(String job) throws InterruptedException {
        Process process = jobs.get(job);
        return process != null && process.waitFor(10, TimeUnit.SECONDS) && process.exitValue() == 0;
    }

    private static void kill(@Nullable Process process) {
        if (process != null) {
            // With what it started: this stands for a machine that is gone.
            List<ProcessHandle> all =
                    Stream.concat(Stream.of(process.toHandle()), process.descendants()).toList();
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
                            "the demo waited " + Text.duration(PATIENCE) + " for '" + what + "'; what the jobs said is in "
                                    + folder.resolve("jobs"));
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
                throw new CliFailure(ExitCode.DEFECT, "the demo's folders did not become free; see 'berth environments'");
            }
            Thread.sleep(100);
        }
    }

    private boolean tell(Event event) {
        String allocation = field(event, "allocation");
        String requester = field(event, "requester");
        String environment = field(event, "environment");
        String who;
        synchronized (turn) {
            if (allocation != null && requester != null) {
                requesters.put(allocation, requester);
            }
            String asker = allocation == null ? null : requesters.getOrDefault(allocation, allocation);
            who = asker != null ? asker : environment != null ? environment : POOL;
        }
        String what = words(event);
        if (what != null) {
            say(event.at() == null ? Instant.now() : event.at(), who, what);
        }
        synchronized (turn) {
            happened.add(event.type() + " " + who);
            turn.notifyAll();
        }
        return true;
    }

    private static @Nullable String words(Event event) {
        String environments = or(field(event, "environments"), "an environment");
        String step = or(field(event, "step"), "a step");
        return switch (event.type()) {
            case "allocation-requested" -> "asks for a folder";
            case "allocation-granted" -> "is granted " + environments;
            case "allocation-active" -> "has its access and works in " + environments;
            case "allocation-ended" -> ended(event, environments);
            case "step-started" -> step + " …";
            case "step-failed" -> step + " failed: " + or(field(event, "reason"), "no reason given");
            case "environment-available" -> "is clean, checked, and free to be lent";
            case "environment-dirty" -> "is dirty: " + or(field(event, "reason"), "no reason given");
            default -> null;
        };
    }

    private static String ended(Event event, String environments) {
        String reason = or(field(event, "reason"), "");
        return switch (reason) {
            case "released" -> "is done and gives back " + environments;
            case "keepalive-lost" ->
                "gave no sign of life for " + Text.duration(KEEPALIVE) + ": " + environments + " is taken back";
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

    private void say(Instant at, String who, String what) {
        around.out().printf("%s  %-10s  %s%n", CLOCK.format(at), Text.clean(who), Text.clean(what));
    }

    @Override
    public void close() {
        teller.interrupt();
        jobs.values().stream().filter(Process::isAlive).forEach(Demo::kill);
    }
}
