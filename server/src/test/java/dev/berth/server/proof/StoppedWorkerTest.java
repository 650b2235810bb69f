package dev.berth.server.proof;

import static dev.berth.server.store.Samples.policy;
import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.core.AllocationId;
import dev.berth.core.Answer;
import dev.berth.core.Command;
import dev.berth.core.EnvironmentName;
import dev.berth.core.EnvironmentState;
import dev.berth.core.Event;
import dev.berth.core.NeedClass;
import dev.berth.core.Registration;
import dev.berth.core.Request;
import dev.berth.core.Shape;
import dev.berth.core.Step;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A worker that is stopped beyond its claim and goes on later does no harm. Takes a claim's lease of 15 s, for which nothing stands in:
 * it is what the promise is about.
 */
class StoppedWorkerTest {
    /** A's clean-up is about to wipe the folder; {@code now} is when it would. B's wipes it at once. */
    private static final String CLEAN = """
            folder=$PWD/folders/$BERTH_ENVIRONMENT
            mkdir -p "$folder"
            case $BERTH_CLAIM in
            A-*)
                trap "" TERM HUP
                echo $$ >"$BERTH_ENVIRONMENT.pid"
                while ! [ -e now ] && [ -e clean.sh ]; do sleep 0.02; done
                echo "$BERTH_ENVIRONMENT" >>harm ;;
            B-*)
                [ "$BERTH_ENVIRONMENT" != busy ] || echo began >b.began
                while [ "$BERTH_ENVIRONMENT" = busy ] && ! [ -e finish ] && [ -e clean.sh ]; do sleep 0.02; done ;;
            esac
            rm -rf "$folder"/*
            """;

    private static final List<String> NAMES = List.of("stopped", "running", "late");

    /** Programs are looked for on the whole of the machine: no two runs of this test have the same claims. */
    private static final String RUN = "-" + ProcessHandle.current().pid();

    /** B is still at it when A goes on: a result that is taken from a lost claim would be seen here. */
    private static final EnvironmentName BUSY = new EnvironmentName("busy");

