package dev.berth.providers.command;

import dev.berth.core.Step;
import dev.berth.providers.Kind.Secrets;
import dev.berth.providers.Provider;
import dev.berth.providers.StepResult;
import dev.berth.providers.StepResult.Done;
import dev.berth.providers.StepResult.Failed;
import dev.berth.providers.StepResult.Unavailable;
import dev.berth.providers.Task;
import dev.berth.providers.command.Programs.Job;
import dev.berth.providers.command.Programs.Outcome;
import dev.berth.providers.command.Programs.Outcome.Output;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** The provider of one pool: says what to run and what the end of it means. */
final class CommandProvider implements Provider {
    /** EX_TEMPFAIL of sysexits.h: not this environment's fault, try again later. */
    static final int NOT_OUR_FAULT = 75;

    private static final int CANNOT_EXECUTE = 126;
    private static final int NOT_FOUND = 127;
    private static final Duration LONGEST_GRACE = Duration.ofSeconds(2);

    private final Settings settings;
    private final Map<String, Secrets> secrets;
    private final Programs programs;
    private final String workers;
    private final Protocol protocol;

    CommandProvider(
            Settings settings, Map<String, Secrets> secrets, Programs programs, String workers, Protocol protocol) {
        this.settings = settings;
        this.secrets = secrets;
        this.programs = programs;
        this.workers = workers;
        this.protocol = protocol;
    }

    @Override
    public Set<Step> steps() {
        return settings.programs().keySet();
    }

    @Override
    public StepResult run(Step step, Task task) throws InterruptedException {
        Program program = settings.programs().get(step);
        if (program == null) {
            throw new IllegalArgumentException("this pool has no step " + step);
        }
        Optional<String> hindrance = program.hindrance();
        if (hindrance.isPresent()) {
            return new Unavailable(Settings.key(step) + ": " + hindrance.get(), null);
        }
        // The end of the time is when all is over, so a part of it is kept for asking the program to end.
        Duration tenth = task.timeout().dividedBy(10);
        Duration grace = tenth.compareTo(LONGEST_GRACE) < 0 ? tenth : LONGEST_GRACE;
        Duration working = task.timeout().minus(grace);
        Outcome outcome = programs.run(new Job(
                program,
                settings.environment().of(step, task),
                protocol.input(step, task, secretsFor(task), working),
                task.claim(),
                task.claimHeld(),
                working,
                grace));
        return result(step, program, task, outcome);
    }

    private StepResult result(Step step, Program program, Task task, Outcome outcome) {
        String name = Settings.key(step);
        return switch (outcome) {
            case Outcome.NotRun end -> new Unavailable(name + " " + end.reason(), null);
            case Outcome.Exited end -> exited(step, program, end.code(), end.output());
            case Outcome.OutOfTime end ->
                new Failed(
                        name + " did not end within " + seconds(task.timeout()) + " and was stopped",
                        messages(end.output()));
            case Outcome.ClaimLost end ->
                new Failed(name + " was stopped: the claim it worked under is no longer held", messages(end.output()));
            case Outcome.NotEnded end ->
                new Failed(name + " left something behind: " + end.what(), messages(end.output()));
        };
    }

    private StepResult exited(Step step, Program program, int code, Output output) {
        String name = Settings.key(step);
        if (code == 0) {
            return done(step, output);
        }
        String report = Protocol.reportOf(ownReport(step, output), output.err());
        if (code == NOT_OUR_FAULT) {
            return new Unavailable(name + " exited with 75: not this environment's fault", report);
        }
        if (code == CANNOT_EXECUTE || code == NOT_FOUND) {
            // The program may have been taken away after it was looked at, which is no fault of the environment.
            Optional<String> hindrance = program.hindrance();
            if (hindrance.isPresent()) {
                return new Unavailable(name + ": " + hindrance.get(), report);
            }
        }
        // The JDK tells a signal as a shell does. Linux has 64 of them.
        return new Failed(
                code > 128 && code <= 128 + 64
                        ? name + " was killed by signal " + (code - 128)
                        : name + " exited with " + code,
                report);
    }

    private StepResult done(Step step, Output output) {
        try {
            Protocol.Answer answer = protocol.answer(step, output.out());
            return new Done(answer.access(), Protocol.reportOf(answer.report(), output.err()), answer.settle());
        } catch (Protocol.Unreadable e) {
            return new Failed(Settings.key(step) + " " + e.getMessage(), messages(output));
        }
    }

    /** A program that failed may still have told why; one that failed to issue may have written secrets before. */
    private @Nullable String ownReport(Step step, Output output) {
        if (step == Step.ISSUE) {
            return null;
        }
        try {
            return protocol.answer(step, output.out()).report();
        } catch (Protocol.Unreadable e) {
            return null;
        }
    }

    private static @Nullable String messages(Output output) {
        return Protocol.reportOf(null, output.err());
    }

    private static String seconds(Duration time) {
        return time.toMillis() % 1000 == 0 ? time.toSeconds() + " s" : time.toMillis() + " ms";
    }

    /** Without a step that issues access, the record's own secrets are what there is to hand out. */
    @Override
    public @Nullable Map<String, Object> standingCredentials(String environment, @Nullable String profile) {
        Map<String, String> given = secretsOf(environment).of(profile);
        return steps().contains(Step.ISSUE) || given.isEmpty() ? null : Map.copyOf(given);
    }

    private Secrets secretsOf(String environment) {
        return secrets.getOrDefault(environment, Secrets.NONE);
    }

    /** A program works on the environment whatever the profile, so it has the record's too. */
    private Map<String, String> secretsFor(Task task) {
        Secrets known = secretsOf(task.environment());
        Map<String, String> all = new TreeMap<>(known.own());
        if (task.holder() != null && task.holder().profile() != null) {
            all.putAll(known.of(task.holder().profile()));
        }
        return all;
    }

    @Override
    public boolean fence(String claim) {
        try {
            return claim.startsWith(workers) && programs.end(claim);
        } catch (IOException e) {
            throw new UncheckedIOException("the record of claim " + claim + " cannot be read", e);
        }
    }
}
