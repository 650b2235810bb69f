package dev.berth.cli;

import dev.berth.client.Allocation;
import dev.berth.client.AllocationRequest;
import dev.berth.client.BerthClient;
import dev.berth.client.BerthProblem;
import dev.berth.client.BerthUnreachable;
import dev.berth.client.Lease;
import dev.berth.client.LeaseLoss;
import dev.berth.client.LentEnvironment;
import dev.berth.client.MalformedReply;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One {@code berth run}: wait, run the command under a lease, release on every path. Signals may come at any moment on
 * another thread: before the command runs they end the wait, afterwards they are passed on and the command decides.
 */
final class RunSession {
    /** How long a command has to end after SIGTERM when its lease is lost. */
    private static final Duration GRACE = Duration.ofSeconds(10);

    private final Surroundings around;
    private final BerthClient client;
    private final AllocationRequest request;
    private final List<String> command;
    private final boolean staticCredentials;
    private final @Nullable Handover handover;

    /** Guards the three below. */
    private final Object turn = new Object();

    private @Nullable Sig received;
    private @Nullable Thread waiter;
    private @Nullable Process process;

    /**
     * What came of the command.
     *
     * @param code the exit code
     * @param ran whether it ran to its own end
     */
    private record Ending(int code, boolean ran) {
        static final Ending NONE = new Ending(ExitCode.DEFECT, false);
    }

    /**
     * What is to be run.
     *
     * @param staticCredentials whether credentials of AWS are handed over as plain variables
     */
    record Wrapped(List<String> command, boolean staticCredentials) {
        Wrapped {
            command = List.copyOf(command);
        }
    }

    /** @param handover for whom the environments are kept where the command fails; null for nobody */
    RunSession(
            Surroundings around,
            BerthClient client,
            AllocationRequest request,
            Wrapped wrapped,
            @Nullable Handover handover) {
        this.around = around;
        this.client = client;
        this.request = request;
        this.command = wrapped.command();
        this.staticCredentials = wrapped.staticCredentials();
        this.handover = handover;
    }

    /** Runs to the end and tells the exit code; a failure before the command ran is thrown. */
    int run() {
        Allocation allocation = acquire();
        if (allocation == null) {
            return signalled();
        }
        try (Lease lease = Lease.of(client, allocation, request.keepalive())) {
            Ending ending = Ending.NONE;
            try {
                ending = work(lease);
                return ending.code();
            } finally {
                finish(lease, ending);
            }
        }
    }

    /** Takes a signal; called on a thread of the JVM's. */
    void signal(Sig signal) {
        synchronized (turn) {
            boolean first = received == null;
            if (first) {
                received = signal;
            }
            if (process != null) {
                forward(signal, process);
            } else if (first && waiter != null) {
                // Once only: a second one would cut short the release that the first one led to.
                waiter.interrupt();
            }
        }
    }

    private static void forward(Sig signal, Process process) {
        // Ctrl-C: the terminal has signalled the command too, and many programs take a second one as "at once".
        if (signal == Sig.TERM || !Terminal.inForeground()) {
            Signals.send(signal, process.toHandle());
        }
    }

    private @Nullable Allocation acquire() {
        synchronized (turn) {
            if (received != null) {
                return null;
            }
            waiter = Thread.currentThread();
        }
        try (Progress progress = Progress.start(around, request.pool())) {
            return client.acquire(request, progress);
        } catch (BerthProblem e) {
            throw PoolNames.told(e, client);
        } catch (BerthUnreachable e) {
            if (receivedAny()) {
                return null;
            }
            throw e;
        } finally {
            synchronized (turn) {
                waiter = null;
                // A signal that came as the wait ended left this mark; from here on the field alone tells of it.
                Thread.interrupted();
            }
        }
    }

    private Ending work(Lease lease) {
        Allocation allocation = lease.allocation();
        try (AccessFile access = AccessFile.write(allocation, around.env());
                AwsAccess aws = AwsAccess.open(client, allocation, staticCredentials)) {
            around.err()
                    .println("berth: got " + names(allocation) + " of pool " + allocation.pool()
                            + (allocation.expiresIn() == null ? "" : " for " + Text.duration(allocation.expiresIn())));
            ProcessBuilder builder = new ProcessBuilder(command).inheritIO();
            aws.apply(builder.environment(), access.variables(allocation));
            Process started = start(builder);
            return started == null ? new Ending(signalled(), false) : await(started, lease);
        } catch (CannotStart e) {
            around.err().println("berth: cannot run " + Text.clean(command.getFirst()) + ": " + e.getMessage());
            return new Ending(e.found ? ExitCode.CANNOT_RUN : ExitCode.NO_SUCH_COMMAND, false);
        } catch (IOException e) {
            throw new CliFailure(ExitCode.DEFECT, "cannot hand over the access: " + e.getMessage(), e);
        }
    }

