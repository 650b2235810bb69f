package dev.berth.core;

import java.util.Locale;

/** Why an allocation ended. */
public enum EndReason {
    RELEASED,
    SESSION_EXPIRED,
    KEEPALIVE_LOST,
    WAIT_TIMEOUT,
    /** Granted, and nobody came for it. */
    NOT_COLLECTED,
    ACCESS_FAILED,
    UNSATISFIABLE,
    OPERATOR;

    /** As it is written on the wire and in the store. */
    public String slug() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    public static EndReason of(String slug) {
        return valueOf(slug.toUpperCase(Locale.ROOT).replace('-', '_'));
    }

    /** Whether nothing was ever handed out, so that an idempotency key is free again. */
    boolean freesKey() {
        return switch (this) {
            case WAIT_TIMEOUT, NOT_COLLECTED, ACCESS_FAILED, UNSATISFIABLE -> true;
            case RELEASED, SESSION_EXPIRED, KEEPALIVE_LOST, OPERATOR -> false;
        };
    }
}
