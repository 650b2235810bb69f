package dev.berth.server.store;

/** The database did not do what it should. The message is for logs, not for callers. */
public sealed class StoreException extends RuntimeException permits UnknownSchemaException {
    private static final long serialVersionUID = 1L;

    public StoreException(String message, Throwable cause) {
        super(message, cause);
    }

    public StoreException(String message) {
        super(message);
    }
}
