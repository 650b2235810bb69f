package dev.berth.core;

import java.time.Duration;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Draws how long loans and upkeep last, in milliseconds, from what lasted how long before. What no history tells is drawn from the
 * deadlines: all such draws of one course share one quantile, since what makes one guess wrong makes the others wrong alike. So with
 * no history at all the median course has half of every deadline, and the course that nine of ten stay below has all of it.
 */
final class ForecastDraws {
    /** Longer than anything: it is not known when. */
    static final long NEVER = 1L << 41;

    /** A history of so few is worth as much as a guess. */
    private static final double GUESS_WEIGHT = 2;

    /**
     * So far, as a part of how much one differs from another, what is to come may be from what was: who waits long does so on the days
     * of long loans.
     */
    private static final double DAY_TO_DAY = 0.06;

    private static final long GOLDEN = 0x9E3779B97F4A7C15L;

    /** How long loans lasted, as a part of what they might have, ascending. */
    private final double[] parts;
    /** How long loans lasted, ascending. */
    private final double[] lengths;
    /** How long upkeep lasted, ascending. */
    private final double[] upkeeps;
    /** What upkeep may take where nothing is known of it; 0 where there is none. */
    private final long upkeepLimit;

    private final double partsDoubt;
    private final double lengthsDoubt;
    private final double upkeepsDoubt;

    private long seed;
    private double guess;
    private double doubt;

    ForecastDraws(ForecastPool.History history, Policy policy) {
        parts = history.loans().stream()
                .filter(loan -> loan.allowed() != null && loan.allowed().isPositive())
                .mapToDouble(loan -> part(loan.lasted(), loan.allowed()))
                .sorted()
                .toArray();
        lengths = history.loans().stream()
                .mapToDouble(loan -> loan.lasted().toMillis())
                .sorted()
                .toArray();
        upkeepLimit = policy.steps().stream()
                .filter(step -> step != Step.ISSUE)
                .mapToLong(step -> policy.limits(step).timeout().toMillis())
                .sum();
        upkeeps = upkeepLimit == 0
                ? new double[0]
                : history.upkeep().stream()
                        .mapToDouble(Duration::toMillis)
                        .sorted()
                        .toArray();
        partsDoubt = doubt(parts);
        lengthsDoubt = doubt(lengths);
        upkeepsDoubt = doubt(upkeeps);
    }

    /**
     * How far what is to come may be off as a whole: by what a sample of this size cannot tell of its mean, its standard error, and by
     * what changes from day to day. None where everything lasted the same.
     */
    private static double doubt(double[] sample) {
        double sum = Arrays.stream(sample).sum();
        if (sample.length == 0 || sum == 0) {
            return 0;
        }
        double mean = sum / sample.length;
        double variance =
                Arrays.stream(sample).map(each -> (each - mean) * (each - mean)).sum() / sample.length;
        return Math.sqrt(variance) / mean * Math.hypot(1 / Math.sqrt(sample.length), DAY_TO_DAY);
    }

    private static double part(Duration lasted, @Nullable Duration allowed) {
        return allowed == null ? 1 : (double) lasted.toMillis() / allowed.toMillis();
    }

    /**
     * Begins a course.
     *
     * @param number the same number draws the same
     * @param quantile of this course among all, above 0 and up to 1
     */
    void begin(long number, double quantile) {
        seed = mixed((number + 1) * GOLDEN); // else each course would draw what the one before it draws, one later
        guess = quantile <= 0.5 ? quantile : Math.min(1, 0.5 + (quantile - 0.5) * 1.25);
        doubt = normal(Math.min(quantile, 0.995));
    }

    /**
     * What is left of a loan.
     *
     * @param allowed from its beginning to its deadline; {@link #NEVER} where it has none
     */
    long rest(long age, long allowed) {
        if (allowed != NEVER && age >= allowed) {
            return 0;
        }
        double drawn = allowed == NEVER
                ? drawn(lengths, (double) age, 1.0, 0, lengthsDoubt)
                : drawn(parts, (double) age / allowed, (double) allowed, GUESS_WEIGHT, partsDoubt);
        if (drawn >= 0) {
            return Math.max(0, Math.min(allowed, Math.round(drawn)) - age);
        }
        return allowed == NEVER ? NEVER : Math.round((allowed - age) * guess);
    }

    /** How long upkeep goes on that began so long ago; 0 for upkeep that is to begin. */
    long upkeep(long age) {
        if (upkeepLimit == 0) {
            return 0;
        }
        double drawn = drawn(upkeeps, (double) age, 1.0, GUESS_WEIGHT, upkeepsDoubt);
        return drawn >= 0 ? Math.max(0, Math.round(drawn) - age) : Math.round(Math.max(0, upkeepLimit - age) * guess);
    }

    /** How long it is until something comes that comes so often. */
    long gap(double perMilli, double byDoubt) {
        double gap = -Math.log(1 - next()) / (perMilli * Math.exp(doubt * byDoubt));
        return gap < NEVER ? (long) gap : NEVER;
    }

    /** A number below this one. */
    int pick(int bound) {
        return (int) (next() * bound);
    }

    /** One of those that are longer than this, times the scale; negative where the guess is to be taken. */
    private double drawn(double[] ascending, double longerThan, double scale, double guessWeight, double byDoubt) {
        double factor = Math.exp(doubt * byDoubt);
        double least = longerThan / factor;
        int from = 0;
        if (least > 0) {
            int found = Arrays.binarySearch(ascending, least);
            from = found < 0 ? -found - 1 : found + 1;
        }
        int count = ascending.length - from;
        double place = next() * (count + guessWeight);
        return place < count ? ascending[from + (int) place] * scale * factor : -1;
    }

    /** The quantile of the normal distribution, to two digits (Schmeiser 1979). */
    private static double normal(double quantile) {
        return (Math.pow(quantile, 0.135) - Math.pow(1 - quantile, 0.135)) / 0.1975;
    }

    /** The next number of SplitMix64 (Steele, Lea, Flood 2014), from 0 to 1. */
    private double next() {
        seed += GOLDEN;
        return (mixed(seed) >>> 11) * 0x1.0p-53;
    }

    private static long mixed(long state) {
        long mixed = (state ^ (state >>> 30)) * 0xBF58476D1CE4E5B9L;
        mixed = (mixed ^ (mixed >>> 27)) * 0x94D049BB133111EBL;
        return mixed ^ (mixed >>> 31);
    }
}
