package dev.berth.server.simulation;

import dev.berth.core.Allocation;
import dev.berth.core.AllocationId;
import dev.berth.core.AllocationState;
import dev.berth.core.Answer;
import dev.berth.core.Caller;
import dev.berth.core.Command;
import dev.berth.core.KeyUse;
import dev.berth.core.Refusal;
import dev.berth.core.Request;
import dev.berth.core.Step;
import dev.berth.server.store.StoreException;
import java.time.Duration;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Somebody who asks again and again: waits, works, gives signs of life, extends, releases, sometimes twice; vanishes, retries after
 * lost replies, and tries to get in after the end.
 */
final class Client {
    private static final long PATIENCE = 4_000;
    private static final int MOST_TRIES = 40;

    private final Simulation simulation;
    private final Timeline timeline;
    private final String principal;
    private final Shape shape;
    private final Caller caller;
    private final String team;
    private long asked;
    private Interest interest = Interest.HELD_CALL;
    /** When a sign of interest is due next. */
    private long signAt;

    private long openUntil;
    /** Grows when an allocation is done with, so that what was planned for it falls flat. */
    private long turn;

    /** How somebody who waits shows it. */
    private enum Interest {
        /** A call is held open, and closed now and then. */
        HELD_CALL,
        /** Asks again and again how it is. */
        POLLS,
        /** Not at all for a while, and comes back. */
        SLEEPS
    }

    Client(Simulation simulation, String principal, Shape shape, String team) {
        this.team = team;
        this.simulation = simulation;
        this.timeline = simulation.timeline;
        this.principal = principal;
        this.shape = shape;
        caller = new Caller(principal, false);
        idle();
    }

    private void idle() {
        turn++;
        if (simulation.isOpen()) {
            timeline.after(timeline.between(0, shape == Shape.PLAIN ? 1_000 : 8_000), this::ask);
        }
    }

    // ---- talking

    private void send(Command command, Consumer<Answer> onAnswer, Runnable onFailure) {
        var process = simulation.processForClients();
        if (process == null) {
            timeline.after(1_000, onFailure);
            return;
        }
        var call = new Object() {
            boolean over;
        };
        timeline.after(PATIENCE, () -> {
            if (!call.over) {
                call.over = true;
                onFailure.run();
            }
        });
        if (simulation.faulty && timeline.chance(5)) {
            return; // lost on its way
        }
        boolean lost = simulation.faulty && timeline.chance(10);
        var sign = sign(command);
        if (sign != null) {
            simulation.invariants.sign(sign, 1);
        }
        var _ = process.ledger.submit(shape.pool(), command).whenComplete((answer, failure) -> {
            if (sign != null) {
                simulation.invariants.sign(sign, -1);
            }
            if (failure == null) {
                simulation.invariants.answered(answer);
            }
            if (call.over || lost) {
                return;
            }
            call.over = true;
            timeline.after(timeline.between(0, 60), () -> {
                if (failure == null) {
                    onAnswer.accept(answer);
                } else {
                    onFailure.run();
                }
            });
        });
    }

    private @Nullable Object sign(Command command) {
        return switch (command) {
            case Command.Attend attend -> attend.id();
            case Command.KeepAlive keepAlive -> keepAlive.id();
            case Command.Ask ask
            when ask.request().key() != null ->
                new KeyUse.Key(principal, ask.request().key());
            default -> null;
        };
    }

    // ---- asking

    private void ask() {
        if (!simulation.isOpen()) {
            return;
        }
        boolean keyed = timeline.chance(500);
        boolean waits = timeline.chance(shape == Shape.PLAIN ? 850 : 750);
        boolean isLong = shape == Shape.GATHERED && timeline.chance(400);
        var longest = timeline.chance(50) ? Duration.ofMinutes(45) : Duration.ofSeconds(timeline.between(5, 300));
        var request = new Request(
                principal,
                shape.need(timeline),
                duration(isLong),
                timeline.chance(500) ? Duration.ofSeconds(timeline.between(30, 60)) : null,
                waits ? longest : Duration.ZERO,
                shape.maxPriority() == 0 ? 0 : (int) timeline.between(-1, shape.maxPriority()),
                "{}",
                keyed ? "key " + ++asked : null,
                "digest");
        interest = Interest.values()[timeline.random.nextInt(10) < 5 ? 1 : timeline.random.nextInt(3)];
        openUntil = waits && interest == Interest.HELD_CALL ? timeline.millis() + timeline.between(5_000, 120_000) : 0;
        signAt = timeline.millis() + timeToNextSign();
        ask(request, 0);
    }

    private @Nullable Duration duration(boolean isLong) {
        if (shape == Shape.GATHERED) {
            return isLong ? Duration.ofMinutes(5) : Duration.ofSeconds(timeline.between(10, 40));
        }
        return timeline.chance(200) ? Duration.ofSeconds(timeline.between(60, 120)) : null;
    }

