package dev.berth.server.simulation;

import dev.berth.core.AllocationId;
import dev.berth.core.AllocationState;
import dev.berth.core.Caller;
import dev.berth.core.Command;
import dev.berth.core.Environment;
import dev.berth.core.EnvironmentName;
import dev.berth.core.EnvironmentState;
import dev.berth.server.ledger.Ledger;
import dev.berth.server.ledger.SlewedClock;
import dev.berth.server.store.SqliteStore;
import dev.berth.server.store.Store;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** Several processes on one store, their clients, operators and environments, and everything that goes wrong. */
final class Simulation implements AutoCloseable {
    private static final int PROCESSES = 3;
    /** What is in motion when faults stop is over then. */
    private static final long SETTLED = Duration.ofMinutes(5).toMillis();
    /** Longer than all who wait then need one after the other: as many as twice a pool's environments, for a minute and the steps between. */
    private static final Duration LONGEST_WAIT = Duration.ofMinutes(20);

    private static final long LONGEST_SETTLING = Duration.ofHours(6).toMillis();

    final Timeline timeline;
    final Invariants invariants;
    final World world;
    final Bug bug;
    /** What a planted bug passed off as free. */
    final Map<EnvironmentName, Environment> pretended = new HashMap<>();

    final List<Shape> shapes;
    boolean faulty = true;
    private final Store store = SqliteStore.inMemory();
    private final SlewedClock clock;
    private final List<Process> processes = new ArrayList<>();
    private final Map<Shape, Integer> numbers = new EnumMap<>(Shape.class);
    private final Random ids;
    private long wallOffset;
    private long awayUntil;
    private boolean open = true;
    private int started;

    Simulation(long seed, Bug bug, List<Shape> shapes) {
        this.bug = bug;
        this.shapes = List.copyOf(shapes);
        timeline = new Timeline(seed);
        ids = new Random(seed);
        invariants = new Invariants(store, timeline, shapes.contains(Shape.LAB));
        world = new World(timeline, invariants);
        invariants.watch(world);
        world.forgetsToRevoke = bug == Bug.CLEAN_UP_FORGETS_TO_REVOKE;
        clock = new SlewedClock(
                Timeline.START,
                () -> Timeline.START.plusMillis(timeline.millis() + wallOffset),
                () -> timeline.millis() * 1_000_000,
                jump -> {});
        configure();
    }

    private void configure() {
        var setup = new Ledger(store, clock, () -> "setup/1", 1_000);
        setup.addListener((pool, decision) -> invariants.committed(decision));
        for (var shape : shapes) {
            var _ = setup.submit(shape.pool(), new Command.Enact(shape.policy()));
            var _ = setup.submit(shape.pool(), new Command.Register(shape.records()));
        }
        while (setup.step()) {}
        for (var shape : shapes) {
            numbers.put(shape, setup.numberOf(shape.pool()).orElseThrow());
        }
    }

    /** Runs until so many commands were carried out, then lets everything come to rest. */
    void run(long commands) {
        for (int i = 0; i < PROCESSES; i++) {
            start();
        }
        int clients = 0;
        for (var shape : shapes) {
            for (int i = 0; i < shape.size() * (shape == Shape.PLAIN ? 11 : 20) / 10; i++) {
                new Client(this, "client-" + ++clients, shape, "team " + i % 4);
            }
        }
        every(3_000, this::operate);
        every(40_000, this::reconfigure);
        every(45_000, this::misfortune);
        every(60_000, () -> store.prune(clock.now().minusSeconds(1_800), 20_000));
        every(30_000, this::inspect);
        while (invariants.violation() == null && invariants.commands() < commands) {
            timeline.next();
        }
        settle();
    }

    private void every(long millis, Runnable action) {
        timeline.after(timeline.between(millis / 2, millis * 3 / 2), () -> {
            action.run();
            every(millis, action);
        });
    }

    private void settle() {
        faulty = false;
        world.faulty = false;
        open = false;
        awayUntil = 0;
        if (processes.isEmpty()) {
            start();
        }
        timeline.after(
                SETTLED, () -> invariants.everybodyElseGoesHome(clock.now().plus(LONGEST_WAIT)));
        long until = timeline.millis() + LONGEST_SETTLING;
        while (invariants.violation() == null && timeline.millis() < until && !invariants.isAtRest()) {
            timeline.next();
        }
        long calm = timeline.millis() + 30_000;
        while (invariants.violation() == null && timeline.millis() < calm) {
            timeline.next();
        }
        if (invariants.violation() == null) {
            invariants.atRest();
            invariants.storeIsAsCommitted();
        }
    }

    // ---- for clients and processes

    Instant now() {
        return clock.now();
    }

    boolean isOpen() {
        return open;
    }

    boolean isStoreAway() {
        return timeline.millis() < awayUntil;
    }

    AllocationId newId(Shape shape) {
        return AllocationId.create(Objects.requireNonNull(numbers.get(shape)), clock.now(), ids);
    }

    @Nullable
    Process anyProcess() {
        return processes.isEmpty() ? null : processes.get(timeline.random.nextInt(processes.size()));
    }

    /** Where a client is sent: seldom to one that does not answer, where another does. */
    @Nullable
    Process processForClients() {
        var chosen = anyProcess();
        for (int i = 0; i < 20 && chosen != null && chosen.frozenFor() > 0 && !timeline.chance(50); i++) {
            chosen = anyProcess();
        }
        return chosen;
    }

