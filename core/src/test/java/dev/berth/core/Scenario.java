package dev.berth.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Runs lines of a table against a pool. A line is one batch: its commands are separated by {@code &}, and what comes after
 * {@code ->} is what they answer. The words are told in {@code tables/README.md} of the test resources.
 */
final class Scenario {
    static final Instant START = Instant.parse("2026-03-01T00:00:00Z");

    final NaiveStore store;
    private final Random random = new Random(1);
    private final Map<String, AllocationId> allocations = new LinkedHashMap<>();
    private final Map<EnvironmentName, List<ClaimId>> claims = new HashMap<>();
    private Instant now = START;
    private int pool = 1;
    private int claimsMade;
    private String why = "";

    Scenario() {
        this(UnaryOperator.identity());
    }

    /** With decisions in which a defect is planted. */
    Scenario(UnaryOperator<Decision> tamper) {
        store = new NaiveStore(256, 256, tamper);
    }

    /** Runs one line and compares. */
    void line(String line) {
        var sides = line.split("->", 2);
        var said = run(sides[0].strip());
        if (sides.length == 2) {
            assertThat(said).as(line.strip()).isEqualTo(sides[1].strip());
        }
    }

    private String run(String text) {
        if (text.startsWith("@")) {
            int space = text.indexOf(' ');
            int here = pool;
            pool = Integer.parseInt(text.substring(1, space));
            var said = run(text.substring(space + 1).strip());
            pool = here;
            return said;
        }
        var words = List.of(text.split("\\s+", -1));
        var arguments = words.subList(1, words.size());
        return switch (words.getFirst()) {
            case "pool" -> create(arguments);
            case "gap" -> {
                now = now.plus(duration(arguments.getFirst()));
                yield tick();
            }
            case "show" -> show(arguments.getFirst());
            case "when" -> sinceNow(allocation(arguments.getFirst()).state().dueAt());
            case "work-in" -> sinceNow(environment(arguments.getFirst()).state().workAt());
            case "due-in" -> sinceNow(environment(arguments.getFirst()).state().dueAt());
            case "epoch" -> String.valueOf(environment(arguments.getFirst()).epoch());
            case "report" ->
                environment(arguments.getFirst()).state() instanceof EnvironmentState.Dirty dirty
                        ? String.valueOf(dirty.report())
                        : "none";
            case "keepalive-in" ->
                allocation(arguments.getFirst()).state() instanceof AllocationState.Active active
                        ? sinceNow(active.keepaliveBy())
                        : "none";
            case "access" ->
                allocation(arguments.getFirst()).state().grants().stream()
                        .map(grant -> grant.environment() + "=" + (grant.access() == null ? "-" : "yes"))
                        .collect(Collectors.joining(" "));
            case "breaker" -> {
                var until = store.pools.get(pool).breaker().openUntil();
                yield until == null ? "closed" : "open " + sinceNow(until);
            }
            case "events" ->
                store.lastEvents.stream().map(event -> event.type().slug()).collect(Collectors.joining(" "));
            case "key" -> {
                var owner = arguments.getFirst().split("/", -1);
                var use = store.keys.get(new KeyUse.Key(owner[0], owner[1]));
                yield use == null ? "free" : "used " + letter(use.allocation());
            }
            case "why" -> why;
            case "lines" -> fill(Integer.parseInt(arguments.getFirst()));
            case "settle-all" -> {
                finish();
                yield "";
            }
            default -> {
                if (text.startsWith("+")) {
                    pass(duration(text.substring(1)));
                    yield "";
                }
                yield batch(text);
            }
        };
    }

    // ---- pools and time

    private String create(List<String> words) {
        var options = options(words);
        var policy = policy(null, options);
        store.pools.put(pool, Pool.create(pool, new PoolName("p" + pool), policy, now));
        int size = Integer.parseInt(options.getOrDefault("env", "1"));
        var records = IntStream.rangeClosed(1, size)
                .mapToObj(i -> record((pool == 1 ? "e" : "f") + i, options))
                .toList();
        decide(List.of(new Command.Register(records)));
        if (!options.containsKey("raw")) {
            finish();
        }
        return "";
    }

