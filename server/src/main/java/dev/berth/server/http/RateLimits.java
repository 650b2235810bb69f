package dev.berth.server.http;

import dev.berth.server.config.Callers;
import dev.berth.server.config.Callers.Rate;
import io.helidon.webserver.http.ServerRequest;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * How often a principal and an address may call. Kept in the memory of this process, and bounded: where there are more callers than it
 * holds, those that come on top are not limited.
 */
final class RateLimits {
    private static final int MOST = 100_000;
    private static final long PRUNING = Duration.ofSeconds(1).toNanos();

    private final Supplier<Callers> rules;
    private final LongSupplier nanoTime;
    private final Origins origins;
    private final Buckets principals;
    private final Buckets addresses;
    private final Buckets failures;

    /**
     * @param rules asked for every request
     * @param nanoTime as {@link System#nanoTime}
     */
    RateLimits(Supplier<Callers> rules, LongSupplier nanoTime, MeterRegistry registry) {
        this.rules = rules;
        this.nanoTime = nanoTime;
        origins = new Origins(() -> rules.get().trustedProxies());
        principals = new Buckets(counter(registry, "principal"));
        addresses = new Buckets(counter(registry, "address"));
        failures = new Buckets(counter(registry, "failures"));
    }

    private static Counter counter(MeterRegistry registry, String by) {
        return Counter.builder("berth.http.limited")
                .description("Requests that were refused because there were too many")
                .tag("by", by)
                .register(registry);
    }

    /** What is in force now. */
    Callers rules() {
        return rules.get();
    }

    /** Where a request comes from. */
    InetAddress origin(ServerRequest request) {
        return origins.of(request);
    }

    /**
     * Somebody calls.
     *
     * @param spared whether it is counted, and let pass all the same: giving back what was lent, and a sign of life, help everybody
     * @throws Problem where too many came from there
     */
    void address(InetAddress from, boolean spared) {
        var now = nanoTime.getAsLong();
        var all = rules.get();
        refuse(addresses.take(all.address(), network(from), now), spared ? null : addresses, "from this address");
        if (all.failures() != null) {
            refuse(
                    failures.lacks(all.failures(), network(from), now),
                    failures,
                    "with unknown credentials from this address");
        }
    }

    /**
     * A principal that is known calls.
     *
     * @param spared as {@link #address} has it
     * @throws Problem where it did too often
     */
    void principal(String name, boolean spared) {
        refuse(
                principals.take(rules.get().principal(), name, nanoTime.getAsLong()),
                spared ? null : principals,
                "of this principal");
    }

    /** The credentials that came were unknown. */
    void failed(InetAddress from) {
        failures.take(rules.get().failures(), network(from), nanoTime.getAsLong());
    }

    /** How many addresses are known. */
    int addresses() {
        return addresses.paidUntil.size();
    }

    private static void refuse(long nanos, @Nullable Buckets by, String whose) {
        if (nanos > 0 && by != null) {
            by.refused.increment();
            throw Problem.retry(
                    ErrorCode.RATE_LIMITED, "Too many requests " + whose + " in a short time", Duration.ofNanos(nanos));
        }
    }

    /** Of IPv6 the first half: whoever has one address has all of them that begin alike. */
    private static Object network(InetAddress address) {
        return address instanceof Inet6Address
                ? (Object) ByteBuffer.wrap(address.getAddress()).getLong()
                : address;
    }

    /** For each caller, until when what it took is paid for: that is a bucket of tokens, in one number (the generic cell rate algorithm). */
    private final class Buckets {
        private final Map<Object, AtomicLong> paidUntil = new ConcurrentHashMap<>();
        private final AtomicLong prunedAt = new AtomicLong(nanoTime.getAsLong());
        private final Counter refused;

        Buckets(Counter refused) {
            this.refused = refused;
        }

        /** Takes one; what it lacks in nanoseconds, 0 where it was there. */
        long take(@Nullable Rate rate, Object whose, long now) {
            if (rate == null) {
                return 0;
            }
            var bucket = paidUntil.get(whose);
            if (bucket == null) {
                if (paidUntil.size() >= MOST && !prune(now)) {
                    return 0;
                }
                bucket = paidUntil.computeIfAbsent(whose, _ -> new AtomicLong(now));
            }
            long cost = cost(rate);
            while (true) {
                long paid = bucket.get();
                long next = (paid - now > 0 ? paid : now) + cost;
                long lacks = next - now - cost * rate.burst();
                if (lacks > 0) {
                    return lacks;
                }
                if (bucket.compareAndSet(paid, next)) {
                    return 0;
                }
            }
        }

        /** What one lacks who would take now. */
        long lacks(Rate rate, Object whose, long now) {
            var bucket = paidUntil.isEmpty() ? null : paidUntil.get(whose);
            return bucket == null ? 0 : Math.max(0, bucket.get() - now + cost(rate) - cost(rate) * rate.burst());
        }

        private long cost(Rate rate) {
            return Duration.ofSeconds(1).toNanos() / rate.perSecond();
        }

        /** Forgets those who owe nothing; whether there is room then. */
        private boolean prune(long now) {
            long last = prunedAt.get();
            if (now - last > PRUNING && prunedAt.compareAndSet(last, now)) {
                paidUntil.values().removeIf(paid -> paid.get() - now <= 0);
            }
            return paidUntil.size() < MOST;
        }
    }
}
