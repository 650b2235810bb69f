package dev.berth.server.config;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A mapping of the file whose keys are known: reads typed values and notes every mistake on the way. Whoever reads goes on with what
 * a reader answers (a default, nothing) so that all mistakes are found at once.
 */
final class Section {
    private final String path;
    private final Yaml.Mapping mapping;
    private final Mistakes mistakes;
    private final Map<String, Yaml> values;

    private Section(String path, Yaml.Mapping mapping, Mistakes mistakes, Map<String, Yaml> values) {
        this.path = path;
        this.mapping = mapping;
        this.mistakes = mistakes;
        this.values = values;
    }

    /**
     * A section of known keys; others are mistakes.
     *
     * @param path of the section, empty for the file
     * @return nothing where the value is no mapping, which is noted
     */
    static Optional<Section> of(String path, Yaml value, Keys keys, Mistakes mistakes) {
        return of(path, value, keys::has, keys::unknown, mistakes);
    }

    /** The same, with keys told by a rule. */
    static Optional<Section> of(
            String path, Yaml value, Predicate<String> known, UnaryOperator<String> complaint, Mistakes mistakes) {
        if (!(value instanceof Yaml.Mapping mapping)) {
            mistakes.add(value, path, "must be a mapping, is " + value.described());
            return Optional.empty();
        }
        Map<String, Yaml> good = HashMap.newHashMap(mapping.entries().size());
        for (Yaml.Entry entry : unique(path, mapping, mistakes)) {
            String key = entry.key().text();
            if (known.test(key)) {
                good.put(key, entry.value());
            } else {
                mistakes.add(entry.key(), child(path, Keys.shown(key)), complaint.apply(key));
            }
        }
        return Optional.of(new Section(path, mapping, mistakes, good));
    }

    /** The entries in their order, without those whose key stood there before, which are noted. */
    static List<Yaml.Entry> unique(String path, Yaml.Mapping mapping, Mistakes mistakes) {
        List<Yaml.Entry> unique = new ArrayList<>(mapping.entries().size());
        Map<String, Integer> lines = HashMap.newHashMap(mapping.entries().size());
        for (Yaml.Entry entry : mapping.entries()) {
            String key = entry.key().text();
            Integer first = lines.putIfAbsent(key, entry.key().line());
            if (first == null) {
                unique.add(entry);
            } else {
                mistakes.add(entry.key(), child(path, Keys.shown(key)), "is given twice, first on line " + first);
            }
        }
        return unique;
    }

    static String child(String path, String key) {
        return path.isEmpty() ? key : path + "." + key;
    }

    String path() {
        return path;
    }

    String path(String key) {
        return child(path, key);
    }

    Yaml.Mapping mapping() {
        return mapping;
    }

    boolean has(String key) {
        return values.containsKey(key);
    }

    @Nullable
    Yaml value(String key) {
        return values.get(key);
    }

    void mistake(String key, String message) {
        mistakes.add(values.getOrDefault(key, mapping), path(key), message);
    }

    void warn(String key, String message) {
        mistakes.warn(values.getOrDefault(key, mapping).line(), path(key), message);
    }

    /** Notes a mistake where the key is missing. */
    boolean require(String key, String why) {
        if (!has(key)) {
            mistakes.add(mapping, path(key), "is missing: " + why);
        }
        return has(key);
    }

    /** The text of a key; null where it is missing or wrong, which is noted. */
    @Nullable
    String text(String key, int longest) {
        Yaml value = value(key);
        return value == null ? null : text(value, path(key), longest, mistakes);
    }

    @Nullable
    static String text(Yaml value, String path, int longest, Mistakes mistakes) {
        if (!(value instanceof Yaml.Scalar scalar)) {
            mistakes.add(value, path, "must be text, is " + value.described());
        } else if (scalar.type() == Yaml.Type.NULL || scalar.text().isEmpty()) {
            mistakes.add(value, path, "is empty");
        } else if (scalar.type() != Yaml.Type.TEXT) {
            mistakes.add(
                    value,
                    path,
                    "must be text, is " + scalar.described() + ": quote it, \"" + Keys.shown(scalar.text()) + "\"");
        } else if (scalar.text().length() > longest) {
            mistakes.add(value, path, "has " + scalar.text().length() + " characters, may have " + longest);
        } else {
            return scalar.text();
        }
        return null;
    }

