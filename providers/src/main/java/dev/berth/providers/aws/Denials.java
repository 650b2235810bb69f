package dev.berth.providers.aws;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
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
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.iam.IamClient;
import software.amazon.awssdk.services.iam.model.LimitExceededException;
import software.amazon.awssdk.services.iam.model.NoSuchEntityException;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The sessions of a role that may do nothing any more: one inline policy of the role, which is Berth's own. A session is named and not
 * a time, since all regions of an account are lent under the same role. Entries are dropped when their longest credential has expired.
 */
final class Denials {
    static final String POLICY = "berth-revoked";
    /** What IAM takes in all inline policies of a role together, white space not counted. */
    static final int LARGEST = 10_240;

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
     * @throws NoRoomException where the role's policies are full: some of it is free again when entries expire
     */
    void add(IamClient iam, String role, Entry entry) throws NoRoomException, InterruptedException {
        var lock = memory.lock(role);
        lock.lockInterruptibly();
        try {
            String name = Place.nameOf(role);
            Instant now = memory.now();
            NavigableMap<String, Instant> sessions = new TreeMap<>();
            // What was read may be older than what was written: IAM agrees with itself after a while only.
            memory.written(role).forEach(one -> later(sessions, one, now));
            read(iam, name).forEach(one -> later(sessions, one, now));
            later(sessions, entry, now);
            List<Entry> entries = new ArrayList<>();
            sessions.forEach((session, until) -> entries.add(new Entry(session, until)));
            String document = write(entries);
            if (document.length() > LARGEST) {
                throw new NoRoomException(full(role, entries));
            }
            try {
                iam.putRolePolicy(put -> put.roleName(name).policyName(POLICY).policyDocument(document));
            } catch (LimitExceededException e) {
                throw new NoRoomException(full(role, entries));
            }
            memory.written(role, entries);
        } finally {
            lock.unlock();
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

    /** Whether the session is denied as far as IAM tells now. */
    boolean has(IamClient iam, String role, String session) {
        return read(iam, Place.nameOf(role)).stream()
                .anyMatch(one -> one.session().equals(session));
    }

    private static void later(Map<String, Instant> sessions, Entry entry, Instant now) {
        if (entry.until().isAfter(now)) {
            sessions.merge(entry.session(), entry.until(), (one, other) -> one.isAfter(other) ? one : other);
        }
    }

    private static List<Entry> read(IamClient iam, String name) {
        String document;
        try {
            document = iam.getRolePolicy(get -> get.roleName(name).policyName(POLICY))
                    .policyDocument();
        } catch (NoSuchEntityException e) {
            return List.of();
        }
        return parse(document.startsWith("%") ? URLDecoder.decode(document, StandardCharsets.UTF_8) : document);
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
        return Instant.ofEpochSecond(Math.ceilDiv(time.getEpochSecond() + 1, step) * step);
    }
}
