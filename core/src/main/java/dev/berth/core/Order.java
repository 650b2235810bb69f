package dev.berth.core;

import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.function.Function;

/**
 * Who is first among those who wait: by priority and waiting, by share where the pool's order is fair, by arrival.
 *
 * <p>Where it is fair, this tells lines apart: waiting counts there from the sharer's last grant, for all that it has waiting alike.
 * Within a line, which is one sharer's own, the rank alone decides, as in any pool: a number that never changes while one waits. So
 * nobody starves: whoever has the lowest rank of its line is the next of its sharer.
 */
final class Order implements Comparator<Allocation> {
    /** What a sharer holds counts as used so far ahead: else all that comes free at once would go to the same one. */
    static final double MINUTES_AHEAD = 1;

    private final Policy.Queueing queue;
    private final Instant now;
    private final Function<String, Holder> holders;

    /**
     * @param holders by name; asked anew at each comparison, since what they have changes while they are served
     */
    Order(Policy policy, Instant now, Function<String, Holder> holders) {
        this.queue = policy.queue();
        this.now = now;
        this.holders = holders;
    }

    @Override
    public int compare(Allocation one, Allocation other) {
        if (queue.order() == Policy.Queueing.Order.FAIR) {
            int byLevel = Long.compare(level(other), level(one));
            if (byLevel != 0) {
                return byLevel;
            }
            int byShare = Double.compare(share(one), share(other));
            if (byShare != 0) {
                return byShare;
            }
        }
        int byRank = Long.compare(one.rank(), other.rank());
        return byRank == 0 ? Long.compare(one.arrival(), other.arrival()) : byRank;
    }

    /** One step up for every {@code aging} in which the sharer got nothing: who is served does not gain on who is not. */
    private long level(Allocation waiting) {
        var served = holders.apply(waiting.sharer()).servedAt();
        var since = served.isAfter(waiting.createdAt()) ? served : waiting.createdAt();
        return waiting.request().priority()
                + Math.floorDiv(
                        Duration.between(since, now).toMillis(), queue.aging().toMillis());
    }

    private double share(Allocation waiting) {
        var holder = holders.apply(waiting.sharer());
        return holder.usedAt(now, queue.halfLife()) + holder.held() * MINUTES_AHEAD;
    }
}
