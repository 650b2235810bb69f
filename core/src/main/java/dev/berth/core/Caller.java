package dev.berth.core;

import java.util.Objects;

/**
 * Who gives a command.
 *
 * @param operator may act on allocations of others
 */
public record Caller(String principal, boolean operator) {
    public Caller {
        Objects.requireNonNull(principal);
    }

    boolean owns(Allocation allocation) {
        return allocation.principal().equals(principal);
    }

    boolean mayAct(Allocation allocation) {
        return operator || owns(allocation);
    }
}
