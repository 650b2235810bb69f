package dev.berth.server.store;

/**
 * What was to be written contradicts what is stored by now: another transaction was faster, or stood in the way of this one. Nothing of
 * the transaction is committed. Decided anew it goes well; where it fails the same way again, it is a defect.
 */
public final class ConflictException extends IllegalStateException {
    private static final long serialVersionUID = 1L;

    ConflictException(String message, Throwable cause) {
        super(message, cause);
    }

    ConflictException(String message) {
        super(message);
    }
}
