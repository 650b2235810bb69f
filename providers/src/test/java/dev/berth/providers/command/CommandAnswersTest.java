package dev.berth.providers.command;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.core.Step;
import dev.berth.providers.Provider;
import dev.berth.providers.StepResult;
import dev.berth.providers.StepResult.Done;
import dev.berth.providers.StepResult.Failed;
import dev.berth.providers.StepResult.Unavailable;
import dev.berth.providers.Task;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What programs are told, and what their ends mean. */
class CommandAnswersTest {
    private Lab lab;

    @BeforeEach
    void makeLab(@TempDir Path folder) {
        lab = new Lab(folder);
    }

    @Test
    void silentProgramThatExitsWithZeroIsDone() throws InterruptedException {
        assertThat(lab.shell(Step.CLEAN, "exit 0")).isEqualTo(Done.plain());
        assertThat(lab.records()).isEmpty();
    }

    @Test
    void issueHandsOutWhatTheProgramWrote() throws InterruptedException {
        StepResult result = lab.shell(
                Step.ISSUE,
                "echo '{\"credentials\":{\"user\":\"u\",\"ports\":[1,null]},\"connection\":{\"host\":\"h\"},\"env\":{\"A_B\":\"c\"}}'");
        assertThat(result).isInstanceOfSatisfying(Done.class, done -> {
            assertThat(done.access()).isNotNull();
            assertThat(done.access().credentials()).containsEntry("user", "u").containsKey("ports");
            assertThat(done.access().connection()).isEqualTo(Map.of("host", "h"));
            assertThat(done.access().env()).isEqualTo(Map.of("A_B", "c"));
        });
    }

    @Test
    void issueWithNothingToHandOutSaysSo() throws InterruptedException {
        assertThat(lab.shell(Step.ISSUE, "echo '{}'")).isInstanceOfSatisfying(Done.class, done -> {
            assertThat(done.access().credentials()).isEmpty();
            assertThat(done.access().connection()).isNull();
        });
    }

    @Test
    void programIsToldWhatItIsAbout() throws InterruptedException {
        StepResult result = lab.shell(Step.VERIFY, "cat >&2");
        assertThat(((Done) result).report())
                .contains("\"step\":\"verify\"")
                .contains("\"name\":\"env-1\"")
                .contains("\"epoch\":7")
                .contains("\"region\":\"here\"")
                .contains("\"allocation\":{")
                .contains("\"id\":\"a-1\"")
                .contains("\"requester\":\"job \\\"5\\\"\"")
                .contains("\"principal\":\"ci\"")
                .contains("\"claim\":\"" + Lab.CLAIM + "\"")
                .contains("\"timeoutSeconds\":58,")
                .contains("\"secrets\":{\"root-password\":\"s3cret-of-record\"}")
                .doesNotContain("not this one");
    }

    @Test
    void programIsToldTheProfileThatWasAskedFor() throws InterruptedException {
        StepResult result = lab.shell(Step.REVOKE, "cat >&2; echo \"$BERTH_PROFILE.\" >&2", profile("guest"));
        assertThat(((Done) result).report())
                .contains("\"profile\":\"guest\"")
                .contains("\"access\":{\"guest\":{\"role\":\"reader\"}}")
                .contains("\"root-password\":\"s3cret-of-record\"")
                .contains("\"guest-password\":\"s3cret-of-guest\"")
                .endsWith("guest.");
    }

    @Test
    void programOfTheDefaultAccessIsToldOfNoProfile() throws InterruptedException {
        StepResult result = lab.shell(Step.REVOKE, "cat >&2; echo \"${BERTH_PROFILE-none}.\" >&2", profile(null));
        assertThat(((Done) result).report())
                .doesNotContain("\"profile\"")
                .doesNotContain("guest-password")
                .endsWith("none.");
    }

    private static Task profile(@Nullable String name) {
        var facts = Map.<String, Object>of("access", Map.of("guest", Map.of("role", "reader")));
        var holder = new Task.Holder("a-1", "job", "ci", name);
        return new Task("env-1", facts, 7, holder, Lab.CLAIM, Lab.AMPLE, () -> true);
    }

    @Test
    void reportAndSettleTimeAreTaken() throws InterruptedException {
        assertThat(lab.shell(Step.REVOKE, "echo '{\"report\":\"2 keys gone\",\"settleSeconds\":1.5}'; echo slow >&2"))
                .isEqualTo(new Done(null, "2 keys gone\nslow", Duration.ofMillis(1500)));
        assertThat(lab.shell(Step.REVOKE, "echo '{\"report\":{\"left\":[1]}}'"))
                .isEqualTo(new Done(null, "{\"left\":[1]}", Duration.ZERO));
    }

    @ParameterizedTest
    @CsvSource({
        "1, clean exited with 1",
        "3, clean exited with 3",
        "127, clean exited with 127",
        "255, clean exited with 255"
    })
    void otherExitCodesAreFailuresOfTheEnvironment(int code, String reason) throws InterruptedException {
        assertThat(lab.shell(Step.CLEAN, "echo why >&2; exit " + code)).isEqualTo(new Failed(reason, "why"));
    }

