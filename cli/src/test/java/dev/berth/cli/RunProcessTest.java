package dev.berth.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code berth run} as a process of its own, with real signals. */
@Order(5)
@Timeout(600)
class RunProcessTest {
    @TempDir
    private Path folder;

    private FakeBerth berth;
    private Process process;
    /** A busy machine keeps a keepalive waiting for no longer than this. */
    private String keepalive = "12s";

    @BeforeEach
    void start() throws IOException {
        berth = new FakeBerth();
    }

    @AfterEach
    void stop() throws InterruptedException {
        if (process != null) {
            Stream.concat(process.descendants(), Stream.of(process.toHandle())).forEach(ProcessHandle::destroyForcibly);
            process.waitFor();
        }
        berth.close();
    }

    private void run(String... command) throws IOException {
        run(List.of(), command);
    }

    private void run(List<String> options, String... command) throws IOException {
        // Whoever started the tests in the background may have had them ignore SIGINT, which children inherit.
        List<String> line = new ArrayList<>(List.of("env", "--default-signal=INT"));
        line.addAll(OwnProcess.line());
        line.addAll(List.of("run", "--pool", "scratch", "--keepalive", keepalive));
        line.addAll(options);
        line.add("--");
        line.addAll(List.of(command));
        ProcessBuilder builder = new ProcessBuilder(line)
                .directory(folder.toFile())
                .redirectOutput(file("out").toFile())
                .redirectError(file("err").toFile());
        OwnProcess.strip(builder.environment(), folder);
        builder.environment().putAll(Map.of("BERTH_URL", berth.url(), "XDG_RUNTIME_DIR", folder.toString()));
        process = builder.start();
    }

    private Path file(String name) {
        return folder.resolve(name);
    }

    private String text(String name) throws IOException {
        return Files.readString(file(name), StandardCharsets.UTF_8);
    }

    private int exitCode() throws InterruptedException {
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return process.exitValue();
    }

