package dev.berth.providers.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.berth.core.Step;
import dev.berth.providers.Provider;
import dev.berth.providers.StepResult;
import dev.berth.providers.StepResult.Done;
import dev.berth.providers.StepResult.Failed;
import dev.berth.providers.command.RunRecords.Leader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Nothing that a program started outlives its step, whatever the program or the server does. */
@EnabledOnOs(OS.LINUX)
class CommandTreeTest {
    /** A child, and a daemon with a session of its own whose parent has ended; both ignore SIGTERM and write their numbers down. */
    private static final String FAMILY = """
            trap '' TERM
            sh -c 'echo $$ > child; while :; do sleep 1; done' &
            (setsid sh -c 'echo $$ > daemon; while :; do sleep 1; done' &)
            while ! [ -s child ] || ! [ -s daemon ]; do sleep 0.01; done
            echo $$ > leader
            """;

    private static final String DEAD = Lab.claim("of-the-dead");

    private static final String FOREVER = "while :; do sleep 1; done\n";

    private Lab lab;

    @BeforeEach
    void makeLab(@TempDir Path folder) {
        lab = new Lab(folder);
    }

    private List<Long> family() {
        return List.of(lab.pid("child"), lab.pid("daemon"), lab.pid("leader"));
    }

    @Test
    void timeOutEndsTheWholeTree() throws InterruptedException {
        long began = System.nanoTime();
        StepResult result = lab.shell(
                Step.CLEAN,
                FAMILY + "echo busy >&2\n" + FOREVER,
                Lab.task(Lab.CLAIM, Duration.ofSeconds(4), () -> true));
        assertThat(result).isEqualTo(new Failed("clean did not end within 4 s and was stopped", "busy"));
        assertThat(System.nanoTime() - began).isLessThan(Duration.ofSeconds(60).toNanos());
        assertThat(family()).noneMatch(Lab::runs);
        assertThat(lab.records()).isEmpty();
    }

    @Test
    void timeOutAsksBeforeItKills() throws InterruptedException {
        StepResult result = lab.shell(
                Step.CLEAN,
                "trap 'echo tidied >&2; exit 0' TERM\nwhile :; do sleep 0.05; done",
                Lab.task(Lab.CLAIM, Duration.ofSeconds(4), () -> true));
        // Some shells also tell that their child was asked to end.
        assertThat(((Failed) result).report()).endsWith("tidied");
    }

    @Test
    void whatIsLeftAfterANormalEndIsEnded() throws InterruptedException {
        assertThat(lab.shell(Step.CLEAN, FAMILY + "exit 0")).isEqualTo(Done.plain());
        assertThat(family()).noneMatch(Lab::runs);
        assertThat(lab.records()).isEmpty();
    }

    @Test
    void whatClearedItsEnvironmentIsFoundByItsSession() throws InterruptedException {
        assertThat(lab.shell(Step.CLEAN, "env -i sh -c 'echo $$ > child; sleep 1000' & " + waitFor("child") + "exit 0"))
                .isEqualTo(Done.plain());
        assertThat(Lab.runs(lab.pid("child"))).isFalse();
    }

    @Test
    void whatClearedItsEnvironmentAndLeftTheSessionIsFoundByItsParentThoughThatEndsFirst() throws InterruptedException {
        StepResult result = lab.shell(
                Step.CLEAN,
                "env -i setsid sh -c 'trap \"\" TERM; echo $$ > daemon; while :; do sleep 1; done' & "
                        + waitFor("daemon")
                        + FOREVER,
                Lab.task(Lab.CLAIM, Duration.ofSeconds(4), () -> true));
        assertThat(result).isInstanceOf(Failed.class);
        assertThat(Lab.runs(lab.pid("daemon"))).isFalse();
    }

    private static String waitFor(String file) {
        return "while ! [ -s " + file + " ]; do sleep 0.01; done\n";
    }

    @Test
    void childThatKeepsTheOutputOpenHoldsNothingUp() throws InterruptedException {
        long began = System.nanoTime();
        StepResult result = lab.shell(Step.ISSUE, "sleep 1000 & echo $! > child; echo '{\"connection\":{\"a\":1}}'");
        assertThat(((Done) result).access().connection()).isEqualTo(Map.of("a", 1));
        assertThat(System.nanoTime() - began).isLessThan(Lab.AMPLE.toNanos());
        assertThat(Lab.runs(lab.pid("child"))).isFalse();
    }

