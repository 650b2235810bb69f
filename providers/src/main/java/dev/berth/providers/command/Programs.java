package dev.berth.providers.command;

import dev.berth.providers.command.ProcessTree.Root;
import dev.berth.providers.command.RunRecords.Leader;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Runs programs so that nothing of them is ever left: each in a session of its own, recorded before it executes anything.
 *
 * <p>A program starts behind a gate, a shell that waits for one word on standard input and then becomes the program. The word is
 * sent when the record is on disk and the claim was found good after that. Killed at any instant before, this process leaves a gate
 * that reads the end of its input and ends; killed after it, a record.
 */
final class Programs {
    static final int OUT_LIMIT = 64 << 10;
    static final int ERR_LIMIT = 16 << 10;

    /** POSIX: {@code read} takes no byte beyond the line, so the program finds its own input whole. */
    static final String GATE = "IFS= read -r go && [ \"$go\" = go ] && exec \"$@\"; exit 126";

    /** How often a running program's claim is looked at. */
    private static final Duration CLAIM_CHECK = Duration.ofMillis(250);

    /** Outputs end at once when all writers are gone; what holds one open longer was not found. */
    private static final Duration OUTPUT_END = Duration.ofSeconds(2);

    private final RunRecords records;
    private final ProcessTable table;
    private final ProcessTree tree;
    private final @Nullable Path setsid;

    Programs(RunRecords records, ProcessTable table) {
        this.records = records;
        this.table = table;
        this.tree = new ProcessTree(table);
        this.setsid = List.of("/usr/bin/setsid", "/bin/setsid", "/usr/local/bin/setsid").stream()
                .map(Path::of)
                .filter(Files::isExecutable)
                .findFirst()
                .orElse(null);
    }

    /**
     * What to run.
     *
     * @param program the program
     * @param environment all of its variables; {@link Environment#CLAIM} among them
     * @param input its standard input
     * @param claim its claim
     * @param claimHeld whether the claim is still good
     * @param working how long it may run before it is asked to end
     * @param grace how long it then has before it is killed
     */
    record Job(
            Program program,
            Map<String, String> environment,
            String input,
            String claim,
            BooleanSupplier claimHeld,
            Duration working,
            Duration grace) {}

    /** How it went. */
    sealed interface Outcome {

        /** What it wrote: the first of standard output, the last of standard error. */
        record Output(Capture.Part out, Capture.Part err) {}

        /** It was never executed, for a reason of this machine's. */
        record NotRun(String reason) implements Outcome {}

        /** It ended by itself; 128 and more is a signal's number, as shells tell it. */
        record Exited(int code, Output output) implements Outcome {}

        /** It was stopped at the end of its time. */
        record OutOfTime(Output output) implements Outcome {}

        /** It was stopped, or never begun, because its claim was lost. */
        record ClaimLost(Output output) implements Outcome {}

        /** Something of it may still run: another user's process, or one that hangs in the kernel. */
        record NotEnded(String what, Output output) implements Outcome {}
    }

    /** A program that waits behind its gate. */
    private record Waiting(Root root, Capture out, Capture err) {}

    private enum End {
        EXITED,
        OUT_OF_TIME,
        CLAIM_LOST
    }

