package dev.berth.client;

import org.jspecify.annotations.Nullable;

/** No answer came from the service within the bounds of the call. Whether it was carried out is not known. */
public final class BerthUnreachable extends RuntimeException {
    private static final long serialVersionUID = 1L;

    BerthUnreachable(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
