package dev.berth.bench;

import dev.berth.core.Command;
import dev.berth.core.EnvironmentName;
import dev.berth.core.Policy;
import dev.berth.core.PoolName;
import dev.berth.core.Registration;
import dev.berth.core.Shape;
import dev.berth.core.Step;
import dev.berth.server.ledger.Ledger;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/** The pool that everything is measured on: of a kind that has nothing to issue or to clean. */
final class BenchPool {
    static final PoolName NAME = new PoolName("bench");
    private static final int CHUNK = 10_000;

    private BenchPool() {}

    static void register(Ledger ledger, int environments) {
        register(ledger, environments, i -> Shape.PLAIN);
    }

    /** With the shape that each has by its number. */
    static void register(Ledger ledger, int environments, IntFunction<Shape> shapes) {
        ledger.call(NAME, new Command.Enact(policy()));
        for (int from = 0; from < environments; from += CHUNK) {
            ledger.call(
                    NAME,
                    new Command.Register(IntStream.range(from, Math.min(environments, from + CHUNK))
                            .mapToObj(i -> record(i, shapes.apply(i)))
                            .toList()));
        }
    }

    private static Policy policy() {
        return policy(Set.of(), Duration.ofHours(3), Map.of(), Policy.Queueing.Order.FIFO);
    }

    /** A pool whose queue is as long as it likes, and in which whoever waits stays interested for a long time. */
    static Policy policy(
            Set<Step> steps, Duration session, Map<Step, Policy.Limits> limits, Policy.Queueing.Order order) {
        return new Policy(
                "fixed",
                "{}",
                steps,
                session,
                null,
                null,
                Duration.ofSeconds(20),
                false,
                limits,
                null,
                new Policy.Queueing(
                        1_000_000,
                        Duration.ofDays(60),
                        order,
                        null,
                        Policy.Queueing.DEFAULT.halfLife(),
                        Policy.Queueing.DEFAULT.aging(),
                        Duration.ofDays(60),
                        Policy.Queueing.DEFAULT.maxPriority()),
                Policy.Quota.NONE,
                Map.of(),
                null,
                20,
                1,
                false);
    }

    private static Registration record(int i, Shape shape) {
        var name = "board-%07d".formatted(i);
        var facts = """
                {"capabilities":{"arch":"arm64"},"connection":{"host":"192.0.2.7","port":22}}""";
        return new Registration(new EnvironmentName(name), name, null, shape, facts, "1");
    }
}