    /** One of some words; the default where it is missing or wrong, which is noted. */
    String word(String key, List<String> words, String otherwise) {
        String text = text(key, 1000);
        if (text != null && !words.contains(text)) {
            mistake(key, "'" + Keys.shown(text) + "' " + Keys.unknown(text, words));
            return otherwise;
        }
        return text == null ? otherwise : text;
    }

    boolean bool(String key, boolean otherwise) {
        Yaml value = value(key);
        if (value instanceof Yaml.Scalar scalar && scalar.type() == Yaml.Type.BOOLEAN) {
            return scalar.text().equalsIgnoreCase("true");
        }
        if (value != null) {
            mistake(key, "must be true or false");
        }
        return otherwise;
    }

    int integer(String key, int least, int most, int otherwise) {
        Yaml value = value(key);
        if (value == null) {
            return otherwise;
        }
        Integer number = number(value, least, most);
        if (number == null) {
            mistake(key, "must be a whole number from " + least + " to " + most);
            return otherwise;
        }
        return number;
    }

    private static @Nullable Integer number(Yaml value, int least, int most) {
        if (!(value instanceof Yaml.Scalar scalar)
                || scalar.type() != Yaml.Type.INTEGER
                || !scalar.text().matches("[-+]?[0-9]{1,9}")) {
            return null;
        }
        int number = Integer.parseInt(scalar.text());
        return number >= least && number <= most ? number : null;
    }

    /** A whole number that a word lifts, which answers null; the default where it is missing or wrong, which is noted. */
    @Nullable
    Integer integerOr(String lifted, String key, int least, int most, @Nullable Integer otherwise) {
        Yaml value = value(key);
        if (value instanceof Yaml.Scalar scalar && scalar.text().equals(lifted)) {
            return null;
        }
        if (value == null) {
            return otherwise;
        }
        Integer number = number(value, least, most);
        if (number == null) {
            mistake(key, "must be a whole number from " + least + " to " + most + " or " + lifted);
            return otherwise;
        }
        return number;
    }

    /** A mapping below a key; null where it is missing, or is none, which is noted. */
    @Nullable
    Section section(String key, Keys keys) {
        Yaml value = value(key);
        return value == null ? null : of(path(key), value, keys, mistakes).orElse(null);
    }

    /** A duration; the default where it is missing or wrong, which is noted. */
    Duration duration(String key, Duration least, Duration most, Duration otherwise) {
        Yaml value = value(key);
        if (value == null) {
            return otherwise;
        }
        Duration found = duration(key, value, "");
        if (found == null) {
            return otherwise;
        }
        return within(key, found, least, most) ? found : otherwise;
    }

    /** A duration that a word switches off, which answers null; a missing one is off. */
    @Nullable
    Duration durationOr(String off, String key, Duration least, Duration most, @Nullable Duration otherwise) {
        Yaml value = value(key);
        if (value == null) {
            return otherwise;
        }
        if (value instanceof Yaml.Scalar scalar && isOff(scalar, off)) {
            return null;
        }
        Duration found = duration(key, value, " or " + off);
        if (found == null) {
            return otherwise;
        }
        return within(key, found, least, most) ? found : otherwise;
    }

    /** YAML 1.1 tools write {@code off} as {@code false}. */
    private static boolean isOff(Yaml.Scalar scalar, String off) {
        return scalar.text().equals(off)
                || (off.equals("off")
                        && scalar.type() == Yaml.Type.BOOLEAN
                        && scalar.text().equalsIgnoreCase("false"));
    }

    private @Nullable Duration duration(String key, Yaml value, String orElse) {
        if (value instanceof Yaml.Scalar scalar) {
            if (scalar.type() == Yaml.Type.INTEGER && scalar.text().matches("[0-9]{1,9}")) {
                mistake(key, "needs a unit: %1$ss, %1$sm or %1$sh".formatted(scalar.text()));
                return null;
            }
            Optional<Duration> duration = Durations.parse(scalar.text());
            if (duration.isPresent()) {
                return duration.get();
            }
        }
        mistake(key, "must be a duration like 20s, 90m, 3h, 1h30m or 7d" + orElse);
        return null;
    }

    private boolean within(String key, Duration found, Duration least, Duration most) {
        if (found.compareTo(least) >= 0 && found.compareTo(most) <= 0) {
            return true;
        }
        mistake(key, "must be from " + Durations.format(least) + " to " + Durations.format(most));
        return false;
    }
}
