package dev.berth.cli;

import dev.berth.client.EnvironmentAction;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.OptionSpec;

/** {@code berth} itself, and the tree of commands below it. */
@Command(
        name = "berth",
        header = "Lends out scarce environments, takes them back on time, cleans them and lends them again.",
        synopsisSubcommandLabel = "COMMAND",
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:done",
            "64:wrong command line or request",
            "69:the service is not reachable",
            "70:a defect of berth's own",
            "75:nothing was free in time, or not now",
            "77:not allowed",
            "78:bad configuration",
            "79:the lease was lost"
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  berth demo                                  see it work, on this machine",
            "  berth serve --config berth.yaml             run the service",
            "  berth run --pool scratch -- ./test.sh       run a test with an environment",
            "  berth status --watch                        see the pools"
        })
final class BerthCommand implements Runnable {
    static final String VERSION = "berth 0.1.0";

    @Override
    public void run() {
        throw new CliFailure(ExitCode.USAGE, "say what to do; 'berth --help' lists the commands");
    }

    /** The command line with everything on it. */
    static CommandLine tree(Surroundings around) {
        CommandLine root = new CommandLine(new BerthCommand());
        root.getCommandSpec()
                .version(VERSION)
                .addOption(OptionSpec.builder("-V", "--version")
                        .versionHelp(true)
                        .description("Show the version and exit.")
                        .build());
        root.addSubcommand(new DemoCommand(around));
        root.addSubcommand(new ServeCommand(around));
        // What follows the command's name belongs to the command, with '--' or without.
        root.addSubcommand(new CommandLine(new RunCommand(around)).setStopAtPositional(true));
        root.addSubcommand(new AllocateCommand(around));
        root.addSubcommand(new ReleaseCommand(around));
        root.addSubcommand(new ExtendCommand(around));
        root.addSubcommand(new HoldCommand(around));
        root.addSubcommand(new KeepaliveCommand(around));
        // So that -5 is a number and no option.
        root.addSubcommand(new CommandLine(new PriorityCommand(around)).setUnmatchedOptionsArePositionalParams(true));
        root.addSubcommand(new CredentialsCommand(around));
        root.addSubcommand(new StatusCommand(around));
        root.addSubcommand(environments(around));
        root.addSubcommand(new EventsCommand(around));
        root.addSubcommand(group(new ConfigCommand(), ConfigCommand.commands(around)));
        root.addSubcommand(group(new LoginCommand(), LoginCommand.commands(around)));
        root.addSubcommand(group(new TokenCommand(), TokenCommand.commands(around)));
        root.addSubcommand(group(new KeyCommand(), KeyCommand.commands(around)));
        root.addSubcommand(group(new StoreCommand(), StoreCommand.commands(around)));
        root.addSubcommand(new MigrateCommand(around));
        root.addSubcommand(new CompletionCommand(around));
        addHelp(root);
        root.setUsageHelpWidth(100);
        Failures failures = new Failures(around);
        root.setOut(new PrintWriter(around.out(), true, StandardCharsets.UTF_8));
        root.setErr(new PrintWriter(around.err(), true, StandardCharsets.UTF_8));
        root.setCaseInsensitiveEnumValuesAllowed(true);
        // An argument of a wrapped command may begin with '@' and still name no file of arguments.
        root.setExpandAtFiles(false);
        root.setExecutionExceptionHandler((failure, line, parsed) -> failures.report(failure));
        root.setParameterExceptionHandler((wrong, args) -> {
            CommandLine line = wrong.getCommandLine();
            around.err().println("berth: " + Text.clean(String.valueOf(wrong.getMessage())));
            around.err().println("See '" + line.getCommandSpec().qualifiedName() + " --help'.");
            return ExitCode.USAGE;
        });
        return root;
    }

    private static void addHelp(CommandLine line) {
        line.getCommandSpec()
                .addOption(OptionSpec.builder("-h", "--help")
                        .usageHelp(true)
                        .description("Show this help and exit.")
                        .build());
        line.getSubcommands().values().forEach(BerthCommand::addHelp);
    }

    private static CommandLine group(Object command, List<Object> below) {
        CommandLine line = new CommandLine(command);
        below.forEach(line::addSubcommand);
        return line;
    }

    private static CommandLine environments(Surroundings around) {
        CommandLine line = new CommandLine(new EnvironmentsCommand(around));
        for (EnvironmentAction action : EnvironmentAction.values()) {
            CommandLine act = new CommandLine(new EnvironmentsCommand.Act(around, action));
            act.getCommandSpec()
                    .usageMessage()
                    .header(EnvironmentsCommand.Act.header(action))
                    .footerHeading("%nExamples:%n")
                    .footer("  berth environments " + action.wire() + " scratch-1");
            line.addSubcommand(action.name().toLowerCase(Locale.ROOT), act);
        }
        line.addSubcommand(group(new BaselineCommand(), BaselineCommand.commands(around)));
        return line;
    }
}
