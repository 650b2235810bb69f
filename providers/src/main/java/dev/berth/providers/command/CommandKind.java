package dev.berth.providers.command;

import dev.berth.providers.Kind;
import dev.berth.providers.Provider;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Environments that the operator's own programs issue, revoke, clean and verify. {@code docs/providers.md} is the contract with those
 * programs.
 *
 * <p>A program, with everything it starts, is over when its step is: at its normal end, at its time-out, when its claim is lost, when
 * the worker is interrupted, and, through {@link #killOrphans()}, after the death of the server. This is complete on Linux with
 * {@code setsid} (util-linux or busybox). Elsewhere only the JDK's view of processes is there: a program's running descendants are
 * ended, but not what it left behind in the background when it exited.
 */
public final class CommandKind implements Kind {
    private final Path base;
    private final Map<String, String> server;
    private final String workers;
    private final Programs programs;
    private final Protocol protocol = new Protocol();

    /**
     * @param base what a relative {@code directory} of a pool is relative to: the folder of the configuration file
     * @param runs the folder of the records of what runs, made when first needed; it belongs to one server at a time
     * @param workers what the claims begin with under which programs are recorded in that folder; of any other nothing can be known here
     * @param server the server's own environment variables, of which programs get {@code PATH}, {@code HOME}, {@code LANG} and
     *     {@code TMPDIR} alone
     */
    public CommandKind(Path base, Path runs, String workers, Map<String, String> server) {
        this.base = base.toAbsolutePath().normalize();
        this.workers = workers;
        this.server = Map.copyOf(server);
        this.programs = new Programs(new RunRecords(runs.toAbsolutePath()), ProcessTable.ofThisMachine());
    }

    @Override
    public String name() {
        return "command";
    }

    @Override
    public Provider create(String pool, Map<String, Object> settings, Map<String, Record> environments)
            throws InvalidSettings {
        Map<String, Secrets> secrets = new HashMap<>();
        environments.forEach((name, record) -> {
            if (!record.secrets().isEmpty()) {
                secrets.put(name, record.secrets());
            }
        });
        return new CommandProvider(
                Settings.parse(settings, base, server), Map.copyOf(secrets), programs, workers, protocol);
    }

    /**
     * The claims under which something was started and whose end was not recorded.
     *
     * @throws UncheckedIOException when the records cannot be read
     */
    public List<String> recorded() {
        try {
            return programs.recorded();
        } catch (IOException e) {
            throw new UncheckedIOException("the records of running programs cannot be read", e);
        }
    }

    /**
     * Ends everything that earlier processes of this server left running. To be called at start, before the first step and after the
     * data folder was locked: it ends the programs of whoever else uses the same folder of records.
     *
     * @return the claims of which something could not be ended (another user's process, one that hangs in the kernel) or whose record
     *     cannot be read; they stay recorded. Normally empty
     * @throws UncheckedIOException when the records cannot be listed
     */
    public List<String> killOrphans() {
        List<String> left = new ArrayList<>();
        for (String claim : recorded()) {
            try {
                if (!programs.end(claim)) {
                    left.add(claim);
                }
            } catch (IOException e) {
                left.add(claim);
            }
        }
        return left;
    }
}
