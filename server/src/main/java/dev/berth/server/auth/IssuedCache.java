package dev.berth.server.auth;

import dev.berth.server.ledger.TimeSource;
import dev.berth.server.store.Store.Issued;
import dev.berth.server.store.StoreException;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiConsumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Remembers for a few seconds what the store said of tokens and keys, so that a request costs no look at it. */
final class IssuedCache<T extends Issued> {
    private static final Logger LOG = LoggerFactory.getLogger(IssuedCache.class);
    private static final int MOST_CACHED = 10_000;
    /** What another process revoked works for so long at most. */
    private static final Duration CACHED_FOR = Duration.ofSeconds(5);

    private static final Duration NOTED_EVERY = Duration.ofMinutes(1);

    private final Function<String, Optional<T>> read;
    private final BiConsumer<String, Instant> note;
    private final TimeSource time;
    private final Map<String, Known<T>> known = new ConcurrentHashMap<>();
    private final AtomicLong revocations = new AtomicLong();

    /**
     * @param read asks the store, by what callers show
     * @param note tells the store of a use, by id
     */
    IssuedCache(Function<String, Optional<T>> read, BiConsumer<String, Instant> note, TimeSource time) {
        this.read = read;
        this.note = note;
        this.time = time;
    }

    /** What is known of one of them: as it was read, and when its use was last noted. */
    record Known<T extends Issued>(T issued, Instant readAt, AtomicReference<@Nullable Instant> notedAt) {}

    /**
     * Null where there is none, or it has expired.
     *
     * @throws dev.berth.server.ledger.LedgerException where the store cannot say
     */
    @Nullable
    Known<T> find(String shown) {
        var now = time.now();
        var cached = known.get(shown);
        if (cached == null || cached.readAt.plus(CACHED_FOR).isBefore(now)) {
            cached = read(shown, now, cached);
        }
        if (cached == null) {
            return null;
        }
        var end = cached.issued.expiresAt();
        return end != null && !now.isBefore(end) ? null : cached;
    }

    private @Nullable Known<T> read(String shown, Instant now, @Nullable Known<T> before) {
        long revocationsBefore = revocations.get();
        var found = Reads.of(() -> read.apply(shown));
        if (found.isEmpty()) {
            known.remove(shown);
            return null;
        }
        var fresh = new Known<>(found.get(), now, before == null ? new AtomicReference<>() : before.notedAt);
        if (known.size() >= MOST_CACHED) {
            known.clear();
        }
        known.put(shown, fresh);
        if (revocations.get() != revocationsBefore) {
            known.remove(shown); // it may have been revoked after it was read
        }
        return fresh;
    }

    /** Notes that somebody called with it, about once a minute. */
    void used(Known<T> used) {
        var now = time.now();
        var last = used.notedAt.get();
        var before = last == null ? used.issued.lastUsedAt() : last;
        boolean isDue = before == null || !now.isBefore(before.plus(NOTED_EVERY));
        if (!isDue || !used.notedAt.compareAndSet(last, now)) {
            return;
        }
        try {
            note.accept(used.issued.id(), now);
        } catch (StoreException e) {
            LOG.debug("the use of a token was not noted: {}", e.toString());
        }
    }

    /** One was revoked: none is trusted without asking the store. */
    void forget() {
        revocations.incrementAndGet();
        known.clear();
    }
}
