package dev.berth.cli;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The data folder of a command that works on it itself, not through a service. */
final class DataOption {
    @Option(
            names = "--data",
            paramLabel = "DIR",
            description = "The data folder. Default: BERTH_DATA, else ~/.local/state/berth.")
    private @Nullable Path data;

    /** As an absolute path. */
    Path folder(Surroundings around) {
        return (data == null ? DataFolder.standard(around).path() : data).toAbsolutePath();
    }
}
