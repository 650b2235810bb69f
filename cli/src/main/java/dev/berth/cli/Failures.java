package dev.berth.cli;

import dev.berth.client.AllocationEnded;
import dev.berth.client.BerthProblem;
import dev.berth.client.BerthUnreachable;
import dev.berth.client.MalformedReply;
import dev.berth.server.app.StartRefusedException;
import java.io.PrintStream;
import java.util.stream.Collectors;

/** The one place that turns a failure into words and an exit code. */
final class Failures {
    private final Surroundings around;

    Failures(Surroundings around) {
        this.around = around;
    }

    int report(Throwable failure) {
        PrintStream err = around.err();
        int code = code(failure);
        if (code == ExitCode.DEFECT && !(failure instanceof BerthProblem) && !(failure instanceof CliFailure)) {
            // Nobody foresaw it: where it happened is all that there is to tell, and is told nowhere else.
            err.println("berth: a defect of berth's own, please report it: " + failure);
            failure.printStackTrace(err);
            return code;
        }
        err.println("berth: "
                + String.valueOf(failure.getMessage()).lines().map(Text::clean).collect(Collectors.joining("\n")));
        if (failure instanceof BerthProblem problem) {
            for (BerthProblem.FieldError error : problem.errors()) {
                String line = (error.line() == null ? "" : "line " + error.line() + ": ")
                        + (error.field() == null ? "" : error.field() + ": ")
                        + error.message();
                // A single mistake is most often the message itself.
                if (!line.equals(problem.message())) {
                    err.println("  " + Text.clean(line));
                }
            }
            String again = problem.retryAfter()
                    .map(pause -> ", ask again in " + Text.duration(pause))
                    .orElse("");
            String request = problem.requestId().map(id -> ", request " + id).orElse("");
            if (!again.isEmpty() || !request.isEmpty()) {
                err.println(Text.clean("  (" + problem.code() + again + request + ")"));
            }
        }
        return code;
    }

    static int code(Throwable failure) {
        return switch (failure) {
            case CliFailure known -> known.exitCode();
            case StartRefusedException refused -> refused.exitCode();
            case BerthProblem problem -> code(problem);
            case AllocationEnded ended -> code(ended);
            case BerthUnreachable unreachable -> ExitCode.UNAVAILABLE;
            case MalformedReply malformed -> ExitCode.UNAVAILABLE;
            default -> ExitCode.DEFECT;
        };
    }

    private static int code(AllocationEnded ended) {
        String reason = ended.allocation().endReason();
        if ("unsatisfiable".equals(reason)) {
            return ExitCode.USAGE;
        }
        return "access-failed".equals(reason) ? ExitCode.UNAVAILABLE : ExitCode.NOTHING_FREE;
    }

    private static int code(BerthProblem problem) {
        return switch (problem.code()) {
            case "configuration-invalid", "mass-removal" -> ExitCode.BAD_CONFIGURATION;
            case "extend-not-allowed", "hold-not-allowed" -> ExitCode.NOT_ALLOWED;
            case "not-waiting" -> ExitCode.USAGE;
            case "lease-lost" -> ExitCode.LEASE_LOST;
            default ->
                switch (problem.status()) {
                    case 401, 403 -> ExitCode.NOT_ALLOWED;
                    case 409, 423, 429 -> ExitCode.NOTHING_FREE;
                    case 410 -> ExitCode.LEASE_LOST;
                    case 502, 503, 504 -> ExitCode.UNAVAILABLE;
                    default -> problem.status() >= 500 ? ExitCode.DEFECT : ExitCode.USAGE;
                };
        };
    }
}
