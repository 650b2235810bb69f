package dev.berth.client;

/**
 * Why a lease is no longer held.
 *
 * @param reason the service's end reason, or {@code keepalive-lost} or {@code session-expired} where the holder's own
 *     clock found it out
 * @param message the same in words
 */
public record LeaseLoss(String reason, String message) {}
