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

    boolean mayAct(Allocation allocation) {
        return operator || allocation.principal().equals(principal);
    }
}
