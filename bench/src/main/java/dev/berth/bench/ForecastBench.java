package dev.berth.bench;

import dev.berth.core.Allocation;
import dev.berth.core.AllocationId;
import dev.berth.core.AllocationState;
import dev.berth.core.Environment;
import dev.berth.core.EnvironmentName;
import dev.berth.core.EnvironmentState;
import dev.berth.core.Forecast;
import dev.berth.core.ForecastEstimate;
import dev.berth.core.ForecastPool;
import dev.berth.core.Holder;
import dev.berth.core.Need;
import dev.berth.core.NeedClass;
import dev.berth.core.Policy;
import dev.berth.core.Registration;
import dev.berth.core.Shape;
import dev.berth.core.ShapeCount;
import dev.berth.core.Step;
import dev.berth.core.Value;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.ToIntFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** How often what a waiting request is told comes true, on days that the forecast did not learn from. */
final class ForecastBench {
    /** As many past loans as the service looks at. */
    private static final int HISTORY = 1_000;

    /** One in so many of the requests that join the queue asks: those that come together are told much the same. */
    private static final int ASKED_EVERY = 4;

    private static final Duration SESSION = Duration.ofHours(3);

    private final Report report;
    private final Effort effort;

    ForecastBench(Report report, Effort effort) {
        this.report = report;
        this.effort = effort;
    }

    /** How long something is asked for, and how long it is needed. */
    private record Stay(@Nullable Duration asked, Duration real) {}

    /** Who asks for what, and for how long. */
    @FunctionalInterface
    private interface Habit {
        Stay stay(Random random);
    }

    /**
     * A kind of pool.
     *
     * @param load how much of the environments' time is asked for, on average
     * @param upkeep how long it takes; none where there is none
     * @param mixed whether there are two kinds of environments, and jobs that need several
     */
    private record Kind(
            String name,
            int environments,
            double load,
            Habit habit,
            List<Duration> upkeep,
            boolean mixed,
            Policy.Queueing.Order order) {}

    private static List<Kind> kinds() {
        Habit shortStays = random -> new Stay(null, upTo(SESSION, logNormal(random, 10, 1)));
        Habit twoKinds = random ->
                new Stay(null, random.nextInt(5) > 0 ? logNormal(random, 5, 0.4) : logNormal(random, 90, 0.3));
        Habit punctual = random -> {
            var asked = Duration.ofMinutes(30L << random.nextInt(3));
            return new Stay(asked, Duration.ofMillis((long) (asked.toMillis() * (0.6 + 0.4 * random.nextDouble()))));
        };
        var none = List.<Duration>of();
        var fifo = Policy.Queueing.Order.FIFO;
        return List.of(
                new Kind("short loans, long deadlines, busy", 20, 0.95, shortStays, none, false, fifo),
                new Kind("short loans, long deadlines, overloaded", 20, 1.2, shortStays, none, false, fifo),
                new Kind("five minutes or ninety", 10, 0.9, twoKinds, none, false, fifo),
                new Kind("loans near their deadlines", 10, 0.95, punctual, none, false, fifo),
                new Kind("clean-up as long as loans", 10, 0.95, shortStays, upkeep(), false, fifo),
                new Kind("two kinds, jobs that need three", 12, 0.85, shortStays, none, true, fifo),
                new Kind("shared fairly by four", 10, 0.95, shortStays, none, false, Policy.Queueing.Order.FAIR));
    }

    private static Duration logNormal(Random random, double medianMinutes, double sigma) {
        double minutes = medianMinutes * Math.exp(sigma * random.nextGaussian());
        return Duration.ofMillis(Math.max(1000, (long) (minutes * 60_000)));
    }

    private static Duration upTo(Duration most, Duration real) {
        return real.compareTo(most) < 0 ? real : most;
    }

    private static List<Duration> upkeep() {
        var random = new Random(1);
        return Stream.generate(() -> upTo(Duration.ofHours(1), logNormal(random, 12, 0.5)))
                .limit(1000)
                .toList();
    }

