package dev.berth.core;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Who gives a command.
 *
 * @param operator may act on allocations of others
 * @param address where the command came from, for the events; null where it came from within
 */
public record Caller(
        String principal, boolean operator, @Nullable String address) {
    public Caller {
        Objects.requireNonNull(principal);
    }

    /** Who gives a command from within. */
    public Caller(String principal, boolean operator) {
        this(principal, operator, null);
    }

    boolean owns(Allocation allocation) {
        return allocation.principal().equals(principal);
    }

    boolean mayAct(Allocation allocation) {
        return operator || owns(allocation);
    }
}