    @Test
    void whatAStoppedWorkerBeganOrWasAboutToBeginHarmsNobody(@TempDir Path folder) throws Exception {
        var site = new Site(folder, "shop", "");
        site.program("clean.sh", CLEAN);
        site.program("verify.sh", "[ -z \"$(ls -A \"folders/$BERTH_ENVIRONMENT\")\" ]\n");
        Process a = null;
        try (var b = new WorkerProcess(folder, "B" + RUN)) {
            b.ledger().call(WorkerProcess.POOL, new Command.Enact(policy(Set.of(Step.CLEAN, Step.VERIFY))));
            b.ledger()
                    .call(
                            WorkerProcess.POOL,
                            new Command.Register(Stream.concat(NAMES.stream(), Stream.of(BUSY.value()))
                                    .map(name -> new Registration(
                                            new EnvironmentName(name), name, null, Shape.PLAIN, "{}", "1"))
                                    .toList()));
            a = start(site);
            Await.until(
                    "A is at it",
                    () -> Files.exists(folder.resolve("late.dawdles"))
                            && Stream.of("stopped", "running", "busy").allMatch(name -> pid(site, name) > 0));
            stopBetweenTransactions(a.pid(), folder);
            signal("STOP", pid(site, "stopped"));

            b.work();
            for (var name : NAMES) {
                Await.until(
                        name + " is available",
                        () -> b.store()
                                        .environment(new EnvironmentName(name))
                                        .orElseThrow()
                                        .state()
                                instanceof EnvironmentState.Available);
            }
            Await.until("B is at what A was", () -> Files.exists(folder.resolve("b.began")));
            int number = b.ledger().numberOf(WorkerProcess.POOL).orElseThrow();
            for (int i = 0; i < NAMES.size(); i++) {
                assertThat(b.ledger().call(WorkerProcess.POOL, ask(number, i))).isInstanceOf(Answer.Current.class);
            }
            for (var name : NAMES) {
                site.write("folders/" + name + "/mine", "the next holder's");
            }
            assertThat(List.of(pid(site, "stopped"), pid(site, "running"), pid(site, "busy")))
                    .as("A's programs are dead when somebody holds the environments")
                    .noneMatch(OrphanTest::isAlive);

            long reported = b.store().pool(WorkerProcess.POOL).orElseThrow().events();
            site.write("now", "");
            site.write("late.go", "");
            signal("CONT", a.pid());
            Await.until(
                    "A learns that it has lost its claims",
                    () -> site.read("a.log")
                                    .lines()
                                    .filter(line -> line.contains("the claim was lost, its result was not taken"))
                                    .count()
                            == NAMES.size() + 1);
            for (var name : NAMES) {
                assertThat(site.read("folders/" + name + "/mine")).isEqualTo("the next holder's");
                assertThat(b.store()
                                .environment(new EnvironmentName(name))
                                .orElseThrow()
                                .state())
                        .isInstanceOf(EnvironmentState.Allocated.class);
            }
            assertThat(folder.resolve("harm")).doesNotExist();
            assertThat(folder.resolve("late.pid")).as("A began nothing for it").doesNotExist();
            assertThat(b.store().events(Map.of(number, reported), 1000))
                    .as("nothing of A's result was taken")
                    .isEmpty();
            var events = b.store().events(Map.of(), 1000);
            assertThat(events.stream().filter(stored -> stored.event().type() == Event.Type.CLAIM_LOST))
                    .hasSize(NAMES.size() + 1);
            site.write("finish", "");
            Await.until(
                    "B's own result counts",
                    () -> b.store().environment(BUSY).orElseThrow().state() instanceof EnvironmentState.Available);
        } finally {
            if (a != null) {
                a.destroyForcibly().waitFor(10, TimeUnit.SECONDS);
            }
        }
        Proofs.record(
                "Stopped worker",
                "stopped beyond its claim with its program, without it, before it began, and with its successor still at it;"
                        + " the next holder's files stay, its 4 results are refused");
    }

    private static Command.Ask ask(int pool, int i) {
        var id = new AllocationId("%s-000000000-%026d".formatted(Integer.toString(pool, 36), i));
        var request =
                new Request("proof", NeedClass.ONE, null, null, Duration.ZERO, 0, "{}", null, Integer.toString(i));
        return new Command.Ask(id, "proof", request, Duration.ZERO, null, false);
    }

    private static Process start(Site site) throws IOException {
        var words = new java.util.ArrayList<>(Site.java(WorkerProcess.class));
        words.addAll(List.of(site.folder.toString(), "A" + RUN));
        return new ProcessBuilder(words)
                .redirectErrorStream(true)
                .redirectOutput(site.path("a.log").toFile())
                .start();
    }

    private static long pid(Site site, String environment) {
        var file = environment + ".pid";
        var text = Files.exists(site.path(file)) ? site.read(file) : "";
        return text.endsWith("\n") ? Long.parseLong(text.strip()) : 0;
    }

    /** One that is stopped while it has SQLite's lock would stop the others too: a limit of that store, which has one process. */
    private static void stopBetweenTransactions(long pid, Path folder) throws SQLException {
        try (var connection = DriverManager.getConnection("jdbc:sqlite:" + folder.resolve("berth.db"));
                var statement = connection.createStatement()) {
            statement.execute("PRAGMA busy_timeout = 60000");
            statement.execute("BEGIN IMMEDIATE");
            signal("STOP", pid);
            statement.execute("ROLLBACK");
        }
    }

    private static void signal(String name, long pid) {
        try {
            var kill = new ProcessBuilder("kill", "-" + name, Long.toString(pid))
                    .inheritIO()
                    .start();
            assertThat(kill.waitFor()).as("kill -%s %d", name, pid).isZero();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }
}
