package dev.berth.server.store;

import org.jspecify.annotations.Nullable;

/**
 * Notices that the store is not what it was: a number that is raised whenever it comes from somewhere else than before. What an origin is
 * depends on the database; it must not stay the same where commits may have been lost.
 */
final class Generations {
    private Generations() {}

    /** The generation of a store that comes from there now. */
    static int of(Lane lane, String origin) {
        return lane.one(
                        row -> entered(lane, row.getInt(1), row.getString(2), origin),
                        "SELECT number, origin FROM generation")
                .orElseThrow(() -> new StoreException("the store has no generation"));
    }

    /**
     * The same, where the row was read already. Of several processes that notice a change, one raises the number.
     *
     * @param known the origin of the row; null in a new store
     */
    static int entered(Lane lane, int number, @Nullable String known, String origin) {
        if (origin.equals(known)) {
            return number;
        }
        lane.update(
                "UPDATE generation SET number = ?, origin = ? WHERE number = ? AND origin IS NOT DISTINCT FROM ?",
                known == null ? number : number + 1,
                origin,
                number,
                known);
        return lane.one(row -> row.getInt(1), "SELECT number FROM generation").orElseThrow();
    }
}