    static Registration record(String name, Map<String, String> options) {
        var identity = options.getOrDefault("id", "i-" + name);
        var account = options.get("account");
        var shape = Words.shape(options.getOrDefault("shape", ""));
        var digest = options.getOrDefault("digest", "d") + identity + account + shape.digest();
        return new Registration(new EnvironmentName(name), identity, account, shape, "{}", digest);
    }

    static Policy policy(@Nullable Policy base, Map<String, String> options) {
        var steps = EnumSet.noneOf(Step.class);
        if (options.containsKey("steps")) {
            switch (options.get("steps")) {
                case "none" -> {}
                case "all" -> steps.addAll(EnumSet.allOf(Step.class));
                default ->
                    Arrays.stream(options.get("steps").split(",", -1))
                            .forEach(step -> steps.add(Step.valueOf(step.toUpperCase(Locale.ROOT))));
            }
        } else if (base != null) {
            steps.addAll(base.steps());
        }
        int attempts = Integer.parseInt(options.getOrDefault("attempts", "3"));
        var timeout = duration(options.getOrDefault("timeout", "10m"));
        var limits = new EnumMap<Step, Policy.Limits>(Step.class);
        for (var step : Step.values()) {
            limits.put(step, new Policy.Limits(timeout, attempts));
        }
        return new Policy(
                "test",
                "{}",
                steps,
                perhaps(options.getOrDefault("session", "3h")),
                perhaps(options.getOrDefault("max", "none")),
                perhaps(options.getOrDefault("keepalive", "none")),
                Duration.ofSeconds(20),
                options.containsKey("adopt"),
                limits,
                perhaps(options.getOrDefault("verify", "none")),
                new Policy.Queueing(
                        Integer.parseInt(options.getOrDefault("queue", "1000")),
                        duration(options.getOrDefault("maxwait", "24h")),
                        options.containsKey("fair") ? Policy.Queueing.Order.FAIR : Policy.Queueing.Order.FIFO,
                        options.get("share-by"),
                        duration(options.getOrDefault("half-life", "24h")),
                        duration(options.getOrDefault("aging", "15m")),
                        // so long that nobody has to show interest in a table that is about something else
                        duration(options.getOrDefault("liveness", "7d")),
                        Integer.parseInt(options.getOrDefault("max-priority", "0"))),
                new Policy.Quota(number(options.get("held")), number(options.get("queued"))),
                quotas(options.get("quotas")),
                options.containsKey("hold")
                        ? new Policy.Hold(
                                duration(options.get("hold")),
                                Integer.parseInt(options.getOrDefault("hold-quota", "3")))
                        : null,
                Integer.parseInt(options.getOrDefault("parallel", "20")),
                Integer.parseInt(options.getOrDefault("per-account", "1")),
                options.containsKey("isolate"));
    }

    /** Written {@code u0:2,u1:1}: so many environments at once. */
    private static Map<String, Policy.Quota> quotas(@Nullable String text) {
        return text == null
                ? Map.of()
                : Arrays.stream(text.split(",", -1))
                        .map(each -> each.split(":", -1))
                        .collect(Collectors.toMap(each -> each[0], each -> new Policy.Quota(number(each[1]), null)));
    }

    /** So many requests, each for something else of what the pool has. */
    private String fill(int lines) {
        decide(List.of(new Command.Register(IntStream.range(0, lines)
                .mapToObj(i -> record("z" + i, Map.of("shape", "z:" + i, "account", "z")))
                .toList())));
        for (var ask : List.of("ask Z%d need=z:%d", "ask Y%d wait=1h need=z:%d")) {
            decide(IntStream.range(0, lines)
                    .mapToObj(i -> command(ask.formatted(i, i)))
                    .toList());
        }
        return store.pools.get(pool).waiting() == lines ? "full" : "room";
    }

