package dev.berth.client;

/** The allocation that was waited for ended without having been granted. */
public final class AllocationEnded extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final transient Allocation allocation;

    AllocationEnded(Allocation allocation) {
        super("the request for pool '" + allocation.pool() + "' ended before it was granted: "
                + (allocation.endReason() == null ? "no reason given" : allocation.endReason()));
        this.allocation = allocation;
    }

    /** The allocation as it ended. */
    public Allocation allocation() {
        return allocation;
    }
}