    @Test
    void lostClaimEndsTheTree() throws InterruptedException {
        Path leader = lab.folder.resolve("leader");
        StepResult result =
                lab.shell(Step.CLEAN, FAMILY + FOREVER, Lab.task(Lab.CLAIM, Lab.AMPLE, () -> !Files.exists(leader)));
        assertThat(result)
                .isEqualTo(new Failed("clean was stopped: the claim it worked under is no longer held", null));
        assertThat(family()).noneMatch(Lab::runs);
    }

    @Test
    void nothingIsExecutedUnderAClaimThatIsLostAlready() throws InterruptedException {
        assertThat(lab.shell(Step.CLEAN, "touch ran", Lab.task(Lab.CLAIM, Lab.AMPLE, () -> false)))
                .isInstanceOf(Failed.class);
        assertThat(lab.folder.resolve("ran")).doesNotExist();
        assertThat(lab.records()).isEmpty();
    }

    @Test
    void interruptedWorkerEndsTheTreeBeforeItThrows() throws Exception {
        CompletableFuture<Boolean> interrupted = new CompletableFuture<>();
        Thread worker = Thread.ofVirtual().start(() -> {
            try {
                lab.shell(Step.CLEAN, FAMILY + FOREVER);
                interrupted.complete(false);
            } catch (InterruptedException e) {
                interrupted.complete(family().stream().noneMatch(Lab::runs));
            }
        });
        family();
        worker.interrupt();
        assertThat(interrupted.get(60, TimeUnit.SECONDS)).isTrue();
        assertThat(lab.records()).isEmpty();
    }

    @Test
    void failingClaimCheckEndsTheTreeToo() {
        Path leader = lab.folder.resolve("leader");
        assertThatExceptionOfType(IllegalStateException.class)
                .isThrownBy(() -> lab.shell(Step.CLEAN, FAMILY + FOREVER, Lab.task(Lab.CLAIM, Lab.AMPLE, () -> {
                    if (Files.exists(leader)) {
                        throw new IllegalStateException("no store");
                    }
                    return true;
                })));
        assertThat(family()).noneMatch(Lab::runs);
    }

    @Test
    void programIsRecordedBeforeItExecutesAnything() throws InterruptedException {
        StepResult result = lab.shell(Step.CLEAN, "cat runs/$BERTH_CLAIM >&2; echo pid $$ >&2");
        List<String> lines = ((Done) result).report().lines().toList();
        assertThat(lines).hasSize(4);
        assertThat(lines.get(1)).isEqualTo(lines.get(3));
    }

    @Test
    void gateThatIsLeftAloneRunsNothing() throws Exception {
        Process gate = new ProcessBuilder("/bin/sh", "-c", Programs.GATE, "gate", "/usr/bin/touch", "ran")
                .directory(lab.folder.toFile())
                .start();
        gate.getOutputStream().close();
        assertThat(gate.waitFor()).isNotZero();
        assertThat(lab.folder.resolve("ran")).doesNotExist();
    }

    @Test
    void orphansOfAKilledServerAreEndedAtTheNextStart() throws Exception {
        Process server = server(FAMILY + FOREVER);
        List<Long> family = family();
        server.destroyForcibly().waitFor();
        assertThat(family).allMatch(Lab::runs);
        assertThat(lab.kind.recorded()).containsExactly(DEAD);

        assertThat(lab.kind.killOrphans()).isEmpty();

        assertThat(family).noneMatch(Lab::runs);
        assertThat(lab.kind.recorded()).isEmpty();
    }

    @Test
    void fenceEndsADaemonWhoseProgramHasLongEnded() throws Exception {
        Process server = server(FAMILY + "sed -n p > /dev/null; kill -STOP $PPID; exit 0");
        List<Long> family = family();
        // Stopped by its own program, the server cannot see that the program ended.
        server.destroyForcibly().waitFor();
        Lab.await(() -> !Lab.runs(family.getLast()));
        assertThat(family.subList(0, 2)).allMatch(Lab::runs);

        assertThat(fence(DEAD)).isTrue();

        assertThat(family).noneMatch(Lab::runs);
        assertThat(lab.kind.recorded()).isEmpty();
    }

