package dev.berth.server.config;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads {@code trusted-proxies}, {@code limits}, {@code status} and {@code metrics}. */
final class CallersReader {
    private static final String OPEN = "open";
    private static final String AUTHENTICATED = "authenticated";
    private static final List<String> SHOWN_TO = List.of(OPEN, AUTHENTICATED);
    private static final int MOST_PROXIES = 1_000;
    private static final int MOST_PER_SECOND = 1_000_000;
    private static final int LONGEST = 50;

    private final Mistakes mistakes;

    CallersReader(Mistakes mistakes) {
        this.mistakes = mistakes;
    }

    Callers read(Section top) {
        var proxies = proxies(top);
        var usual = Callers.USUAL;
        var closed = closed(top);
        var limits = top.section("limits", Keys.LIMITS);
        return limits == null
                ? new Callers(proxies, usual.principal(), usual.address(), usual.failures(), closed)
                : new Callers(
                        proxies,
                        rate(limits, "principal", usual.principal()),
                        rate(limits, "address", usual.address()),
                        rate(limits, "failures", usual.failures()),
                        closed);
    }

    private static Set<Callers.Page> closed(Section top) {
        var closed = EnumSet.noneOf(Callers.Page.class);
        for (var page : Callers.Page.values()) {
            if (top.word(page.name().toLowerCase(Locale.ROOT), SHOWN_TO, OPEN).equals(AUTHENTICATED)) {
                closed.add(page);
            }
        }
        return closed;
    }

    private List<Network> proxies(Section top) {
        var value = top.value("trusted-proxies");
        if (value == null) {
            return List.of();
        }
        if (!(value instanceof Yaml.Sequence list) || list.items().size() > MOST_PROXIES) {
            top.mistake("trusted-proxies", "must be a list of at most " + MOST_PROXIES + " addresses, [] for none");
            return List.of();
        }
        var proxies = new ArrayList<Network>();
        for (int i = 0; i < list.items().size(); i++) {
            var path = "trusted-proxies[" + i + "]";
            var item = list.items().get(i);
            var text = Section.text(item, path, LONGEST, mistakes);
            if (text != null) {
                Network.parse(text)
                        .ifPresentOrElse(
                                proxies::add,
                                () -> mistakes.add(
                                        item,
                                        path,
                                        "must be an address or a network in digits, like 10.0.0.7 or 10.0.0.0/8"));
            }
        }
        return proxies;
    }

    private Callers.@Nullable Rate rate(Section limits, String key, Callers.@Nullable Rate otherwise) {
        if (otherwise == null) {
            throw new IllegalStateException("every limit has a default");
        }
        var value = limits.value(key);
        if (value instanceof Yaml.Scalar scalar && scalar.text().equals("off")) {
            return null;
        }
        var section = limits.section(key, Keys.RATE);
        if (section == null) {
            return otherwise;
        }
        int perSecond = section.integer("rate", 1, MOST_PER_SECOND, otherwise.perSecond());
        return new Callers.Rate(
                perSecond,
                section.integer("burst", 1, MOST_PER_SECOND, section.has("rate") ? perSecond : otherwise.burst()));
    }
}
