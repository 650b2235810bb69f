package dev.berth.core;

/**
 * How many environments of a pool have a shape. Each is counted once; retired ones are not.
 *
 * @param free can be lent now
 * @param held allocated, or withheld as another of the account is not free
 * @param upkeep being cleaned or checked
 * @param dirty wait for a person, or are withheld as another of the account does
 * @param draining are lent no more, whatever their state
 */
public record ShapeCount(Shape shape, int free, int held, int upkeep, int dirty, int draining) {

    public static ShapeCount none(Shape shape) {
        return new ShapeCount(shape, 0, 0, 0, 0, 0);
    }

    /** As many as are lent again some day without a person's doing. */
    public int lendable() {
        return free + held + upkeep;
    }

    public int total() {
        return lendable() + dirty + draining;
    }

    ShapeCount plus(Environment environment, int by) {
        if (environment.isRetiring()) {
            return environment.state() instanceof EnvironmentState.Retired
                    ? this
                    : new ShapeCount(shape, free, held, upkeep, dirty, draining + by);
        }
        return switch (environment.state()) {
            case EnvironmentState.Available _ -> new ShapeCount(shape, free + by, held, upkeep, dirty, draining);
            case EnvironmentState.Allocated _ -> new ShapeCount(shape, free, held + by, upkeep, dirty, draining);
            case EnvironmentState.Cleaning _, EnvironmentState.Checking _ ->
                new ShapeCount(shape, free, held, upkeep + by, dirty, draining);
            case EnvironmentState.Withheld withheld
            when !withheld.untilMended() -> new ShapeCount(shape, free, held + by, upkeep, dirty, draining);
            case EnvironmentState.Withheld _, EnvironmentState.Dirty _ ->
                new ShapeCount(shape, free, held, upkeep, dirty + by, draining);
            case EnvironmentState.Retired _ -> this;
        };
    }
}
