package dev.berth.cli;

import dev.berth.client.Allocation;
import dev.berth.client.AllocationState;
import dev.berth.client.BerthClient;
import dev.berth.client.BerthUnreachable;
import dev.berth.client.Pool;
import dev.berth.client.PoolList;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code berth status}. */
@Command(
        name = "status",
        header = "Show the pools: what is free, held, in clean-up, dirty, and who waits; or one allocation.",
        description = "%nOf an allocation: its state, deadlines and environments, with the access to them where it is"
                + " yours or kept for you; while it waits, its position, when it is granted in half of all cases and"
                + " in 9 of 10, and what it waits for.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  berth status",
            "  berth status --watch",
            "  berth status \"$ID\"",
            "  berth status -o json | jq '.pools[].queue, .waiting'"
        })
final class StatusCommand extends ServiceCommand {
    private static final Duration PERIOD = Duration.ofSeconds(2);
    /** Goes to the top of the terminal and empties it. */
    private static final String CLEAR = "\u001b[H\u001b[J";

    private static final List<String> HEADER = List.of(
            "POOL",
            "PROVIDER",
            "TOTAL",
            "AVAILABLE",
            "ALLOCATED",
            "CLEANING",
            "CHECKING",
            "DIRTY",
            "RETIRING",
            "QUEUE",
            "OLDEST",
            "P50 WAIT",
            "P90 WAIT",
            "USED");

    @Mixin
    private final OutputOption output = new OutputOption();

    @Option(
            names = {"-w", "--watch"},
            description = "Show it anew every 2 s, until Ctrl-C.")
    private boolean watch;

    @Parameters(arity = "0..1", paramLabel = "ID", description = "The allocation to show.")
    private @Nullable String id;

    StatusCommand(Surroundings around) {
        super(around);
    }

    @Override
    public Integer call() throws InterruptedException {
        BerthClient client = service.client(watch ? Duration.ZERO : Duration.ofSeconds(5));
        if (!watch) {
            show(client, "");
            return ExitCode.OK;
        }
        while (!around.out().checkError()) {
            try {
                if (show(client, around.liveOut() && !output.json() ? CLEAR : "")) {
                    return ExitCode.OK;
                }
            } catch (BerthUnreachable e) {
                // Watching outlives a restart of the service.
                around.err().println("berth: " + e.getMessage());
            }
            Thread.sleep(PERIOD);
        }
        return ExitCode.OK;
    }

    /**
     * Shows it once.
     *
     * @param before what to print first, once the answer is there
     * @return whether nothing will change any more
     */
    private boolean show(BerthClient client, String before) {
        if (id != null) {
            Allocation allocation = client.allocation(id);
            around.out().print(before);
            output.print(around, allocation.json(), () -> AllocationText.lines(allocation));
            return allocation.state() == AllocationState.ENDED;
        }
        PoolList pools = client.pools();
        Waiting waiting = Waiting.of(client, pools);
        around.out().print(before);
        output.print(around, waiting.json(pools), () -> {
            List<String> lines = new ArrayList<>(table(pools.pools()));
            lines.addAll(waiting.lines());
            return lines;
        });
        return false;
    }

    static List<String> table(List<Pool> pools) {
        if (pools.isEmpty()) {
            return List.of("no pools");
        }
        boolean withholds = pools.stream().anyMatch(pool -> pool.withheld() > 0);
        List<String> header = new ArrayList<>(HEADER);
        if (withholds) {
            header.add(header.indexOf("DIRTY"), "WITHHELD");
        }
        List<List<String>> rows = new ArrayList<>();
        for (Pool pool : pools) {
            List<String> row = new ArrayList<>(List.of(
                    pool.name(),
                    pool.provider(),
                    Long.toString(pool.total()),
                    Long.toString(pool.available()),
                    Long.toString(pool.allocated()),
                    Long.toString(pool.cleaning()),
                    Long.toString(pool.checking()),
                    Long.toString(pool.dirty()),
                    Long.toString(pool.retiring()),
                    Long.toString(pool.queueLength()),
                    seconds(pool.queueOldestSeconds()),
                    seconds(pool.waitP50Seconds()),
                    seconds(pool.waitP90Seconds()),
                    pool.utilisation() == null ? "-" : String.format(Locale.ROOT, "%.0f%%", pool.utilisation() * 100)));
            if (withholds) {
                row.add(header.indexOf("WITHHELD"), Long.toString(pool.withheld()));
            }
            rows.add(row);
        }
        return Text.table(header, rows);
    }

    private static String seconds(@Nullable Double seconds) {
        return seconds == null ? "-" : Text.duration(Duration.ofMillis(Math.round(seconds * 1000)));
    }
}
