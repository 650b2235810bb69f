package dev.berth.providers.aws;

import dev.berth.providers.Kind.Mistake;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/**
 * What a pool says under {@code aws}, checked.
 *
 * @param endpoint where all services are in place of AWS's own, for an emulator; null for AWS
 * @param externalId sent with every assumption of a role; null for none
 * @param session how long credentials may last at most; they last shorter where the role or AWS says so
 * @param sessionPolicy JSON of a policy that narrows what a holder may do; null for none
 * @param sessionPolicies ARNs of managed policies that do
 * @param keep what is neither deleted nor compared, beside the baseline
 * @param sweep whether what no stack owns is deleted too; where not, it is residue
 * @param propagation how long IAM is given to make a change known everywhere, where that cannot be seen
 * @param marks what else a session is to carry, where the role's trust policy allows it
 */
record Settings(
        @Nullable URI endpoint,
        @Nullable String externalId,
        Duration session,
        @Nullable String sessionPolicy,
        List<String> sessionPolicies,
        Keep keep,
        boolean sweep,
        Duration propagation,
        Marks marks) {
    static final Duration SHORTEST_SESSION = Duration.ofMinutes(15);
    static final Duration LONGEST_SESSION = Duration.ofHours(12);

    private static final Duration LONGEST_PROPAGATION = Duration.ofMinutes(10);
    private static final int LONGEST_POLICY = 2048;
    private static final int MOST_POLICIES = 10;
    private static final List<String> KNOWN = List.of(
            "endpoint",
            "external-id",
            "keep",
            "propagation",
            "session",
            "session-policies",
            "session-policy",
            "session-tags",
            "source-identity",
            "sweep");
    private static final Pattern EXTERNAL_ID = Pattern.compile("[\\w+=,.@:/-]{2,1224}");
    private static final Pattern POLICY =
            Pattern.compile("arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/[\\w+=,.@/-]{1,512}");
    private static final Pattern DURATION = Pattern.compile("(?:([0-9]{1,4})h)?(?:([0-9]{1,5})m)?(?:([0-9]{1,6})s)?");

    Settings {
        sessionPolicies = List.copyOf(sessionPolicies);
    }

    /** What a holder's session carries beside its name: AWS refuses both where the trust policy does not speak of them. */
    record Marks(boolean sessionTags, boolean sourceIdentity) {
        static final Marks NONE = new Marks(false, false);

        boolean any() {
            return sessionTags || sourceIdentity;
        }
    }

    /** Notes every mistake; what is returned is to be used only where there was none. */
    static Settings parse(Map<String, Object> settings, List<Mistake> mistakes) {
        return new Parser(settings, mistakes).parse();
    }

    private record Parser(Map<String, Object> settings, List<Mistake> mistakes) {
        Settings parse() {
            var unknown = new TreeSet<>(settings.keySet());
            KNOWN.forEach(unknown::remove);
            unknown.forEach(key -> mistake(key, "is not known; known are " + String.join(", ", KNOWN)));
            return new Settings(
                    endpoint(),
                    externalId(),
                    duration("session", SHORTEST_SESSION, LONGEST_SESSION, LONGEST_SESSION),
                    sessionPolicy(),
                    sessionPolicies(),
                    keep(),
                    flag("sweep", true),
                    duration("propagation", Duration.ZERO, LONGEST_PROPAGATION, Duration.ofSeconds(30)),
                    new Marks(flag("session-tags", false), flag("source-identity", false)));
        }

        private @Nullable URI endpoint() {
            Object value = settings.get("endpoint");
            if (value == null) {
                return null;
            }
            try {
                URI uri = value instanceof String text ? new URI(text) : null;
                if (uri != null
                        && uri.getHost() != null
                        && ("http".equals(uri.getScheme()) || "https".equals(uri.getScheme()))
                        && uri.getRawUserInfo() == null
                        && uri.getRawQuery() == null) {
                    return uri;
                }
            } catch (URISyntaxException e) {
                // said below
            }
            mistake("endpoint", "must be a URL, like http://127.0.0.1:5000");
            return null;
        }

        private @Nullable String externalId() {
            Object value = settings.get("external-id");
            if (value == null) {
                return null;
            }
            if (value instanceof String text && EXTERNAL_ID.matcher(text).matches()) {
                return text;
            }
            mistake("external-id", "must be text of 2 to 1224 letters, digits and _+=,.@:/-");
            return null;
        }

        private @Nullable String sessionPolicy() {
            Object value = settings.get("session-policy");
            if (value == null) {
                return null;
            }
            if (!(value instanceof Map<?, ?> policy) || !policy.containsKey("Statement")) {
                mistake("session-policy", "must be a policy: a mapping with Version and Statement");
                return null;
            }
            String text = JsonMapper.shared().writeValueAsString(policy);
            if (text.length() > LONGEST_POLICY) {
                mistake("session-policy", "has " + text.length() + " characters as JSON, may have " + LONGEST_POLICY);
            }
            return text;
        }

        private List<String> sessionPolicies() {
            List<String> arns = new ArrayList<>();
            for (String arn : texts("session-policies", settings.get("session-policies"), MOST_POLICIES)) {
                if (POLICY.matcher(arn).matches()) {
                    arns.add(arn);
                } else {
                    mistake(
                            "session-policies",
                            "must be ARNs of managed policies, like arn:aws:iam::aws:policy/ReadOnlyAccess");
                }
            }
            return arns;
        }

        private Keep keep() {
            Object value = settings.get("keep");
            if (value == null) {
                return Keep.NOTHING;
            }
            if (!(value instanceof Map<?, ?> map)) {
                mistake("keep", "must be a mapping with names, tags or both");
                return Keep.NOTHING;
            }
            var unknown = new TreeSet<String>();
            map.keySet().forEach(key -> unknown.add(String.valueOf(key)));
            unknown.removeAll(List.of("names", "tags"));
            unknown.forEach(key -> mistake("keep." + key, "is not known; known are names, tags"));
            var names = texts("keep.names", map.get("names"), Keep.MOST);
            names.stream()
                    .filter(name -> Keep.typeOf(name) != null && !Catalogue.TYPES.contains(Keep.typeOf(name)))
                    .forEach(name -> mistake(
                            "keep.names",
                            "'" + Keep.typeOf(name) + "' is no type; known are " + String.join(", ", Catalogue.TYPES)));
            return new Keep(names, tags(map.get("tags")));
        }

        private Map<String, String> tags(@Nullable Object value) {
            Map<String, String> tags = new TreeMap<>();
            if (value == null) {
                return tags;
            }
            if (!(value instanceof Map<?, ?> map) || map.size() > Keep.MOST) {
                mistake("keep.tags", "must be a mapping of tags to patterns, at most " + Keep.MOST);
                return tags;
            }
            map.forEach((key, pattern) -> {
                if (pattern instanceof String text && text.length() <= Keep.LONGEST) {
                    tags.put(String.valueOf(key), text);
                } else {
                    mistake(
                            "keep.tags." + key,
                            "must be text of at most " + Keep.LONGEST + " characters, '*' for any value");
                }
            });
            return tags;
        }

        private List<String> texts(String field, @Nullable Object value, int most) {
            List<String> texts = new ArrayList<>();
            if (value == null) {
                return texts;
            }
            if (!(value instanceof List<?> list) || list.size() > most) {
                mistake(field, "must be a list of at most " + most + " texts");
                return texts;
            }
            for (Object one : list) {
                if (one instanceof String text && !text.isBlank() && text.length() <= Keep.LONGEST) {
                    texts.add(text);
                } else {
                    mistake(field, "must be a list of texts of 1 to " + Keep.LONGEST + " characters");
                }
            }
            return texts;
        }

        private boolean flag(String field, boolean otherwise) {
            Object value = settings.get(field);
            if (value == null) {
                return otherwise;
            }
            if (value instanceof Boolean flag) {
                return flag;
            }
            mistake(field, "must be true or false");
            return otherwise;
        }

        private Duration duration(String field, Duration least, Duration most, Duration otherwise) {
            Object value = settings.get(field);
            if (value == null) {
                return otherwise;
            }
            Matcher matcher = DURATION.matcher(value instanceof String text ? text : "");
            if (matcher.matches() && !matcher.group().isEmpty()) {
                Duration duration = Duration.ofHours(number(matcher.group(1)))
                        .plusMinutes(number(matcher.group(2)))
                        .plusSeconds(number(matcher.group(3)));
                if (duration.compareTo(least) >= 0 && duration.compareTo(most) <= 0) {
                    return duration;
                }
            }
            mistake(field, "must be a duration of %s to %s, like 1h or 30s".formatted(text(least), text(most)));
            return otherwise;
        }

        private static long number(@Nullable String digits) {
            return digits == null ? 0 : Long.parseLong(digits);
        }

        private static String text(Duration duration) {
            return duration.toHours() > 0
                    ? duration.toHours() + "h"
                    : duration.toMinutes() > 0 ? duration.toMinutes() + "m" : duration.toSeconds() + "s";
        }

        private void mistake(String field, String message) {
            mistakes.add(new Mistake(field, message));
        }
    }
}
