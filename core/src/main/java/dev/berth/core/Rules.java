package dev.berth.core;

import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.function.Predicate;

/**
 * Decides: what a batch of commands, and the time that has come, make of a pool. Pure: the same slice, commands and instant give the
 * same decision.
 */
public final class Rules {

    /** A pool in which something is at stake is touched at least so often, by a tick when there is nothing else to do. */
    public static final Duration HEARTBEAT = Duration.ofSeconds(2);
    /** A silence longer than this, where something was at stake, was an outage. */
    private static final Duration OUTAGE = HEARTBEAT.multipliedBy(3);

    private Rules() {}

    /** Whether something would be lost by silence: the pool needs its heartbeat. */
    public static boolean isAtStake(Pool pool) {
        return pool.counts().allocated() > 0 || pool.waiting() > 0;
    }

    /**
     * Whether nobody could be heard before now: then the slice has to have every allocation that lives.
     *
     * @param restarted whether the batch comes from a process that found no other alive: however short that was, a sign of life may
     *     have come to nobody
     */
    public static boolean isAfterOutage(Pool pool, boolean restarted, Instant now) {
        return isAtStake(pool) && (restarted || now.isAfter(pool.touchedAt().plus(OUTAGE)));
    }

    /**
     * What the batch comes to.
     *
     * <p>Whoever gives back or gives a sign of life goes before what time would take from them, what comes back goes to those who
     * wait, and only then comes who asks now; claims come last, so that they see all work there is.
     *
     * @param now not before the pool was last touched
     */
    public static Decision decide(Slice slice, List<Command> commands, Instant now) {
        return decide(slice, commands, now, id -> true);
    }

    /**
     * The same where several processes decide.
     *
     * @param waitsHere whether the process that decides has the connection that waits for an allocation; asked once for each that is granted
     */
    public static Decision decide(Slice slice, List<Command> commands, Instant now, Predicate<AllocationId> waitsHere) {
        var working = new Working(slice, now);
        var lending = new Lending(working, waitsHere);
        var maintenance = new Maintenance(working, lending);
        var registry = new Registry(working, lending);
        var answers = new Answer[commands.size()];
        boolean restarted = commands.stream().anyMatch(Command.VoidClaims.class::isInstance);
        if (isAfterOutage(slice.pool(), restarted, now)) {
            lending.forgiveOutage(restarted);
        }
        for (int i = 0; i < answers.length; i++) {
            switch (commands.get(i)) {
                case Command.Release release -> answers[i] = lending.release(release);
                case Command.KeepAlive keepAlive -> answers[i] = lending.keepAlive(keepAlive);
                case Command.Attend attend -> answers[i] = lending.attend(attend);
                case Command.Leave leave -> answers[i] = lending.leave(leave);
                case Command.Hold hold -> answers[i] = lending.hold(hold);
                case Command.Prioritise prioritise -> answers[i] = lending.prioritise(prioritise);
                case Command.Extend extend -> answers[i] = lending.extend(extend);
                case Command.Report report -> answers[i] = maintenance.report(report);
                case Command.RenewClaims renew -> answers[i] = maintenance.renew(renew);
                case Command.VoidClaims voided -> answers[i] = maintenance.voidClaims(voided);
                case Command.Restored restored -> answers[i] = registry.restored(restored);
                case Command.Act act -> answers[i] = registry.act(act);
                case Command.Enact enact -> answers[i] = registry.enact(enact);
                case Command.Delist _ -> answers[i] = registry.delist();
                case Command.Register register -> answers[i] = registry.register(register);
                case Command.Deregister deregister -> answers[i] = registry.deregister(deregister);
                case Command.Note note -> {
                    working.event(note.type(), null, note.environment(), note.principal(), note.data());
                    answers[i] = new Answer.Done();
                }
                case Command.Tick _ -> answers[i] = new Answer.Done();
                case Command.Ask _, Command.ClaimWork _ -> {}
            }
        }
        maintenance.settle();
        lending.expireHeld();
        lending.serveWaiting();
        for (int i = 0; i < answers.length; i++) {
            if (commands.get(i) instanceof Command.Ask ask) {
                answers[i] = lending.ask(ask);
            }
        }
        maintenance.startChecks();
        for (int i = 0; i < answers.length; i++) {
            if (commands.get(i) instanceof Command.ClaimWork claim) {
                answers[i] = maintenance.claim(claim);
            }
        }
        return working.decision(
                Arrays.stream(answers).map(answer -> asItIs(answer, working)).toList());
    }

    /** What was answered with an allocation that a later part of the batch changed, with that allocation as it is in the end. */
    private static Answer asItIs(Answer answer, Working working) {
        return switch (answer) {
            case Answer.Current(var allocation) -> new Answer.Current(working.allocation(allocation.id()));
            case Answer.Refused(var refusal, var detail, var about, var retryAfter)
            when about != null -> new Answer.Refused(refusal, detail, working.allocation(about.id()), retryAfter);
            case Answer.Refused _,
                    Answer.Acted _,
                    Answer.Done _,
                    Answer.Claimed _,
                    Answer.Renewed _,
                    Answer.Reported _ -> answer;
        };
    }
}
