package dev.berth.providers.aws;

import dev.berth.providers.Inventory;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.NavigableMap;
import java.util.NavigableSet;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Which types of things were listed. An inventory has it as one line: what a later version of Berth lists for the first time was there before
 * anybody looked, so that an older baseline says nothing of it.
 *
 * @param names null where an inventory does not say: then it is taken to be of all
 */
record Types(@Nullable NavigableSet<String> names) {
    private static final String TYPE = "listed types";
    private static final String BETWEEN = ", ";

    /** What is listed now. */
    static Types of(Keep keep) {
        return new Types(Stream.concat(
                        Stream.of(Catalogue.STACK, Catalogue.LENT_ROLE),
                        Catalogue.SWEEPERS.stream().map(Sweeper::type))
                .filter(type -> !keep.all(type))
                .collect(Collectors.toCollection(TreeSet::new)));
    }

    static Types of(Inventory inventory) {
        NavigableSet<String> line = inventory.things().get(TYPE);
        return new Types(
                line == null ? null : new TreeSet<>(Arrays.asList(line.first().split(BETWEEN, -1))));
    }

    boolean has(String type) {
        return names == null || names.contains(type);
    }

    void putInto(NavigableMap<String, NavigableSet<String>> things) {
        if (names != null) {
            things.put(TYPE, new TreeSet<>(List.of(String.join(BETWEEN, names))));
        }
    }

    /** An inventory as it were, had these not been listed. */
    static Inventory without(Collection<String> types, Inventory inventory) {
        NavigableMap<String, NavigableSet<String>> things = new TreeMap<>(inventory.things());
        things.keySet().removeAll(types);
        NavigableSet<String> names = of(inventory).names();
        if (names != null) {
            NavigableSet<String> fewer = new TreeSet<>(names);
            fewer.removeAll(types);
            new Types(fewer).putInto(things);
        }
        return new Inventory(things);
    }

    /** The things of one inventory that can be compared with another one. */
    static Inventory known(Inventory of, Inventory to) {
        Types types = of(to);
        NavigableMap<String, NavigableSet<String>> things = new TreeMap<>(of.things());
        things.keySet().removeIf(type -> type.equals(TYPE) || !types.has(type));
        return new Inventory(things);
    }

    /** One inventory, and the things of another one of types that it says nothing of. */
    static Inventory grown(Inventory inventory, Inventory by) {
        NavigableSet<String> before = of(inventory).names();
        NavigableSet<String> now = of(by).names();
        if (before == null || now == null || before.containsAll(now)) {
            return inventory;
        }
        NavigableMap<String, NavigableSet<String>> things = new TreeMap<>(inventory.things());
        Set<String> more = new TreeSet<>(now);
        more.removeAll(before);
        more.forEach(type -> things.put(type, by.things().getOrDefault(type, new TreeSet<>())));
        NavigableSet<String> all = new TreeSet<>(before);
        all.addAll(more);
        new Types(all).putInto(things);
        return new Inventory(things);
    }
}
