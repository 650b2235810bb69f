package dev.berth.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Many ways through the life of a pool, from seeds: held against the promises, and against a model. {@code -Dberth.seed=N} goes the one
 * way, {@code -Dberth.walks=N} so many.
 */
final class WalksTest {
    private static final int LEGS = 120;

    @Test
    void theRulesDoWhatTheNaiveModelDoes() {
        assertThat(go(0, 256, 256, true)).isGreaterThanOrEqualTo(20_000);
    }

    @Test
    void promisesHoldOnEveryWay() {
        assertThat(go(1_000_000, 256, 256, false)).isGreaterThanOrEqualTo(10_000);
    }

    @Test
    void promisesHoldThoughEverySliceIsCutShort() {
        assertThat(go(2_000_000, 2, 16, false)).isGreaterThanOrEqualTo(10_000);
    }

    @Test
    void promisesHoldWhereAccountsAreIsolated() {
        assertThat(go(Walk.FIRST_THAT_ISOLATES, 256, 256, false)).isGreaterThanOrEqualTo(10_000);
        assertThat(go(Walk.FIRST_THAT_ISOLATES + 1_000, 2, 16, false)).isGreaterThanOrEqualTo(10_000);
    }

    /** In which what was looked up for a request with special needs was no more so at the end of the batch. */
    @ParameterizedTest
    @ValueSource(longs = {1_000_184, 1_000_231})
    void promisesHoldOnWaysOnWhichTheyOnceDidNot(long seed) {
        assertThat(failure(seed, Walk.legs(seed, LEGS), 256, 256, false)).isNull();
    }

    @ParameterizedTest
    @EnumSource
    void theComparisonFindsAWrongRule(WrongRule wrong) {
        assertThat(LongStream.range(wrong.from, wrong.from + 20)
                        .filter(seed -> isFound(wrong, seed))
                        .findFirst())
                .as("the first of the ways that find it")
                .isPresent();
    }

    private static boolean isFound(WrongRule wrong, long seed) {
        var store = new NaiveStore(256, 256, UnaryOperator.identity(), wrong::seen);
        try {
            new Walk(seed, store, wrong::believed).go(Walk.legs(seed, LEGS));
            return false;
        } catch (AssertionError _) {
            return true;
        }
    }

    private static int go(long firstSeed, int mostDue, int mostHeads, boolean compares) {
        var only = Long.getLong("berth.seed");
        int walks = only == null ? Integer.getInteger("berth.walks", compares ? 100 : 50) : 1;
        int commands = 0;
        for (int i = 0; i < walks; i++) {
            long seed = only == null ? firstSeed + i : only;
            var legs = Walk.legs(seed, LEGS);
            var failure = failure(seed, legs, mostDue, mostHeads, compares);
            if (failure != null) {
                var shrunk = shrink(seed, legs, mostDue, mostHeads, compares, kind(failure));
                fail(
                        "-Dberth.seed=%d: %s%nshortest way to a failure: %s%n%s",
                        seed,
                        failure,
                        failure(seed, shrunk, mostDue, mostHeads, compares),
                        String.join(
                                "\n", shrunk.stream().map(Walk.Leg::toString).toList()));
            }
            commands += legs.stream().mapToInt(leg -> leg.moves().size()).sum();
        }
        return only == null ? commands : Integer.MAX_VALUE;
    }

    private static @Nullable Throwable failure(
            long seed, List<Walk.Leg> legs, int mostDue, int mostHeads, boolean compares) {
        try {
            new Walk(seed, mostDue, mostHeads, compares, UnaryOperator.identity()).go(legs);
            return null;
        } catch (RuntimeException | AssertionError e) {
            return e;
        }
    }

    /** What it says, whoever it says it of. */
    private static String kind(Throwable failure) {
        var said = String.valueOf(failure.getMessage()).replaceAll("[0-9a-z]+-[0-9a-z]{9}-[0-9a-z]+", "…");
        return said.substring(0, Math.min(40, said.length()));
    }

    /** Takes out ever smaller parts as long as it still fails. */
    static List<Walk.Leg> shrink(
            long seed, List<Walk.Leg> legs, int mostDue, int mostHeads, boolean compares, String kind) {
        var current = legs;
        for (int part = Math.max(1, legs.size() / 2); part >= 1; part /= 2) {
            for (int from = 0; from < current.size(); ) {
                var without = new ArrayList<>(current.subList(0, from));
                int to = Math.min(current.size(), from + part);
                var gone = java.time.Duration.ZERO;
                for (var leg : current.subList(from, to)) {
                    gone = gone.plus(leg.after());
                }
                var rest = current.subList(to, current.size());
                if (!rest.isEmpty()) { // time goes on all the same
                    without.add(new Walk.Leg(
                            rest.getFirst().after().plus(gone), rest.getFirst().moves()));
                    without.addAll(rest.subList(1, rest.size()));
                }
                var failure = failure(seed, without, mostDue, mostHeads, compares);
                if (failure != null && kind(failure).equals(kind)) {
                    current = without;
                } else {
                    from += part;
                }
            }
        }
        return current;
    }
}
