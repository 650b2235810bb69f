package dev.berth.cli;

import dev.berth.client.Allocation;
import dev.berth.client.BerthClient;
import dev.berth.client.BerthProblem;
import dev.berth.client.BerthUnreachable;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code berth allocate}: environments that stay held after the command ended. */
@Command(
        name = "allocate",
        header = "Take environments of a pool and print the access to them.",
        description = "%nThey stay held until they are released, their session ends, or, with --keepalive, no sign of"
                + " life comes any more ('berth keepalive'). 'berth run' does all that by itself.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  berth allocate --pool scratch",
            "  berth allocate --pool release --count 2 --distinct account --wait 10m --output json",
            "  berth allocate --pool lab --need arch=arm64 --need 'size=[\"s\",\"m\"]' --access readonly",
            "  id=$(berth allocate --pool scratch -o json | jq -r .id); …; berth release \"$id\""
        })
final class AllocateCommand extends ServiceCommand {
    @Mixin
    private final RequestOptions request = new RequestOptions();

    @Mixin
    private final OutputOption output = new OutputOption();

    @Option(
            names = "--wait",
            paramLabel = "TIME",
            converter = DurationConverter.class,
            description = "How long to wait at most. Default: not at all.")
    private @Nullable Duration wait;

    @Option(
            names = "--keepalive",
            paramLabel = "TIME",
            converter = DurationConverter.class,
            description = "After how long without a sign of life they are taken back. Default: the pool's.")
    private @Nullable Duration keepalive;

    AllocateCommand(Surroundings around) {
        super(around);
    }

    @Override
    public Integer call() {
        var asked = request.request(around.env())
                .maxWait(wait == null || wait.isZero() ? null : wait)
                .keepalive(keepalive)
                .build();
        AtomicReference<@Nullable Sig> received = new AtomicReference<>();
        Thread waiter = Thread.currentThread();
        Signals.handle(signal -> {
            received.compareAndSet(null, signal);
            waiter.interrupt();
        });
        BerthClient client = service.client();
        try (Progress progress = Progress.start(around, asked.pool())) {
            Allocation allocation = client.acquire(asked, progress);
            output.print(around, allocation.json(), () -> AllocationText.lines(allocation));
            return ExitCode.OK;
        } catch (BerthProblem e) {
            throw PoolNames.told(e, client);
        } catch (BerthUnreachable e) {
            Sig signal = received.get();
            if (signal != null) {
                return signal.exitCode();
            }
            throw e;
        }
    }
}
