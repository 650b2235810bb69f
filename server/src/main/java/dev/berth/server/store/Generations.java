package dev.berth.server.store;

import java.sql.SQLException;
import java.util.Objects;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Notices that the store is not what it was: a number that is raised whenever it comes from somewhere else than before. What an origin is
 * depends on the database; it must not stay the same where commits may have been lost.
 */
final class Generations {
    /** 2026-01-01. */
    private static final long BEGINNING_SECONDS = 1_767_225_600;

    private static final int STEP_SECONDS = 120;
    /** Half of what an epoch has room for: a clock that tells of later than thirty years from the beginning is wrong. */
    private static final long LATEST = 1L << 23;

    private Generations() {}

    /**
     * The number of a generation that begins now. Numbers follow the time, so that of two that begin with the same backup the later one
     * has the higher number too; where they are ahead of it, they grow by one.
     *
     * @param number of the one before, as far as is known
     * @param nowSeconds since 1970
     */
    static int next(int number, long nowSeconds) {
        long byTime = (nowSeconds - BEGINNING_SECONDS) / STEP_SECONDS;
        return byTime > LATEST ? number + 1 : (int) Math.max(number + 1L, byTime);
    }

    /**
     * The generation of a store in a file that comes from there now, and that nobody else uses. It is raised also where the store is behind
     * what was noted of it, and then above every number that was in use here before.
     */
    static int of(Lane lane, String origin, Mark mark) {
        record Entry(int number, @Nullable String origin) {}
        var entry = lane.one(row -> new Entry(row.getInt(1), row.getString(2)), "SELECT number, origin FROM generation")
                .orElseThrow(() -> new StoreException("the store has no generation"));
        var now = new Mark.Progress(entry.number(), events(lane));
        var noted = mark.read();
        boolean isOther = entry.origin() == null
                ? noted.isPresent()
                : !origin.equals(entry.origin())
                        || noted.isEmpty()
                        || noted.get().compareTo(now) > 0;
        int number = isOther
                ? next(
                        Math.max(
                                now.generation(),
                                noted.map(Mark.Progress::generation).orElse(0)),
                        lane.one(row -> row.getLong(1), "SELECT unixepoch()").orElseThrow())
                : now.generation();
        if (number != now.generation() || !origin.equals(entry.origin())) {
            lane.update("UPDATE generation SET number = ?, origin = ?", number, origin);
        }
        mark.note(new Mark.Progress(number, now.events()));
        return number;
    }

    /** How many events there ever were: it grows with every grant and every end of one. */
    static long events(Lane lane) {
        return lane.one(row -> row.getLong(1), "SELECT coalesce(sum(events), 0) FROM pool")
                .orElse(0L);
    }

    static @Nullable String keyCheck(Lane lane) {
        record Check(@Nullable String text) {}
        return lane.one(row -> new Check(row.getString(1)), "SELECT key_check FROM generation")
                .orElseThrow(() -> new StoreException("the store has no generation"))
                .text();
    }

    /** Of several processes that come at once, one keeps its own, and all get that. */
    static String keepKeyCheck(Lane lane, String first) {
        lane.update("UPDATE generation SET key_check = ? WHERE key_check IS NULL", first);
        return Objects.requireNonNull(keyCheck(lane));
    }

    /**
     * Where nobody may serve the store any more.
     *
     * @param name of the store, for messages
     * @throws UnfitDatabaseException where it was moved; the message tells where to
     */
    static void checkThatItIsHere(DataSource source, String name) {
        try (var connection = source.getConnection();
                var statement = connection.createStatement();
                var row = statement.executeQuery("SELECT moved_to FROM generation")) {
            var place = row.next() ? row.getString(1) : null;
            if (place != null) {
                throw new UnfitDatabaseException(
                        name + " was moved to " + place + " (berth store copy): serve that one");
            }
        } catch (SQLException e) {
            throw new StoreException("cannot tell whether the store was moved: " + e.getMessage(), e);
        }
    }

    /**
     * The generation of a store that comes from there now. Of several processes that notice a change, one raises the number.
     *
     * @param number as its row has it
     * @param known the origin of the row; null in a new store
     * @param nowSeconds since 1970
     */
    static int entered(Lane lane, int number, @Nullable String known, String origin, long nowSeconds) {
        if (origin.equals(known)) {
            return number;
        }
        lane.update(
                "UPDATE generation SET number = ?, origin = ? WHERE number = ? AND origin IS NOT DISTINCT FROM ?",
                known == null ? number : next(number, nowSeconds),
                origin,
                number,
                known);
        return lane.one(row -> row.getInt(1), "SELECT number FROM generation").orElseThrow();
    }
}
