package dev.berth.cli;

import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code berth completion}. */
@Command(
        name = "completion",
        header = "Print a script that completes berth's commands and options in a shell.",
        footerHeading = "%nExamples:%n",
        footer = {"  source <(berth completion bash)", "  source <(berth completion zsh)"})
final class CompletionCommand implements Callable<Integer> {
    /** The shells that the script is for. */
    enum Shell {
        /** The GNU shell. */
        BASH,
        /** The Z shell, which runs the same script by its bashcompinit. */
        ZSH
    }

    private final Surroundings around;

    @Spec
    private @org.jspecify.annotations.Nullable CommandSpec spec;

    @Parameters(paramLabel = "bash|zsh", description = "The shell.")
    private Shell shell = Shell.BASH;

    CompletionCommand(Surroundings around) {
        this.around = around;
    }

    @Override
    public Integer call() {
        if (spec == null) {
            throw new IllegalStateException("picocli did not set the command's model");
        }
        CommandLine root = spec.root().commandLine();
        if (shell == Shell.ZSH) {
            around.out().println("autoload -U +X compinit && compinit");
            around.out().println("autoload -U +X bashcompinit && bashcompinit");
        }
        around.out().println(AutoComplete.bash("berth", root));
        return ExitCode.OK;
    }
}
