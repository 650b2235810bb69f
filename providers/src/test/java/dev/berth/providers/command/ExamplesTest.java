package dev.berth.providers.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.berth.core.Step;
import dev.berth.providers.Kind.Record;
import dev.berth.providers.Kind.Secrets;
import dev.berth.providers.Provider;
import dev.berth.providers.StepResult;
import dev.berth.providers.StepResult.Access;
import dev.berth.providers.StepResult.Done;
import dev.berth.providers.StepResult.Failed;
import dev.berth.providers.StepResult.Unavailable;
import dev.berth.providers.Task;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.snakeyaml.engine.v2.api.Load;
import org.snakeyaml.engine.v2.api.LoadSettings;

/** The examples' own files, run as their configuration says. */
class ExamplesTest {
    @TempDir
    private Path folder;

    @Test
    void scratchFolderIsLentAndGivenBackEmpty() throws Exception {
        Example scratch = example("scratch", "SCRATCH_HOME");
        scratch.ready();

        Path first = Path.of(scratch.issue(7).env().get("SCRATCH_DIR"));
        assertThat(first).isEmptyDirectory();
        Path hidden = Files.createDirectories(first.resolve("a b/\"c\"\n/d"));
        Files.createSymbolicLink(first.resolve("link"), Path.of("/"));
        assertThat(hidden.toFile().setWritable(false)).isTrue();
        assertThat(scratch.run(Step.VERIFY, 7)).isInstanceOf(Failed.class);

        scratch.done(Step.REVOKE, 7);
        assertThat(first).doesNotExist();
        assertThat(scratch.run(Step.VERIFY, 7)).isInstanceOf(Failed.class);
        assertThat(((Done) scratch.run(Step.CLEAN, 7)).report())
                .startsWith("removed ")
                .doesNotContain("removed 0");
        scratch.done(Step.VERIFY, 7);
    }

    @Test
    void scratchFolderThatOthersCanWriteToIsRefused() throws Exception {
        Example scratch = example("scratch", "SCRATCH_HOME");
        scratch.ready();
        assertThat(folder.resolve("home").toFile().setWritable(true, false)).isTrue();
        assertThat(scratch.run(Step.VERIFY, 7)).isInstanceOf(Unavailable.class);
    }

    @Test
    void scratchFolderThatOthersCanReadIsNotVerified() throws Exception {
        Example scratch = example("scratch", "SCRATCH_HOME");
        scratch.ready();
        assertThat(folder.resolve("home")
                        .resolve(scratch.environment())
                        .toFile()
                        .setReadable(true, false))
                .isTrue();
        assertThat(scratch.run(Step.VERIFY, 7)).isInstanceOf(Failed.class);
    }

    @Test
    void databaseIsMadeAnewAfterEachHolder() throws Exception {
        Example databases = databases();
        databases.ready();

        Path first = Path.of(databases.issue(7).env().get("DATABASE_FILE"));
        sqlite(first, "DELETE FROM product WHERE id = 1; CREATE TABLE mine (x); PRAGMA journal_mode = wal;");
        databases.done(Step.REVOKE, 7);
        assertThat(first).doesNotExist();
        databases.done(Step.CLEAN, 7);
        databases.done(Step.VERIFY, 7);

        Path second = Path.of(databases.issue(8).env().get("DATABASE_FILE"));
        assertThat(sqlite(second, "SELECT group_concat(name) FROM product;")).isEqualTo("hammer,nails");
    }

    @Test
    void databaseThatDiffersFromTheTemplateIsNotVerified() throws Exception {
        Example databases = databases();
        databases.ready();
        Path file = folder.resolve("home").resolve(databases.environment()).resolve("shop.db");
        for (String change : List.of(
                "UPDATE product SET cents = 1 WHERE id = 2;",
                "CREATE INDEX extra ON sale (product);",
                "PRAGMA user_version = 5;",
                "PRAGMA journal_mode = wal;")) {
            sqlite(file, change);
            assertThat(databases.run(Step.VERIFY, 7)).as(change).isInstanceOf(Failed.class);
            databases.done(Step.CLEAN, 7);
            databases.done(Step.VERIFY, 7);
        }
        Files.writeString(file, "rubbish");
        assertThat(databases.run(Step.VERIFY, 7)).isInstanceOf(Failed.class);
    }

    @Test
    void stepsOfTheExamplesCanBeRunAgain() throws Exception {
        for (Example example : List.of(example("scratch", "SCRATCH_HOME"), databases())) {
            example.done(Step.REVOKE, 1);
            example.ready();
            example.ready();
            Access lost = example.issue(7);
            Access given = example.issue(7);
            assertThat(path(lost)).doesNotExist();
            assertThat(path(given)).exists();
            example.done(Step.REVOKE, 6);
            assertThat(path(given)).as("access of a newer epoch").exists();
            example.done(Step.REVOKE, 7);
            example.done(Step.REVOKE, 7);
            assertThat(path(given)).doesNotExist();
            example.ready();
        }
    }

