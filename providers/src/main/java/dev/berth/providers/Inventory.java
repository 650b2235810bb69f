package dev.berth.providers;

import java.util.Collection;
import java.util.Collections;
import java.util.Map;
import java.util.NavigableMap;
import java.util.NavigableSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What was found in an environment: by type, a line for each thing, which names it and, where its content matters, has a digest of it.
 * Two are equal when the same things are there. No secrets.
 *
 * @param things the lines of each type; a type without any is left out
 */
public record Inventory(NavigableMap<String, NavigableSet<String>> things) {
    public Inventory {
        var copy = new TreeMap<String, NavigableSet<String>>();
        things.forEach((type, lines) -> {
            if (!lines.isEmpty()) {
                copy.put(type, Collections.unmodifiableNavigableSet(new TreeSet<>(lines)));
            }
        });
        things = Collections.unmodifiableNavigableMap(copy);
    }

    /** Of a plain map, as it is stored. */
    public static Inventory of(Map<String, ? extends Collection<String>> things) {
        var sorted = new TreeMap<String, NavigableSet<String>>();
        things.forEach((type, lines) -> sorted.put(type, new TreeSet<>(lines)));
        return new Inventory(sorted);
    }

    /** What is here and not in the other one. */
    public Inventory without(Inventory other) {
        var left = new TreeMap<String, NavigableSet<String>>();
        things.forEach((type, lines) -> {
            var rest = new TreeSet<>(lines);
            rest.removeAll(other.things.getOrDefault(type, Collections.emptyNavigableSet()));
            left.put(type, rest);
        });
        return new Inventory(left);
    }

    public boolean isEmpty() {
        return things.isEmpty();
    }

    /** How many things there are. */
    public int size() {
        return things.values().stream().mapToInt(NavigableSet::size).sum();
    }
}
