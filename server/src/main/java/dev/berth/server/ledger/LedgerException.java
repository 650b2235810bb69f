package dev.berth.server.ledger;

/** A command was not carried out, or nobody knows whether it was. */
public final class LedgerException extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private final Kind kind;

    /** What is known of the command. */
    public enum Kind {
        /** The store cannot be used now: nothing was taken. */
        STORE_UNAVAILABLE,
        /** The store went away during the commit, and is not back: the command may or may not have been carried out. */
        OUTCOME_UNKNOWN,
        /** More commands wait than the ledger takes: nothing was taken. */
        OVERLOADED,
        /** The ledger is closed: nothing was taken. */
        CLOSED,
        /** No such pool in the store. */
        NO_SUCH_POOL,
        /** A defect: nothing was taken. */
        DEFECT
    }

    public LedgerException(Kind kind, String message, Throwable cause) {
        super(message, cause);
        this.kind = kind;
    }

    public LedgerException(Kind kind, String message) {
        super(message);
        this.kind = kind;
    }

    public Kind kind() {
        return kind;
    }
}
