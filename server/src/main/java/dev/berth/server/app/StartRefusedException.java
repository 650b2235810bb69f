package dev.berth.server.app;

/** The service cannot start as asked, or a chore cannot be done. The message says why and what to do, for a person. */
public final class StartRefusedException extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private final int exitCode;

    /**
     * What a process should end with, of sysexits.h.
     *
     * @param exitCode 69 unavailable, 75 temporary failure, 78 bad configuration
     */
    StartRefusedException(int exitCode, String message, Throwable cause) {
        super(message, cause);
        this.exitCode = exitCode;
    }

    StartRefusedException(int exitCode, String message) {
        super(message);
        this.exitCode = exitCode;
    }

    public int exitCode() {
        return exitCode;
    }
}