    @Test
    void exitCode75IsNotTheEnvironmentsFault() throws InterruptedException {
        assertThat(lab.shell(Step.CLEAN, "echo throttled >&2; exit 75"))
                .isEqualTo(new Unavailable("clean exited with 75: not this environment's fault", "throttled"));
    }

    @Test
    void failedProgramCanStillReport() throws InterruptedException {
        assertThat(lab.shell(Step.VERIFY, "echo '{\"report\":\"3 files left\"}'; exit 1"))
                .isEqualTo(new Failed("verify exited with 1", "3 files left"));
    }

    @Test
    void failedIssueNeverShowsWhatItWrote() throws InterruptedException {
        assertThat(lab.shell(Step.ISSUE, "echo '{\"credentials\":{\"password\":\"hunter2\"}}'; exit 1"))
                .isEqualTo(new Failed("issue exited with 1", null));
    }

    @Test
    void signalIsNamed() throws InterruptedException {
        assertThat(lab.shell(Step.CLEAN, "kill -9 $$")).isEqualTo(new Failed("clean was killed by signal 9", null));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "hunter2",
                "",
                "[\"hunter2\"]",
                "{\"password\":\"hunter2\"}",
                "{\"hunter2\":1}",
                "{\"credentials\":\"hunter2\"}",
                "{\"credentials\":{\"hunter2\":null}}",
                "{\"env\":{\"A\":[\"hunter2\"]}}",
                "{\"env\":{\"1hunter2\":\"x\"}}",
                "{\"env\":{\"A\":\"hunter2\\u0000\"}}",
                "{\"credentials\":{}} hunter2",
                "{\"credentials\":{\"hunter2\":1,\"hunter2\":2}}",
                "{\"credentials\":{\"password\":\"hunter2",
            })
    void rubbishFromIssueIsAFailureThatDoesNotShowIt(String rubbish) throws InterruptedException {
        StepResult result = lab.shell(Step.ISSUE, "printf %s '" + rubbish + "'");
        assertThat(result).isInstanceOfSatisfying(Failed.class, failed -> {
            assertThat(failed.reason()).startsWith("issue wrote ").doesNotContain("hunter2");
            assertThat(failed.report()).isNull();
        });
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "cleaned",
                "{\"settleSeconds\":-1}",
                "{\"settleSeconds\":1e99999}",
                "{\"settleSeconds\":\"5\"}",
                "{\"credentials\":{}}",
                "null"
            })
    void otherStepsWriteNothingOrOneObject(String rubbish) throws InterruptedException {
        assertThat(lab.shell(Step.CLEAN, "printf %s '" + rubbish + "'"))
                .isInstanceOfSatisfying(
                        Failed.class, failed -> assertThat(failed.reason()).startsWith("clean wrote "));
    }

    @Test
    void tooLongOutputIsAFailure() throws InterruptedException {
        assertThat(lab.shell(Step.ISSUE, "head -c 2000000 /dev/zero"))
                .isEqualTo(new Failed("issue wrote more than 65536 bytes to its standard output", null));
    }

    @Test
    void reportIsTheEndOfStandardErrorWithoutControlCharacters() throws InterruptedException {
        StepResult result = lab.shell(
                Step.CLEAN,
                "head -c 1000000 /dev/zero | tr '\\0' x >&2; printf '\\033[31m\\377 last\\r\\n\\tline' >&2; exit 1");
        assertThat(((Failed) result).report())
                .startsWith("(983634 bytes before this were left out)\nxxx")
                .endsWith("x\\u{1b}[31m\uFFFD last\n\tline")
                .hasSizeLessThan(17_000);
    }

    @Test
    void inputThatIsNeverReadHoldsNothingUp() throws InterruptedException {
        Map<String, Object> facts = Map.of("blob", "x".repeat(1_000_000));
        var task = new Task("env-1", facts, 1, null, Lab.CLAIM, Lab.AMPLE, () -> true);
        assertThat(lab.shell(Step.CLEAN, "exec <&-; exit 0", task)).isEqualTo(Done.plain());
        assertThat(lab.shell(Step.CLEAN, "exit 0", task)).isEqualTo(Done.plain());
        assertThat(lab.shell(Step.CLEAN, "test $(wc -c) -gt 1000000", task)).isEqualTo(Done.plain());
    }

    @Test
    void programThatWentMissingIsNotTheEnvironmentsFault() throws Exception {
        Path program = script("clean.sh", "#!/bin/sh\nexit 0\n");
        Provider provider = lab.provider(Map.of("clean", List.of("./clean.sh")));
        assertThat(provider.run(Step.CLEAN, Lab.task(Lab.CLAIM))).isEqualTo(Done.plain());

        assertThat(program.toFile().setExecutable(false, false)).isTrue();
        assertThat(provider.run(Step.CLEAN, Lab.task(Lab.CLAIM)))
                .isEqualTo(new Unavailable("clean: program " + program + " is not executable", null));
        script("clean.sh", "#!/no/such/shell\n");
        assertThat(provider.run(Step.CLEAN, Lab.task(Lab.CLAIM)))
                .isEqualTo(new Unavailable(
                        "clean: program " + program + " needs /no/such/shell, which is not there", null));
        Files.delete(program);
        assertThat(provider.run(Step.CLEAN, Lab.task(Lab.CLAIM)))
                .isEqualTo(new Unavailable("clean: program " + program + " is not there", null));
    }

    @Test
    void folderOfRecordsThatCannotBeWrittenIsNotTheEnvironmentsFault() throws Exception {
        Files.writeString(lab.runs, "a file in its place");
        assertThat(lab.shell(Step.CLEAN, "touch ran"))
                .isInstanceOfSatisfying(
                        Unavailable.class, down -> assertThat(down.reason()).startsWith("clean could not be recorded"));
        assertThat(lab.folder.resolve("ran")).doesNotExist();
    }

    @Test
    void environmentIsTheLeastThatIsNeeded() throws InterruptedException {
        Provider provider = lab.provider(
                Map.of("clean", Map.of("run", List.of("env")), "variables", Map.of("REGION", "x y", "HOME", "/own")));
        // Standard output of env is no answer, so look at it through a shell.
        Provider shell = lab.provider(
                Map.of("clean", Map.of("shell", "env >&2"), "variables", Map.of("REGION", "x y", "HOME", "/own")));
        assertThat(provider.run(Step.CLEAN, Lab.task(Lab.CLAIM))).isInstanceOf(Failed.class);
        String report = ((Done) shell.run(Step.CLEAN, Lab.task(Lab.CLAIM))).report();
        Map<String, String> variables = report.lines()
                .map(line -> line.split("=", 2))
                .collect(Collectors.toMap(pair -> pair[0], pair -> pair[1], (a, b) -> a, TreeMap::new));
        // What shells set by themselves.
        List.of("PWD", "OLDPWD", "SHLVL", "_").forEach(variables::remove);
        assertThat(variables)
                .isEqualTo(Map.of(
                        "PATH", "/usr/local/bin:/usr/bin:/bin",
                        "HOME", "/own",
                        "LANG", "C.UTF-8",
                        "REGION", "x y",
                        "BERTH_CLAIM", Lab.CLAIM,
                        "BERTH_STEP", "clean",
                        "BERTH_ENVIRONMENT", "env-1",
                        "BERTH_EPOCH", "7"));
    }

    @Test
    void secretsAreInNoArgumentOfAnyProcess() throws InterruptedException {
        StepResult result = lab.shell(
                Step.CLEAN,
                "tr '\\0' ' ' </proc/$$/cmdline >&2; tr '\\0' ' ' </proc/$$/environ >&2; echo >&2; grep -c 's[3]cret-of-record' >&2");
        assertThat(((Done) result).report()).doesNotContain("s3cret").endsWith("\n1");
    }

    @Test
    void wordsAreNotReadByAShell() throws Exception {
        script("say.sh", "#!/bin/sh\nprintf '%s|' \"$@\" >&2\npwd >&2\n");
        Files.createDirectory(lab.folder.resolve("sub"));
        Provider provider =
                lab.provider(Map.of("clean", List.of("../say.sh", "$HOME", "a b", "", ";false"), "directory", "sub"));
        assertThat(((Done) provider.run(Step.CLEAN, Lab.task(Lab.CLAIM))).report())
                .isEqualTo("$HOME|a b||;false|" + lab.folder.resolve("sub").toRealPath());
    }

    @Test
    void secretsOfTheProfileAreHandedOutWhereNothingIsIssued() {
        Provider provider = lab.provider(Map.of("clean", Map.of("shell", "exit 0")));
        assertThat(provider.standingCredentials("env-1", "guest"))
                .isEqualTo(Map.of("guest-password", "s3cret-of-guest"));
        assertThat(provider.standingCredentials("env-1", "none")).isNull();
        assertThat(provider.standingCredentials("env-1", "gone")).isNull();
    }

    @Test
    void secretsOfTheRecordAreHandedOutWhereNothingIsIssued() {
        assertThat(lab.provider(Map.of("clean", Map.of("shell", "exit 0"))).standingCredentials("env-1", null))
                .isEqualTo(Map.of("root-password", "s3cret-of-record"));
        assertThat(lab.provider(Map.of("issue", Map.of("shell", "echo {}"))).standingCredentials("env-1", null))
                .isNull();
    }

    private Path script(String name, String text) throws IOException {
        Path file = lab.folder.resolve(name);
        Files.writeString(file, text);
        assertThat(file.toFile().setExecutable(true)).isTrue();
        return file;
    }
}