    private static @Nullable Integer number(@Nullable String text) {
        return text == null ? null : Integer.valueOf(text);
    }

    private void pass(Duration time) {
        var end = now.plus(time);
        while (now.isBefore(end)) {
            var next = now.plus(Rules.HEARTBEAT);
            now = next.isBefore(end) ? next : end;
            tick();
        }
    }

    private String tick() {
        decide(List.of(new Command.Tick()));
        return "";
    }

    /** All upkeep succeeds until nothing is left of it. */
    private void finish() {
        for (int round = 0; round < 1000; round++) {
            var claimed = (Answer.Claimed) decide(List.of(claim("w", 50))).getFirst();
            if (claimed.steps().isEmpty()) {
                return;
            }
            for (var step : claimed.steps()) {
                remember(step);
                decide(List.of(report(
                        step.environment().name(),
                        step.claim().id(),
                        step.environment().epoch(),
                        done(step.work(), Map.of()))));
            }
        }
        throw new AssertionError("upkeep without an end");
    }

    private List<Answer> decide(List<Command> commands) {
        return store.run(pool, commands, now).answers();
    }

    // ---- commands

    private String batch(String text) {
        var commands = Arrays.stream(text.split("&", -1))
                .map(part -> command(part.strip()))
                .toList();
        var answers = decide(commands);
        var said = new ArrayList<String>();
        for (int i = 0; i < answers.size(); i++) {
            said.add(answer(commands.get(i), answers.get(i)));
        }
        return String.join(" & ", said);
    }

    private Command command(String text) {
        var words = List.of(text.split("\\s+", -1));
        var options = options(words);
        var subject = words.size() > 1 ? words.get(1) : "";
        var principal = options.getOrDefault("as", "ci");
        var caller = new Caller(principal, options.containsKey("op"));
        return switch (words.getFirst()) {
            case "ask" -> {
                var id = AllocationId.create(pool, now, random);
                allocations.put(subject, id);
                var open = duration(options.getOrDefault("open", options.containsKey("wait") ? "7d" : "0s"));
                yield new Command.Ask(
                        id, principal, request(options), open, options.get("label"), options.containsKey("op"));
            }
            case "attend" -> new Command.Attend(id(subject), caller, duration(options.getOrDefault("open", "0s")));
            case "leave" -> new Command.Leave(id(subject), caller, options.containsKey("known"));
            case "hold" ->
                new Command.Hold(
                        id(subject),
                        caller,
                        duration(words.get(2)),
                        options.get("outcome"),
                        options.containsKey("to") ? Set.of(options.get("to").split(",", -1)) : Set.of());
            case "prioritise" -> new Command.Prioritise(id(subject), caller, Integer.parseInt(words.get(2)));
            case "keep" -> new Command.KeepAlive(id(subject), caller);
            case "extend" -> new Command.Extend(id(subject), caller, now.plus(duration(words.get(2))));
            case "release" -> new Command.Release(id(subject), caller, options.get("outcome"));
            case "act" ->
                new Command.Act(
                        new EnvironmentName(words.get(2)),
                        Command.Action.valueOf(subject.toUpperCase(Locale.ROOT)),
                        options.get("reason"),
                        "root");
            case "set" -> new Command.Enact(policy(store.pools.get(pool).policy(), options));
            case "restored" -> new Command.Restored(Integer.parseInt(subject));
            case "delist" -> new Command.Delist();
            case "register" ->
                new Command.Register(Arrays.stream(subject.split(",", -1))
                        .map(name -> record(name, options))
                        .toList());
            case "deregister" ->
                new Command.Deregister(Arrays.stream(subject.split(",", -1))
                        .map(EnvironmentName::new)
                        .toList());
            case "claim" -> claim(options.getOrDefault("by", "w"), Integer.parseInt(subject));
            case "renew" -> {
                var name = new EnvironmentName(subject);
                yield new Command.RenewClaims(List.of(new Command.RenewClaims.Held(name, claimOf(name, options))));
            }
            case "void" -> new Command.VoidClaims(subject);
            case "tick" -> new Command.Tick();
            case "done", "fail", "unavailable", "unfenced" -> {
                var environment = environment(subject);
                var epoch = options.containsKey("epoch") ? Long.parseLong(options.get("epoch")) : environment.epoch();
                Command.Result result = switch (words.getFirst()) {
                    case "done" -> done(environment.state().work(), options);
                    case "fail" -> new Command.Result.Failed("broken", "see here");
                    case "unavailable" -> new Command.Result.Unavailable("endpoint down", null);
                    default -> new Command.Result.Unfenced();
                };
                yield report(environment.name(), claimOf(environment.name(), options), epoch, result);
            }
            default -> throw new IllegalArgumentException("no such word: " + text);
        };
    }

