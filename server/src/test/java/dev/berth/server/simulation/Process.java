package dev.berth.server.simulation;

import dev.berth.core.Command;
import dev.berth.core.Decision;
import dev.berth.core.Pool;
import dev.berth.core.Sealed;
import dev.berth.core.Slice;
import dev.berth.providers.Provider;
import dev.berth.server.ledger.Ledger;
import dev.berth.server.ledger.TimeSource;
import dev.berth.server.store.FaultyStore;
import dev.berth.server.store.Store;
import dev.berth.server.store.StoreException;
import dev.berth.server.upkeep.Baselines;
import dev.berth.server.upkeep.Schedule;
import dev.berth.server.upkeep.Upkeep;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** One process of the service, as {@code app} assembles it, that can stop for a while and be killed between any two effects. */
final class Process implements FaultyStore.Faults, World.Site {
    private static final ScopedValue<Sleeper> SLEEPER = ScopedValue.newInstance();
    private static final int MOST_WAITING = 10_000;

    private final Simulation simulation;
    private final Timeline timeline;
    private final String id;
    final Ledger ledger;
    final Store store;
    private final Schedule schedule;
    private final TimeSource time;
    private final List<Decision> writing = new ArrayList<>();
    private Instant runAt = Instant.MIN;
    private boolean alive = true;
    private long frozenUntil;
    private long batches;

    Process(Simulation simulation, String id, Store shared, TimeSource time) {
        this.simulation = simulation;
        this.timeline = simulation.timeline;
        this.id = id;
        this.time = time;
        store = new FaultyStore(shared, this);
        ledger = new Ledger(store, time, () -> id + "/" + ++batches, MOST_WAITING);
        var providers = new EnumMap<Shape, Provider>(Shape.class);
        for (var shape : simulation.shapes) {
            providers.put(
                    shape, simulation.world.provider(shape.pool().value(), shape.steps(), shape.programs(), this));
        }
        var upkeep = new Upkeep(
                ledger,
                pool -> Objects.requireNonNull(providers.get(Shape.of(pool))),
                new Upkeep.Keeping(
                        (allocation, environment, epoch, access) ->
                                new Sealed(String.valueOf(access.credentials().get("token"))),
                        new Baselines(store, ledger, time)),
                this::execute,
                new Upkeep.Process(id, () -> timeline.millis() * 1_000_000));
        schedule = new Schedule(ledger, store, upkeep, time, () -> runAt = Instant.MIN);
        ledger.addListener(schedule);
        for (var shape : simulation.shapes) {
            var _ = ledger.submit(shape.pool(), new Command.VoidClaims(id));
        }
        pump();
    }

    // ---- running

    private void pump() {
        if (!alive) {
            return;
        }
        if (frozenFor() > 0) {
            timeline.after(frozenFor(), this::pump);
            return;
        }
        if (!runAt.isAfter(time.now())) {
            try {
                runAt = Instant.MAX;
                var next = schedule.run();
                runAt = next.isBefore(runAt) ? next : runAt;
            } catch (StoreException e) {
                runAt = time.now().plusSeconds(1);
            }
        }
        for (int i = 0; i < 3 && alive && ledger.step(); i++) {
            // what follows from a batch comes at once
        }
        timeline.after(timeline.between(1_000, 3_000), this::pump);
    }

    private void execute(Runnable step) {
        if (timeline.chance(100)) {
            timeline.after(
                    timeline.between(0, 200),
                    () -> start(() -> Sleeper.run(
                            timeline,
                            sleeper -> ScopedValue.where(SLEEPER, sleeper).run(step))));
        } else {
            timeline.after(timeline.between(0, 1_500), () -> start(step));
        }
    }

    private void start(Runnable step) {
        if (alive && frozenFor() > 0) {
            timeline.after(frozenFor(), () -> start(step));
        } else if (alive) {
            step.run();
        }
    }

    void kill() {
        alive = false;
    }

    void freeze(long millis) {
        frozenUntil = timeline.millis() + millis;
    }

    @Override
    public String id() {
        return id;
    }

    @Override
    public boolean isAlive() {
        return alive;
    }

    @Override
    public long frozenFor() {
        return Math.max(0, frozenUntil - timeline.millis());
    }

    @Override
    public @Nullable Sleeper sleeper() {
        return SLEEPER.isBound() ? SLEEPER.get() : null;
    }

    // ---- what fails

    private void fail() {
        throw new StoreException("simulated");
    }

    private void failIfAway() {
        if (!alive || simulation.isStoreAway()) {
            fail();
        }
    }

    @Override
    public void beginning() {
        writing.clear();
        failIfAway();
        if (simulation.faulty && timeline.chance(2)) {
            fail();
        }
    }

    @Override
    public Slice loaded(Pool pool, Slice.Needs needs, Slice slice) {
        return simulation.bug.loaded(simulation, needs, slice);
    }

    @Override
    public Decision writing(Decision decision) {
        var written = simulation.bug.writing(simulation, decision);
        writing.add(written);
        return written;
    }

    @Override
    public void written() {
        if (simulation.faulty && timeline.chance(1)) {
            fail();
        }
    }

    @Override
    public boolean committing() {
        if (simulation.faulty && timeline.chance(2)) {
            mayGoAway();
            fail();
        }
        return simulation.bug != Bug.REPLY_BEFORE_COMMIT || !timeline.chance(5);
    }

    @Override
    public void committed() {
        writing.forEach(simulation.invariants::committed);
        writing.clear();
        if (simulation.faulty && timeline.chance(2)) {
            mayGoAway();
            fail();
        }
    }

    /** With the answer to a commit, the store or this process goes too. */
    private void mayGoAway() {
        if (timeline.chance(200)) {
            simulation.storeGoesAway(timeline.between(1_000, 20_000));
        } else if (timeline.chance(200)) {
            simulation.crash(this);
        }
    }

    @Override
    public void asked() {
        failIfAway();
    }

    @Override
    public void reading() {
        failIfAway();
    }
}