    @Test
    void exampleOfTheManualWorks() throws Exception {
        String manual = Files.readString(Path.of("..", "docs", "providers.md"));
        String example = manual.substring(manual.indexOf("### Complete example"));
        Path directory = Files.createDirectory(folder.resolve("manual"));
        Path gateway = Files.createDirectory(folder.resolve("home"));
        Files.writeString(directory.resolve("berth.yaml"), block(example, "yaml"));
        Path script = Files.writeString(directory.resolve("board.sh"), block(example, "sh"));
        assertThat(script.toFile().setExecutable(true)).isTrue();
        Example boards = example("boards", "GATEWAY", directory);

        boards.ready();
        String lost = boards.issue(7).env().get("BOARD_KEY");
        String given = boards.issue(7).env().get("BOARD_KEY");
        Path keys = gateway.resolve("board-1.keys");
        assertThat(keys).content().isEqualTo("7 " + given + "\n").doesNotContain(lost);
        Files.writeString(gateway.resolve("board-1.uploads/image"), "x");
        boards.done(Step.REVOKE, 6);
        assertThat(keys).content().contains(given);
        boards.done(Step.REVOKE, 7);
        assertThat(keys).isEmptyFile();
        assertThat(boards.run(Step.VERIFY, 7)).isInstanceOf(Failed.class);
        boards.ready();
        Files.move(gateway, folder.resolve("away"));
        assertThat(boards.run(Step.CLEAN, 7)).isInstanceOf(Unavailable.class);
    }

    private static String block(String text, String language) {
        String fence = "```" + language + "\n";
        int start = text.indexOf(fence) + fence.length();
        return text.substring(start, text.indexOf("```", start));
    }

    private static Path path(Access access) {
        return Path.of(access.env().values().stream()
                .filter(value -> value.startsWith("/"))
                .findFirst()
                .orElseThrow());
    }

    private Example databases() throws Exception {
        boolean present = Set.of("/usr/bin/sqlite3", "/bin/sqlite3", "/usr/local/bin/sqlite3").stream()
                .anyMatch(file -> Files.isExecutable(Path.of(file)));
        // Somebody's machine may lack it; where the build is checked for all it must be there.
        assumeThat(present || System.getenv("CI") != null)
                .as("sqlite3 is installed")
                .isTrue();
        return example("databases", "DATABASES_HOME");
    }

    private Example example(String name, String home) throws Exception {
        return example(
                name, home, Path.of("..", "examples", name).toAbsolutePath().normalize());
    }

    private Example example(String name, String home, Path directory) throws Exception {
        Map<?, ?> file = (Map<?, ?>) new Load(LoadSettings.builder().build())
                .loadFromString(Files.readString(directory.resolve("berth.yaml")));
        Map<?, ?> pool = (Map<?, ?>) ((Map<?, ?>) file.get("pools")).get(name);
        assertThat(pool.get("provider")).isEqualTo("command");
        Map<String, Object> settings = new HashMap<>();
        ((Map<?, ?>) pool.get("command")).forEach((key, value) -> settings.put((String) key, value));
        settings.put("variables", Map.of(home, folder.resolve("home").toString()));
        List<?> environments = (List<?>) file.get("environments");
        String environment = (String) ((Map<?, ?>) environments.getFirst()).get("name");
        CommandKind kind = new CommandKind(directory, folder.resolve("runs"), "", Lab.SERVER);
        return new Example(
                environment, kind.create(name, settings, Map.of(environment, new Record(Map.of(), Secrets.NONE))));
    }

    private record Example(String environment, Provider provider) {

        StepResult run(Step step, long epoch) throws InterruptedException {
            return provider.run(
                    step, new Task(environment, Map.of(), epoch, null, Lab.claim(step.name()), Lab.AMPLE, () -> true));
        }

        void done(Step step, long epoch) throws InterruptedException {
            assertThat(run(step, epoch)).isInstanceOf(Done.class);
        }

        void ready() throws InterruptedException {
            done(Step.CLEAN, 0);
            done(Step.VERIFY, 0);
        }

        Access issue(long epoch) throws InterruptedException {
            StepResult result = run(Step.ISSUE, epoch);
            assertThat(result).isInstanceOf(Done.class);
            Access access = ((Done) result).access();
            assertThat(access).isNotNull();
            return access;
        }
    }

    private static String sqlite(Path file, String sql) throws IOException, InterruptedException {
        Process process = new ProcessBuilder("sqlite3", "-batch", file.toString(), sql)
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
        return output.strip();
    }
}
