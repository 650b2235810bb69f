package dev.berth.providers.aws;

import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What a pool wants left alone: neither deleted nor compared. */
final class Keep {
    static final int MOST = 200;
    static final int LONGEST = 512;
    static final Keep NOTHING = new Keep(List.of(), Map.of());

    private static final Pattern TYPED = Pattern.compile("([a-z0-9][a-z0-9 -]*): (.+)");

    private static final Pattern ANYTHING = pattern("*");

    private final List<Rule> names;
    private final Map<String, Pattern> tags;

    /**
     * @param names patterns of names, {@code *} for anything, or {@code TYPE: PATTERN} for things of one type
     * @param tags patterns of the values of tags
     */
    Keep(List<String> names, Map<String, String> tags) {
        this.names = names.stream().map(Rule::of).toList();
        this.tags = tags.entrySet().stream()
                .collect(Collectors.toUnmodifiableMap(Map.Entry::getKey, tag -> pattern(tag.getValue())));
    }

    private record Rule(@Nullable String type, Pattern name) {
        boolean any() {
            return name.pattern().equals(ANYTHING.pattern());
        }

        static Rule of(String text) {
            var typed = TYPED.matcher(text);
            return typed.matches() ? new Rule(typed.group(1), pattern(typed.group(2))) : new Rule(null, pattern(text));
        }
    }

    /** The type that a rule is for; null for all. */
    static @Nullable String typeOf(String rule) {
        var typed = TYPED.matcher(rule);
        return typed.matches() ? typed.group(1) : null;
    }

    /** A pattern in which {@code *} stands for any text. */
    private static Pattern pattern(String text) {
        return Pattern.compile(
                List.of(text.split("\\*", -1)).stream().map(Pattern::quote).collect(Collectors.joining(".*")),
                Pattern.DOTALL);
    }

    boolean byName(String type, String name) {
        return names.stream()
                .anyMatch(rule -> (rule.type() == null || rule.type().equals(type))
                        && rule.name().matcher(name).matches());
    }

    /** Whether things of the type stay whatever they are called. */
    boolean all(String type) {
        return names.stream().anyMatch(rule -> type.equals(rule.type()) && rule.any());
    }

    /** Whether tags matter: reading them takes a call for each thing of some types. */
    boolean asksForTags() {
        return !tags.isEmpty();
    }

    boolean byTags(Map<String, String> own) {
        return tags.entrySet().stream()
                .anyMatch(tag -> own.containsKey(tag.getKey())
                        && tag.getValue().matcher(own.get(tag.getKey())).matches());
    }
}