    // ---- misfortune

    private long disturbedUntil;

    private void disturbed(long millis) {
        disturbedUntil = Math.max(disturbedUntil, timeline.millis() + millis + 60_000);
    }

    private void start() {
        processes.add(new Process(this, "p" + ++started, store, clock));
    }

    void crash(Process process) {
        process.kill();
        if (processes.remove(process)) {
            long delay = timeline.chance(300) ? timeline.between(5_000, 40_000) : timeline.between(0, 2_000);
            disturbed(delay);
            timeline.after(delay, this::start);
        }
    }

    void storeGoesAway(long millis) {
        awayUntil = Math.max(awayUntil, timeline.millis() + millis);
        disturbed(millis);
    }

    private void misfortune() {
        if (!faulty) {
            return;
        }
        var process = anyProcess();
        switch (timeline.random.nextInt(10)) {
            case 0, 1 -> {
                if (process != null) {
                    crash(process);
                }
            }
            case 2, 3 -> {
                if (process != null) {
                    long millis = timeline.between(1_000, 45_000);
                    disturbed(millis);
                    process.freeze(millis);
                }
            }
            case 4 -> storeGoesAway(timeline.between(2_000, 150_000)); // longer than every keepalive
            case 5 -> List.copyOf(processes).forEach(this::crash);
            case 6 -> {
                long by = timeline.chance(500)
                        ? timeline.between(-86_400_000, 86_400_000)
                        : timeline.between(-60_000, 60_000);
                wallOffset += by;
                disturbed(0);
            }
            default -> {
                var shape = anyShape();
                world.beUnreachable(shape.pool().value(), timeline.between(5_000, 200_000));
            }
        }
    }

    private Shape anyShape() {
        return shapes.get(timeline.random.nextInt(shapes.size()));
    }

    private void inspect() {
        if (faulty) {
            if (timeline.millis() > disturbedUntil) {
                invariants.nothingIsOverdue(clock.now().minusSeconds(15));
            }
            if (!isStoreAway() && timeline.chance(200)) {
                invariants.storeIsAsCommitted();
            }
        }
    }

    // ---- operators

    private void tell(Shape shape, Command command) {
        var process = anyProcess();
        if (process != null) {
            var _ = process.ledger.submit(shape.pool(), command);
        }
    }

    private void operate() {
        var dirty = new ArrayList<Environment>();
        var others = new ArrayList<Environment>();
        for (var environment : invariants.environments()) {
            (environment.state() instanceof EnvironmentState.Dirty ? dirty : others).add(environment);
        }
        for (var environment : dirty) {
            if (timeline.chance(300)) {
                // who looks himself sees to it that what is left is gone, where no step would
                act(environment, timeline.chance(700) ? Command.Action.CLEAN : Command.Action.VERIFY);
            }
        }
        if (open && !others.isEmpty()) {
            var environment = others.get(timeline.random.nextInt(others.size()));
            switch (timeline.random.nextInt(12)) {
                case 0 -> act(environment, Command.Action.QUARANTINE);
                case 1 -> act(environment, Command.Action.RETIRE);
                case 2 -> act(environment, Command.Action.CLEAN);
                case 3 -> act(environment, Command.Action.VERIFY);
                case 4 -> {
                    var all = new ArrayList<AllocationId>();
                    invariants.allocations().forEach(allocation -> all.add(allocation.id()));
                    if (!all.isEmpty()) {
                        var id = all.get(timeline.random.nextInt(all.size()));
                        numbers.forEach((shape, number) -> {
                            if (number == id.poolNumber()) {
                                tell(shape, new Command.Release(id, new Caller("operator", true), null));
                            }
                        });
                    }
                }
                case 5, 6 -> prioritise();
                default -> {}
            }
        }
    }

    private void prioritise() {
        var waiting = new ArrayList<AllocationId>();
        invariants.allocations().forEach(allocation -> {
            if (allocation.state() instanceof AllocationState.Pending) {
                waiting.add(allocation.id());
            }
        });
        if (!waiting.isEmpty()) {
            var id = waiting.get(timeline.random.nextInt(waiting.size()));
            int priority = (int) timeline.between(-2, 3);
            numbers.forEach((shape, number) -> {
                if (number == id.poolNumber()) {
                    tell(shape, new Command.Prioritise(id, new Caller("operator", true), priority));
                }
            });
        }
    }

    private void act(Environment environment, Command.Action action) {
        tell(Shape.of(environment.name()), new Command.Act(environment.name(), action, null, "operator"));
    }

    private void reconfigure() {
        var shape = anyShape();
        if (open && timeline.chance(500)) {
            var some = shape.records().stream()
                    .map(record -> record.name())
                    .filter(_ -> timeline.chance(100))
                    .toList();
            tell(shape, new Command.Deregister(some));
        } else if (open && timeline.chance(50)) {
            tell(shape, new Command.Delist());
        }
        for (var each : shapes) {
            if (timeline.chance(500)) {
                tell(each, new Command.Enact(each.policy()));
                tell(each, new Command.Register(each.records()));
            }
        }
    }

    @Override
    public void close() {
        store.close();
    }
}
