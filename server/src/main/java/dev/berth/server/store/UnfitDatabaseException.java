package dev.berth.server.store;

/** The database cannot be the store as it is, or as it was asked for: a person has to change something. The message says what. */
public final class UnfitDatabaseException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    UnfitDatabaseException(String message) {
        super(message);
    }

    UnfitDatabaseException(String message, Throwable cause) {
        super(message, cause);
    }
}
