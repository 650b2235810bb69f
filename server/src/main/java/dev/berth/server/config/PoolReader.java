package dev.berth.server.config;

import dev.berth.core.Policy;
import dev.berth.core.PoolName;
import dev.berth.core.Step;
import dev.berth.providers.Kind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Reads what the file says of one pool. */
final class PoolReader {
    /** What a pool is of that does not say. */
    static final String DEFAULT_PROVIDER = "aws";

    private static final int MOST_VARIABLES = 100;
    private static final int LARGEST_SETTINGS = 1024 * 1024;
    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final Duration LONGEST_STEP = Duration.ofDays(7);
    private static final Pattern VARIABLE = Pattern.compile("[A-Za-z_][A-Za-z0-9_]{0,127}");
    private static final Pattern PART = Pattern.compile("(?:credentials|connection)(?:\\.[A-Za-z0-9_-]{1,100}){1,10}");
    private static final Map<Step, Policy.Limits> LIMITS = Map.of(
            Step.ISSUE, new Policy.Limits(Duration.ofMinutes(1), 2),
            Step.REVOKE, new Policy.Limits(Duration.ofMinutes(2), 3),
            Step.CLEAN, new Policy.Limits(Duration.ofMinutes(60), 3),
            Step.VERIFY, new Policy.Limits(Duration.ofMinutes(10), 3));

    private final Map<String, Kind> kinds;
    private final Mistakes mistakes;
    private final Json json;
    private final WaitingReader waiting;

    PoolReader(Map<String, Kind> kinds, Mistakes mistakes, Json json) {
        this.kinds = Map.copyOf(kinds);
        this.mistakes = mistakes;
        this.json = json;
        this.waiting = new WaitingReader(mistakes);
    }

    /** Notes the principals that pools speak of and that are not there. */
    void check(Predicate<String> principals) {
        waiting.check(principals);
    }

    /**
     * A pool, read but for what its provider says.
     *
     * @param path of the pool in the file
     * @param own the settings of its kind as they stand in the file; where there are none, the pool itself
     * @param settings these as canonical JSON
     * @param policy completes the policy with the steps that its provider has
     */
    record Draft(
            PoolName name,
            String path,
            Yaml at,
            Kind kind,
            Yaml own,
            String settings,
            boolean revocable,
            Map<String, String> variables,
            Set<Step> spokenOf,
            Function<Set<Step>, Policy> policy) {}

    /** Null where its provider is not known or its settings are not JSON, which is noted. */
    @Nullable
    Draft read(PoolName name, String path, Yaml value) {
        Section pool = Section.of(
                        path,
                        value,
                        key -> Keys.POOL.has(key) || kinds.containsKey(key),
                        key -> Keys.unknown(key, known()),
                        mistakes)
                .orElse(null);
        if (pool == null) {
            return null;
        }
        Kind kind = kind(pool);
        Terms terms = terms(pool, kind != null && kind.adopts());
        boolean revocable = pool.bool("revocable", true);
        Map<String, String> variables = variables(pool);
        Set<Step> spokenOf = Arrays.stream(Step.values())
                .filter(step -> pool.has(key(step)))
                .collect(Collectors.toUnmodifiableSet());
        if (kind == null) {
            return null;
        }
        String provider = kind.name();
        Yaml own = pool.value(provider);
        String settings = own == null ? "{}" : settings(pool.path(provider), own);
        if (settings == null) {
            return null;
        }
        return new Draft(
                name,
                own == null ? pool.path() : pool.path(provider),
                value,
                kind,
                own == null ? value : own,
                settings,
                revocable,
                variables,
                spokenOf,
                steps -> terms.policy(provider, settings, steps));
    }

    static String key(Step step) {
        return step.name().toLowerCase(Locale.ROOT);
    }

    private List<String> known() {
        List<String> known = new ArrayList<>(Keys.POOL.names());
        kinds.keySet().stream().sorted().forEach(known::add);
        return known;
    }

    private @Nullable Kind kind(Section pool) {
        String said = pool.text("provider", 100);
        String name = said == null && !pool.has("provider") ? DEFAULT_PROVIDER : said;
        if (name == null) {
            return null;
        }
        Kind kind = kinds.get(name);
        if (kind == null) {
            List<String> names = kinds.keySet().stream().sorted().toList();
            pool.mistake(
                    "provider",
                    said == null
                            ? "is '" + DEFAULT_PROVIDER
                                    + "' where the pool does not say, which is not known; known are "
                                    + String.join(", ", names)
                            : "'" + Keys.shown(name) + "' " + Keys.unknown(name, names));
            return null;
        }
        for (String other : kinds.keySet()) {
            if (!other.equals(name) && pool.has(other)) {
                pool.mistake(other, "belongs to provider " + other + "; this pool's is " + name);
            }
        }
        return kind;
    }

