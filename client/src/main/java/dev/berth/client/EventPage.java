package dev.berth.client;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A part of the events.
 *
 * @param events the events, oldest first
 * @param next the cursor to go on from, or null where nothing was told
 * @param json the answer as it came
 */
public record EventPage(List<Event> events, @Nullable String next, String json) {

    /** Takes a copy of the list. */
    public EventPage {
        events = List.copyOf(events);
    }
}
