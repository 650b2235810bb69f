package dev.berth.cli;

/** The exit codes of {@code berth}, after {@code sysexits.h} where it has a word for them. */
final class ExitCode {
    static final int OK = 0;
    /** The command line or the request was wrong. */
    static final int USAGE = 64;
    /** The service is not reachable. */
    static final int UNAVAILABLE = 69;
    /** A defect of ours. */
    static final int DEFECT = 70;
    /** Nothing was free in time. */
    static final int NOTHING_FREE = 75;
    /** Not allowed. */
    static final int NOT_ALLOWED = 77;
    /** The configuration is bad. */
    static final int BAD_CONFIGURATION = 78;
    /** The lease was lost and the command was stopped. */
    static final int LEASE_LOST = 79;
    /** As shells have it: the command was found but could not be run. */
    static final int CANNOT_RUN = 126;
    /** As shells have it: no such command. */
    static final int NO_SUCH_COMMAND = 127;
    /** As shells have it: what is added to a signal's number. */
    static final int SIGNALLED = 128;

    private ExitCode() {}
}
