package dev.berth.cli;

import dev.berth.client.BerthClient;
import dev.berth.server.app.BerthServer;
import dev.berth.server.app.ServeOptions;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code berth demo}: a service on this machine, and four jobs that want two environments. */
@Command(
        name = "demo",
        header = "See Berth work: a service on this machine, two environments, four jobs.",
        description = "%nThe environments are scratch folders (examples/scratch). One of the jobs is killed with -9"
                + " while it works. Afterwards the service stays up, to try things on.",
        footerHeading = "%nExamples:%n",
        footer = {"  berth demo", "  berth demo --exit"})
final class DemoCommand implements Callable<Integer> {
    private static final String HOST = "127.0.0.1";
    private static final int USUAL_PORT = 7117;

    private final Surroundings around;

    @Option(names = "--data", paramLabel = "DIR", description = "The data folder. Default: ~/.local/state/berth-demo.")
    private @Nullable Path data;

    @Option(names = "--exit", description = "End when the show is over.")
    private boolean exit;

    DemoCommand(Surroundings around) {
        this.around = around;
    }

    @Override
    public Integer call() throws Exception {
        Path folder = (data == null ? DataFolder.state(around).resolve("berth-demo") : data).toAbsolutePath();
        CountDownLatch stop = new CountDownLatch(1);
        Thread show = Thread.currentThread();
        // The show tells what matters; set before the first logger is made.
        System.setProperty("berth.log.level", System.getProperty("berth.log.level", "WARN"));
        try (BerthServer server =
                BerthServer.start(new ServeOptions(example(), folder, HOST, freePort(), null, null))) {
            Signals.handle(signal -> {
                stop.countDown();
                show.interrupt();
            });
            DataFolder own = new DataFolder(folder);
            String token = Files.readString(own.adminToken()).strip();
            BerthClient client = BerthClient.at(server.url()).token(() -> token).build();
            boolean well;
            introduce(server);
            try (Demo demo = new Demo(around, client, folder)) {
                well = demo.show();
            }
            if (!exit) {
                invite(server, folder);
                stop.await();
            }
            return well ? ExitCode.OK : ExitCode.DEFECT;
        } catch (InterruptedException e) {
            around.out().println();
            return ExitCode.OK;
        }
    }

    private void introduce(BerthServer server) {
        around.out().println("""
                Berth is at %s. It lends two scratch folders: scratch-1 and scratch-2.

                Four jobs want one each, all at the same time. A job is this, in a process of its own:

                    berth run --pool scratch -- ./work.sh

                It waits for a folder, works in it, and gives it back. Berth then takes the access back, cleans the
                folder, checks it, and lends it to the next. Job 2 will be killed with -9 while it works.
                """.formatted(server.url()));
    }

    private void invite(BerthServer server, Path folder) {
        around.out().println("""

                The service stays up at %s until Ctrl-C. In another terminal, from this folder:

                    export BERTH_DATA='%s'
                    ./berth status                     # the pool
                    ./berth run --pool scratch -- sh -c 'echo hello > "$SCRATCH_DIR/file"; ls -l "$SCRATCH_DIR"'
                    ./berth environments scratch-1     # what happened to one of the folders
                    ./berth events --follow

                Then read README.md for the five-minute tour, and %s for what is lent here.""".formatted(server.url(), folder.toString().replace("'", "'\\''"), example()));
    }

    private static Path example() {
        String home = System.getProperty("berth.home");
        if (home == null) {
            throw new CliFailure(
                    ExitCode.USAGE, "the demo needs Berth's source folder: start it with ./berth demo from there");
        }
        Path file = Path.of(home, "examples", "scratch", "berth.yaml");
        if (!Files.exists(file)) {
            throw new CliFailure(ExitCode.USAGE, "the demo needs " + file + ", which is not there");
        }
        return file;
    }

    /** The usual port where it can be had, so that the tour's addresses fit; otherwise any. */
    private static int freePort() {
        try (ServerSocket probe = new ServerSocket()) {
            probe.setReuseAddress(true);
            probe.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), USUAL_PORT));
            return USUAL_PORT;
        } catch (IOException e) {
            return 0;
        }
    }
}
