import com.palantir.javaformat.java.Formatter;
import com.palantir.javaformat.java.FormatterException;
import com.palantir.javaformat.java.JavaFormatterOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Formats the Java sources of the repository, or checks that they are formatted. The build starts it from its source,
 * see docs/adr/0001-formatter-in-its-own-process.md.
 *
 * <p>Arguments: {@code check} or {@code apply}, and the root of the repository. Exits with 0 when every source is (now)
 * formatted, with 1 when one is not or does not parse, with 2 when the arguments are wrong.
 */
final class Format {
    private static final int MOST_PASSES = 5;
    private static final String USAGE = "usage: Format check|apply ROOT";

    private final Formatter formatter = Formatter.createFormatter(JavaFormatterOptions.builder()
            .style(JavaFormatterOptions.Style.PALANTIR)
            .build());
    private final List<Path> misformatted = new ArrayList<>();
    private final List<String> unreadable = new ArrayList<>();

    public static void main(String[] args) throws IOException {
        if (args.length != 2 || !(args[0].equals("check") || args[0].equals("apply"))) {
            System.err.println(USAGE);
            System.exit(2);
        }
        Path root = Path.of(args[1]).toRealPath();
        System.exit(new Format().run(root, args[0].equals("apply")));
    }

    private int run(Path root, boolean apply) throws IOException {
        List<Path> sources = sources(root);
        if (sources.isEmpty()) {
            System.err.println("format: no Java source below " + root + "; " + USAGE);
            return 2;
        }
        for (Path source : sources) {
            format(root, source, apply);
        }
        unreadable.forEach(System.err::println);
        if (!apply && !misformatted.isEmpty()) {
            System.err.println("format: these files are not formatted:");
            misformatted.forEach(file -> System.err.println("  " + file));
            System.err.println("format: to mend them run: mvn -q verify -pl format -Dformat=apply");
        }
        return unreadable.isEmpty() && (apply || misformatted.isEmpty()) ? 0 : 1;
    }

    /** The sources of the modules and this file, in a fixed order; never what a build has generated. */
    private static List<Path> sources(Path root) throws IOException {
        List<Path> found = new ArrayList<>();
        found.add(root.resolve("format").resolve("Format.java"));
        try (Stream<Path> modules = Files.list(root)) {
            for (Path folder : modules.map(module -> module.resolve("src")).toList()) {
                if (Files.isDirectory(folder)) {
                    try (Stream<Path> files = Files.walk(folder)) {
                        files.filter(file -> file.toString().endsWith(".java"))
                                .filter(Files::isRegularFile)
                                .forEach(found::add);
                    }
                }
            }
        }
        found.sort(null);
        return found;
    }

    /** The formatter's output for its own output: moving a long comment at a line's end takes it more than one pass. */
    private String settled(String text) throws FormatterException {
        String last = text;
        for (int pass = 0; pass < MOST_PASSES; pass++) {
            // Not formatSourceAndFixImports: it also rewraps strings, which moves text blocks.
            String next = formatter.formatSource(formatter.fixImports(last));
            if (next.equals(last)) {
                return last;
            }
            last = next;
        }
        throw new FormatterException("does not settle in " + MOST_PASSES + " passes, write the long lines otherwise");
    }

    private void format(Path root, Path source, boolean apply) throws IOException {
        Path name = root.relativize(source);
        String text = Files.readString(source);
        String formatted;
        try {
            formatted = settled(text);
        } catch (FormatterException e) {
            // Every file is looked at: one run tells all that is wrong.
            e.diagnostics().forEach(diagnostic -> unreadable.add("format: " + name + ":" + diagnostic));
            return;
        }
        if (!formatted.equals(text)) {
            misformatted.add(name);
            if (apply) {
                Files.writeString(source, formatted);
                System.out.println("formatted " + name);
            }
        }
    }
}
