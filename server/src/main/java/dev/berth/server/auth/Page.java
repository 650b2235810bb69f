package dev.berth.server.auth;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** A part of a list, and where the next part begins; {@code next} is null on the last. */
public record Page<T>(List<T> items, @Nullable String next) {
    public Page {
        items = List.copyOf(items);
    }
}
