package dev.berth.server.http;

import dev.berth.core.Refusal;
import dev.berth.server.ledger.LedgerException;
import java.util.Locale;

/** Every error that can be answered. The only place that says which refusal or failure becomes which error. */
public enum ErrorCode {
    MALFORMED_REQUEST(400, Category.CALLER, false, "The request is not HTTP as it should be"),
    MALFORMED_JSON(400, Category.CALLER, false, "The body is not JSON"),
    INVALID_REQUEST(400, Category.CALLER, false, "The request has mistakes"),
    CONFIGURATION_INVALID(400, Category.CALLER, false, "The configuration has mistakes"),
    UNAUTHENTICATED(401, Category.CALLER, false, "No or unknown credentials"),
    FORBIDDEN(403, Category.CALLER, false, "Not allowed for this principal"),
    NO_SUCH_RESOURCE(404, Category.CALLER, false, "No such path"),
    NO_SUCH_POOL(404, Category.CALLER, false, "No such pool"),
    NO_SUCH_ALLOCATION(404, Category.CALLER, false, "No such allocation"),
    NO_SUCH_ENVIRONMENT(404, Category.CALLER, false, "No such environment"),
    NO_SUCH_TOKEN(404, Category.CALLER, false, "No such token"),
    NO_SUCH_BASELINE(404, Category.CALLER, false, "No such baseline"),
    METHOD_NOT_ALLOWED(405, Category.CALLER, false, "Not a method of this path"),
    EXTEND_NOT_ALLOWED(409, Category.CALLER, false, "The session cannot be extended"),
    HOLD_NOT_ALLOWED(409, Category.CALLER, false, "The environment cannot be kept for a person"),
    NOT_ACTIVE(409, Category.CALLER, false, "The allocation is not active yet"),
    NOT_WAITING(409, Category.CALLER, false, "The allocation does not wait"),
    IDEMPOTENCY_KEY_SPENT(409, Category.CALLER, false, "The Idempotency-Key's allocation has ended"),
    ENVIRONMENT_ALLOCATED(409, Category.CALLER, false, "The environment is held"),
    NOTHING_TO_ACCEPT(409, Category.CALLER, false, "Nothing was found that could be accepted"),
    MASS_REMOVAL(409, Category.CALLER, false, "The configuration removes much"),
    LEASE_LOST(410, Category.CALLER, false, "The allocation has ended"),
    BODY_TOO_LARGE(413, Category.CALLER, false, "The body is too large"),
    URI_TOO_LONG(414, Category.CALLER, false, "The path and query are too long"),
    UNSATISFIABLE(422, Category.CALLER, false, "The pool can never satisfy this"),
    OUT_OF_RANGE(422, Category.CALLER, false, "Beyond what the pool allows"),
    IDEMPOTENCY_KEY_REUSED(422, Category.CALLER, false, "The Idempotency-Key was used for another request"),
    NO_ENVIRONMENT_AVAILABLE(423, Category.CAPACITY, true, "Nothing is free"),
    RATE_LIMITED(429, Category.CAPACITY, true, "Too many requests"),
    QUEUE_FULL(429, Category.CAPACITY, true, "The queue is full"),
    QUOTA_EXCEEDED(429, Category.CAPACITY, true, "The principal has as much as it may"),
    HOLD_QUOTA_EXCEEDED(429, Category.CAPACITY, true, "As much is kept for persons as may be"),
    HEADERS_TOO_LARGE(431, Category.CALLER, false, "The headers are too large"),
    INTERNAL_ERROR(500, Category.BUG, false, "A defect of the service"),
    NOT_IMPLEMENTED(501, Category.CALLER, false, "Not a part of HTTP that is served"),
    OVERLOADED(503, Category.CAPACITY, true, "Too much at once"),
    STOPPING(503, Category.CAPACITY, true, "The service is stopping"),
    NOT_READY(503, Category.DEPENDENCY, true, "Not ready"),
    STORE_UNAVAILABLE(503, Category.DEPENDENCY, true, "The database cannot be used now"),
    OUTCOME_UNKNOWN(503, Category.DEPENDENCY, true, "Nobody knows whether it was done"),
    IDENTITY_UNAVAILABLE(503, Category.DEPENDENCY, true, "Nobody can say now who calls"),
    ACCESS_FAILED(503, Category.DEPENDENCY, true, "Access could not be issued"),
    HTTP_VERSION_NOT_SUPPORTED(505, Category.CALLER, false, "Not a version of HTTP that is served");

