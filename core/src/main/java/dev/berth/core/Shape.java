package dev.berth.core;

import java.util.Collection;
import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Everything about an environment that a request can select by, except its account and name. The environments of a pool share few
 * shapes, so that a free one is found by an index look-up.
 *
 * @param attributes what constraints restrict, like {@code region}
 * @param profiles the access profiles that are offered beside the default one
 * @param digest of the above: two are equal where their digests are
 */
public record Shape(
        SortedMap<String, Value> capabilities,
        SortedMap<String, String> attributes,
        SortedSet<String> profiles,
        String digest) {
    /** Of an environment with nothing to select by. */
    public static final Shape PLAIN = of(Map.of(), Map.of(), java.util.List.of());

    public static Shape of(
            Map<String, Value> capabilities, Map<String, String> attributes, Collection<String> profiles) {
        var own = Collections.unmodifiableSortedMap(new TreeMap<>(capabilities));
        var selectable = Collections.unmodifiableSortedMap(new TreeMap<>(attributes));
        var offered = Collections.unmodifiableSortedSet(new TreeSet<>(profiles));
        return new Shape(own, selectable, offered, JsonText.digest(json(own, selectable, offered)));
    }

    /** As JSON text: {@code {"capabilities":{…},"attributes":{…},"profiles":[…]}}, as it is stored. */
    public String json() {
        return json(capabilities, attributes, profiles);
    }

    private static String json(
            SortedMap<String, Value> capabilities, SortedMap<String, String> attributes, SortedSet<String> profiles) {
        var text = new StringBuilder("{\"capabilities\":");
        JsonText.object(text, capabilities, JsonText::value);
        text.append(",\"attributes\":");
        JsonText.object(text, attributes, JsonText::string);
        text.append(",\"profiles\":");
        JsonText.array(text, profiles, JsonText::string);
        return text.append('}').toString();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Shape that && digest.equals(that.digest);
    }

    @Override
    public int hashCode() {
        return digest.hashCode();
    }
}
