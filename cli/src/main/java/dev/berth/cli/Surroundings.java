package dev.berth.cli;

import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Map;

/**
 * What a command finds around itself; everything that is not on its command line.
 *
 * @param env the environment variables
 * @param home the user's home folder
 * @param out where results go
 * @param err where progress and messages go
 * @param liveErr whether {@code err} is a terminal on which a line can be drawn anew
 * @param liveOut whether {@code out} is one
 */
record Surroundings(
        Map<String, String> env, Path home, PrintStream out, PrintStream err, boolean liveErr, boolean liveOut) {

    Surroundings {
        env = Map.copyOf(env);
    }
}
