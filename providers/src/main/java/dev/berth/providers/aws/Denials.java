package dev.berth.providers.aws;

import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.iam.IamClient;
import software.amazon.awssdk.services.iam.model.LimitExceededException;
import software.amazon.awssdk.services.iam.model.NoSuchEntityException;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The sessions of a role that may do nothing any more: an inline policy of the role for each environment that lends it, written only under
 * that environment's claim, since IAM knows no conditional write. A session is named and not a time, since all regions of an account are
 * lent under the same role. Entries are dropped when their longest credential has expired.
 */
final class Denials {
    /** What IAM takes in all inline policies of a role together, white space not counted. */
    static final int LARGEST = 10_240;

    /** Of versions that had one for all environments of a role. */
    private static final String OLD_POLICY = "berth-revoked";
    /** What one more session takes at most: a policy of its own, with the longest of names. */
    private static final int LARGEST_ENTRY = 256;
    /** So many sessions have room to spare. */
    private static final int MUCH = 8;

    /** Entries that end about together share a statement. */
    private static final Duration STATEMENT = Duration.ofMinutes(15);

    private static final String SID = "Until";
    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC);
    private static final String ANY_ROLE = "*:";

    private final Memory memory;

    Denials(Memory memory) {
        this.memory = memory;
    }

    /**
     * One session.
     *
     * @param until when its longest credential has expired
     */
    record Entry(String session, Instant until) {}

    /** There is no room in the role's policies. */
    static final class NoRoomException extends Exception {
        private static final long serialVersionUID = 1L;

        NoRoomException(String message) {
            super(message);
        }
    }

    /**
     * Denies a session of a role everything; it takes AWS a while to act upon it everywhere. Idempotent.
     *
     * @param role its ARN
     * @param environment whose claim is held
     * @throws NoRoomException where the role's policies are full: some of it is free again when entries expire
     */
    void add(IamClient iam, String role, String environment, Entry entry) throws NoRoomException {
        NavigableMap<String, Instant> sessions = current(iam, role, environment);
        later(sessions, entry, memory.now());
        write(iam, role, environment, sessions);
        memory.spent(role, LARGEST_ENTRY);
        dropOld(iam, Place.nameOf(role));
    }

    /** Drops what has expired of an environment whose claim is held. A role that is not there has nothing. */
    void tidy(IamClient iam, String role, String environment) {
        String name = Place.nameOf(role);
        List<Entry> before = read(iam, name, policy(environment));
        if (before.stream().anyMatch(one -> !one.until().isAfter(memory.now()))) {
            try {
                write(iam, role, environment, current(iam, role, environment));
            } catch (NoRoomException e) {
                // Others fill the role, and nothing was added here.
            }
        }
        dropOld(iam, name);
    }

    private NavigableMap<String, Instant> current(IamClient iam, String role, String environment) {
        Instant now = memory.now();
        NavigableMap<String, Instant> sessions = new TreeMap<>();
        // What was read may be older than what was written: IAM agrees with itself after a while only.
        memory.written(role, environment).forEach(one -> later(sessions, one, now));
        read(iam, Place.nameOf(role), policy(environment)).forEach(one -> later(sessions, one, now));
        return sessions;
    }

    private void write(IamClient iam, String role, String environment, NavigableMap<String, Instant> sessions)
            throws NoRoomException {
        String name = Place.nameOf(role);
        List<Entry> entries = new ArrayList<>();
        sessions.forEach((session, until) -> entries.add(new Entry(session, until)));
        if (entries.isEmpty()) {
            iam.deleteRolePolicy(delete -> delete.roleName(name).policyName(policy(environment)));
        } else {
            String document = write(entries);
            if (document.length() > LARGEST) {
                throw new NoRoomException(full(role, entries));
            }
            try {
                iam.putRolePolicy(put ->
                        put.roleName(name).policyName(policy(environment)).policyDocument(document));
            } catch (LimitExceededException e) {
                throw new NoRoomException(full(role, entries));
            }
        }
        memory.written(role, environment, entries);
    }

    /** Nobody writes the policy of earlier versions any more, so whoever finds all of it expired may delete it. */
    private void dropOld(IamClient iam, String name) {
        List<Entry> old = read(iam, name, OLD_POLICY);
        if (!old.isEmpty() && old.stream().noneMatch(one -> one.until().isAfter(memory.now()))) {
            iam.deleteRolePolicy(delete -> delete.roleName(name).policyName(OLD_POLICY));
        }
    }

    private static String full(String role, List<Entry> entries) {
        return "the inline policies of %s have no room for one more of %d revoked sessions; the first of them expires at %s"
                .formatted(
                        role,
                        entries.size(),
                        entries.stream()
                                .map(Entry::until)
                                .min(Instant::compareTo)
                                .orElseThrow());
    }

    /** Whether many more sessions of the role can be denied, as far as is known without a look. */
    boolean hasMuchRoom(String role) {
        return memory.room(role) >= MUCH * LARGEST_ENTRY;
    }

    /** Looks whether one more session of a role can be denied. */
    void requireRoom(IamClient iam, String role) throws NoRoomException {
        String name = Place.nameOf(role);
        int room = LARGEST;
        try {
            for (String policy :
                    iam.listRolePoliciesPaginator(list -> list.roleName(name)).policyNames()) {
                room -= document(iam, name, policy).replaceAll("\\s", "").length();
            }
        } catch (NoSuchEntityException e) {
            // Of a role or a policy that went away meanwhile nothing needs room.
        }
        memory.room(role, room);
        if (room < LARGEST_ENTRY) {
            throw new NoRoomException(
                    "the inline policies of %s have no room to revoke one more session".formatted(role));
        }
    }

    /** Whether the session is denied as far as IAM tells now. */
    boolean has(IamClient iam, String role, String environment, String session) {
        String name = Place.nameOf(role);
        return Stream.of(policy(environment), OLD_POLICY)
                .flatMap(policy -> read(iam, name, policy).stream())
                .anyMatch(one -> one.session().equals(session));
    }

    /** The policy with the sessions of an environment's borrowers and workers; IAM takes no colons. */
    private static String policy(String environment) {
        return OLD_POLICY + "-" + environment.replace(':', '=');
    }

    /** Whether a policy is Berth's own and denies sessions and nothing else: whoever can write policies can give them any name. */
    static boolean isOne(String name, String document) {
        return name.startsWith(OLD_POLICY) && write(parse(document)).equals(document);
    }

    private static void later(Map<String, Instant> sessions, Entry entry, Instant now) {
        if (entry.until().isAfter(now)) {
            sessions.merge(entry.session(), entry.until(), (one, other) -> one.isAfter(other) ? one : other);
        }
    }

    private static List<Entry> read(IamClient iam, String name, String policy) {
        try {
            return parse(document(iam, name, policy));
        } catch (NoSuchEntityException e) {
            return List.of();
        }
    }

    private static String document(IamClient iam, String name, String policy) {
        return Iam.document(
                iam.getRolePolicy(get -> get.roleName(name).policyName(policy)).policyDocument());
    }

    /** What is not ours in it is left out: the policy is Berth's alone. */
    static List<Entry> parse(String document) {
        List<Entry> entries = new ArrayList<>();
        JsonNode policy;
        try {
            policy = JsonMapper.shared().readTree(document);
        } catch (JacksonException e) {
            return entries;
        }
        for (JsonNode statement : policy.path("Statement")) {
            Instant until = until(statement.path("Sid").asString(""));
            if (until != null) {
                for (JsonNode user :
                        statement.path("Condition").path("StringLike").path("aws:userid")) {
                    String text = user.asString("");
                    if (text.startsWith(ANY_ROLE)) {
                        entries.add(new Entry(text.substring(ANY_ROLE.length()), until));
                    }
                }
            }
        }
        return entries;
    }

    private static @Nullable Instant until(String sid) {
        try {
            return sid.startsWith(SID) ? Instant.from(TIME.parse(sid.substring(SID.length()))) : null;
        } catch (DateTimeParseException e) {
            return null;
        }
    }

    static String write(List<Entry> entries) {
        NavigableMap<Instant, List<String>> byEnd = new TreeMap<>();
        for (Entry entry : entries) {
            byEnd.computeIfAbsent(roundedUp(entry.until()), _ -> new ArrayList<>())
                    .add(ANY_ROLE + entry.session());
        }
        List<Object> statements = new ArrayList<>();
        byEnd.forEach((until, users) -> {
            Map<String, Object> statement = new LinkedHashMap<>();
            // Sid takes letters and digits only.
            statement.put("Sid", SID + TIME.format(until));
            statement.put("Effect", "Deny");
            statement.put("Action", "*");
            statement.put("Resource", "*");
            statement.put("Condition", Map.of("StringLike", Map.of("aws:userid", users)));
            statements.add(statement);
        });
        Map<String, Object> policy = new LinkedHashMap<>();
        policy.put("Version", "2012-10-17");
        policy.put("Statement", statements);
        return JsonMapper.shared().writeValueAsString(policy);
    }

    private static Instant roundedUp(Instant time) {
        long step = STATEMENT.toSeconds();
        return Instant.ofEpochSecond(Math.ceilDiv(time.getEpochSecond(), step) * step);
    }
}