    private @Nullable String settings(String path, Yaml own) {
        Map<String, @Nullable Object> object = json.object(path, own, true).orElse(null);
        String text = object == null ? null : json.write(object);
        if (text != null && text.length() > LARGEST_SETTINGS) {
            mistakes.add(own, path, "has more than 1 MiB");
            return null;
        }
        return text;
    }

    /** What makes a policy of the terms that a pool states. */
    private interface Terms {
        Policy policy(String provider, String settings, Set<Step> steps);
    }

    private Terms terms(Section pool, boolean adopts) {
        int before = mistakes.count();
        Duration session = pool.durationOr("none", "session", SECOND, Durations.LONGEST, Duration.ofHours(3));
        Duration maxSession = pool.has("max-session")
                ? pool.duration("max-session", SECOND, Durations.LONGEST, Durations.LONGEST)
                : null;
        Duration keepalive = pool.durationOr("off", "keepalive", Policy.SHORTEST_KEEPALIVE, Durations.LONGEST, null);
        if (mistakes.count() == before) {
            compare(pool, session, maxSession, keepalive);
        }
        Duration retryAfter = pool.duration("retry-after", SECOND, Duration.ofDays(1), Duration.ofSeconds(20));
        boolean adopt = pool.word("on-register", List.of("clean", "adopt"), adopts ? "adopt" : "clean")
                .equals("adopt");
        Map<Step, Policy.Limits> limits = new EnumMap<>(Step.class);
        Duration every = null;
        for (Step step : Step.values()) {
            Section section = pool.section(key(step), step == Step.VERIFY ? Keys.VERIFY : Keys.STEP);
            limits.put(step, limits(section, LIMITS.getOrDefault(step, Policy.Limits.DEFAULT)));
            if (step == Step.VERIFY && section != null) {
                every = section.durationOr("off", "every", Duration.ofMinutes(1), Duration.ofDays(365), null);
            }
        }
        WaitingReader.Terms terms = waiting.read(pool);
        Section upkeep = pool.section("upkeep", Keys.UPKEEP);
        int parallel = upkeep == null ? 20 : upkeep.integer("parallel", 1, 1000, 20);
        int perAccount = upkeep == null ? 1 : upkeep.integer("per-account", 1, 1000, 1);
        boolean isolates = "account".equals(pool.word("isolate", List.of("account", "none"), "none"));
        Duration verifyEvery = every;
        return (provider, settings, steps) -> new Policy(
                provider,
                settings,
                steps,
                session,
                maxSession,
                keepalive,
                retryAfter,
                adopt,
                limits,
                verifyEvery,
                terms.queue(),
                terms.quota(),
                terms.quotas(),
                terms.hold(),
                parallel,
                perAccount,
                isolates);
    }

    private void compare(
            Section pool, @Nullable Duration session, @Nullable Duration maxSession, @Nullable Duration keepalive) {
        if (session == null) {
            if (maxSession != null) {
                pool.mistake("max-session", "has no meaning where the session is none");
            }
            return;
        }
        if (maxSession != null && maxSession.compareTo(session) < 0) {
            pool.mistake("max-session", "must be at least the session, " + Durations.format(session));
        }
        if (keepalive != null && keepalive.compareTo(session) > 0) {
            pool.mistake("keepalive", "must be at most the session, " + Durations.format(session));
        }
    }

    private static Policy.Limits limits(@Nullable Section step, Policy.Limits usual) {
        return step == null
                ? usual
                : new Policy.Limits(
                        step.duration("timeout", SECOND, LONGEST_STEP, usual.timeout()),
                        step.integer("attempts", 1, 100, usual.attempts()));
    }

    private Map<String, String> variables(Section pool) {
        Yaml value = pool.value("env");
        if (value == null) {
            return Map.of();
        }
        String path = pool.path("env");
        if (!(value instanceof Yaml.Mapping mapping) || mapping.entries().size() > MOST_VARIABLES) {
            mistakes.add(value, path, "must be a mapping of at most " + MOST_VARIABLES + " variables");
            return Map.of();
        }
        Map<String, String> variables = new TreeMap<>();
        for (Yaml.Entry entry : Section.unique(path, mapping, mistakes)) {
            variable(path, entry, variables);
        }
        return variables;
    }

    private void variable(String path, Yaml.Entry entry, Map<String, String> variables) {
        String name = entry.key().text();
        Yaml part = entry.value();
        String field = Section.child(path, Keys.shown(name));
        if (!VARIABLE.matcher(name).matches()) {
            mistakes.add(part, field, "is not the name of a variable: letters, digits and _ are, no digit first");
            return;
        }
        if (name.startsWith("BERTH_")) {
            mistakes.add(part, field, "begins with BERTH_, which is kept for what Berth itself sets");
            return;
        }
        String text = Section.text(part, field, 1200, mistakes);
        if (text == null) {
            return;
        }
        if (PART.matcher(text).matches()) {
            variables.put(name, text);
        } else {
            mistakes.add(part, field, "must be a part of the access, like credentials.password or connection.host");
        }
    }
}
