package dev.berth.core;

/**
 * An idempotency key, and what it was used for. Unique in the store by principal and key.
 *
 * @param digest of the request by meaning
 */
public record KeyUse(Key key, AllocationId allocation, String digest) {

    /** A principal's key. */
    public record Key(String principal, String value) {}
}
