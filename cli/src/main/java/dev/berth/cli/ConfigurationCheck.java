package dev.berth.cli;

import dev.berth.providers.Kind;
import dev.berth.providers.aws.AwsKind;
import dev.berth.providers.command.CommandKind;
import dev.berth.providers.fixed.FixedKind;
import dev.berth.server.config.Configuration;
import dev.berth.server.config.ConfigurationFile;
import dev.berth.server.config.ConfigurationInvalid;
import dev.berth.server.config.ConfigurationParser;
import dev.berth.server.config.Mistake;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** Reads a configuration as the service would. Apart from its command, so that no other command loads the reader. */
final class ConfigurationCheck {
    private final Surroundings around;

    ConfigurationCheck(Surroundings around) {
        this.around = around;
    }

    int check(Path path) {
        ConfigurationFile file = new ConfigurationFile(path);
        try {
            // The records of running programs are made when a program first runs: none does here.
            Path unused = file.folder().resolve("runs");
            List<Kind> kinds =
                    List.of(new FixedKind(), new CommandKind(file.folder(), unused, "", around.env()), new AwsKind());
            Configuration configuration =
                    ConfigurationParser.parse(file.read().text(), file.folder(), around.env()::get, kinds);
            for (String warning : configuration.warnings()) {
                around.err().println("berth: warning: " + Text.clean(warning));
            }
            long environments = configuration.pools().values().stream()
                    .mapToLong(pool -> pool.environments().size())
                    .sum();
            around.out()
                    .println(path + " is good: " + counted(configuration.pools().size(), "pool") + ", "
                            + counted(environments, "environment"));
            return ExitCode.OK;
        } catch (IOException e) {
            throw new CliFailure(ExitCode.BAD_CONFIGURATION, String.valueOf(e.getMessage()), e);
        } catch (ConfigurationInvalid e) {
            for (Mistake mistake : e.mistakes()) {
                around.err().println(path + ": " + Text.clean(mistake.toString()));
            }
            if (e.untold() > 0) {
                around.err().println(path + ": and " + e.untold() + " more mistakes");
            }
            return ExitCode.BAD_CONFIGURATION;
        }
    }

    private static String counted(long count, String what) {
        return count + " " + what + (count == 1 ? "" : "s");
    }
}
