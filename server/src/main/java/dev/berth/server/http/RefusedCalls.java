package dev.berth.server.http;

import dev.berth.server.auth.Principal;
import java.time.Duration;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells of calls that nobody was let in for: counted all of them, and logged as many as a log can bear. Not kept in the store, which
 * strangers could fill. A line has nothing in it that a caller can write at will: routes as the API names them, principals as the
 * configuration does, and request ids that are clean.
 */
final class RefusedCalls {
    private static final Logger LOG = LoggerFactory.getLogger(RefusedCalls.class);
    /** So many lines at once, and then one in each period. */
    private static final int MOST = 60;

    private static final long PERIOD = Duration.ofSeconds(1).toNanos();

    private final ServiceMetrics metrics;
    private final LongSupplier nanos;
    private long lines = MOST;
    private long left;
    private long filledAt;

    /**
     * @param nanos as {@link System#nanoTime}
     */
    RefusedCalls(ServiceMetrics metrics, LongSupplier nanos) {
        this.metrics = metrics;
        this.nanos = nanos;
        this.filledAt = nanos.getAsLong();
    }

    /**
     * A call was answered with an error, which may be a refusal.
     *
     * @param caller null for who is not known
     * @param address where the call came from
     */
    void note(ErrorCode code, Route route, @Nullable Principal caller, Supplier<String> address, String requestId) {
        if (!isRefusal(code, caller)) {
            return;
        }
        metrics.refused(code.slug());
        long unsaid = turn();
        if (unsaid >= 0) {
            LOG.info(
                    "refused: {} to {} {} from {} by {}, request {}{}",
                    code.slug(),
                    route.method(),
                    route.path(),
                    address.get(),
                    caller == null ? "nobody known" : caller.name(),
                    requestId,
                    unsaid == 0 ? "" : "; " + unsaid + " more before it");
        }
    }

    /** To who does not see everything, what is another's is not there. */
    private static boolean isRefusal(ErrorCode code, @Nullable Principal caller) {
        return switch (code) {
            case UNAUTHENTICATED, FORBIDDEN -> true;
            case NO_SUCH_ALLOCATION, NO_SUCH_POOL -> caller != null && !caller.seesAll();
            default -> false;
        };
    }

    /** How many were not told since the last line; below 0 where there is none for this one. */
    private synchronized long turn() {
        long periods = (nanos.getAsLong() - filledAt) / PERIOD;
        filledAt += periods * PERIOD;
        lines = Math.min(MOST, lines + periods);
        if (lines == 0) {
            left++;
            return -1;
        }
        lines--;
        long unsaid = left;
        left = 0;
        return unsaid;
    }
}
