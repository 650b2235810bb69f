package dev.berth.server.proof;

import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What clients know: what they asked, what was answered, and when. In the order in which it was written down. */
final class Journal {
    private final List<Entry> entries = new ArrayList<>();
    private final Set<String> refused = new HashSet<>();

    /** Something that a client knows about an allocation. */
    sealed interface Entry {
        /** Of the allocation. */
        String id();

        /** As {@link System#nanoTime()}: after an answer came, before a request went out. */
        long at();

        /**
         * It was answered to be active.
         *
         * @param key the Idempotency-Key that it was asked with; null for none
         * @param epochs of its environments, by name
         * @param keepaliveBy null where keepalive is off
         * @param asked how many environments were asked for
         */
        record Granted(
                String id,
                long at,
                @Nullable String key,
                Map<String, Long> epochs,
                @Nullable Instant keepaliveBy,
                int asked)
                implements Entry {
            public Granted {
                epochs = Map.copyOf(epochs);
            }
        }

        /** A keepalive was answered. */
        record Kept(String id, long at, Instant keepaliveBy) implements Entry {}

        /** It was answered that it has ended, though its holder had not said so. */
        record Lost(String id, long at, Instant wall, String how) implements Entry {}

        /** A release went out. */
        record Releasing(String id, long at, String outcome) implements Entry {}

        /** A release was answered. */
        record Released(String id, long at) implements Entry {}

        /** What its holder had put into an environment was not as it should be. */
        record Trampled(String id, long at, String what) implements Entry {}

        /**
         * It was looked up.
         *
         * @param epochs of its environments, by name; empty where it has none
         */
        record Seen(
                String id,
                long at,
                String state,
                Map<String, Long> epochs,
                @Nullable Instant keepaliveBy,
                String endReason,
                String outcome)
                implements Entry {
            public Seen {
                epochs = Map.copyOf(epochs);
            }
        }
    }

    /** Each time that this requester asked it was answered, and told that it gets nothing. */
    synchronized void refused(String requester) {
        refused.add(requester);
    }

    synchronized Set<String> refused() {
        return Set.copyOf(refused);
    }

    synchronized void add(Entry entry) {
        entries.add(entry);
    }

    synchronized List<Entry> entries() {
        return List.copyOf(entries);
    }
}
