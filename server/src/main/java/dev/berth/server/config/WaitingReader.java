package dev.berth.server.config;

import dev.berth.core.Policy;
import dev.berth.core.Policy.Queueing;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Reads how requests wait for a pool, and what one principal may have of it. */
final class WaitingReader {
    private static final int MOST = 1_000_000;
    private static final int LONGEST_LABEL = 100;
    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final Duration MINUTE = Duration.ofMinutes(1);
    private static final Policy.Hold HOLD = new Policy.Hold(Duration.ofHours(8), 3);

    private final Mistakes mistakes;
    private final List<Mention> mentions = new ArrayList<>();

    WaitingReader(Mistakes mistakes) {
        this.mistakes = mistakes;
    }

    private record Mention(Yaml at, String path, String principal) {}

    /** Part of a policy. */
    record Terms(Queueing queue, Policy.Quota quota, Map<String, Policy.Quota> quotas, Policy.@Nullable Hold hold) {}

    Terms read(Section pool) {
        int maxPriority = pool.integer(
                "max-priority", Queueing.LOWEST_PRIORITY, Queueing.HIGHEST_PRIORITY, Queueing.DEFAULT.maxPriority());
        Section quota = pool.section("quota", Keys.QUOTA);
        Policy.Quota usual = quota == null ? Policy.Quota.NONE : quota(quota, Policy.Quota.NONE);
        return new Terms(
                queue(pool.section("queue", Keys.QUEUE), maxPriority),
                usual,
                quota == null ? Map.of() : quotas(quota, usual),
                hold(pool.section("hold", Keys.HOLD)));
    }

    private static Queueing queue(@Nullable Section queue, int maxPriority) {
        Queueing usual = Queueing.DEFAULT;
        if (queue == null) {
            return new Queueing(
                    usual.max(),
                    usual.maxWait(),
                    usual.order(),
                    usual.shareBy(),
                    usual.halfLife(),
                    usual.aging(),
                    usual.liveness(),
                    maxPriority);
        }
        boolean fair = queue.word("order", List.of("fifo", "fair"), "fifo").equals("fair");
        String label = queue.text("share-by", LONGEST_LABEL);
        if (label != null && !fair) {
            queue.mistake("share-by", "has no meaning unless the order is fair");
        }
        if (queue.has("half-life") && !fair) {
            queue.warn("half-life", "has no effect unless the order is fair");
        }
        return new Queueing(
                queue.integer("max", 0, MOST, usual.max()),
                queue.duration("max-wait", SECOND, Duration.ofDays(30), usual.maxWait()),
                fair ? Queueing.Order.FAIR : Queueing.Order.FIFO,
                fair ? label : null,
                queue.duration("half-life", MINUTE, Duration.ofDays(365), usual.halfLife()),
                queue.duration("aging", SECOND, Duration.ofDays(30), usual.aging()),
                queue.duration("liveness", Duration.ofSeconds(10), Duration.ofHours(1), usual.liveness()),
                maxPriority);
    }

    private static Policy.Quota quota(Section quota, Policy.Quota usual) {
        return new Policy.Quota(
                quota.integerOr("none", "held", 1, MOST, usual.held()),
                quota.integerOr("none", "queued", 0, MOST, usual.queued()));
    }

    private Map<String, Policy.Quota> quotas(Section quota, Policy.Quota usual) {
        Yaml value = quota.value("principals");
        if (value == null) {
            return Map.of();
        }
        String path = quota.path("principals");
        if (!(value instanceof Yaml.Mapping mapping) || mapping.entries().size() > PrincipalReader.MOST) {
            mistakes.add(
                    value,
                    path,
                    "must be a mapping of at most " + PrincipalReader.MOST + " names of principals to quotas");
            return Map.of();
        }
        Map<String, Policy.Quota> quotas = new TreeMap<>();
        for (Yaml.Entry entry : Section.unique(path, mapping, mistakes)) {
            String name = entry.key().text();
            String own = Section.child(path, Keys.shown(name));
            mentions.add(new Mention(entry.key(), own, name));
            Section.of(own, entry.value(), Keys.PRINCIPAL_QUOTA, mistakes)
                    .ifPresent(section -> quotas.put(name, quota(section, usual)));
        }
        return quotas;
    }

    private static Policy.@Nullable Hold hold(@Nullable Section hold) {
        return hold == null
                ? null
                : new Policy.Hold(
                        hold.duration("max", MINUTE, Duration.ofDays(30), HOLD.max()),
                        hold.integer("quota", 1, MOST, HOLD.quota()));
    }

    /** Notes the principals that have a quota in some pool and are not there. */
    void check(Predicate<String> principals) {
        for (Mention mention : mentions) {
            if (!principals.test(mention.principal())) {
                mistakes.add(mention.at(), mention.path(), "is not a principal of this file");
            }
        }
    }
}