    void run() {
        report.section("Forecast: %,d requests a day, seed %d, asked when a request joins the queue"
                .formatted(effort.requests(), effort.seed()));
        for (var kind : kinds()) {
            var days = new ArrayList<Day>();
            for (int i = 1; i <= effort.rounds(); i++) {
                var before = jobs(kind, effort.seed() + 1000L * i);
                var learned = new Learning(before.getLast().at());
                play(kind, before, effort.seed() + 1000L * i, learned);
                var jobs = jobs(kind, effort.seed() + 1000L * i + 500);
                var day = new Day(jobs.getLast().at());
                day.goOnFrom(learned);
                play(kind, jobs, effort.seed() + 1000L * i + 500, day);
                days.add(day);
            }
            held(kind.name(), days);
        }
        cost();
    }

    /** Of all days together: on one day, those who wait are right or wrong together. */
    private void held(String name, List<Day> days) {
        int asked = days.stream().mapToInt(day -> day.asked).sum();
        if (asked == 0) {
            report.note(name + ": nobody waited");
            return;
        }
        held(name + ": p90 held, % of grants", days, day -> day.p90, day -> day.known);
        held(name + ": p50 held, % of grants", days, day -> day.p50, day -> day.known);
        held(name + ": told when, % of those who waited", days, day -> day.tellings, day -> day.asked);
    }

    private void held(String name, List<Day> days, ToIntFunction<Day> count, ToIntFunction<Day> of) {
        int all = days.stream().mapToInt(of).sum();
        if (all == 0) {
            return;
        }
        var samples = days.stream()
                .filter(day -> of.applyAsInt(day) > 0)
                .map(day -> percent(count.applyAsInt(day), of.applyAsInt(day)))
                .toList();
        report.figure(name, percent(days.stream().mapToInt(count).sum(), all), samples);
    }

    private static double percent(int part, int of) {
        return 100.0 * part / of;
    }

    private static void play(Kind kind, List<Replay.Job> jobs, long seed, Replay.Watcher watcher) {
        var records = new ArrayList<Registration>();
        for (int i = 0; i < kind.environments(); i++) {
            records.add(record(i, kind.mixed() && i % 3 == 0 ? "arm64" : "amd64"));
        }
        try (var replay = new Replay(policy(kind), records, kind.upkeep(), seed, false, watcher)) {
            replay.play(jobs);
        }
    }

    private static Registration record(int number, String arch) {
        var name = "board-%04d".formatted(number);
        var shape = Shape.of(Map.of("arch", new Value.Text(arch)), Map.of(), List.of());
        return new Registration(new EnvironmentName(name), name, null, shape, "{}", "1");
    }

    private static Policy policy(Kind kind) {
        return BenchPool.policy(
                kind.upkeep().isEmpty() ? Set.of() : Set.of(Step.CLEAN),
                SESSION,
                Map.of(Step.CLEAN, new Policy.Limits(Duration.ofHours(2), 3)),
                kind.order());
    }

    private List<Replay.Job> jobs(Kind kind, long seed) {
        var random = new Random(seed);
        double minutes = 0;
        int tries = 5000;
        for (int i = 0; i < tries; i++) {
            minutes += need(kind, random).count()
                    * kind.habit().stay(random).real().toMillis()
                    / 60_000.0;
        }
        double upkeep = 0;
        for (var each : kind.upkeep()) {
            upkeep += each.toMillis() / 60_000.0 / kind.upkeep().size();
        }
        double each = minutes / tries + upkeep;
        double perMinute = kind.load() * kind.environments() / each;
        var jobs = new ArrayList<Replay.Job>();
        double at = 0;
        while (jobs.size() < effort.requests()) {
            double wave = 1 + 0.5 * Math.sin(2 * Math.PI * at / 1440);
            at += -Math.log(1 - random.nextDouble()) / (perMinute * wave);
            var stay = kind.habit().stay(random);
            int team = Math.min(3, (int) (5 * random.nextDouble() * random.nextDouble()));
            jobs.add(new Replay.Job(
                    Replay.START.plusMillis((long) (at * 60_000)),
                    need(kind, random),
                    stay.asked(),
                    stay.real(),
                    "team-" + team));
        }
        return jobs;
    }

