package dev.berth.core;

/** Why a command is refused. */
public enum Refusal {
    /** No such pool, or none that the caller may use. */
    NO_SUCH_POOL,
    /** Nothing is free and the caller does not wait. */
    NO_ENVIRONMENT_AVAILABLE,
    /** As many requests wait as the pool allows, or for as many different things. */
    QUEUE_FULL,
    /** The principal has as much of the pool as it may. */
    QUOTA_EXCEEDED,
    /** The pool as configured could never satisfy it. */
    UNSATISFIABLE,
    /** The request's own values are beyond what the pool allows. */
    OUT_OF_RANGE,
    /** No such allocation, or one that is none of the caller's business. */
    NO_SUCH_ALLOCATION,
    /** The allocation has ended. */
    LEASE_LOST,
    /** The pool does not allow extending. */
    EXTEND_NOT_ALLOWED,
    /** The extension goes beyond the pool's longest session. */
    EXTEND_TOO_FAR,
    /** The pool does not keep environments for persons, or not this one. */
    HOLD_NOT_ALLOWED,
    /** As many environments are kept for persons as the pool allows. */
    HOLD_QUOTA_EXCEEDED,
    /** It does not wait any more. */
    NOT_WAITING,
    /** The key's allocation has ended. */
    IDEMPOTENCY_KEY_SPENT,
    /** The key was used for another request. */
    IDEMPOTENCY_KEY_REUSED,
    /** No such environment in the pool. */
    NO_SUCH_ENVIRONMENT,
    /** The environment is held, and this cannot be done to one that is. */
    ENVIRONMENT_ALLOCATED
}
