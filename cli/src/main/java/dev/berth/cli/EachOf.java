package dev.berth.cli;

import java.util.List;
import java.util.function.Consumer;

/** Does something for each of several names; one that fails does not keep the others from their turn. */
final class EachOf {
    private final Failures failures;

    EachOf(Surroundings around) {
        this.failures = new Failures(around);
    }

    /** The exit code of the first failure, or 0. */
    int apply(List<String> names, Consumer<String> each) {
        int code = ExitCode.OK;
        for (String name : names) {
            try {
                each.accept(name);
            } catch (RuntimeException e) {
                int failed = failures.report(e);
                code = code == ExitCode.OK ? failed : code;
            }
        }
        return code;
    }
}
