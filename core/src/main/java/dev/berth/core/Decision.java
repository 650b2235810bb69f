package dev.berth.core;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a batch comes to: the difference to write, in one transaction, and then what to tell whom.
 *
 * @param pool its row afterwards
 * @param allocations each that changed, before and after
 * @param environments each that changed, before and after
 * @param forgotten callers who kept asking, and whose place is kept no more
 * @param shapes counts of shapes that changed, as they are after
 * @param lines that changed, as they are after; with nobody waiting where they are no more
 * @param holders that changed, as they are after
 * @param keysUsed idempotency keys that are used from now on
 * @param keysFreed those that are free again
 * @param events in order
 * @param answers one for each command, in the commands' order
 * @param again whether another batch is to follow at once, since not all that could be done was in the slice
 */
public record Decision(
        Pool pool,
        List<Change<Allocation>> allocations,
        List<Change<Environment>> environments,
        List<Allocation> forgotten,
        List<ShapeCount> shapes,
        List<Line> lines,
        List<Holder> holders,
        List<KeyUse> keysUsed,
        List<KeyUse.Key> keysFreed,
        List<Event> events,
        List<Answer> answers,
        boolean again) {

    /** Something before and after; {@code before} is null for what is new. */
    public record Change<T>(@Nullable T before, T after) {}
}
