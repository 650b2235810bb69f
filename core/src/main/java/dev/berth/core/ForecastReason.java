package dev.berth.core;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Why a request waits.
 *
 * @param position its place in the queue's order, from 1; those that are passed over are not counted before it
 * @param needs what it asks for, and how that is
 * @param quota what its principal holds and may hold; null where it may hold as much as there is
 * @param overtaken whether it cannot be told when it is granted, since others who come later may go first
 */
public record ForecastReason(
        int position,
        Standing standing,
        List<Availability> needs,
        @Nullable Quota quota,
        boolean overtaken) {
    /** So many of a need's facts, of this many characters each, are told in a sentence. */
    private static final int MOST_FACTS = 5;

    private static final int LONGEST_FACT = 60;
    /** So many needs are told in a sentence. */
    private static final int MOST_NEEDS = 4;
    /** So many holders are named for a need. */
    private static final int MOST_HOLDERS = 10;

    private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("HH:mm", Locale.ROOT);
    private static final DateTimeFormatter DAY = DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm", Locale.ROOT);

    public ForecastReason {
        Objects.requireNonNull(standing);
        needs = List.copyOf(needs);
    }

    /** How a request stands. */
    public enum Standing {
        /** Its turn has not come, or nothing that it could use is free. */
        WAITS,
        /** It is the first that something free could serve: that is kept for it until there is enough. */
        GATHERS,
        /** Nothing but a person can make it possible to serve it. */
        BLOCKED,
        /** Nobody is interested in it: it is passed over, and keeps its place. */
        ASLEEP,
        /** Its principal holds as much as it may. */
        OVER_QUOTA
    }

    /** What a principal holds of the pool, and how much of it it may hold at once. */
    public record Quota(String principal, int held, int most) {}

    /**
     * What there is for a need. Where it asks for accounts or names, of what is free, dirty or draining all of its kind is counted.
     *
     * @param free can be lent now, or is kept for a request that gathers
     * @param backBy when the first of those that are held is given back at the latest; null where none is, or it is not known
     * @param holders who has those that are held, the first to be given back first, some of them
     */
    public record Availability(
            Need need,
            int free,
            int held,
            int upkeep,
            int dirty,
            int draining,
            @Nullable Instant backBy,
            List<ForecastPool.Busy> holders) {
        public Availability {
            Objects.requireNonNull(need);
            holders = List.copyOf(holders);
        }

        /** How many environments could serve it some day. */
        public int total() {
            return free + held + upkeep + dirty + draining;
        }
    }

    static ForecastReason of(
            ForecastPool pool, ForecastPool.Waiting waiting, int position, Standing standing, boolean overtaken) {
        var most = pool.mostHeld(waiting.principal());
        return new ForecastReason(
                position,
                standing,
                waiting.need().needs().stream()
                        .map(need -> availability(pool, need))
                        .toList(),
                most == null
                        ? null
                        : new Quota(
                                waiting.principal(),
                                pool.holder(waiting.principal()).held(),
                                most),
                overtaken);
    }

    private static Availability availability(ForecastPool pool, Need need) {
        int free = 0;
        int held = 0;
        int upkeep = 0;
        int dirty = 0;
        int draining = 0;
        var shapes = new ArrayList<String>();
        for (var count : pool.shapes()) {
            if (need.fits(count.shape())) {
                shapes.add(count.shape().digest());
                free += count.free();
                held += count.held();
                upkeep += count.upkeep();
                dirty += count.dirty();
                draining += count.draining();
            }
        }
        var busy = pool.busy().stream()
                .filter(each -> shapes.contains(each.shape()) && need.allows(each.name(), each.account()))
                .toList();
        var loans = busy.stream()
                .filter(each -> each.loan() != null)
                .sorted(Comparator.comparing(ForecastReason::backBy, Comparator.nullsLast(Comparator.naturalOrder())))
                .toList();
        if (need.isPinned()) {
            held = loans.size();
            upkeep = busy.size() - loans.size();
        }
        return new Availability(
                need,
                free,
                held,
                upkeep,
                dirty,
                draining,
                loans.isEmpty() ? null : backBy(loans.getFirst()),
                loans.stream().limit(MOST_HOLDERS).toList());
    }

    private static @Nullable Instant backBy(ForecastPool.Busy busy) {
        return busy.loan() == null ? null : busy.loan().backBy();
    }

    /**
     * One sentence, without a capital and a full stop: it goes on from "your request".
     *
     * @param now the day's times are told without their date
     */
    public String sentence(Instant now) {
        var all = needs.stream().limit(MOST_NEEDS).map(need -> tell(need, now)).toList();
        var more = needs.size() > MOST_NEEDS ? ", and for %d other kinds".formatted(needs.size() - MOST_NEEDS) : "";
        var what = String.join("; and for ", all) + more;
        var when = overtaken ? "; when cannot be told, since others who come later may go first" : "";
        return switch (standing) {
            case WAITS -> "waits for " + what + when;
            case GATHERS -> "is next, and what is free is kept for it until there is enough; waits for " + what + when;
            case BLOCKED -> "is blocked until a person acts; waits for " + what;
            case ASLEEP -> "is passed over until its caller looks at it again; waits for " + what;
            case OVER_QUOTA -> overQuota() + "; waits for " + what + when;
        };
    }

    private String overQuota() {
        return quota == null
                ? "is over quota"
                : "is over quota, since %s holds %d environments and may hold %d at once"
                        .formatted(quota.principal(), quota.held(), quota.most());
    }

    private static String tell(Availability each, Instant now) {
        var states = new ArrayList<String>();
        if (each.free() > 0) {
            states.add(each.free() + " free");
        }
        if (each.held() > 0) {
            var first = each.held() > 1 ? "the first back by " : "back by ";
            states.add(each.held() + " held"
                    + (each.backBy() == null ? "" : " (" + first + time(each.backBy(), now) + " at the latest)"));
        }
        if (each.upkeep() > 0) {
            states.add(each.upkeep() + " in upkeep");
        }
        if (each.dirty() > 0) {
            states.add(each.dirty() + " dirty");
        }
        if (each.draining() > 0) {
            states.add(each.draining() + " draining");
        }
        return "%d of %d environment%s%s%s"
                .formatted(
                        each.need().count(),
                        each.total(),
                        each.total() == 1 ? "" : "s",
                        facts(each.need()),
                        states.isEmpty() ? "" : ": " + String.join(", ", states));
    }

    private static String time(Instant at, Instant now) {
        var day = at.atZone(ZoneOffset.UTC);
        boolean today = day.toLocalDate().equals(now.atZone(ZoneOffset.UTC).toLocalDate());
        return (today ? TIME : DAY).format(day) + " UTC";
    }

    private static String facts(Need need) {
        var facts = new ArrayList<String>();
        if (!need.capabilities().isEmpty()) {
            var asked = new ArrayList<String>();
            need.capabilities().forEach((key, value) -> asked.add(clipped(key + "=" + plain(value))));
            facts.add((asked.size() == 1 ? "capability " : "capabilities ") + some(asked, ", "));
        }
        need.constraints()
                .forEach((type, values) -> facts.add(clipped(type) + " " + some(List.copyOf(values), " or ")));
        if (need.access() != null) {
            facts.add("access " + clipped(need.access()));
        }
        return facts.isEmpty() ? "" : " with " + String.join(" and ", facts);
    }

    private static String some(List<String> texts, String between) {
        var told = texts.stream().limit(MOST_FACTS).map(ForecastReason::clipped).toList();
        return String.join(between, told) + (texts.size() > MOST_FACTS ? " and more" : "");
    }

    private static String plain(Value value) {
        return switch (value) {
            case Value.Text(var text) -> text;
            case Value.Number(var number) -> number.toPlainString();
            case Value.Many(var oneOf) ->
                some(oneOf.stream().map(ForecastReason::plain).toList(), " or ");
            case Value.Flag _, Value.Fields _, Value.Nothing _ -> value.json();
        };
    }

    private static String clipped(String text) {
        return text.length() <= LONGEST_FACT ? text : text.substring(0, LONGEST_FACT - 1) + "…";
    }
}