    private static NeedClass need(Kind kind, Random random) {
        if (!kind.mixed()) {
            return NeedClass.ONE;
        }
        return switch (random.nextInt(10)) {
            case 0 -> NeedClass.of(List.of(Need.any(3)), false);
            case 1, 2, 3 ->
                NeedClass.of(
                        List.of(new Need(
                                1,
                                new TreeMap<>(Map.of("arch", new Value.Text("arm64"))),
                                Collections.emptySortedMap(),
                                null)),
                        false);
            default -> NeedClass.ONE;
        };
    }

    /** What a forecast takes, of a hundred waiting for a hundred environments. */
    private void cost() {
        var random = new Random(effort.seed());
        var busy = new ArrayList<ForecastPool.Busy>();
        var waiting = new ArrayList<ForecastPool.Waiting>();
        var loans = new ArrayList<ForecastPool.Past>();
        var requests = new ArrayList<ForecastPool.Asked>();
        for (int i = 0; i < 100; i++) {
            var since = Replay.START.minusSeconds(random.nextInt(1800));
            var id = AllocationId.create(1, since, random);
            busy.add(new ForecastPool.Busy(
                    new EnvironmentName("board-" + i),
                    Shape.PLAIN.digest(),
                    null,
                    since,
                    false,
                    new ForecastPool.Loan(id, "job", "team-0", "team-0", since.plus(SESSION))));
            var at = Replay.START.minusSeconds(i);
            waiting.add(new ForecastPool.Waiting(
                    AllocationId.create(1, at, random),
                    "team-" + i % 4,
                    "team-" + i % 4,
                    NeedClass.ONE,
                    0,
                    at.toEpochMilli(),
                    i,
                    at,
                    Replay.START.plus(SESSION),
                    Replay.START.plus(SESSION),
                    null));
        }
        for (int i = 0; i < HISTORY; i++) {
            loans.add(new ForecastPool.Past(upTo(SESSION, logNormal(random, 10, 1)), SESSION));
            requests.add(new ForecastPool.Asked(
                    Replay.START.minusSeconds(10L * i), "team-" + i % 4, "team-" + i % 4, NeedClass.ONE, 0, null));
        }
        for (var order : Policy.Queueing.Order.values()) {
            var pool = new ForecastPool(
                    Replay.START,
                    BenchPool.policy(Set.of(), SESSION, Map.of(), order),
                    waiting,
                    List.of(new ShapeCount(Shape.PLAIN, 0, 100, 0, 0, 0)),
                    busy,
                    Map.of(),
                    new ForecastPool.History(loans, List.of(), requests));
            var samples = new ArrayList<Double>();
            for (int i = 0; i < 20 + effort.rounds(); i++) {
                long began = System.nanoTime();
                Forecast.of(pool);
                if (i >= 20) {
                    samples.add((System.nanoTime() - began) / 1e6);
                }
            }
            report.figure(
                    "a forecast of 100 waiting for 100 environments, %s, ms"
                            .formatted(order.name().toLowerCase(Locale.ROOT)),
                    Contest.median(samples),
                    samples);
        }
    }

    /** Keeps how long everything lasted and who asked for what, the last of it. */
    private static class Learning implements Replay.Watcher {
        private final Instant last;
        private final Deque<ForecastPool.Past> loans = new ArrayDeque<>();
        private final Deque<Duration> upkeep = new ArrayDeque<>();
        private final Deque<ForecastPool.Asked> requests = new ArrayDeque<>();

        /**
         * @param last when the last request comes: what ends after it is mostly long, and would teach a wrong thing
         */
        Learning(Instant last) {
            this.last = last;
        }

        /** Goes on from what was learned on another day, as if that had been the day before. */
        final void goOnFrom(Learning other) {
            var past = Duration.between(Replay.START, other.last);
            loans.addAll(other.loans);
            upkeep.addAll(other.upkeep);
            other.requests.stream()
                    .map(each -> new ForecastPool.Asked(
                            each.at().minus(past),
                            each.principal(),
                            each.sharer(),
                            each.need(),
                            each.priority(),
                            each.duration()))
                    .forEach(requests::add);
        }

