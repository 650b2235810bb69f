package dev.berth.server.simulation;

import java.time.Instant;
import java.util.PriorityQueue;
import java.util.SplittableRandom;

/** Virtual time, and what is to happen in it: one thing after the other, in an order that the seed alone decides. */
final class Timeline {
    static final Instant START = Instant.parse("2026-03-01T00:00:00Z");

    final SplittableRandom random;
    private final PriorityQueue<Entry> entries = new PriorityQueue<>();
    private long millis;
    private long sequence;

    Timeline(long seed) {
        random = new SplittableRandom(seed);
    }

    private record Entry(long at, long sequence, Runnable event) implements Comparable<Entry> {
        @Override
        public int compareTo(Entry other) {
            return at != other.at ? Long.compare(at, other.at) : Long.compare(sequence, other.sequence);
        }
    }

    long millis() {
        return millis;
    }

    void after(long delay, Runnable event) {
        entries.add(new Entry(millis + Math.max(0, delay), sequence++, event));
    }

    /** Goes on to the next event. Returns false when there is none. */
    boolean next() {
        var entry = entries.poll();
        if (entry == null) {
            return false;
        }
        millis = entry.at;
        entry.event.run();
        return true;
    }

    /** Happens so often, of a thousand. */
    boolean chance(int perMille) {
        return random.nextInt(1_000) < perMille;
    }

    long between(long least, long most) {
        return least + random.nextLong(most - least + 1);
    }
}
