package dev.berth.core;

/**
 * How many environments of a pool have a shape. Each is counted once; retired ones are not.
 *
 * @param free can be lent now
 * @param held allocated
 * @param upkeep being cleaned or checked
 * @param dirty wait for a person
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
        return switch (environment.state().name()) {
            case AVAILABLE -> new ShapeCount(shape, free + by, held, upkeep, dirty, draining);
            case ALLOCATED -> new ShapeCount(shape, free, held + by, upkeep, dirty, draining);
            case CLEANING, CHECKING -> new ShapeCount(shape, free, held, upkeep + by, dirty, draining);
            case DIRTY -> new ShapeCount(shape, free, held, upkeep, dirty + by, draining);
            case RETIRED -> this;
        };
    }
}