    private static void await(BooleanSupplier condition) {
        long deadline = System.nanoTime() + Duration.ofSeconds(60).toNanos();
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime()).as("waited too long").isLessThan(deadline);
            LiveBerth.pause();
        }
    }

    private void signal(String name) throws IOException, InterruptedException {
        assertThat(new ProcessBuilder("/bin/sh", "-c", "kill -" + name + " " + process.pid())
                        .start()
                        .waitFor())
                .isEqualTo(0);
    }

    @Test
    void theCommandIsLedToAwsCredentialsThatAreRenewedUnlessItWantsThemPlain() throws Exception {
        berth.answer(
                "POST /allocations",
                200,
                AwsEndpointTest.lent("AKIA1", Instant.now().plusSeconds(3600)));
        var told = "echo \"$AWS_CONTAINER_CREDENTIALS_FULL_URI|$AWS_ACCESS_KEY_ID|$AWS_REGION\"";
        run("sh", "-c", told);
        assertThat(exitCode()).as(text("err")).isZero();
        assertThat(text("out")).matches("http://127\\.0\\.0\\.1:[0-9]+/credentials/1\\|\\|us-east-1\n");
        run(List.of("--static-credentials"), "sh", "-c", told);
        assertThat(exitCode()).as(text("err")).isZero();
        assertThat(text("out")).isEqualTo("|AKIA1|us-east-1\n");
    }

    @Test
    void theCommandGetsItsAccessAndNothingIsLeftOfIt() throws Exception {
        run("sh", "-c", """
                echo "$BERTH_ALLOCATION $SCRATCH $SCRATCH_2 $1 $2"
                ls -l "$BERTH_ACCESS_FILE" | cut -c 1-10
                ls -ld "${BERTH_ACCESS_FILE%/*}" | cut -c 1-10
                cat "$BERTH_ACCESS_FILE"
                """, "sh", "@file", "--help");

        assertThat(exitCode()).isEqualTo(0);
        List<String> lines = text("out").lines().toList();
        assertThat(lines.subList(0, 3)).containsExactly("a1 /tmp/s1 /tmp/s2 @file --help", "-rw-------", "drwx------");
        assertThat(Json.MAPPER.readTree(lines.get(3)).path("id").asString()).isEqualTo("a1");
        assertThat(text("err")).isEqualTo("berth: got s1, s2 of pool scratch for 3h\n");
        assertThat(berth.awaitRelease().body()).isEqualTo("{\"outcome\":\"success\"}");
        try (Stream<Path> left = Files.list(folder)) {
            assertThat(left.map(Path::getFileName).map(Path::toString)).containsExactlyInAnyOrder("out", "err");
        }
        assertThat(Json.MAPPER
                        .readTree(berth.asked().getFirst().body())
                        .path("keepalive")
                        .asString())
                .isEqualTo(keepalive);
    }

    @Test
    void theExitCodeIsTheCommandsOwnAndAFailureIsReleasedAsOne() throws Exception {
        run("sh", "-c", "exit 7");
        assertThat(exitCode()).isEqualTo(7);
        assertThat(berth.awaitRelease().body()).isEqualTo("{\"outcome\":\"failure\"}");
    }

    private static final List<String> HOLD = List.of("--hold-on-failure", "30m", "--hold-to", "alice,bob");

    @Test
    void whatAFailedCommandLeavesIsKeptForThoseWhoAreToLookAtIt() throws Exception {
        run(HOLD, "sh", "-c", "exit 7");
        assertThat(exitCode()).isEqualTo(7);
        assertThat(berth.await(one -> one.line().equals("POST /allocations/a1/hold"))
                        .body())
                .isEqualTo("{\"for\":\"30m\",\"outcome\":\"failure\",\"to\":[\"alice\",\"bob\"]}");
        assertThat(berth.asked()).noneMatch(one -> one.line().startsWith("DELETE"));
        assertThat(text("err"))
                .contains(
                        "berth: the command failed (exit code 7); kept for alice, bob until 2026-01-01T01:00:00Z: s1, s2\n")
                .contains("'berth status a1' shows its access, 'berth release a1' ends it\n");
        try (Stream<Path> left = Files.list(folder)) {
            assertThat(left.map(Path::getFileName).map(Path::toString)).containsExactlyInAnyOrder("out", "err");
        }
    }

    @Test
    void whatMayNotBeKeptIsReleasedAndItIsSaidWhy() throws Exception {
        berth.answer("POST /allocations/a1/hold", 409, """
                {"code":"hold-not-allowed","message":"the pool 'scratch' keeps nothing"}""");
        run(HOLD, "sh", "-c", "exit 7");
        assertThat(exitCode()).isEqualTo(7);
        assertThat(berth.awaitRelease().body()).isEqualTo("{\"outcome\":\"failure\"}");
        assertThat(text("err"))
                .contains("berth: could not keep s1, s2 for alice, bob, releasing: the pool 'scratch' keeps nothing\n");
    }

    @Test
    void nothingIsKeptOfACommandThatSucceededNeverRanOrWasInterrupted() throws Exception {
        run(HOLD, "true");
        assertThat(exitCode()).isZero();
        assertThat(berth.awaitRelease().body()).isEqualTo("{\"outcome\":\"success\"}");

        berth.close();
        berth = new FakeBerth();
        run(HOLD, "no-such-command-anywhere");
        assertThat(exitCode()).isEqualTo(ExitCode.NO_SUCH_COMMAND);
        assertThat(berth.awaitRelease().body()).isEqualTo("{\"outcome\":\"failure\"}");

        berth.close();
        berth = new FakeBerth();
        run(HOLD, "sh", "-c", "trap 'exit 3' TERM; touch ready; while :; do sleep 0.05; done");
        await(() -> Files.exists(file("ready")));
        signal("TERM");
        assertThat(exitCode()).isEqualTo(3);
        assertThat(berth.awaitRelease().body()).isEqualTo("{\"outcome\":\"interrupted\"}");
        assertThat(berth.asked()).noneMatch(one -> one.line().endsWith("/hold"));
    }

    @Test
    void nothingIsKeptOfALostLease() throws Exception {
        run(HOLD, "sh", "-c", "touch ready; exec sleep 600");
        await(() -> Files.exists(file("ready")));
        berth.become("ended");
        assertThat(exitCode()).isEqualTo(ExitCode.LEASE_LOST);
        assertThat(berth.asked()).noneMatch(one -> one.line().endsWith("/hold"));
    }

    @Test
    void aCommandThatDiedOfASignalTellsSo() throws Exception {
        run("sh", "-c", "kill -KILL $$");
        assertThat(exitCode()).isEqualTo(137);
        assertThat(berth.awaitRelease().body()).isEqualTo("{\"outcome\":\"failure\"}");
    }

    @Test
    void aCommandThatIsNotThereIsExit127() throws Exception {
        run("no-such-command-anywhere");
        assertThat(exitCode()).isEqualTo(ExitCode.NO_SUCH_COMMAND);
        assertThat(berth.awaitRelease().body()).isEqualTo("{\"outcome\":\"failure\"}");
    }

    @Test
    void aFileThatIsNoProgramIsExit126() throws Exception {
        Files.writeString(file("data"), "x");
        run("./data");
        assertThat(exitCode()).isEqualTo(ExitCode.CANNOT_RUN);
    }

    @Test
    void signalsReachTheCommandWhichDecides() throws Exception {
        for (String[] each : new String[][] {{"TERM", "3"}, {"INT", "4"}, {"HUP", "5"}}) {
            berth.close();
            berth = new FakeBerth();
            run(
                    "sh",
                    "-c",
                    "trap 'exit 3' TERM; trap 'exit 4' INT; trap 'exit 5' HUP; touch ready;"
                            + " while :; do sleep 0.05; done");
            await(() -> Files.exists(file("ready")));
            Files.delete(file("ready"));
            signal(each[0]);

            assertThat(exitCode()).as(each[0]).isEqualTo(Integer.parseInt(each[1]));
            assertThat(berth.awaitRelease().body()).isEqualTo("{\"outcome\":\"interrupted\"}");
        }
    }

    @Test
    void aSignalWhileWaitingGivesUpThePlace() throws Exception {
        berth.become("pending");
        run("touch", "ran");
        berth.await(one -> one.line().equals("GET /allocations/a1"));
        signal("TERM");

        assertThat(exitCode()).isEqualTo(143);
        assertThat(berth.awaitRelease().body()).isEqualTo("{\"outcome\":\"interrupted\"}");
        assertThat(file("ran")).doesNotExist();
        assertThat(text("err"))
                .matches("berth: pool scratch: waiting [0-9]+s, position 2,"
                        + " about 4 min, 9 in 10 by 12 min; waits for a free one, held by job 1\n");
    }

    @Test
    void aWaitEndsWithTheGrant() throws Exception {
        berth.become("pending");
        run("true");
        berth.await(one -> one.line().equals("GET /allocations/a1"));
        berth.become("active");

        assertThat(exitCode()).isEqualTo(0);
        assertThat(text("out")).isEmpty();
    }

    @Test
    void aWaitThatRanOutIsExit75() throws Exception {
        berth.become("pending");
        run("true");
        berth.await(one -> one.line().equals("GET /allocations/a1"));
        berth.become("ended");

        assertThat(exitCode()).isEqualTo(ExitCode.NOTHING_FREE);
    }

    @Test
    void aLostLeaseStopsTheCommandWithAllThatItStarted() throws Exception {
        run("sh", "-c", "(echo $$ > parent; exec sh -c 'echo $$ > child; exec sleep 600') & touch ready; wait");
        await(() -> Files.exists(file("ready"))
                && Files.exists(file("child"))
                && !readQuietly("child").isEmpty());
        long child = Long.parseLong(readQuietly("child"));
        berth.become("ended");

        assertThat(exitCode()).isEqualTo(ExitCode.LEASE_LOST);
        assertThat(text("err")).contains("the lease was lost, stopping the command: ended: operator");
        await(() -> ProcessHandle.of(child).filter(ProcessHandle::isAlive).isEmpty());
    }

    @Test
    void aServiceThatIsSilentForTooLongIsALostLease() throws Exception {
        keepalive = "4s";
        run("sh", "-c", "touch ready; exec sleep 600");
        await(() -> Files.exists(file("ready")));
        berth.become("silent");

        assertThat(exitCode()).isEqualTo(ExitCode.LEASE_LOST);
        assertThat(text("err")).contains("no keepalive reached the service");
    }

    private String readQuietly(String name) {
        try {
            return text(name).strip();
        } catch (IOException e) {
            return "";
        }
    }

    @Test
    void theCommandReadsTheStandardInputOfBerth() throws Exception {
        run("cat");
        try (var in = process.getOutputStream()) {
            in.write("hello".getBytes(StandardCharsets.UTF_8));
        }
        assertThat(exitCode()).isEqualTo(0);
        assertThat(text("out")).isEqualTo("hello");
    }
}