    /** Where an error has its cause. */
    public enum Category {
        CALLER,
        CAPACITY,
        DEPENDENCY,
        BUG
    }

    private final int status;
    private final Category category;
    private final boolean retryable;
    private final String title;

    ErrorCode(int status, Category category, boolean retryable, String title) {
        this.status = status;
        this.category = category;
        this.retryable = retryable;
        this.title = title;
    }

    /** Stable, as it is written on the wire. */
    public String slug() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    public int status() {
        return status;
    }

    public Category category() {
        return category;
    }

    /** Whether the same request may do better later; such an error carries Retry-After. */
    public boolean isRetryable() {
        return retryable;
    }

    /** The same for every error of the code. */
    public String title() {
        return title;
    }

    static ErrorCode of(Refusal refusal) {
        return switch (refusal) {
            case NO_SUCH_POOL -> NO_SUCH_POOL;
            case NO_ENVIRONMENT_AVAILABLE -> NO_ENVIRONMENT_AVAILABLE;
            case QUEUE_FULL -> QUEUE_FULL;
            case QUOTA_EXCEEDED -> QUOTA_EXCEEDED;
            case UNSATISFIABLE -> UNSATISFIABLE;
            case OUT_OF_RANGE, EXTEND_TOO_FAR -> OUT_OF_RANGE;
            case NO_SUCH_ALLOCATION -> NO_SUCH_ALLOCATION;
            case LEASE_LOST -> LEASE_LOST;
            case EXTEND_NOT_ALLOWED -> EXTEND_NOT_ALLOWED;
            case HOLD_NOT_ALLOWED -> HOLD_NOT_ALLOWED;
            case HOLD_QUOTA_EXCEEDED -> HOLD_QUOTA_EXCEEDED;
            case NOT_WAITING -> NOT_WAITING;
            case IDEMPOTENCY_KEY_SPENT -> IDEMPOTENCY_KEY_SPENT;
            case IDEMPOTENCY_KEY_REUSED -> IDEMPOTENCY_KEY_REUSED;
            case NO_SUCH_ENVIRONMENT -> NO_SUCH_ENVIRONMENT;
            case ENVIRONMENT_ALLOCATED -> ENVIRONMENT_ALLOCATED;
        };
    }

    /** Failures of the store come as the ledger's, also where it was only read. */
    static ErrorCode of(LedgerException.Kind kind) {
        return switch (kind) {
            case STORE_UNAVAILABLE -> STORE_UNAVAILABLE;
            case OUTCOME_UNKNOWN -> OUTCOME_UNKNOWN;
            case OVERLOADED -> OVERLOADED;
            case CLOSED -> STOPPING;
            case NO_SUCH_POOL -> NO_SUCH_POOL;
            case DEFECT -> INTERNAL_ERROR;
        };
    }

    /** What the HTTP server itself refuses, by the status that it would give. */
    static ErrorCode ofStatus(int status) {
        return switch (status) {
            case 404 -> NO_SUCH_RESOURCE;
            case 405 -> METHOD_NOT_ALLOWED;
            case 413 -> BODY_TOO_LARGE;
            case 414 -> URI_TOO_LONG;
            case 431 -> HEADERS_TOO_LARGE;
            case 501 -> NOT_IMPLEMENTED;
            case 503 -> OVERLOADED;
            case 505 -> HTTP_VERSION_NOT_SUPPORTED;
            default -> status >= 500 ? INTERNAL_ERROR : MALFORMED_REQUEST;
        };
    }
}
