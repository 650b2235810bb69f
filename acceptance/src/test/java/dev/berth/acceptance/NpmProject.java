package dev.berth.acceptance;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Programs for node with packages of the npm registry, which the lock file beside them pins.
 *
 * @param folder with everything installed
 */
record NpmProject(Path folder) {
    private static final Duration INSTALLING = Duration.ofMinutes(15);

    /**
     * Installs it where that was not done.
     *
     * @param name of a folder below {@code src/test/node}, with {@code package.json} and {@code package-lock.json}
     */
    static NpmProject install(String name) {
        Toolchain.require();
        return new NpmProject(Installed.folder(
                "node/" + name,
                folder -> Running.done(
                        folder,
                        Map.of(),
                        INSTALLING,
                        List.of(
                                Toolchain.NPM.path().toString(),
                                "ci",
                                "--ignore-scripts",
                                "--no-audit",
                                "--no-fund",
                                "--no-update-notifier"))));
    }

    /**
     * Starts a program of the folder.
     *
     * @param work where it runs
     * @param variables beside those of this process
     */
    Running start(Path work, Map<String, String> variables, String program, String... args) {
        var line = new ArrayList<>(List.of(
                Toolchain.NODE.path().toString(), folder.resolve(program).toString()));
        line.addAll(List.of(args));
        return Running.start(work, variables, line);
    }
}
