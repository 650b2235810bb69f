package dev.berth.server.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The test of the test: bugs that would break a promise are found by the simulation, soon. */
class PlantedBugsTest {
    private static final long COMMANDS = 40_000;

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    void aPlantedBugIsFound(Bug bug) {
        try (var simulation = new Simulation(1, bug, bug.pools())) {
            simulation.run(COMMANDS);
            System.out.printf("simulation with %s: %s%n", bug, simulation.invariants.violation());
            assertThat(simulation.invariants.violation())
                    .as("the bug %s", bug)
                    .matches("(?s)(%s): .*".formatted(bug.promise()));
        }
    }
}
