package dev.berth.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Runs the tour of the README as it stands there, by the launcher, for a user who never used Berth: a line that begins with {@code $} is a
 * command, the others have to be among what it prints. There, {@code …} stands for anything and runs of spaces for one another. Only the
 * port is another one, so that a service which runs on this machine is in nobody's way.
 */
@Order(1)
@Timeout(1800)
class TourTest {
    private static final Path ROOT = Path.of("").toAbsolutePath().getParent();
    private static final Pattern BLOCK =
            Pattern.compile("<!-- tour(: leave it running)? -->\n```console\n(.*?)```", Pattern.DOTALL);
    private static final Duration BUILDING = Duration.ofMinutes(20);
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    @TempDir
    private Path folder;

    private final List<Process> started = new ArrayList<>();
    private Path printed;
    private Writer shell;
    private int count;

    private record Step(String command, List<String> expected) {}

    @AfterEach
    void stop() {
        for (Process process : started) {
            // The service itself in the way that it is asked to stop, so that no program of its is left.
            process.destroy();
            process.onExit().join();
        }
    }

    @Test
    void everyCommandOfTheTourDoesWhatTheReadmeSays() throws Exception {
        Files.writeString(folder.resolve("berth"), "#!/bin/sh\nexec '" + ROOT.resolve("berth") + "' \"$@\"\n");
        assertThat(folder.resolve("berth").toFile().setExecutable(true)).isTrue();
        Files.createDirectories(folder.resolve("home"));
        openShell();
        run("cp -R '" + ROOT.resolve("examples") + "' examples", PATIENCE);
        // The first use builds, which may take a while; all else should not.
        run("./berth --version", BUILDING);

        String readme = Files.readString(ROOT.resolve("README.md"));
        var blocks = BLOCK.matcher(readme).results().toList();
        assertThat(blocks).hasSizeGreaterThan(6);
        for (var block : blocks) {
            for (Step step : steps(block.group(2))) {
                if (block.group(1) == null) {
                    follow(step);
                } else {
                    leaveRunning(step);
                }
            }
        }
    }

    private static List<Step> steps(String block) {
        List<Step> steps = new ArrayList<>();
        for (String line : block.lines().toList()) {
            if (line.startsWith("$ ")) {
                steps.add(new Step(line.substring(2), new ArrayList<>()));
            } else if (!line.isBlank()) {
                steps.getLast().expected().add(line);
            }
        }
        return steps;
    }

    private void follow(Step step) throws IOException {
        // What the service does by itself (verify, clean) shows after a moment.
        boolean looks = step.command().matches("\\./berth (status|environments( --state.*)?)");
        long deadline = System.nanoTime() + PATIENCE.toNanos();
        String output;
        do {
            output = run(step.command(), PATIENCE);
        } while (looks && !missing(step, output).isEmpty() && System.nanoTime() < deadline);
        assertThat(missing(step, output))
                .as("of what '%s' should print, in: %s", step.command(), output)
                .isEmpty();
    }

    private static List<String> missing(Step step, String output) {
        List<String> lines = output.lines().toList();
        return step.expected().stream()
                .filter(expected -> lines.stream().noneMatch(pattern(expected).asMatchPredicate()))
                .toList();
    }

    private static Pattern pattern(String expected) {
        return Pattern.compile(Arrays.stream(expected.strip().split("…", -1))
                .map(part -> Arrays.stream(part.replace(":7117", ":PORT").split("\\s+", -1))
                        .map(word -> word.replace("PORT", "\0"))
                        .map(Pattern::quote)
                        .map(word -> word.replace("\0", "\\E\\d+\\Q"))
                        .collect(Collectors.joining("\\s+")))
                .collect(Collectors.joining(".*"))
                .replaceFirst("^", "\\\\s*")
                .concat("\\s*"));
    }

    private void leaveRunning(Step step) throws IOException {
        Path said = folder.resolve("served");
        ProcessBuilder builder = new ProcessBuilder("bash", "-c", "exec " + step.command() + " --port 0")
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(said.toFile());
        surround(builder.environment());
        Process process = builder.start();
        started.add(process);
        LiveBerth.await(() -> missing(step, LiveBerth.read(said)).isEmpty() || !process.isAlive());
        assertThat(missing(step, LiveBerth.read(said))).as(LiveBerth.read(said)).isEmpty();
    }

    private void openShell() throws IOException {
        printed = folder.resolve("printed");
        ProcessBuilder builder = new ProcessBuilder("bash", "-s")
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(printed.toFile());
        surround(builder.environment());
        Process process = builder.start();
        started.add(process);
        shell = process.outputWriter(StandardCharsets.UTF_8);
    }

    /** A user who never used Berth; folders for state and for temporary files are the test's. */
    private void surround(Map<String, String> environment) {
        OwnProcess.strip(environment, folder.resolve("home"));
        environment.put("XDG_STATE_HOME", folder.resolve("home/.local/state").toString());
        environment.put("TMPDIR", folder.toString());
    }

    private String run(String command, Duration patience) throws IOException {
        String end = "--- end of " + ++count + ": ";
        int from = LiveBerth.read(printed).length();
        shell.write("{ " + command + "\n} </dev/null; echo \"" + end + "$?\"\n");
        shell.flush();
        long deadline = System.nanoTime() + patience.toNanos();
        Pattern ended = Pattern.compile("(?s)(.*)" + Pattern.quote(end) + "(\\d+)\n.*");
        while (true) {
            var output = ended.matcher(LiveBerth.read(printed).substring(from));
            if (output.matches()) {
                assertThat(output.group(2))
                        .as("exit code of '%s': %s", command, output.group(1))
                        .isEqualTo("0");
                return output.group(1);
            }
            assertThat(System.nanoTime())
                    .as("'%s' takes too long; it said: %s", command, LiveBerth.read(printed))
                    .isLessThan(deadline);
            LiveBerth.pause();
        }
    }
}
