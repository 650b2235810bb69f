package dev.berth.cli;

import dev.berth.client.BerthClient;
import dev.berth.client.BerthProblem;
import dev.berth.client.BerthUnreachable;
import dev.berth.client.MalformedReply;
import java.util.stream.Collectors;

/** Names the pools there are to who asked for one that is none. */
final class PoolNames {
    private static final int MOST = 20;

    private PoolNames() {}

    /** The same failure, with the names where it is about that and they are to be had. */
    static RuntimeException told(BerthProblem problem, BerthClient client) {
        if (!problem.code().equals("no-such-pool")) {
            return problem;
        }
        try {
            var pools = client.pools().pools();
            String names = pools.stream().limit(MOST).map(pool -> pool.name()).collect(Collectors.joining(", "));
            String hint = pools.isEmpty()
                    ? "you may use none here"
                    : "you may use " + names + (pools.size() > MOST ? ", …" : "");
            return new CliFailure(ExitCode.USAGE, problem.message() + ": " + hint, problem);
        } catch (BerthProblem | BerthUnreachable | MalformedReply _) {
            return problem; // the first failure is the one to tell
        }
    }
}