    private long timeToNextSign() {
        long liveness = shape.liveness().toMillis();
        return switch (interest) {
            case HELD_CALL -> liveness / 4;
            case POLLS -> timeline.between(liveness / 6, liveness / 3);
            case SLEEPS -> timeline.between(liveness, 3 * liveness);
        };
    }

    private Duration open() {
        return Duration.ofMillis(Math.max(0, openUntil - timeline.millis()));
    }

    /** A sign of interest in what it asked for. */
    private void attend(AllocationId id, Consumer<Answer> onAnswer) {
        send(new Command.Attend(id, caller, open()), onAnswer, () -> {});
    }

    private void ask(Request request, int tries) {
        long mine = turn;
        send(
                new Command.Ask(simulation.newId(shape), principal, request, open(), team, false),
                answer -> {
                    if (answer instanceof Answer.Current(var allocation)) {
                        simulation.invariants.check(
                                allocation.principal().equals(principal)
                                        && allocation.request().need().equals(request.need()),
                                "P7",
                                () -> "asked for " + request + ", got " + allocation);
                        watch(allocation.id());
                    } else if (answer instanceof Answer.Refused(var refusal, var _, var _, var _)
                            && refusal == Refusal.NO_ENVIRONMENT_AVAILABLE
                            && tries < MOST_TRIES
                            && simulation.isOpen()
                            && timeline.chance(900)) {
                        timeline.after(timeline.between(1_000, 15_000), () -> {
                            if (mine == turn) {
                                ask(request, tries + 1);
                            }
                        });
                    } else {
                        timeline.after(timeline.between(1_000, 10_000), this::idle); // refused
                    }
                },
                () -> {
                    if (request.key() != null && tries < MOST_TRIES && mine == turn) {
                        timeline.after(timeline.between(200, 2_000), () -> ask(request, tries + 1));
                    } else {
                        idle(); // whatever came of it is nobody's, and has to end by itself
                    }
                });
    }

    private @Nullable Allocation read(AllocationId id) {
        var process = simulation.processForClients();
        if (process == null) {
            return null;
        }
        try {
            return process.store.allocation(id).orElse(null);
        } catch (StoreException e) {
            return null;
        }
    }

    private void watch(AllocationId id) {
        var allocation = read(id);
        if (allocation == null) {
            timeline.after(1_000, () -> watch(id));
            return;
        }
        switch (allocation.state()) {
            case AllocationState.Active active -> hold(allocation, active);
            case AllocationState.Ended _, AllocationState.Polling _ -> idle();
            case AllocationState.Pending _, AllocationState.Granting _ -> {
                if (simulation.isOpen() && timeline.chance(10)) {
                    release(id, 0);
                } else if (simulation.isOpen() && timeline.chance(5)) {
                    idle(); // forgets it
                } else if (interest == Interest.HELD_CALL && simulation.isOpen() && timeline.chance(20)) {
                    boolean told = timeline.chance(700);
                    openUntil = 0;
                    send(new Command.Leave(id, caller, told), _ -> {}, () -> {});
                    interest = Interest.SLEEPS;
                    signAt = timeline.millis() + timeToNextSign();
                    timeline.after(timeline.between(500, 4_000), () -> watch(id));
                } else {
                    if (!simulation.isOpen() && interest == Interest.SLEEPS) {
                        interest = Interest.POLLS;
                        signAt = Math.min(signAt, timeline.millis() + timeToNextSign());
                    }
                    if (timeline.millis() >= signAt) {
                        signAt = timeline.millis() + timeToNextSign();
                        attend(id, _ -> {});
                    }
                    timeline.after(timeline.between(500, 4_000), () -> watch(id));
                }
            }
        }
    }

    // ---- holding

    private void hold(Allocation allocation, AllocationState.Active active) {
        long mine = turn;
        use(allocation, true);
        if (active.collectBy() != null) {
            collect(allocation.id(), mine);
        }
        if (allocation.keepalive() != null) {
            simulation.invariants.faithful(allocation.id());
            keepAlive(allocation, mine);
        }
        boolean vanishes = timeline.chance(15);
        boolean overstays = timeline.chance(3);
        long work =
                overstays ? 900_000 : shape == Shape.PLAIN ? timeline.between(0, 8_000) : timeline.between(500, 40_000);
        timeline.after(work / 2, () -> {
            if (mine == turn) {
                use(allocation, true);
                if (timeline.chance(100) && active.expiresAt() != null) {
                    send(
                            new Command.Extend(
                                    allocation.id(), caller, active.expiresAt().plusSeconds(timeline.between(1, 400))),
                            _ -> {},
                            () -> {});
                }
            }
        });
        timeline.after(work, () -> {
            if (mine != turn) {
                return;
            }
            if (shape.isForPersons() && timeline.chance(60)) {
                keepForPerson(allocation.id());
            } else if (vanishes) {
                simulation.invariants.unfaithful(allocation.id());
                haunt(allocation);
                idle();
            } else {
                release(allocation.id(), 0);
                haunt(allocation);
            }
        });
    }

