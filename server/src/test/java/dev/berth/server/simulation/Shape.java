package dev.berth.server.simulation;

import dev.berth.core.EnvironmentName;
import dev.berth.core.Policy;
import dev.berth.core.PoolName;
import dev.berth.core.Registration;
import dev.berth.core.Step;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/** The pools of the simulation, one of each kind that differs in its steps. */
enum Shape {
    PLAIN(EnumSet.noneOf(Step.class), true, 1_000),
    FULL(EnumSet.allOf(Step.class), true, 60),
    /** Whose lost workers cannot be made harmless, only waited for. */
    CLOUD(EnumSet.allOf(Step.class), false, 30),
    ISSUED(EnumSet.of(Step.ISSUE), true, 15),
    /** That cleans itself, and is looked at. */
    VERIFIED(EnumSet.of(Step.VERIFY), true, 15);

    @SuppressWarnings("ImmutableEnumChecker") // a copy that nobody changes
    private final Set<Step> steps;

    private final boolean programs;
    private final int size;

    Shape(Set<Step> steps, boolean programs, int size) {
        this.steps = Set.copyOf(steps);
        this.programs = programs;
        this.size = size;
    }

    Set<Step> steps() {
        return steps;
    }

    boolean programs() {
        return programs;
    }

    int size() {
        return size;
    }

    PoolName pool() {
        return new PoolName(name().toLowerCase(Locale.ROOT));
    }

    static Shape of(EnvironmentName environment) {
        var text = environment.value();
        return valueOf(text.substring(0, text.indexOf('-')).toUpperCase(Locale.ROOT));
    }

    static Shape of(PoolName pool) {
        return valueOf(pool.value().toUpperCase(Locale.ROOT));
    }

    List<Registration> records() {
        return IntStream.range(0, size)
                .mapToObj(i -> new Registration(
                        new EnvironmentName(pool() + "-" + i),
                        pool() + " thing " + i,
                        this == CLOUD ? "account-" + i / 4 : null,
                        dev.berth.core.Shape.PLAIN,
                        "{}",
                        "digest " + i))
                .toList();
    }

    Policy policy() {
        var limits = new Policy.Limits(Duration.ofSeconds(60), 3);
        return new Policy(
                "simulated",
                "{}",
                steps,
                Duration.ofMinutes(5),
                Duration.ofMinutes(10),
                this == PLAIN ? Duration.ofSeconds(30) : null,
                Duration.ofSeconds(30),
                this == CLOUD,
                Map.of(Step.ISSUE, limits, Step.REVOKE, limits, Step.CLEAN, limits, Step.VERIFY, limits),
                steps.contains(Step.VERIFY) ? Duration.ofMinutes(10) : null,
                new Policy.Queueing(
                        200,
                        Duration.ofMinutes(10),
                        Policy.Queueing.Order.FIFO,
                        null,
                        Policy.Queueing.DEFAULT.halfLife(),
                        Policy.Queueing.DEFAULT.aging(),
                        Duration.ofMinutes(10),
                        0),
                Policy.Quota.NONE,
                Map.of(),
                null,
                20,
                2);
    }
}