    @Test
    void fenceFindsWhatCarriesTheClaimWithoutARecord() throws Exception {
        ProcessBuilder builder = new ProcessBuilder("sleep", "1000");
        builder.environment().put("BERTH_CLAIM", Lab.claim("2"));
        Process ours = builder.start();
        builder.environment().put("BERTH_CLAIM", Lab.claim("22"));
        Process others = builder.start();
        try {
            assertThat(fence(Lab.claim("2"))).isTrue();
            assertThat(ours.waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(others.isAlive()).isTrue();
        } finally {
            ours.destroyForcibly();
            others.destroyForcibly();
        }
    }

    @Test
    void numberThatIsUsedAgainIsNotKilled() throws Exception {
        Process innocent = new ProcessBuilder("setsid", "sleep", "1000").start();
        try {
            RunRecords records = new RunRecords(lab.runs);
            ProcessTable table = ProcessTable.ofThisMachine();
            long start = table.find(innocent.pid()).orElseThrow().start();
            records.write("other-start", new Leader(table.boot(), innocent.pid(), start - 1));
            records.write("other-boot", new Leader("f00", innocent.pid(), start));
            assertThat(fence("other-start")).isTrue();
            assertThat(fence("other-boot")).isTrue();
            assertThat(lab.kind.recorded()).isEmpty();
            assertThat(innocent.isAlive()).isTrue();

            // The same record with the right start does kill: the test above can fail.
            records.write("right", new Leader(table.boot(), innocent.pid(), start));
            assertThat(fence("right")).isTrue();
            assertThat(innocent.waitFor(60, TimeUnit.SECONDS)).isTrue();
        } finally {
            innocent.destroyForcibly();
        }
    }

    @Test
    void unreadableRecordIsForgotten() throws Exception {
        Files.createDirectories(lab.runs);
        Files.writeString(lab.runs.resolve("torn"), "boot x\npid 1");
        Files.writeString(lab.runs.resolve(".half"), "");
        assertThat(lab.kind.killOrphans()).isEmpty();
        assertThat(lab.records()).isEmpty();
    }

    @Test
    void fenceOfAnUnknownClaimIsNoError() throws Exception {
        assertThat(fence("never-heard-of")).isTrue();
        assertThatIllegalArgumentException().isThrownBy(() -> fence("../../etc/passwd"));
        assertThat(lab.kind.killOrphans()).isEmpty();
    }

    @Test
    void ofAClaimOfAnotherMachineNothingIsKnown() throws Exception {
        var replica = new CommandKind(lab.folder, lab.runs, "here", Lab.SERVER)
                .create("pool", Map.of("clean", Map.of("shell", "exit 0")), Map.of());
        assertThat(replica.fence("here1-1")).isTrue();
        assertThat(replica.fence("there1-1")).isFalse();
    }

    @Test
    void withoutProcRunningDescendantsAreStillEnded() throws InterruptedException {
        Programs programs = new Programs(new RunRecords(lab.runs), new Handles());
        String text =
                "trap '' TERM\nsh -c 'echo $$ > child; while :; do sleep 1; done' &\n" + waitFor("child") + FOREVER;
        Programs.Outcome outcome = programs.run(new Programs.Job(
                new Program(List.of("/bin/sh", "-c", text), lab.folder, "/usr/bin:/bin"),
                Map.of("PATH", "/usr/bin:/bin"),
                "",
                Lab.CLAIM,
                () -> true,
                Duration.ofSeconds(4),
                Duration.ofMillis(100)));
        assertThat(outcome).isInstanceOf(Programs.Outcome.OutOfTime.class);
        assertThat(Lab.runs(lab.pid("child"))).isFalse();
        assertThat(lab.records()).isEmpty();
    }

    @Test
    void manyProgramsRunAtOnceAndEndOnlyTheirOwn() throws Exception {
        Provider provider =
                lab.provider(Map.of("clean", Map.of("shell", "sleep 1000 & sleep 0.1; test -e runs/$BERTH_CLAIM")));
        List<CompletableFuture<StepResult>> results = java.util.stream.IntStream.range(0, 16)
                .mapToObj(i -> {
                    CompletableFuture<StepResult> result = new CompletableFuture<>();
                    Thread.ofVirtual().start(() -> {
                        try {
                            result.complete(provider.run(Step.CLEAN, Lab.task(Lab.claim("" + i))));
                        } catch (InterruptedException | RuntimeException e) {
                            result.completeExceptionally(e);
                        }
                    });
                    return result;
                })
                .toList();
        for (CompletableFuture<StepResult> result : results) {
            assertThat(result.get(60, TimeUnit.SECONDS)).isEqualTo(Done.plain());
        }
        assertThat(lab.records()).isEmpty();
    }

    private boolean fence(String claim) throws InterruptedException {
        return lab.provider(Map.of("clean", Map.of("shell", "exit 0"))).fence(claim);
    }

    /** Another JVM that runs a step of claim {@link #DEAD} in the lab's folder. */
    private Process server(String shell) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xshare:auto",
                        "-cp",
                        System.getProperty("java.class.path"),
                        DoomedServer.class.getName(),
                        lab.folder.toString(),
                        shell,
                        DEAD)
                .redirectErrorStream(true)
                .redirectOutput(lab.folder.resolve("server.log").toFile())
                .start();
    }
}
