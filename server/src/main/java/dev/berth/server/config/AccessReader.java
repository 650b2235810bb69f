package dev.berth.server.config;

import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Reads the access profiles of a record. What a profile says is for its kind to understand, but for {@code connection} and {@code
 * secrets}, which mean what they mean in the record itself.
 */
final class AccessReader {
    static final int MOST = 100;

    private static final String SECRETS = "secrets";
    private static final String CONNECTION = "connection";
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]{0,99}");

    private final Mistakes mistakes;
    private final Json json;
    private final SecretReferences references;

    AccessReader(Mistakes mistakes, Json json, SecretReferences references) {
        this.mistakes = mistakes;
        this.json = json;
        this.references = references;
    }

    /**
     * The profiles of one record.
     *
     * @param facts what they say but for their secrets, by name
     * @param secrets of those that speak of secrets, by the profile's name
     */
    record Profiles(Map<String, @Nullable Object> facts, Map<String, Map<String, Secret>> secrets) {
        static final Profiles NONE = new Profiles(Map.of(), Map.of());
    }

    Profiles read(String path, @Nullable Yaml value) {
        if (value == null) {
            return Profiles.NONE;
        }
        if (!(value instanceof Yaml.Mapping mapping) || mapping.entries().size() > MOST) {
            mistakes.add(value, path, "must be a mapping of at most " + MOST + " names to access profiles");
            return Profiles.NONE;
        }
        Map<String, @Nullable Object> facts = new TreeMap<>();
        Map<String, Map<String, Secret>> secrets = new TreeMap<>();
        for (Yaml.Entry entry : Section.unique(path, mapping, mistakes)) {
            String name = entry.key().text();
            String own = Section.child(path, Keys.shown(name));
            if (!NAME.matcher(name).matches()) {
                mistakes.add(
                        entry.key(),
                        own,
                        "is not the name of an access profile: 1 to 100 letters, digits, '.', '_' or '-' are");
            } else if (entry.value() instanceof Yaml.Mapping profile) {
                facts.put(name, profile(own, name, profile, secrets));
            } else {
                mistakes.add(
                        entry.value(),
                        own,
                        "must be a mapping, {} for nothing, is " + entry.value().described());
            }
        }
        return new Profiles(facts, secrets);
    }

    private Map<String, @Nullable Object> profile(
            String path, String name, Yaml.Mapping profile, Map<String, Map<String, Secret>> secrets) {
        Map<String, @Nullable Object> facts = new TreeMap<>();
        for (Yaml.Entry entry : Section.unique(path, profile, mistakes)) {
            String key = entry.key().text();
            String field = Section.child(path, Keys.shown(key));
            if (key.equals(SECRETS)) {
                secrets.put(name, references.byName(field, entry.value()));
            } else if (key.equals(CONNECTION)) {
                json.object(field, entry.value(), false).ifPresent(connection -> {
                    Suspects.warn(mistakes, field, entry.value(), connection.keySet());
                    facts.put(key, connection);
                });
            } else {
                facts.put(key, json.any(field, entry.value()));
            }
        }
        return facts;
    }
}
