package dev.berth.bench;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/** What was measured: told line by line as it comes, and as JSON at the end. */
final class Report {
    private final PrintStream out;
    private final List<Section> sections = new ArrayList<>();

    /** One benchmark. */
    record Section(String name, List<Figure> figures, List<Ratio> ratios) {}

    /**
     * One figure.
     *
     * @param median of the samples
     */
    record Figure(String name, double median, List<Double> samples) {}

    /**
     * How two figures of one run compare.
     *
     * @param target what it should be at least; null where there is none
     */
    record Ratio(String name, double value, @Nullable Double target) {}

    Report(PrintStream out) {
        this.out = out;
    }

    void section(String name) {
        sections.add(new Section(name, new ArrayList<>(), new ArrayList<>()));
        out.printf("%n%s%n", name);
    }

    void figure(String name, double median, List<Double> samples) {
        sections.getLast().figures().add(new Figure(name, median, List.copyOf(samples)));
        double least = samples.stream().mapToDouble(Double::doubleValue).min().orElse(median);
        double most = samples.stream().mapToDouble(Double::doubleValue).max().orElse(median);
        out.printf(Locale.ROOT, "  %-62s %12s   (%s to %s)%n", name, number(median), number(least), number(most));
    }

    /** What there is no figure for. */
    void note(String text) {
        out.printf("  %s%n", text);
    }

    void ratio(String name, double value, @Nullable Double target) {
        sections.getLast().ratios().add(new Ratio(name, value, target));
        out.printf(
                Locale.ROOT,
                "  %-62s %11.2fx%s%n",
                name,
                value,
                target == null ? "" : String.format(Locale.ROOT, "   (wanted: %.2fx)", target));
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, Math.abs(value) >= 100 ? "%,.0f" : "%.3g", value);
    }

    List<Section> sections() {
        return List.copyOf(sections);
    }

    String json() {
        return JsonMapper.shared()
                .writerWithDefaultPrettyPrinter()
                .writeValueAsString(Map.of(
                        "machine",
                        Map.of(
                                "processors", Runtime.getRuntime().availableProcessors(),
                                "os", System.getProperty("os.name") + " " + System.getProperty("os.version"),
                                "java", System.getProperty("java.vm.version")),
                        "sections",
                        sections));
    }
}
