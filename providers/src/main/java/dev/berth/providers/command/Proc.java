package dev.berth.providers.command;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.StringTokenizer;

/**
 * Linux: {@code /proc}, as proc(5) describes it. Start times are clock ticks since boot (field 22 of {@code stat}).
 */
final class Proc implements ProcessTable {
    private static final Path ROOT = Path.of("/proc");
    private static final Path BOOT = ROOT.resolve("sys/kernel/random/boot_id");

    /** Arguments and environment together can be a quarter of the stack limit; what is beyond this is nobody's {@code BERTH_CLAIM}. */
    private static final int ENVIRON_LIMIT = 4 << 20;

    static boolean isHere() {
        return Files.isReadable(BOOT) && Files.isReadable(ROOT.resolve("self/stat"));
    }

    @Override
    public Listing list() {
        List<Row> rows = new ArrayList<>();
        boolean complete = true;
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(ROOT, Proc::isProcess)) {
            for (Path entry : entries) {
                Optional<Row> row = read(entry);
                row.ifPresent(rows::add);
                complete &= row.isPresent();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return new Listing(rows, complete);
    }

    @Override
    public Optional<Row> find(long pid) {
        return read(ROOT.resolve(Long.toString(pid)));
    }

    @Override
    public boolean carries(long pid, String claim) {
        byte[] environ;
        try (InputStream in =
                Files.newInputStream(ROOT.resolve(Long.toString(pid)).resolve("environ"))) {
            environ = in.readNBytes(ENVIRON_LIMIT);
        } catch (IOException e) {
            // Gone, or another user's: then it is not ours to end either.
            return false;
        }
        // One byte per character on both sides, so that no encoding can hide the variable.
        String text = "\0" + new String(environ, StandardCharsets.ISO_8859_1) + "\0";
        return text.contains("\0" + Environment.CLAIM + "=" + claim + "\0");
    }

    @Override
    public String boot() {
        try {
            return Files.readString(BOOT, StandardCharsets.US_ASCII).strip();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean isProcess(Path entry) {
        char first = entry.getFileName().toString().charAt(0);
        return first >= '1' && first <= '9';
    }

    private static Optional<Row> read(Path process) {
        String stat;
        try (InputStream in = Files.newInputStream(process.resolve("stat"))) {
            stat = new String(in.readNBytes(4096), StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            return Optional.empty();
        }
        // The second field is the program's name in parentheses, which may hold spaces and parentheses itself.
        int name = stat.lastIndexOf(')');
        if (name < 0) {
            return Optional.empty();
        }
        StringTokenizer fields = new StringTokenizer(stat.substring(name + 1), " \n");
        String state = fields.nextToken();
        long parent = Long.parseLong(fields.nextToken());
        fields.nextToken();
        long session = Long.parseLong(fields.nextToken());
        for (int field = 7; field < 22; field++) {
            fields.nextToken();
        }
        long start = Long.parseLong(fields.nextToken());
        long pid = Long.parseLong(process.getFileName().toString());
        return Optional.of(new Row(pid, parent, session, start, state.equals("Z") || state.equals("X")));
    }
}
