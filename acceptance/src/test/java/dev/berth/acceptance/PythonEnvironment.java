package dev.berth.acceptance;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A virtual environment of Python with packages that {@code requirements.txt} pins.
 *
 * @param folder with everything installed
 */
record PythonEnvironment(Path folder) {
    private static final Duration INSTALLING = Duration.ofMinutes(15);
    private static final String VENV = "venv";

    /**
     * Installs it where that was not done.
     *
     * @param name of a folder below {@code src/test/python}, with {@code requirements.txt}
     */
    static PythonEnvironment install(String name) {
        Toolchain.require();
        return new PythonEnvironment(Installed.folder("python/" + name, folder -> {
            Running.done(
                    folder,
                    Map.of(),
                    INSTALLING,
                    List.of(Toolchain.PYTHON.path().toString(), "-m", "venv", VENV));
            Running.done(
                    folder,
                    Map.of("PIP_DISABLE_PIP_VERSION_CHECK", "1"),
                    INSTALLING,
                    List.of(
                            program(folder, "python").toString(),
                            "-m",
                            "pip",
                            "install",
                            "--quiet",
                            "-r",
                            "requirements.txt"));
        }));
    }

    /** A program of the virtual environment, {@code python} or what its packages bring along. */
    Path program(String name) {
        return program(folder, name);
    }

    private static Path program(Path folder, String name) {
        return folder.resolve(VENV).resolve("bin").resolve(name);
    }

    /**
     * Starts a script of the folder.
     *
     * @param work where it runs
     * @param variables beside those of this process
     */
    Running start(Path work, Map<String, String> variables, String script, String... args) {
        var line = new ArrayList<>(
                List.of(program("python").toString(), folder.resolve(script).toString()));
        line.addAll(List.of(args));
        return Running.start(work, variables, line);
    }
}
