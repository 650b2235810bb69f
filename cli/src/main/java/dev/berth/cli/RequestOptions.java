package dev.berth.cli;

import dev.berth.client.AllocationRequest;
import java.time.Duration;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What {@code run} and {@code allocate} ask for. */
final class RequestOptions {
    @Option(names = "--pool", required = true, paramLabel = "POOL", description = "The pool to take from.")
    private String pool = "";

    @Option(
            names = "--count",
            paramLabel = "N",
            description = "How many environments, all or none. Default: ${DEFAULT-VALUE}.",
            defaultValue = "1")
    private int count = 1;

    @Option(
            names = "--duration",
            paramLabel = "TIME",
            converter = DurationConverter.class,
            description = "How long it may last at most, like 90m. Default: the pool's session.")
    private @Nullable Duration duration;

    @Option(
            names = "--requester",
            paramLabel = "TEXT",
            description = "Who asks, shown to others. Default: the CI job's URL, else user@host.")
    private @Nullable String requester;

    AllocationRequest.Builder request(Map<String, String> env) {
        if (count < 1) {
            throw new CliFailure(ExitCode.USAGE, "--count must be at least 1");
        }
        if (pool.isEmpty() || (requester != null && requester.isEmpty())) {
            throw new CliFailure(ExitCode.USAGE, "--pool and --requester must not be empty");
        }
        return AllocationRequest.of(pool, requester == null ? Requester.of(env) : requester)
                .count(count)
                .duration(duration);
    }
}
