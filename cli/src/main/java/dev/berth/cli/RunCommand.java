package dev.berth.cli;

import dev.berth.client.AllocationRequest;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code berth run}: a command that holds environments for as long as it runs. */
@Command(
        name = "run",
        header = "Run a command with environments of a pool, and give them back when it ends.",
        description = {
            "%nWaits for the environments, runs COMMAND, and releases them however it ends: by success, failure,"
                    + " Ctrl-C or SIGTERM. Killed with -9, it holds nothing for longer than its keepalive of 60 s."
                    + " When the lease is lost, the command is stopped.",
            "%nWith --hold-on-failure, environments whose COMMAND ended by itself with another code than 0 are kept for"
                    + " persons, who may look at what went wrong: 'berth status ID' shows them the access, 'berth"
                    + " release ID' ends it. Where the service refuses that, they are released.",
            "%nCOMMAND gets BERTH_ALLOCATION (the id), BERTH_ACCESS_FILE (the allocation as JSON, readable by its user"
                    + " only, removed at the end) and the variables that the environment's provider names; those of a"
                    + " second environment end in _2, and so on.",
            "%nAWS credentials are handed over by an address on this machine and a secret that leads to them"
                    + " (AWS_CONTAINER_CREDENTIALS_FULL_URI, AWS_CONTAINER_AUTHORIZATION_TOKEN), where every AWS SDK asks"
                    + " for them again when they expire; they are renewed for as long as COMMAND runs. What would lead"
                    + " to other credentials is kept from COMMAND: variables, and the profiles in ~/.aws."
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "*:the command's own; 128 + N when signal N ended it",
            "64:wrong command line or request",
            "69:the service is not reachable",
            "75:nothing was free in time",
            "77:not allowed",
            "79:the lease was lost and the command was stopped"
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  berth run --pool scratch -- ./test.sh",
            "  berth run --pool release --count 2 --wait 30m --duration 90m -- make integration-test",
            "  berth run --pool lab --need arch=arm64 --need zone='*' --need 'size=[\"s\",\"m\"]' -- ./test.sh",
            "  berth run --pool lab --constraint region=us-east-1,eu-west-1 --label team=cli -- ./test.sh",
            "  berth run --pool lab --hold-on-failure 30m --hold-to alice,bob -- ./test.sh",
            "  berth run --pool scratch -- sh -c 'jq .connection \"$BERTH_ACCESS_FILE\"'"
        })
final class RunCommand extends ServiceCommand {
    @Mixin
    private final RequestOptions request = new RequestOptions();

    @Option(
            names = "--wait",
            paramLabel = "TIME",
            converter = DurationConverter.class,
            defaultValue = "10m",
            description = "How long to wait at most; 0s for not at all. Default: ${DEFAULT-VALUE}.")
    private Duration wait = Duration.ofMinutes(10);

    @Option(
            names = "--keepalive",
            paramLabel = "TIME",
            converter = DurationConverter.class,
            defaultValue = "60s",
            description = "After how long without a sign of life the environments are taken back, 10s at least."
                    + " Four signs are sent in that time. Default: ${DEFAULT-VALUE}.")
    private Duration keepalive = Duration.ofSeconds(60);

    @Option(
            names = "--static-credentials",
            description =
                    "Hand AWS credentials over as plain variables (AWS_ACCESS_KEY_ID and so on). They stop working"
                            + " when they expire, which may be before COMMAND ends.")
    private boolean staticCredentials;

    /** The second only with the first. */
    static final class OnFailure {
        @Option(
                names = "--hold-on-failure",
                required = true,
                paramLabel = "TIME",
                converter = DurationConverter.class,
                description = "Keep the environments for so long where COMMAND fails.")
        private Duration longest = Duration.ZERO;

        @Option(
                names = "--hold-to",
                paramLabel = "WHO[,WHO]",
                description = "The principals whom they are kept for, beside the one that asked for them.")
        private @Nullable String to;

        Handover handover() {
            return Handover.of("--hold-on-failure", longest, "--hold-to", to);
        }
    }

    @ArgGroup(exclusive = false)
    private @Nullable OnFailure onFailure;

    @Parameters(arity = "1..*", paramLabel = "COMMAND", description = "The command and its arguments, after '--'.")
    private List<String> command = List.of();

    RunCommand(Surroundings around) {
        super(around);
    }

    @Override
    public Integer call() {
        AllocationRequest asked =
                request.request(around.env()).maxWait(wait).keepalive(keepalive).build();
        Handover handover = onFailure == null ? null : onFailure.handover();
        RunSession session = new RunSession(
                around, service.client(), asked, new RunSession.Wrapped(command, staticCredentials), handover);
        Signals.handle(session::signal);
        return session.run();
    }
}
