package dev.berth.server.store;

/** The database holds something else than what this version keeps there. The message tells what, in words that follow its name. */
public final class UnknownSchemaException extends StoreException {
    private static final long serialVersionUID = 1L;

    UnknownSchemaException(String message, Throwable cause) {
        super(message, cause);
    }
}
