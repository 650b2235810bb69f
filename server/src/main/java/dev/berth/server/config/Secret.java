package dev.berth.server.config;

import java.util.Objects;

/** A resolved secret, which shows itself only when asked to. */
public final class Secret {
    private final String value;

    Secret(String value) {
        this.value = Objects.requireNonNull(value);
    }

    /** The secret itself: never to be logged, stored in the clear or put into a message. */
    public String reveal() {
        return value;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Secret secret && secret.value.equals(value);
    }

    @Override
    public int hashCode() {
        return value.hashCode();
    }

    @Override
    public String toString() {
        return "Secret[hidden]";
    }
}
