package dev.berth.cli;

/** The signals that ask a process to end, with their numbers (the same on Linux and macOS). */
enum Sig {
    HUP(1),
    INT(2),
    TERM(15);

    private final int number;

    Sig(int number) {
        this.number = number;
    }

    /** The exit code of a command that was ended by it. */
    int exitCode() {
        return ExitCode.SIGNALLED + number;
    }
}