    private static Request request(Map<String, String> options) {
        var need = options.containsKey("need")
                ? Words.needs(options.get("need"), options.containsKey("distinct"))
                : NeedClass.of(
                        List.of(Need.any(Integer.parseInt(options.getOrDefault("n", "1")))),
                        options.containsKey("distinct"));
        return new Request(
                options.getOrDefault("from", "job"),
                need,
                options.containsKey("duration") ? duration(options.get("duration")) : null,
                options.containsKey("keepalive") ? duration(options.get("keepalive")) : null,
                duration(options.getOrDefault("wait", "0s")),
                Integer.parseInt(options.getOrDefault("priority", "0")),
                "{}",
                options.get("key"),
                options.getOrDefault("body", "body"));
    }

    private Command claim(String process, int most) {
        return new Command.ClaimWork(
                process,
                IntStream.range(0, most)
                        .mapToObj(_ -> new ClaimId("c" + ++claimsMade))
                        .toList());
    }

    private static Command report(EnvironmentName name, ClaimId claim, long epoch, Command.Result result) {
        return new Command.Report(name, claim, epoch, result);
    }

    private static Command.Result done(@Nullable Work work, Map<String, String> options) {
        var access = work != null && work.step() == Step.ISSUE ? new Sealed("secret") : null;
        return new Command.Result.Done(access, null, duration(options.getOrDefault("settle", "0s")));
    }

    private ClaimId claimOf(EnvironmentName name, Map<String, String> options) {
        var made = claims.getOrDefault(name, List.of(new ClaimId("none")));
        return made.get(Math.max(0, made.size() - 1 - Integer.parseInt(options.getOrDefault("back", "0"))));
    }

    private void remember(Answer.Assignment step) {
        claims.computeIfAbsent(step.environment().name(), _ -> new ArrayList<>())
                .add(step.claim().id());
    }

    // ---- answers

    private String answer(Command command, Answer answer) {
        return switch (answer) {
            case Answer.Current(var allocation) ->
                (command instanceof Command.Ask ask && !ask.id().equals(allocation.id())
                                ? "joins " + letter(allocation.id()) + " "
                                : "")
                        + state(allocation);
            case Answer.Refused refused -> {
                why = refused.detail();
                yield slug(refused.refusal());
            }
            case Answer.Acted(var environment) -> state(environment);
            case Answer.Done() -> "done";
            case Answer.Claimed claimed -> {
                claimed.steps().forEach(this::remember);
                var steps = claimed.steps().stream()
                        .map(step -> step.environment().name() + ":"
                                + slug(step.work().step())
                                + (step.fence().isEmpty()
                                        ? ""
                                        : " fencing " + step.fence().size()))
                        .collect(Collectors.joining(", "));
                yield (steps.isEmpty() ? "nothing" : steps) + (claimed.more() ? " and more" : "");
            }
            case Answer.Renewed(var lost) -> lost.isEmpty() ? "kept" : "lost";
            case Answer.Reported(var taken) -> taken ? "taken" : "lost";
        };
    }