    /**
     * Runs a program to its end and that of everything it started.
     *
     * @throws InterruptedException when interrupted, after all of it was killed
     */
    Outcome run(Job job) throws InterruptedException {
        long deadline = System.nanoTime() + job.working().toNanos();
        Process process;
        try {
            process = start(job);
        } catch (IOException e) {
            return new Outcome.NotRun("could not be started: " + e.getMessage());
        }
        Waiting waiting;
        try {
            waiting = watch(process, job);
        } catch (RuntimeException | Error e) {
            // Out of threads or file handles. Behind its gate it is one process yet.
            process.destroyForcibly();
            throw e;
        }
        Root root = waiting.root();
        Capture out = waiting.out();
        Capture err = waiting.err();
        List<Long> left = new ArrayList<>();
        Duration grace = Duration.ZERO;
        End end;
        try {
            if (root.leader() == null) {
                return new Outcome.NotRun("could not be started: its process went away");
            }
            try {
                records.write(job.claim(), root.leader());
            } catch (IOException e) {
                return new Outcome.NotRun("could not be recorded before its start: " + e);
            }
            if (!job.claimHeld().getAsBoolean()) {
                return new Outcome.ClaimLost(output(out, err));
            }
            openGate(process, job);
            end = await(process, job, deadline);
            grace = end == End.OUT_OF_TIME ? job.grace() : Duration.ZERO;
        } finally {
            left.addAll(finish(root, grace));
        }
        if (!left.isEmpty()) {
            return new Outcome.NotEnded("processes " + left + " could not be ended", output(out, err));
        }
        boolean closed = out.ended(OUTPUT_END) && err.ended(OUTPUT_END);
        Outcome.Output output = output(out, err);
        return switch (end) {
            case OUT_OF_TIME -> new Outcome.OutOfTime(output);
            case CLAIM_LOST -> new Outcome.ClaimLost(output);
            case EXITED ->
                closed
                        ? new Outcome.Exited(process.waitFor(), output)
                        : new Outcome.NotEnded("a process that hides from us still holds its output", output);
        };
    }

    /**
     * Ends everything that was started under a claim, by this process or an earlier one on this machine, and forgets it.
     *
     * @return whether all of it is gone
     */
    boolean end(String claim) throws IOException {
        Root root = new Root(claim, records.read(claim).orElse(null), false);
        boolean gone = tree.end(root, Duration.ZERO).isEmpty();
        if (gone) {
            records.delete(claim);
        }
        return gone;
    }

    List<String> recorded() throws IOException {
        return records.claims();
    }

    private Process start(Job job) throws IOException {
        List<String> words = new ArrayList<>();
        if (setsid != null) {
            // It forks only where it already leads a process group, which a child of the JDK never does: the number
            // stays the same.
            words.add(setsid.toString());
        }
        words.addAll(List.of("/bin/sh", "-c", GATE, "berth-gate"));
        words.addAll(job.program().words());
        ProcessBuilder builder =
                new ProcessBuilder(words).directory(job.program().directory().toFile());
        builder.environment().clear();
        builder.environment().putAll(job.environment());
        return builder.start();
    }

    private Waiting watch(Process process, Job job) {
        Leader leader = table.find(process.pid())
                .map(row -> new Leader(table.boot(), row.pid(), row.start()))
                .orElse(null);
        String name = "berth-command " + job.claim();
        return new Waiting(
                new Root(job.claim(), leader, true),
                Capture.start(process.getInputStream(), Capture.Keep.FIRST, OUT_LIMIT, name + " out"),
                Capture.start(process.getErrorStream(), Capture.Keep.LAST, ERR_LIMIT, name + " err"));
    }

    /** On a thread of its own, since a program that does not read lets a write wait; it ends when all readers have. */
    private static void openGate(Process process, Job job) {
        Thread.ofPlatform()
                .daemon()
                .name("berth-command " + job.claim() + " in")
                .start(() -> {
                    try (OutputStream in = process.getOutputStream()) {
                        in.write(("go\n" + job.input()).getBytes(StandardCharsets.UTF_8));
                    } catch (IOException e) {
                        // It ended, or closed its input, without reading all: its right.
                    }
                });
    }

    private static End await(Process process, Job job, long deadline) throws InterruptedException {
        while (true) {
            long left = deadline - System.nanoTime();
            if (process.waitFor(Math.min(Math.max(left, 0), CLAIM_CHECK.toNanos()), TimeUnit.NANOSECONDS)) {
                return End.EXITED;
            }
            if (deadline - System.nanoTime() <= 0) {
                return End.OUT_OF_TIME;
            }
            if (!job.claimHeld().getAsBoolean()) {
                return End.CLAIM_LOST;
            }
        }
    }

    /** Keeps the record of what could not be ended, for the next try. */
    private List<Long> finish(Root root, Duration grace) {
        List<Long> left = tree.end(root, grace);
        if (left.isEmpty()) {
            try {
                records.delete(root.claim());
            } catch (IOException e) {
                // A record of something that is gone does no harm: its start time belongs to no process any more.
            }
        }
        return left;
    }

    private static Outcome.Output output(Capture out, Capture err) {
        return new Outcome.Output(out.part(), err.part());
    }
}
