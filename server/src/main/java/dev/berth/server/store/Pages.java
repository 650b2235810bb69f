package dev.berth.server.store;

import java.util.List;
import java.util.function.Function;

/** Lists, a page at a time. */
final class Pages {
    private Pages() {}

    /**
     * @param found one more than the page may hold, where there is one more
     * @param cursor where the page after that item begins
     */
    static <T> Store.Page<T> page(List<T> found, int limit, Function<T, String> cursor) {
        if (found.size() <= limit) {
            return new Store.Page<>(found, null);
        }
        var items = found.subList(0, limit);
        return new Store.Page<>(items, cursor.apply(items.getLast()));
    }
}
