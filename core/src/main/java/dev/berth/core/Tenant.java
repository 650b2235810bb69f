package dev.berth.core;

import java.util.Objects;

/**
 * Who holds an environment, or held it last.
 *
 * @param requester the free text that named who asked
 */
public record Tenant(AllocationId allocation, String requester, String principal) {
    public Tenant {
        Objects.requireNonNull(allocation);
        Objects.requireNonNull(requester);
        Objects.requireNonNull(principal);
    }
}
