package dev.berth.cli;

import dev.berth.client.Allocation;
import dev.berth.client.AllocationState;
import dev.berth.client.BerthClient;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code berth credentials}: for the {@code credential_process} of an AWS profile. */
@Command(
        name = "credentials",
        header = "Print AWS credentials of an allocation, fresh where they expire soon, as a credential_process does.",
        description = "%nExit code 79 tells that the allocation has ended.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  berth credentials --allocation \"$ID\"",
            "  aws configure set profile.lent.credential_process \"berth credentials --allocation $ID\""
        })
final class CredentialsCommand extends ServiceCommand {
    /** More than any SDK wants to have left. */
    private static final Duration ENOUGH = Duration.ofMinutes(20);

    @Option(
            names = "--allocation",
            paramLabel = "ID",
            description = "The allocation. Default: BERTH_ALLOCATION, as under 'berth run'.")
    private @Nullable String allocation;

    @Option(
            names = "--environment",
            paramLabel = "NAME",
            description = "Which of its environments. Default: the first.")
    private @Nullable String environment;

    CredentialsCommand(Surroundings around) {
        super(around);
    }

    @Override
    public Integer call() {
        String id = allocation == null ? around.env().getOrDefault("BERTH_ALLOCATION", "") : allocation;
        if (id.isEmpty()) {
            throw new CliFailure(ExitCode.USAGE, "say which allocation: --allocation ID");
        }
        around.out().println(current(service.client(), id).processForm());
        return ExitCode.OK;
    }

    private AwsCredentials current(BerthClient client, String id) {
        Allocation known = client.allocation(id);
        if (known.state() == AllocationState.ACTIVE) {
            // Those that have expired are not shown.
            AwsCredentials issued = AwsCredentials.find(known, environment).orElse(null);
            if (issued != null
                    && (issued.expiration() == null
                            || Instant.now().plus(ENOUGH).isBefore(issued.expiration()))) {
                return issued;
            }
        }
        return AwsCredentials.of(client.credentials(id), environment);
    }
}
