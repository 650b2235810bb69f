package dev.berth.client;

import org.jspecify.annotations.Nullable;

/** What came back was not an answer of Berth: another service listens there, or a proxy answered in its place. */
public final class MalformedReply extends RuntimeException {
    private static final long serialVersionUID = 1L;

    MalformedReply(String message) {
        this(message, null);
    }

    MalformedReply(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
