package dev.berth.bench;

import java.time.Duration;
import java.util.List;

/**
 * How much is measured.
 *
 * @param rounds that count, of each contender; one more goes before them and is thrown away
 * @param warmUp how long the round is that is thrown away: JVMs compile what they run, the service's for half a minute under load
 * @param each how long one round of one contender runs
 * @param callers who call at the same time
 * @param sizes of pools, in environments; the first is what the others are compared to
 * @param waiting requests in the queue
 * @param ended rows of history
 * @param requests of a replayed day
 * @param seed of what is made up
 */
record Effort(
        int rounds,
        Duration warmUp,
        Duration each,
        int callers,
        List<Integer> sizes,
        int waiting,
        int ended,
        int requests,
        long seed) {
    /** What the figures in the docs were made with. */
    static Effort full() {
        return new Effort(
                5,
                Duration.ofSeconds(30),
                Duration.ofSeconds(4),
                64,
                List.of(1_000, 10, 100_000, 1_000_000),
                10_000,
                1_000_000,
                1_500,
                1);
    }

    /** A moment, to see that it runs. */
    static Effort moment() {
        return new Effort(1, Duration.ofMillis(300), Duration.ofMillis(100), 4, List.of(10, 20), 10, 100, 60, 1);
    }

    Effort withRounds(int count) {
        return new Effort(count, warmUp, each, callers, sizes, waiting, ended, requests, seed);
    }

    Effort withEach(Duration time) {
        return new Effort(rounds, warmUp, time, callers, sizes, waiting, ended, requests, seed);
    }

    Effort withEnded(int rows) {
        return new Effort(rounds, warmUp, each, callers, sizes, waiting, rows, requests, seed);
    }

    Effort withSeed(long other) {
        return new Effort(rounds, warmUp, each, callers, sizes, waiting, ended, requests, other);
    }
}
