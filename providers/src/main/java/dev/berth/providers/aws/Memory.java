package dev.berth.providers.aws;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.services.sts.model.Credentials;

/**
 * What one process knows about roles and may as well forget: it only saves calls and makes proofs possible. Shared by all pools, since
 * the environments of an account share its roles.
 */
final class Memory {
    private static final int MOST = 10_000;
    private static final Duration LEARNT = Duration.ofHours(1);

    private final InstantSource clock;
    private final Map<String, Issued> issued = new ConcurrentHashMap<>();
    private final Map<String, Longest> longest = new ConcurrentHashMap<>();
    private final Map<String, Instant> unmarked = new ConcurrentHashMap<>();
    private final Map<String, ReentrantLock> locks = new ConcurrentHashMap<>();
    private final Map<String, List<Denials.Entry>> written = new ConcurrentHashMap<>();

    Memory(InstantSource clock) {
        this.clock = clock;
    }

    Instant now() {
        return clock.instant();
    }

    private record Issued(AwsSessionCredentials credentials, Instant until) {}

    private record Longest(Duration session, Instant until) {}

    /** Keeps what a session was issued, for the proof that it works no more. */
    void issued(String session, Credentials credentials) {
        if (issued.size() >= MOST) {
            Instant now = clock.instant();
            issued.values().removeIf(one -> one.until().isBefore(now));
        }
        if (issued.size() < MOST) {
            issued.put(
                    session,
                    new Issued(
                            AwsSessionCredentials.create(
                                    credentials.accessKeyId(),
                                    credentials.secretAccessKey(),
                                    credentials.sessionToken()),
                            credentials.expiration()));
        }
    }

    /** Null where this process did not issue it, or they have expired. */
    @Nullable
    AwsSessionCredentials issued(String session) {
        Issued known = issued.get(session);
        return known == null || known.until().isBefore(clock.instant()) ? null : known.credentials();
    }

    void forget(String session) {
        issued.remove(session);
    }

    /** How long sessions of the role may last as AWS said; null where it did not say so lately. */
    @Nullable
    Duration longest(String role) {
        Longest known = longest.get(role);
        return known == null || known.until().isBefore(clock.instant()) ? null : known.session();
    }

    void longest(String role, Duration session) {
        bound(longest);
        longest.put(role, new Longest(session, clock.instant().plus(LEARNT)));
    }

    /** Whether the role's trust policy refused session tags or a source identity lately. */
    boolean refusesMarks(String role) {
        Instant until = unmarked.get(role);
        return until != null && until.isAfter(clock.instant());
    }

    void refusesMarks(String role, Duration duration) {
        bound(unmarked);
        unmarked.put(role, clock.instant().plus(duration));
    }

    /** What is held while the policy of a role is changed: IAM knows no conditional write. */
    ReentrantLock lock(String role) {
        return locks.computeIfAbsent(role, _ -> new ReentrantLock());
    }

    /** The entries that were last written for a role: what is read back may be older. */
    List<Denials.Entry> written(String role) {
        return written.getOrDefault(role, List.of());
    }

    void written(String role, List<Denials.Entry> entries) {
        written.put(role, entries);
    }

    private static void bound(Map<String, ?> map) {
        Iterator<String> keys = map.keySet().iterator();
        while (map.size() >= MOST && keys.hasNext()) {
            keys.next();
            keys.remove();
        }
    }
}
