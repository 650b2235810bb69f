package dev.berth.server.config;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Every key there is, by where it may stand. The reference in docs/configuration.md has a section for each, with the same heading.
 */
enum Keys {
    TOP(
            "The file",
            "pools",
            "environments",
            "principals",
            "trusted-proxies",
            "limits",
            "status",
            "metrics",
            "aws-callers"),
    POOL(
            "A pool",
            "provider",
            "session",
            "max-session",
            "keepalive",
            "retry-after",
            "on-register",
            "isolate",
            "issue",
            "revoke",
            "clean",
            "verify",
            "max-priority",
            "queue",
            "quota",
            "hold",
            "upkeep",
            "revocable",
            "env"),
    STEP("A step: issue, revoke, clean", "timeout", "attempts"),
    VERIFY("The step verify", "timeout", "attempts", "every"),
    QUEUE("The queue", "max", "max-wait", "order", "share-by", "half-life", "aging", "liveness"),
    QUOTA("A quota", "held", "queued", "principals"),
    PRINCIPAL_QUOTA("A principal's quota", "held", "queued"),
    HOLD("Holding", "max", "quota"),
    UPKEEP("Upkeep", "parallel", "per-account"),
    ENVIRONMENT(
            "An environment",
            "name",
            "pool",
            "account",
            "region",
            "admin_role",
            "admin_role_arn",
            "adminRoleArn",
            "capabilities",
            "connection",
            "secrets",
            "access"),
    PRINCIPAL("A principal", "name", "roles", "pools", "token", "aws"),
    PRINCIPAL_AWS("A principal's AWS identity", "accounts", "roles", "principals"),
    AWS_CALLERS("AWS callers", "service", "endpoint", "partition"),
    LIMITS("Limits", "principal", "address", "failures"),
    RATE("A rate", "rate", "burst"),
    REFERENCE("A secret reference", "file", "env");

    private final String heading;

    @SuppressWarnings("ImmutableEnumChecker") // made by List.of
    private final List<String> names;

    @SuppressWarnings("ImmutableEnumChecker") // made by Set.of
    private final Set<String> set;

    Keys(String heading, String... names) {
        this.heading = heading;
        this.names = List.of(names);
        this.set = Set.of(names);
    }

    String heading() {
        return heading;
    }

    List<String> names() {
        return names;
    }

    boolean has(String key) {
        return set.contains(key);
    }

    /** What is wrong with a key that is not among these. */
    String unknown(String key) {
        return unknown(key, names);
    }

    static String unknown(String key, List<String> known) {
        if (key.equals("<<")) {
            return "is a merge, which YAML 1.2 does not have: write the keys out";
        }
        return "is not known; "
                + nearest(key, known)
                        .map(near -> "did you mean '" + near + "'?")
                        .orElse("known are " + String.join(", ", known));
    }

    private static Optional<String> nearest(String key, List<String> known) {
        String best = null;
        int closest = Math.max(1, Math.min(key.length(), 12) / 3) + 1;
        for (String candidate : known) {
            int distance = distance(plain(key), plain(candidate));
            if (distance < closest) {
                closest = distance;
                best = candidate;
            }
        }
        return Optional.ofNullable(best);
    }

    private static String plain(String key) {
        return key.length() > 60 ? "" : key.toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** Levenshtein's distance: how many characters to add, drop or change. */
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j < row.length; j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j < row.length; j++) {
                int above = row[j];
                int changed = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                row[j] = Math.min(changed, Math.min(above, row[j - 1]) + 1);
                diagonal = above;
            }
        }
        return row[b.length()];
    }

    /** A key or value of the file, for a message: short, and on one line. */
    static String shown(@Nullable String text) {
        if (text == null) {
            return "";
        }
        StringBuilder shown = new StringBuilder();
        text.codePoints()
                .limit(60)
                .forEach(c -> shown.appendCodePoint(Character.isISOControl(c) || c == 0x2028 ? '?' : c));
        return text.codePointCount(0, text.length()) > 60 ? shown + "…" : shown.toString();
    }
}
