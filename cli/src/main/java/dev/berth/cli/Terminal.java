package dev.berth.cli;

import java.io.Console;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/** What can be known about the terminal without native code. */
final class Terminal {
    private static final Path FILES = Path.of("/proc/self/fd");

    private Terminal() {}

    /** Whether file number {@code fd} is a terminal that understands cursor movement. */
    static boolean isLive(int fd, Map<String, String> env) {
        if ("dumb".equals(env.getOrDefault("TERM", "dumb"))) {
            return false;
        }
        if (Files.isDirectory(FILES)) {
            try {
                String target = Files.readSymbolicLink(FILES.resolve(Integer.toString(fd)))
                        .toString();
                return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty") || target.equals("/dev/console");
            } catch (IOException e) {
                return false;
            }
        }
        // Elsewhere only standard input and output together can be asked about.
        return isConsole();
    }

    /**
     * Whether this process is in its terminal's foreground group, which the terminal itself signals on Ctrl-C: the
     * wrapped command, a member of the same group, then has the signal already.
     */
    static boolean inForeground() {
        String stat;
        try {
            stat = Files.readString(Path.of("/proc/self/stat"));
        } catch (IOException e) {
            return isConsole();
        }
        return inForeground(stat);
    }

    /** Reads {@code /proc/PID/stat} of proc(5): after the name come state, ppid, pgrp, session, tty_nr, tpgid. */
    static boolean inForeground(String stat) {
        String[] fields = stat.substring(stat.lastIndexOf(')') + 1).strip().split(" ", 7);
        return fields.length > 5 && !fields[4].equals("0") && fields[2].equals(fields[5]);
    }

    private static boolean isConsole() {
        // Null or not a terminal where there is none, by the version of the JDK.
        return Optional.ofNullable(System.console()).map(Console::isTerminal).orElse(false);
    }
}
