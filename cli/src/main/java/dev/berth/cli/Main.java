package dev.berth.cli;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;

/** The {@code berth} command. */
public final class Main {
    private Main() {}

    /**
     * Runs the command and ends the process with its exit code.
     *
     * @param args the command line
     */
    public static void main(String[] args) {
        // JSON is UTF-8 whatever the locale says, and a table should not lose its letters to a POSIX one.
        PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
        PrintStream err = new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8);
        Map<String, String> env = System.getenv();
        Surroundings around =
                new Surroundings(env, home(env), out, err, Terminal.isLive(2, env), Terminal.isLive(1, env));
        System.exit(run(args, around));
    }

    /** As the shell and every other tool sees it; the JVM's own property is from the list of users, whatever HOME says. */
    private static Path home(Map<String, String> env) {
        String named = env.get("HOME");
        return Path.of(named == null || named.isEmpty() ? System.getProperty("user.home") : named);
    }

    /** Runs the command and tells its exit code. */
    static int run(String[] args, Surroundings around) {
        // Asked by scripts and by people in a hurry: not worth building the tree of commands for.
        if (args.length == 1 && (args[0].equals("--version") || args[0].equals("-V"))) {
            around.out().println(BerthCommand.VERSION);
            return ExitCode.OK;
        }
        return BerthCommand.tree(around).execute(args);
    }
}
