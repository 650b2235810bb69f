package dev.berth.server.auth;

/** What a principal is for. An admin may do everything. */
public enum Role {
    /** Sees everything but access. */
    VIEWER,
    /** Borrows from its pools, and sees its own allocations and these pools. */
    CONSUMER,
    /** Sees everything but access, ends allocations, acts on environments. */
    OPERATOR,
    /** Makes tokens and puts configurations in force, besides all of the above. */
    ADMIN
}
