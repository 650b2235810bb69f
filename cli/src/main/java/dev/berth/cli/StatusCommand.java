package dev.berth.cli;

import dev.berth.client.BerthClient;
import dev.berth.client.BerthUnreachable;
import dev.berth.client.Pool;
import dev.berth.client.PoolList;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code berth status}. */
@Command(
        name = "status",
        header = "Show the pools: what is free, held, in clean-up, dirty, and who waits.",
        footerHeading = "%nExamples:%n",
        footer = {"  berth status", "  berth status --watch", "  berth status -o json | jq '.pools[].queue'"})
final class StatusCommand implements Callable<Integer> {
    private static final Duration PERIOD = Duration.ofSeconds(2);
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

    private final Surroundings around;

    @Mixin
    private final ServiceOptions service;

    @Mixin
    private final OutputOption output = new OutputOption();

    @Option(
            names = {"-w", "--watch"},
            description = "Show it anew every 2 s, until Ctrl-C.")
    private boolean watch;

    StatusCommand(Surroundings around) {
        this.around = around;
        this.service = new ServiceOptions(around);
    }

    @Override
    public Integer call() throws InterruptedException {
        BerthClient client = service.client(watch ? Duration.ZERO : Duration.ofSeconds(5));
        if (!watch) {
            print(client.pools());
            return ExitCode.OK;
        }
        while (!around.out().checkError()) {
            show(client);
            Thread.sleep(PERIOD);
        }
        return ExitCode.OK;
    }

    private void show(BerthClient client) {
        try {
            PoolList pools = client.pools();
            if (around.liveOut() && !output.json()) {
                around.out().print("\u001b[H\u001b[J");
            }
            print(pools);
        } catch (BerthUnreachable e) {
            // Watching outlives a restart of the service.
            around.err().println("berth: " + e.getMessage());
        }
    }

    private void print(PoolList pools) {
        if (output.json()) {
            around.out().println(Json.pretty(pools.json()));
        } else if (pools.pools().isEmpty()) {
            around.out().println("no pools");
        } else {
            table(pools.pools()).forEach(around.out()::println);
        }
    }

    static List<String> table(List<Pool> pools) {
        List<List<String>> rows = new ArrayList<>();
        for (Pool pool : pools) {
            rows.add(List.of(
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
        }
        return Text.table(HEADER, rows);
    }

    private static String seconds(@Nullable Double seconds) {
        return seconds == null ? "-" : Text.duration(Duration.ofMillis(Math.round(seconds * 1000)));
    }
}
