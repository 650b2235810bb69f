package dev.berth.providers.aws;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
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
    private static final Duration ROOM_LEARNT = Duration.ofMinutes(10);

    private final InstantSource clock;
    private final Map<String, Issued> issued = new ConcurrentHashMap<>();
    private final Map<String, Longest> longest = new ConcurrentHashMap<>();
    private final Map<String, Allowed> marks = new ConcurrentHashMap<>();
    private final Map<String, Room> rooms = new ConcurrentHashMap<>();
    private final Map<String, List<Denials.Entry>> written = new ConcurrentHashMap<>();

    Memory(InstantSource clock) {
        this.clock = clock;
    }

    Instant now() {
        return clock.instant();
    }

    private record Issued(AwsSessionCredentials credentials, Instant until) {}

    private record Longest(Duration session, Instant until) {}

    private record Allowed(Settings.Marks marks, Instant until) {}

    private record Room(int characters, Instant until) {}

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

    /** What the role's trust policy lately allowed sessions to carry; null where that was not tried. */
    Settings.@Nullable Marks marks(String role) {
        Allowed known = marks.get(role);
        return known == null || known.until().isBefore(clock.instant()) ? null : known.marks();
    }

    void marks(String role, Settings.Marks allowed) {
        bound(marks);
        marks.put(role, new Allowed(allowed, clock.instant().plus(LEARNT)));
    }

    void forgetMarks(String role) {
        marks.remove(role);
    }

    /** The entries that were last written for an environment into a role: what is read back may be older. */
    List<Denials.Entry> written(String role, String environment) {
        return written.getOrDefault(role + " " + environment, List.of());
    }

    void written(String role, String environment, List<Denials.Entry> entries) {
        written.put(role + " " + environment, entries);
    }

    /** How many characters the policies of a role could lately still have; zero where that is not known. */
    int room(String role) {
        Room known = rooms.get(role);
        return known == null || known.until().isBefore(clock.instant()) ? 0 : known.characters();
    }

    void room(String role, int characters) {
        bound(rooms);
        rooms.put(role, new Room(characters, clock.instant().plus(ROOM_LEARNT)));
    }

    /** Less of it is left. */
    void spent(String role, int characters) {
        rooms.computeIfPresent(role, (_, room) -> new Room(room.characters() - characters, room.until()));
    }

    private static void bound(Map<String, ?> map) {
        Iterator<String> keys = map.keySet().iterator();
        while (map.size() >= MOST && keys.hasNext()) {
            keys.next();
            keys.remove();
        }
    }
}