    private @Nullable Process start(ProcessBuilder builder) throws CannotStart {
        synchronized (turn) {
            if (received != null) {
                return null;
            }
            try {
                process = builder.start();
            } catch (IOException e) {
                throw new CannotStart(String.valueOf(e.getMessage()), onPath(command.getFirst()));
            }
            return process;
        }
    }

    private boolean onPath(String name) {
        if (name.contains("/")) {
            return Files.exists(Path.of(name));
        }
        return Stream.of(around.env().getOrDefault("PATH", "").split(":", -1))
                .anyMatch(folder -> Files.exists(Path.of(folder, name)));
    }

    private Ending await(Process running, Lease lease) {
        CompletableFuture<LeaseLoss> lost = lease.lost();
        try {
            CompletableFuture.anyOf(running.onExit(), lost).get();
            if (!running.isAlive()) {
                return new Ending(running.exitValue(), true);
            }
            LeaseLoss loss = lost.get();
            around.err().println("berth: the lease was lost, stopping the command: " + Text.clean(loss.message()));
            stop(running);
            return new Ending(ExitCode.LEASE_LOST, false);
        } catch (InterruptedException e) {
            stop(running);
            throw new IllegalStateException("interrupted without a signal", e);
        } catch (ExecutionException e) {
            stop(running);
            throw new IllegalStateException("the wait for the command failed", e);
        }
    }

    /** Ends the command and all that it started: its environment may be somebody else's by now. */
    static void stop(Process running) {
        List<ProcessHandle> tree = tree(running);
        tree.forEach(ProcessHandle::destroy);
        try {
            CompletableFuture.allOf(tree.stream().map(ProcessHandle::onExit).toArray(CompletableFuture<?>[]::new))
                    .get(GRACE.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException | ExecutionException e) {
            // Those that are left are killed below.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        Stream.concat(tree.stream(), tree(running).stream())
                .filter(ProcessHandle::isAlive)
                .forEach(ProcessHandle::destroyForcibly);
    }

    private static List<ProcessHandle> tree(Process running) {
        return Stream.concat(Stream.of(running.toHandle()), running.descendants())
                .toList();
    }

    private static String names(Allocation allocation) {
        return allocation.environments().stream()
                .map(LentEnvironment::name)
                .map(Text::clean)
                .collect(Collectors.joining(", "));
    }

    private void finish(Lease lease, Ending ending) {
        boolean interrupted = receivedAny();
        // A command that was interrupted, or that never ran, left nothing to be looked at.
        boolean failed = ending.ran() && ending.code() != 0 && !interrupted;
        if (handover == null || !failed || !keep(lease, ending.code(), handover)) {
            release(lease, interrupted ? "interrupted" : ending.code() == 0 ? "success" : "failure");
        }
    }

    private boolean keep(Lease lease, int code, Handover handover) {
        String names = names(lease.allocation());
        try {
            Allocation held = lease.hold(handover.longest(), "failure", handover.to());
            String id = Text.clean(held.id());
            around.err()
                    .println("berth: the command failed (exit code " + code + "); kept" + handover.until(held) + ": "
                            + names);
            around.err().println("  'berth status " + id + "' shows its access, 'berth release " + id + "' ends it");
            return true;
        } catch (BerthProblem | BerthUnreachable | MalformedReply | CliFailure e) {
            around.err()
                    .println("berth: could not keep " + names + handover.whom() + ", releasing: "
                            + Text.clean(String.valueOf(e.getMessage())));
            return false;
        }
    }

    private void release(Lease lease, String outcome) {
        try {
            lease.release(outcome);
        } catch (BerthProblem | BerthUnreachable | MalformedReply | CliFailure e) {
            Duration keepalive = request.keepalive();
            around.err()
                    .println("berth: could not release " + lease.allocation().id() + " ("
                            + Text.clean(String.valueOf(e.getMessage())) + "); it ends by itself"
                            + (keepalive == null ? "" : " within " + Text.duration(keepalive)));
        }
    }

    private boolean receivedAny() {
        synchronized (turn) {
            return received != null;
        }
    }

    private int signalled() {
        synchronized (turn) {
            if (received == null) {
                throw new IllegalStateException("no signal was received");
            }
            return received.exitCode();
        }
    }

    /** The command could not be started. */
    private static final class CannotStart extends Exception {
        private static final long serialVersionUID = 1L;

        private final boolean found;

        CannotStart(String message, boolean found) {
            super(message);
            this.found = found;
        }
    }
}