    private void collect(AllocationId id, long mine) {
        send(
                new Command.Attend(id, caller, Duration.ZERO),
                answer -> {
                    if (answer instanceof Answer.Current(var now) && now.state() instanceof AllocationState.Active) {
                        simulation.invariants.collected(id);
                    }
                },
                () -> timeline.after(500, () -> {
                    if (mine == turn) {
                        collect(id, mine);
                    }
                }));
    }

    /** Its run failed: a person looks, and may forget to give it back. */
    private void keepForPerson(AllocationId id) {
        var person = new Caller("person of " + principal, false);
        long mine = ++turn;
        simulation.invariants.unfaithful(id);
        send(
                new Command.Hold(
                        id, caller, Duration.ofSeconds(timeline.between(5, 150)), "failed", Set.of(person.principal())),
                answer -> {
                    if (!(answer instanceof Answer.Current(var kept)
                            && kept.state()
                                    instanceof
                                    AllocationState.Active(var _, var _, var _, var _, var _, var _, var hold)
                            && hold != null)) {
                        release(id, 0); // as many are kept as may be, or it is over
                        return;
                    }
                    timeline.after(timeline.between(1_000, 90_000), () -> {
                        if (timeline.chance(800)) {
                            send(new Command.Release(id, person, null), _ -> {}, () -> {});
                        }
                        if (mine == turn) {
                            idle();
                        }
                    });
                },
                () -> release(id, 0));
    }

    private void keepAlive(Allocation allocation, long mine) {
        var interval = Objects.requireNonNull(allocation.keepalive()).toMillis() / 5;
        if (mine != turn) {
            return;
        }
        send(
                new Command.KeepAlive(allocation.id(), caller),
                answer -> {
                    if (mine != turn) {
                        return;
                    }
                    if (answer instanceof Answer.Refused) {
                        haunt(allocation);
                        idle();
                    } else {
                        timeline.after(interval, () -> keepAlive(allocation, mine));
                    }
                },
                () -> timeline.after(500, () -> keepAlive(allocation, mine)));
    }

    /** Gets in, or tries to. */
    private void use(Allocation allocation, boolean mine) {
        for (var grant : allocation.state().grants()) {
            var name = grant.environment().value();
            if (shape.steps().contains(Step.ISSUE)) {
                if (grant.access() == null) {
                    simulation.invariants.check(
                            false, "P4", () -> allocation.id() + " is active without access to " + name);
                    continue;
                }
                boolean works = simulation.world.use(name, grant.access().text(), allocation.id());
                simulation.invariants.check(
                        works || !mine || !simulation.invariants.isHeldBy(name, allocation.id()),
                        "P8",
                        () -> "access of " + allocation.id() + " to " + name + " does not work, though it holds it");
            } else if (shape == Shape.VERIFIED) {
                simulation.world.litter(name, allocation.id());
            }
        }
    }

    /** Comes back after the end, with the old access. */
    private void haunt(Allocation allocation) {
        if (shape.steps().contains(Step.ISSUE) && timeline.chance(500)) {
            timeline.after(timeline.between(0, 90_000), () -> use(allocation, false));
        }
    }

    // ---- giving back

    private void release(AllocationId id, int tries) {
        simulation.invariants.unfaithful(id);
        turn++;
        send(
                new Command.Release(id, caller, "passed"),
                answer -> {
                    if (!(answer instanceof Answer.Current(var ended)) || !ended.hasEnded()) {
                        simulation.invariants.check(
                                false, "P3", () -> "the release of " + id + " was answered " + answer);
                        return;
                    }
                    if (timeline.chance(150)) {
                        afterwards(ended);
                    }
                    idle();
                },
                () -> timeline.after(timeline.between(200, 2_000), () -> {
                    if (tries < MOST_TRIES) {
                        release(id, tries + 1);
                    } else {
                        idle();
                    }
                }));
    }

    private void afterwards(Allocation ended) {
        send(
                new Command.Release(ended.id(), caller, "failed"),
                again -> simulation.invariants.check(
                        again.equals(new Answer.Current(ended)),
                        "P7",
                        () -> "a second release of " + ended + " was answered " + again),
                () -> {});
        send(
                new Command.KeepAlive(ended.id(), caller),
                answer -> simulation.invariants.answeredAfterTheEnd(ended.id(), answer),
                () -> {});
    }
}
