package dev.berth.providers.aws;

import java.util.Collection;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * One thing that is in an account.
 *
 * @param type as {@link Catalogue} calls it
 * @param name what people and rules call it
 * @param key names this very thing, without spaces: something else of the same name has another one where AWS tells them apart
 * @param detail what tells whether it was changed; empty where only its being there matters
 * @param tags those that the listing told; empty where it tells none
 */
record Thing(String type, String name, String key, String detail, Map<String, String> tags) {
    Thing {
        key = key.replace(' ', '_');
        tags = Map.copyOf(tags);
    }

    /** One of which only the name is known. */
    Thing(String type, String name) {
        this(type, name, name);
    }

    /** One that is not compared with what it was. */
    Thing(String type, String name, String key) {
        this(type, name, key, "", Map.of());
    }

    /** Each service of AWS has a type of its own for tags. */
    static <T> Map<String, String> tags(Collection<T> all, Function<T, String> key, Function<T, String> value) {
        return all.stream().collect(Collectors.toMap(key, value, (_, last) -> last));
    }

    /** How it stands in an inventory: its key and, after a space, its detail. */
    String line() {
        return detail.isEmpty() ? key : key + " " + detail;
    }

    /** The key of a line. */
    static String keyOf(String line) {
        int space = line.indexOf(' ');
        return space < 0 ? line : line.substring(0, space);
    }
}
