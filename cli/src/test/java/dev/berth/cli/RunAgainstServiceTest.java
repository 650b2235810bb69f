package dev.berth.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.cli.LiveBerth.Running;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code berth run} and the commands beside it against a service that lends scratch folders; a pool for each test. */
@Order(3)
@Timeout(600)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RunAgainstServiceTest {
    private Path folder;
    private LiveBerth berth;

    @BeforeAll
    void start(@TempDir Path folder) throws Exception {
        this.folder = folder;
        berth = new LiveBerth(folder);
        Map<String, Integer> pools = new LinkedHashMap<>();
        for (String pool : new String[] {"access", "queue", "signals", "killed", "ended", "short", "kept"}) {
            pools.put(pool, 1);
        }
        berth.configure(LiveBerth.configuration(pools, folder));
        berth.serve();
    }

    @AfterAll
    void stop() {
        berth.close();
    }

    /** A job that tells when it works, by a file, and ends when there is another. */
    private static String[] job(String pool, String name) {
        return new String[] {
            "run",
            "--pool",
            pool,
            "--requester",
            name,
            "--keepalive",
            "10s",
            "--",
            "sh",
            "-c",
            "touch " + name + ".works; while [ ! -e " + name + ".go ]; do sleep 0.05; done"
        };
    }

    private boolean there(String file) {
        return Files.exists(berth.path(file));
    }

    @Test
    void aJobGetsItsAccessAndItsExitCodeAndOutcomeAreKept() throws Exception {
        Running good = berth.berth("run", "--pool", "access", "--", "sh", "-c", """
                echo kept > "$SCRATCH_DIR/file" && echo "dir $SCRATCH_DIR" && cat "$BERTH_ACCESS_FILE"
                """);
        assertThat(good.exitCode()).as(good::err).isZero();
        String path = good.out().lines().findFirst().orElseThrow().substring("dir ".length());
        assertThat(Json.MAPPER
                        .readTree(good.out().lines().skip(1).findFirst().orElseThrow())
                        .at("/environments/0/connection/path")
                        .asString(""))
                .isEqualTo(path);

        assertThat(berth.berth("run", "--pool", "access", "--", "sh", "-c", "exit 7")
                        .exitCode())
                .isEqualTo(7);
        berth.awaitAvailable("access", 1);
        assertThat(Path.of(path)).doesNotExist();
        assertThat(berth.done("events", "--pool", "access", "-o", "json"))
                .contains("\"outcome\":\"success\"")
                .contains("\"outcome\":\"failure\"");
    }

    @Test
    void whatAFailedJobLeftIsKeptUntilItIsReleased() throws Exception {
        Running failed = berth.berth(
                "run",
                "--pool",
                "kept",
                "--keepalive",
                "10s",
                "--hold-on-failure",
                "30m",
                "--",
                "sh",
                "-c",
                "echo evidence > \"$SCRATCH_DIR/file\"; echo \"$BERTH_ALLOCATION\"; exit 7");
        assertThat(failed.exitCode()).as(failed::err).isEqualTo(7);
        assertThat(failed.err()).contains("the command failed (exit code 7); kept until 2", ": kept-1");

        String id = failed.out().strip();
        var kept = Json.MAPPER.readTree(berth.done("status", id, "-o", "json"));
        assertThat(kept.path("state").asString("")).isEqualTo("active");
        Path folder = Path.of(kept.at("/environments/0/connection/path").asString(""));
        assertThat(folder.resolve("file")).hasContent("evidence");

        berth.done("release", id);
        berth.awaitAvailable("kept", 1);
        assertThat(folder).doesNotExist();
        assertThat(berth.done("status", id)).containsPattern("outcome +failure");
        Running tooLong = berth.berth("run", "--pool", "kept", "--hold-on-failure", "2h", "--", "false");
        assertThat(tooLong.exitCode()).as(tooLong::err).isEqualTo(1);
        assertThat(tooLong.err()).contains("could not keep kept-1, releasing: ");
        berth.awaitAvailable("kept", 1);
    }

    @Test
    void ofTwoJobsTheSecondWaitsAndSaysSo() throws Exception {
        Running first = berth.berth(job("queue", "q1"));
        LiveBerth.await(() -> there("q1.works"), first);
        Running second = berth.berth(job("queue", "q2"));
        LiveBerth.await(() -> second.err().contains(", position 1"), second);
        assertThat(berth.done("status")).containsPattern("queue +command .* 1");
        assertThat(there("q2.works")).isFalse();

        Files.createFile(berth.path("q2.go"));
        Files.createFile(berth.path("q1.go"));
        assertThat(first.exitCode()).isZero();
        assertThat(second.exitCode()).as(second::err).isZero();
    }

    @Test
    void signalsEndTheCommandAndTheEnvironmentIsLentAgain() throws Exception {
        for (Map.Entry<String, Integer> each : Map.of("TERM", 143, "INT", 130).entrySet()) {
            String name = "s" + each.getKey();
            Running running = berth.berth(job("signals", name));
            LiveBerth.await(() -> there(name + ".works"), running);
            running.signal(each.getKey());
            assertThat(running.exitCode()).as(running::err).isEqualTo(each.getValue());
            berth.awaitAvailable("signals", 1);
        }
        assertThat(berth.done("events", "--pool", "signals", "-o", "json")).contains("\"outcome\":\"interrupted\"");
    }

    @Test
    void whatAKilledRunHeldComesBackWithinItsKeepalive() throws Exception {
        Running running = berth.berth(job("killed", "k1"));
        LiveBerth.await(() -> there("k1.works"), running);
        running.vanish();
        Running next = berth.berth("run", "--pool", "killed", "--wait", "50s", "--", "true");
        assertThat(next.exitCode()).as(next::err).isZero();
        assertThat(berth.done("events", "--pool", "killed", "-o", "json")).contains("\"reason\":\"keepalive-lost\"");
    }

    @Test
    void aLeaseThatAnOperatorEndedStopsTheCommandWithExit79() throws Exception {
        Running running = berth.berth(
                "run",
                "--pool",
                "ended",
                "--keepalive",
                "10s",
                "--",
                "sh",
                "-c",
                "echo $BERTH_ALLOCATION > id; touch e1.works; exec sleep 600");
        LiveBerth.await(() -> there("e1.works"), running);
        berth.done("release", LiveBerth.read(berth.path("id")).strip());
        assertThat(running.exitCode()).isEqualTo(ExitCode.LEASE_LOST);
        assertThat(running.err()).contains("the lease was lost");
    }

    @Test
    void eachRefusalHasItsExitCode() throws Exception {
        Running holder = berth.berth(job("short", "h1"));
        LiveBerth.await(() -> there("h1.works"), holder);
        assertThat(berth.berth("run", "--pool", "short", "--wait", "0s", "--", "true")
                        .exitCode())
                .isEqualTo(ExitCode.NOTHING_FREE);
        assertThat(berth.berth("run", "--pool", "short", "--wait", "1s", "--", "true")
                        .exitCode())
                .isEqualTo(ExitCode.NOTHING_FREE);
        assertThat(berth.berth(Map.of("BERTH_TOKEN", "not-a-token"), "run", "--pool", "short", "--", "true")
                        .exitCode())
                .isEqualTo(ExitCode.NOT_ALLOWED);
        assertThat(berth.berth("run", "--pool", "no-such-pool", "--", "true").exitCode())
                .isEqualTo(ExitCode.USAGE);
        assertThat(berth.berth(
                                Map.of("BERTH_URL", "http://127.0.0.1:1"),
                                "run",
                                "--pool",
                                "short",
                                "--wait",
                                "1s",
                                "--",
                                "true")
                        .exitCode())
                .isEqualTo(ExitCode.UNAVAILABLE);
        Files.createFile(berth.path("h1.go"));
        assertThat(holder.exitCode()).isZero();
    }

    @Test
    void tokensAreMadeUsedAndRevoked() throws Exception {
        var made = Json.MAPPER.readTree(
                berth.done("token", "create", "--principal", "admin", "--expires", "1h", "-o", "json"));
        Map<String, String> other = Map.of("BERTH_TOKEN", made.path("token").asString());
        assertThat(berth.berth(other, "status").exitCode()).isZero();
        String id = made.path("id").asString();
        assertThat(berth.done("token", "list")).contains(id).doesNotContain(other.get("BERTH_TOKEN"));
        berth.done("token", "revoke", id);
        assertThat(berth.berth(other, "status").exitCode()).isEqualTo(ExitCode.NOT_ALLOWED);
    }

    @Test
    void eventsAreFollowedAsTheyHappen() throws Exception {
        Running follower = berth.berth("events", "--follow");
        String marker = "follow" + System.nanoTime();
        // Following begins at some moment; loans are made until one of them is seen.
        do {
            Running loan = berth.berth("run", "--pool", "access", "--requester", marker, "--", "true");
            assertThat(loan.exitCode()).as(loan::err).isZero();
        } while (!follower.out().contains(marker));
        follower.signal("TERM");
        follower.exitCode();
    }

    @Test
    void theCompletionScriptIsTakenByBash() throws Exception {
        Files.writeString(berth.path("completion.bash"), berth.done("completion", "bash"));
        Process bash = new ProcessBuilder("bash", "-c", """
                        set -e
                        source ./completion.bash
                        COMP_WORDS=(berth sta); COMP_CWORD=1; COMP_LINE="berth sta"; COMP_POINT=9; COMP_TYPE=9
                        "$(complete -p berth | sed 's/.*-F \\([^ ]*\\).*/\\1/')"
                        printf '%s\\n' "${COMPREPLY[@]}"
                        """)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .start();
        assertThat(new String(bash.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip())
                .isEqualTo("status");
        assertThat(bash.waitFor()).isZero();
    }
}