    private String show(String subject) {
        return allocations.containsKey(subject) ? state(allocation(subject)) : state(environment(subject));
    }

    static String state(Allocation allocation) {
        var environments = allocation.state().grants().stream()
                .map(grant -> grant.environment().value())
                .sorted()
                .collect(Collectors.joining(","));
        return switch (allocation.state()) {
            case AllocationState.Pending _ -> "pending";
            case AllocationState.Polling _ -> "polling";
            case AllocationState.Granting _ -> "granting " + environments;
            case AllocationState.Active _ -> "active " + environments;
            case AllocationState.Ended ended ->
                "ended " + ended.reason().slug() + (ended.outcome() == null ? "" : " " + ended.outcome());
        };
    }

    static String state(Environment environment) {
        var work = environment.state().work();
        var text = new StringBuilder(slug(environment.state().name()));
        switch (environment.state()) {
            case EnvironmentState.Withheld withheld ->
                text.append(withheld.untilMended() ? " until mended" : "")
                        .append(" for ")
                        .append(withheld.by());
            case EnvironmentState.Dirty dirty -> text.append(": ").append(dirty.reason());
            case EnvironmentState.Retired retired -> {
                text.append(retired.byOperator() ? " by operator" : "");
                text.append(retired.dirtyBecause() == null ? "" : ", dirty: " + retired.dirtyBecause());
            }
            case EnvironmentState.Available _,
                    EnvironmentState.Allocated _,
                    EnvironmentState.Cleaning _,
                    EnvironmentState.Checking _ -> {}
        }
        if (work != null) {
            text.append(' ').append(slug(work.step()));
            text.append(work.failures() == 0 ? "" : " failures=" + work.failures());
            text.append(work.claim() == null ? "" : " claimed");
            text.append(work.settling() ? " settling" : "");
        }
        text.append(environment.drain() == null ? "" : " draining");
        text.append(environment.quarantine() == null ? "" : " quarantined");
        return text.toString();
    }

    static String slug(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    // ---- words

    private AllocationId id(String letter) {
        var id = allocations.get(letter);
        return id == null ? AllocationId.create(pool, now, random) : id;
    }

    private String letter(AllocationId id) {
        return allocations.entrySet().stream()
                .filter(entry -> entry.getValue().equals(id))
                .map(Map.Entry::getKey)
                .findFirst()
                .orElseThrow();
    }

    private Allocation allocation(String letter) {
        var found = store.find(id(letter));
        if (found == null) {
            throw new AssertionError("no allocation " + letter);
        }
        return found;
    }

    private Environment environment(String name) {
        var found = store.environments.get(new EnvironmentName(name));
        if (found == null) {
            throw new AssertionError("no environment " + name);
        }
        return found;
    }

    private String sinceNow(@Nullable Instant at) {
        if (at == null) {
            return "never";
        }
        var text = Duration.between(now, at).toString().toLowerCase(Locale.ROOT).replace("pt", "");
        return text;
    }

    private static Map<String, String> options(List<String> words) {
        var options = new HashMap<String, String>();
        for (var word : words) {
            int equals = word.indexOf('=');
            options.put(equals < 0 ? word : word.substring(0, equals), equals < 0 ? "" : word.substring(equals + 1));
        }
        return options;
    }

    private static @Nullable Duration perhaps(String text) {
        return text.equals("none") ? null : duration(text);
    }

    static Duration duration(String text) {
        return text.startsWith("-")
                ? Duration.parse("PT" + text.substring(1)).negated()
                : text.endsWith("d")
                        ? Duration.ofDays(Long.parseLong(text.replace("d", "")))
                        : Duration.parse("PT" + text);
    }
}
