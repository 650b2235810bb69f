package dev.berth.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code berth demo}, the README's first command: what an onlooker sees, and in what order. */
@Order(4)
@Timeout(600)
class DemoTest {
    @TempDir
    private Path folder;

    private final List<Process> started = new ArrayList<>();

    @AfterEach
    void stop() {
        for (Process demo : started) {
            List<ProcessHandle> left = demo.descendants().toList();
            demo.destroyForcibly();
            left.forEach(ProcessHandle::destroyForcibly);
        }
    }

    private Process demo(Path out, Path err) throws IOException {
        List<String> line = OwnProcess.line(
                "-Dberth.home=" + Path.of("").toAbsolutePath().getParent(),
                "-Dberth.options=" + OwnProcess.options(folder));
        line.addAll(List.of("demo", "--exit", "--data", folder.resolve("data").toString()));
        ProcessBuilder builder =
                new ProcessBuilder(line).redirectOutput(out.toFile()).redirectError(err.toFile());
        OwnProcess.strip(builder.environment(), folder);
        builder.environment().put("TMPDIR", folder.toString());
        Process demo = builder.start();
        started.add(demo);
        return demo;
    }

    private static void ends(Process demo, Path out, Path err) throws InterruptedException {
        assertThat(demo.waitFor(400, TimeUnit.SECONDS))
                .as(() -> LiveBerth.read(out))
                .isTrue();
        assertThat(demo.exitValue())
                .as(() -> LiveBerth.read(out) + LiveBerth.read(err))
                .isZero();
    }

    @Test
    void aDemoThatWasKilledDoesNotStandInTheWayOfTheNext() throws Exception {
        Path out = folder.resolve("out");
        Path err = folder.resolve("err");
        Process first = demo(out, err);
        LiveBerth.await(() -> LiveBerth.read(out).contains("job 4      waits") || !first.isAlive());
        List<ProcessHandle> jobs = first.descendants().toList();
        try {
            first.destroyForcibly();
            first.onExit().join();
            assertThat(jobs).anyMatch(ProcessHandle::isAlive);

            Path again = folder.resolve("again");
            ends(demo(again, err), again, err);
            assertThat(LiveBerth.read(again)).contains("All had their turn");
        } finally {
            jobs.forEach(ProcessHandle::destroyForcibly);
        }
    }

    @Test
    void fourJobsHaveTheirTurnAndTheKilledOnesFolderComesBack() throws Exception {
        Path out = folder.resolve("out");
        Path err = folder.resolve("err");
        ends(demo(out, err), out, err);

        assertThat(Files.readString(err)).isEmpty();
        List<String> told = new ArrayList<>(Files.readAllLines(out));
        for (String next : new String[] {
            "Berth is at http://127\\.0\\.0\\.1:\\d+\\..*",
            ".* s  job 3      waits: no folder is free",
            ".* s  job 2      is killed with -9.*",
            ".* s  job 3      is granted scratch-\\d",
            ".* s  job 2      gave no sign of life for 10s: scratch-\\d is taken back",
            ".* s  scratch-\\d  access taken back.*",
            ".* s  scratch-\\d  cleaned: removed 2 files and folders",
            ".* s  scratch-\\d  checked: nothing is left in it",
            ".* s  scratch-\\d  is free, to be lent again",
            ".* s  job 4      is granted scratch-\\d",
            ".* s  job 4      is done, and gives back scratch-\\d",
            "All had their turn.*"
        }) {
            Pattern pattern = Pattern.compile(next);
            while (!told.isEmpty() && !pattern.matcher(told.getFirst()).matches()) {
                told.removeFirst();
            }
            assertThat(told)
                    .as(() -> "'" + next + "' in its turn, in: " + LiveBerth.read(out))
                    .isNotEmpty();
        }
    }
}
