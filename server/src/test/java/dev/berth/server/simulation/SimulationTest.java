package dev.berth.server.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** Runs the whole service through everything that goes wrong, and holds it to its promises. */
class SimulationTest {
    private static final long COMMANDS = Long.getLong("berth.simulation.commands", 1_000_000);
    private static final long TURNS = Math.min(24_000, COMMANDS);
    private static final int SEEDS = 4;

    @Test
    void noPromiseIsBrokenWhateverGoesWrong() throws Exception {
        runAll(Shape.STEPS, COMMANDS);
    }

    /** Every commit is held to the order of the queue, which takes longer. */
    @Test
    void nobodyIsServedOutOfTurnWhateverGoesWrong() throws Exception {
        runAll(Shape.ALL, TURNS);
    }

    private static void runAll(List<Shape> shapes, long commands) throws Exception {
        var chosen = Long.getLong("berth.simulation.seed");
        var seeds = chosen == null ? LongStream.rangeClosed(1, SEEDS).boxed().toList() : List.of(chosen);
        long each = (commands + SEEDS - 1) / SEEDS;
        long total = 0;
        try (var threads = Executors.newFixedThreadPool(2)) {
            var runs = new ArrayList<Callable<Long>>();
            seeds.forEach(seed -> runs.add(() -> run(shapes, seed, each)));
            for (var run : threads.invokeAll(runs)) {
                total += run.get();
            }
        }
        System.out.printf("simulation: %,d commands in all%n", total);
        assertThat(total).isGreaterThanOrEqualTo(each * seeds.size());
    }

    private static long run(List<Shape> shapes, long seed, long commands) {
        long begun = System.nanoTime();
        try (var simulation = new Simulation(seed, Bug.NONE, shapes)) {
            simulation.run(commands);
            var seconds = (System.nanoTime() - begun) / 1e9;
            System.out.printf(
                    "simulation: seed %d, %,d commands, %,d environments granted, %,d times past who gathers"
                            + " (%,d loans), %,d s of virtual time, %.1f s%n",
                    seed,
                    simulation.invariants.commands(),
                    simulation.invariants.grants(),
                    simulation.invariants.gatherings(),
                    simulation.invariants.loans(),
                    simulation.timeline.millis() / 1_000,
                    seconds);
            assertThat(simulation.invariants.violation())
                    .as(
                            "a promise of DESIGN.md, section 2. To see it again: -Dtest=SimulationTest"
                                    + " -Dberth.simulation.seed=%d -Dberth.simulation.commands=%d",
                            seed, commands * SEEDS)
                    .isNull();
            return simulation.invariants.commands();
        }
    }
}
