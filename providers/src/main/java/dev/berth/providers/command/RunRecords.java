package dev.berth.providers.command;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What runs under which claim, a small file each, so that a later process of Berth finds what an earlier one left running. Nothing
 * is synced to disk: a record has to outlive the process that wrote it, not the machine, whose end ends the programs too.
 */
final class RunRecords {
    private static final Pattern CLAIM = Pattern.compile("[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}");
    private static final Pattern TEXT = Pattern.compile("boot (\\S+)\npid (\\d{1,18})\nstart (\\d{1,18})\n");

    private final Path directory;

    RunRecords(Path directory) {
        this.directory = directory;
    }

    /**
     * The first process of a program's tree.
     *
     * @param boot the boot of the machine that it belongs to
     * @param pid its number, which its session has too
     * @param start its start time as {@link ProcessTable.Row#start()}
     */
    record Leader(String boot, long pid, long start) {}

    void write(String claim, Leader leader) throws IOException {
        Files.createDirectories(directory);
        Path file = file(claim);
        // A leading dot: no claim begins with one, so that a half-written file is never taken for a record.
        Path half = directory.resolve("." + claim);
        String text = "boot " + leader.boot() + "\npid " + leader.pid() + "\nstart " + leader.start() + "\n";
        Files.writeString(half, text, StandardCharsets.US_ASCII);
        try {
            Files.move(half, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException e) {
            throw new IOException("the folder of run records must be able to rename files in place", e);
        }
    }

    /** Empty when there is no record, or one that cannot be understood (a disk that filled up, a crash of the machine). */
    Optional<Leader> read(String claim) throws IOException {
        String text;
        try {
            text = Files.readString(file(claim), StandardCharsets.ISO_8859_1);
        } catch (NoSuchFileException e) {
            return Optional.empty();
        }
        Matcher matcher = TEXT.matcher(text);
        if (!matcher.matches()) {
            return Optional.empty();
        }
        return Optional.of(
                new Leader(matcher.group(1), Long.parseLong(matcher.group(2)), Long.parseLong(matcher.group(3))));
    }

    void delete(String claim) throws IOException {
        Files.deleteIfExists(file(claim));
        Files.deleteIfExists(directory.resolve("." + claim));
    }

    /** The claims that have a record, or half of one. */
    List<String> claims() throws IOException {
        List<String> claims = new ArrayList<>();
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
            for (Path file : files) {
                String name = file.getFileName().toString();
                String claim = name.startsWith(".") ? name.substring(1) : name;
                if (CLAIM.matcher(claim).matches() && !claims.contains(claim)) {
                    claims.add(claim);
                }
            }
        } catch (NoSuchFileException e) {
            return List.of();
        }
        return claims;
    }

    private Path file(String claim) {
        if (!CLAIM.matcher(claim).matches()) {
            throw new IllegalArgumentException("not usable as a claim: " + claim);
        }
        return directory.resolve(claim);
    }
}