        @Override
        public void ended(Replay replay, Allocation allocation, Duration lasted) {
            if (replay.now().isAfter(last)) {
                return;
            }
            var request = allocation.request();
            keep(loans, new ForecastPool.Past(lasted, request.duration() == null ? SESSION : request.duration()));
            keep(
                    requests,
                    new ForecastPool.Asked(
                            allocation.createdAt(),
                            allocation.principal(),
                            allocation.sharer(),
                            request.need(),
                            request.priority(),
                            request.duration()));
        }

        @Override
        public void cleaned(Duration took) {
            if (took.isPositive()) {
                keep(upkeep, took);
            }
        }

        private static <T> void keep(Deque<T> past, T one) {
            past.add(one);
            if (past.size() > HISTORY) {
                past.removeFirst();
            }
        }

        final ForecastPool.History history() {
            return new ForecastPool.History(List.copyOf(loans), List.copyOf(upkeep), List.copyOf(requests));
        }
    }

    /** Asks for a forecast whenever a request joins the queue, and sees what comes of it. */
    private static final class Day extends Learning {
        private final Map<AllocationId, ForecastEstimate> told = new HashMap<>();
        private int joined;
        private int asked;
        private int tellings;
        private int known;
        private int p50;
        private int p90;

        Day(Instant last) {
            super(last);
        }

        @Override
        public void queued(Replay replay, Allocation allocation) {
            if (joined++ % ASKED_EVERY != 0) {
                return;
            }
            asked++;
            Forecast.of(pool(replay)).estimate(allocation.id()).ifPresent(found -> {
                told.put(allocation.id(), found);
                tellings++;
            });
        }

        private ForecastPool pool(Replay replay) {
            var number = replay.pool().number();
            var waiting = new ArrayList<ForecastPool.Waiting>();
            for (var each : replay.live().values()) {
                if (each.state() instanceof AllocationState.Pending pending) {
                    waiting.add(new ForecastPool.Waiting(
                            each.id(),
                            each.principal(),
                            each.sharer(),
                            each.request().need(),
                            each.request().priority(),
                            each.rank(),
                            each.arrival(),
                            each.createdAt(),
                            pending.until(),
                            pending.interestUntil(),
                            each.request().duration()));
                }
            }
            var busy = new ArrayList<ForecastPool.Busy>();
            for (var each : replay.environments().values()) {
                if (each.state().name() == EnvironmentState.Name.ALLOCATED
                        || each.state().name() == EnvironmentState.Name.CLEANING) {
                    var record = each.record();
                    busy.add(new ForecastPool.Busy(
                            each.name(),
                            record.shape().digest(),
                            record.account(),
                            each.since(),
                            false,
                            loan(replay, each)));
                }
            }
            var holders = new HashMap<String, Holder>();
            replay.store().holders(number).forEach(holder -> holders.put(holder.name(), holder));
            return new ForecastPool(
                    replay.now(),
                    replay.pool().policy(),
                    waiting,
                    replay.store().shapes(number),
                    busy,
                    holders,
                    history());
        }

        private static ForecastPool.@Nullable Loan loan(Replay replay, Environment environment) {
            var tenant = environment.tenant();
            var allocation = tenant == null ? null : replay.live().get(tenant.allocation());
            if (allocation == null || !(environment.state() instanceof EnvironmentState.Allocated(var _, var backAt))) {
                return null;
            }
            return new ForecastPool.Loan(
                    allocation.id(),
                    allocation.request().requester(),
                    allocation.principal(),
                    allocation.sharer(),
                    backAt);
        }

        @Override
        public void granted(Replay replay, Allocation allocation, Replay.Job job, Duration waited) {
            var estimate = told.remove(allocation.id());
            if (estimate != null) {
                known++;
                p50 += replay.now().isAfter(estimate.p50()) ? 0 : 1;
                p90 += replay.now().isAfter(estimate.p90()) ? 0 : 1;
            }
        }
    }
}
