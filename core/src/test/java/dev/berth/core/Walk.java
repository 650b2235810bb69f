package dev.berth.core;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A way through the life of a pool, made from a seed: batches of moves. Moves name things by number, so that a way from which some were
 * taken out is still one, and a failing one can be shrunk.
 *
 * <p>Where the order is fair, a way that is compared with the model asks for no special needs: which of several environments is counted
 * on decides there whose turn it is next, and the model does not know which.
 */
final class Walk {
    private static final List<String> SHAPES = List.of("os:linux", "os:linux,gpu:1", "os:mac,/region:eu@ro");
    private static final List<String> NEEDS =
            List.of("", "os:linux", "gpu:*", "os:mac|linux", "@ro", "/region:eu", "/name:e0|e1", "/account:acc");
    private static final List<String> SIMPLE_NEEDS = NEEDS.subList(0, 6);
    /** From this seed on pools lend one environment of an account at a time, which the model does not know. */
    static final long FIRST_THAT_ISOLATES = 3_000_000;

    private static final List<String> PROCESSES = List.of("p0", "p1", "p2");

    /** One command to come; {@code what} is a word, the numbers choose among what is there when its time comes. */
    record Move(String what, int a, int b, int c) {
        @Override
        public String toString() {
            return "%s(%d,%d,%d)".formatted(what, a, b, c);
        }
    }

    /** A batch after so much time. */
    record Leg(Duration after, List<Move> moves) {
        Leg {
            moves = List.copyOf(moves);
        }
    }

    private final NaiveStore store;
    private final List<Policy> policies;
    private final int size;
    private final boolean shaped;
    private final boolean isolates;
    private final Random ids = new Random(7);
    private final List<AllocationId> asked = new ArrayList<>();
    private final Map<EnvironmentName, List<ClaimId>> claims = new HashMap<>();
    private final @Nullable NaiveModel model;
    private Instant now = Scenario.START;
    private int claimsMade;

    Walk(long seed, int mostDue, int mostHeads, boolean compares, UnaryOperator<Decision> tamper) {
        this(seed, new NaiveStore(mostDue, mostHeads, tamper), compares ? UnaryOperator.identity() : null);
    }

    /**
     * @param believed what the model takes a policy for; null where nothing is compared with it
     */
    Walk(long seed, NaiveStore store, @Nullable UnaryOperator<Policy> believed) {
        var random = new Random(seed);
        this.store = store;
        var options = options(random);
        isolates = seed >= FIRST_THAT_ISOLATES;
        policies = policies(options, isolates, new Random(~seed));
        size = 1 + random.nextInt(8);
        shaped = random.nextInt(4) > 0;
        store.pools.put(1, Pool.create(1, new PoolName("p"), policies.getFirst(), now));
        model = believed == null ? null : new NaiveModel(policies.getFirst(), believed, store, now);
        for (int i = 0; i < size; i++) {
            batch(List.of(new Command.Register(List.of(record(i, 0)))));
        }
    }

    /** The first, and others that come into force on the way: of the same order and steps, with quotas for the same principals. */
    private static List<Policy> policies(Map<String, String> options, boolean isolates, Random random) {
        if (isolates) {
            options.put("isolate", "");
        }
        if (!options.containsKey("held") && random.nextInt(3) == 0) {
            options.put("quotas", "u0:" + (1 + random.nextInt(2)));
        }
        var policies = new ArrayList<Policy>();
        policies.add(Scenario.policy(null, options));
        for (int i = 0; i < 2; i++) {
            var other = new HashMap<>(options);
            other.putAll(terms(random));
            other.computeIfPresent("held", (_, _) -> String.valueOf(1 + random.nextInt(3)));
            other.computeIfPresent("quotas", (_, _) -> "u0:" + (1 + random.nextInt(3)));
            if (random.nextBoolean()) {
                other.put("queued", "2");
            }
            if (isolates && random.nextInt(3) == 0) {
                other.remove("isolate");
            }
            policies.add(Scenario.policy(null, other));
        }
        return policies;
    }

    private static Map<String, String> options(Random random) {
        var options = new LinkedHashMap<String, String>();
        options.put(
                "steps",
                List.of("none", "all", "clean", "issue", "issue,revoke", "revoke,clean,verify", "verify")
                        .get(random.nextInt(7)));
        options.putAll(terms(random));
        options.put("verify", List.of("none", "2m").get(random.nextInt(2)));
        if (random.nextBoolean()) {
            options.put("adopt", "");
        }
        options.put("max-priority", "2");
        switch (random.nextInt(4)) {
            case 0 -> options.put("held", "2");
            case 1 -> options.put("queued", "1");
            default -> {}
        }
        switch (random.nextInt(4)) {
            case 0 -> options.put("fair", "");
            case 1 -> {
                options.put("fair", "");
                options.put("share-by", "team");
            }
            default -> {}
        }
        if (random.nextBoolean()) {
            options.put("hold", "1h");
            options.put("hold-quota", "2");
        }
        return options;
    }

    private static Map<String, String> terms(Random random) {
        return Map.of(
                "session", List.of("2m", "10m", "1h").get(random.nextInt(3)),
                "max", List.of("none", "2h").get(random.nextInt(2)),
                "keepalive", List.of("none", "30s").get(random.nextInt(2)),
                "attempts", String.valueOf(1 + random.nextInt(3)),
                "timeout", List.of("10s", "1m").get(random.nextInt(2)),
                "queue", List.of("2", "10").get(random.nextInt(2)),
                "parallel", String.valueOf(1 + random.nextInt(4)),
                "liveness", List.of("7d", "60s", "5s").get(random.nextInt(3)),
                "aging", List.of("15m", "20s").get(random.nextInt(2)));
    }

    static List<Leg> legs(long seed, int count) {
        var random = new Random(seed ^ 0x5DEECE66DL);
        var legs = new ArrayList<Leg>();
        for (int i = 0; i < count; i++) {
            int when = random.nextInt(100);
            var after = when < 40
                    ? Duration.ZERO
                    : when < 92
                            ? Duration.ofMillis(random.nextInt(5_000))
                            : when < 97
                                    ? Duration.ofSeconds(random.nextInt(120))
                                    : Duration.ofMinutes(random.nextInt(90));
            var moves = new ArrayList<Move>();
            for (int j = random.nextInt(4); j >= 0; j--) {
                moves.add(move(random));
            }
            legs.add(new Leg(after, moves));
        }
        return legs;
    }

    private static Move move(Random random) {
        int what = random.nextInt(100);
        if (random.nextInt(6) == 0) {
            return new Move(
                    List.of("attend", "leave", "hold", "prioritise").get(random.nextInt(4)),
                    random.nextInt(1000),
                    random.nextInt(1000),
                    random.nextInt(1000));
        }
        var word = what < 22
                ? "ask"
                : what < 30
                        ? "release"
                        : what < 36
                                ? "keep"
                                : what < 39
                                        ? "extend"
                                        : what < 57
                                                ? "claim"
                                                : what < 82
                                                        ? "report"
                                                        : what < 86
                                                                ? "renew"
                                                                : what < 87
                                                                        ? "void"
                                                                        : what < 92
                                                                                ? "act"
                                                                                : what < 95
                                                                                        ? "register"
                                                                                        : what < 97
                                                                                                ? "deregister"
                                                                                                : what < 98
                                                                                                        ? "list"
                                                                                                        : "tick";
        return new Move(word, random.nextInt(1000), random.nextInt(1000), random.nextInt(1000));
    }

    /** Goes the whole way, and then sees that everything comes to rest when faults stop. */
    void go(List<Leg> legs) {
        for (var leg : legs) {
            now = now.plus(leg.after);
            batch(leg.moves.stream().map(this::command).toList());
        }
        rest();
    }

    private Decision batch(List<Command> batch) {
        var decision = store.run(1, batch, now);
        for (var answer : decision.answers()) {
            if (answer instanceof Answer.Claimed claimed) {
                claimed.steps()
                        .forEach(step -> claims.computeIfAbsent(
                                        step.environment().name(), _ -> new ArrayList<>())
                                .add(step.claim().id()));
            }
        }
        if (model != null) {
            compare(batch, decision, model);
        }
        return decision;
    }

    private void compare(List<Command> batch, Decision decision, NaiveModel model) {
        var expected = model.run(batch, decision.answers(), now);
        for (int i = 0; i < batch.size(); i++) {
            var said = said(decision.answers().get(i));
            // Some are served, or ended in a pool that is taken out, by the batches that follow at once.
            boolean follows = said.equals("pending")
                    && (expected.get(i).equals("ended unsatisfiable")
                            || expected.get(i).equals(now(decision, i)));
            if (!said.equals(expected.get(i)) && !follows) {
                throw new AssertionError(
                        "%s is answered '%s', and should be '%s'".formatted(batch.get(i), said, expected.get(i)));
            }
        }
        model.things.forEach((name, thing) -> {
            var environment = store.environments.get(new EnvironmentName(name));
            same(name, Scenario.state(environment), NaiveModel.state(thing));
            same("epoch of " + name, environment.epoch(), thing.epoch);
        });
        model.loans.forEach((id, loan) -> {
            var allocation = store.find(id);
            if (allocation == null) {
                throw new AssertionError(id + " is not there");
            }
            same(
                    id.value(),
                    allocation.hasEnded() ? ended(allocation) : Scenario.state(allocation),
                    NaiveModel.state(loan));
            var due = allocation.state().dueAt();
            switch (allocation.state()) {
                case AllocationState.Pending pending -> {
                    same("wait of " + id, pending.until(), loan.until);
                    same("interest in " + id, pending.interestUntil(), loan.interest);
                    same("what " + id + " avoids", names(pending.setbacks().avoid()), loan.avoid);
                    same("priority of " + id, allocation.request().priority(), loan.priority);
                }
                case AllocationState.Granting granting -> {
                    same("issuing of " + id, granting.giveUpAt(), loan.giveUp);
                    same("loan of " + id, granting.loan(), loan.lent);
                }
                case AllocationState.Active active -> {
                    if (model.isNew(loan) && active.collectBy() != null) { // granted by a batch that followed
                        same(
                                "fetching of " + id,
                                active.collectBy(),
                                now.plus(model.policy().queue().liveness()));
                        loan.collectBy = active.collectBy();
                        loan.keepaliveBy = null;
                    }
                    same("end of " + id, active.expiresAt(), loan.expires);
                    same("keepalive of " + id + " due " + due, active.keepaliveBy(), loan.keepaliveBy);
                    same("loan of " + id, active.loan(), loan.lent);
                    same(
                            "hold of " + id,
                            active.hold() == null ? null : active.hold().until(),
                            loan.heldUntil);
                    same("fetching of " + id, active.collectBy(), loan.collectBy);
                }
                case AllocationState.Polling _, AllocationState.Ended _ -> {}
            }
        });
        for (var place : model.places.values()) {
            var stored = store.live.get(place.id);
            same(
                    "place of " + place.id,
                    stored == null ? null : stored.state(),
                    new AllocationState.Polling(place.askedAt, place.keptUntil, place.misses, place.awake));
        }
        same(
                "who keeps asking",
                store.live.values().stream()
                        .filter(allocation -> allocation.state() instanceof AllocationState.Polling)
                        .map(Allocation::id)
                        .collect(Collectors.toSet()),
                model.places.values().stream().map(place -> place.id).collect(Collectors.toSet()));
        same("allocations", store.live.size() + store.ended.size(), model.loans.size() + model.places.size());
        same("keys", store.keys.size(), model.keys.size());
    }

    /** How that is now of which an answer tells. */
    private @Nullable String now(Decision decision, int answer) {
        var told = decision.answers().get(answer) instanceof Answer.Current(var allocation)
                ? store.find(allocation.id())
                : null;
        return told == null || told.hasEnded() ? null : Scenario.state(told);
    }

    private static Set<String> names(Set<EnvironmentName> names) {
        return names.stream().map(EnvironmentName::value).collect(Collectors.toSet());
    }

    private static void same(String what, @Nullable Object is, @Nullable Object shouldBe) {
        if (!java.util.Objects.equals(is, shouldBe)) {
            throw new AssertionError("%s: is '%s', and should be '%s'".formatted(what, is, shouldBe));
        }
    }

    private static String ended(Allocation allocation) {
        return "ended " + ((AllocationState.Ended) allocation.state()).reason().slug();
    }

    private static String said(Answer answer) {
        return switch (answer) {
            case Answer.Current(var allocation) ->
                allocation.hasEnded() ? ended(allocation) : Scenario.state(allocation);
            case Answer.Refused refused -> Scenario.slug(refused.refusal());
            case Answer.Acted _ -> "acted";
            case Answer.Done() -> "done";
            case Answer.Claimed claimed -> "claimed " + claimed.steps().size();
            case Answer.Renewed renewed -> renewed.lost().isEmpty() ? "kept" : "lost";
            case Answer.Reported(var taken) -> taken ? "taken" : "lost";
        };
    }

    // ---- rest

    private void rest() {
        batch(List.of(new Command.Enact(policies.getFirst())));
        for (int i = 0; i < size; i++) {
            batch(List.of(new Command.Register(List.of(record(i, 99)))));
            batch(List.of(new Command.Act(name(i), Command.Action.CLEAN, null, "root")));
        }
        for (int round = 0; round < 400; round++) {
            now = now.plusSeconds(round % 2 == 0 ? 1 : 4);
            var decision = batch(List.of(claim("last", 9)));
            for (var step : ((Answer.Claimed) decision.answers().getFirst()).steps()) {
                batch(List.of(new Command.Report(
                        step.environment().name(),
                        step.claim().id(),
                        step.environment().epoch(),
                        done(0))));
            }
            for (var environment : List.copyOf(store.environments.values())) {
                if (environment.state() instanceof EnvironmentState.Dirty) {
                    batch(List.of(new Command.Act(environment.name(), Command.Action.CLEAN, null, "root")));
                }
            }
            for (var active : List.copyOf(store.live.values())) {
                if (round > 60 && active.state() instanceof AllocationState.Active) {
                    batch(List.of(new Command.Release(active.id(), new Caller(active.principal(), false), null)));
                }
            }
        }
        if (!store.live.isEmpty()) {
            throw new AssertionError("still there at the end: " + store.live.values());
        }
        for (var environment : store.environments.values()) {
            if (!(environment.state() instanceof EnvironmentState.Available
                    || environment.state() instanceof EnvironmentState.Checking)) {
                throw new AssertionError("not at rest: " + environment);
            }
        }
    }

    // ---- commands

    private Command command(Move move) {
        var who = new Caller("u" + move.b % 2, move.c % 10 == 0);
        return switch (move.what) {
            case "ask" -> {
                var id = AllocationId.create(1, now, ids);
                asked.add(id);
                yield new Command.Ask(
                        id,
                        who.principal(),
                        request(move),
                        Duration.ofSeconds(move.b % 100),
                        move.a % 3 == 0 ? "x" : null,
                        who.operator());
            }
            case "release" -> new Command.Release(some(move.a), who, move.c % 3 == 0 ? "well" : null);
            case "keep" -> new Command.KeepAlive(some(move.a), who);
            case "extend" -> new Command.Extend(some(move.a), who, now.plusSeconds(move.c * 9L));
            case "attend" -> new Command.Attend(some(move.a), who, Duration.ofSeconds(move.b % 3 * 20L));
            case "leave" -> new Command.Leave(some(move.a), who, move.b % 2 == 0);
            case "hold" ->
                new Command.Hold(some(move.a), who, Duration.ofMinutes(1 + move.b % 90), null, Set.of("eve"));
            case "prioritise" -> new Command.Prioritise(some(move.a), who, move.b % 5 - 2);
            case "claim" -> claim(PROCESSES.get(move.b % 3), 1 + move.c % 5);
            case "report" -> report(move);
            case "renew" -> {
                var name = name(move.a);
                yield new Command.RenewClaims(List.of(new Command.RenewClaims.Held(name, claimOf(name, move.b))));
            }
            case "void" -> new Command.VoidClaims(PROCESSES.get(move.b % 3));
            case "act" ->
                new Command.Act(
                        name(move.a),
                        List.of(Command.Action.values()).get(move.b % 4),
                        move.c % 2 == 0 ? "odd" : null,
                        "root");
            case "register" -> new Command.Register(List.of(record(move.a, move.b % 3)));
            case "deregister" -> new Command.Deregister(List.of(name(move.a)));
            case "list" -> move.a % 4 == 0 ? new Command.Delist() : new Command.Enact(policies.get(move.b % 3));
            default -> new Command.Tick();
        };
    }

    private Request request(Move move) {
        int wait = move.c % 3 == 0 ? 0 : move.c % 200;
        return new Request(
                "job",
                need(move),
                move.b % 5 == 0 ? Duration.ofSeconds(1 + move.b % 90) : null,
                move.c % 4 == 0 ? Duration.ofSeconds(10 + move.c % 50) : null,
                Duration.ofSeconds(wait),
                move.a % 11 == 0 ? move.b % 5 - 2 : 0,
                "{}",
                move.b % 4 == 0 ? "k" + move.a % 5 : null,
                "body" + (move.c % 20 == 0 ? 1 : 0));
    }

    private NeedClass need(Move move) {
        var need = askedFor(move);
        return isolates && need.count() > 1 ? need.inDifferentAccounts() : need;
    }

    private NeedClass askedFor(Move move) {
        int count = 1 + (move.a % 10 < 6 ? 0 : move.a % 4);
        if (!shaped) {
            return NeedClass.of(List.of(Need.any(count)), false);
        }
        if (model != null && policies.getFirst().queue().order() == Policy.Queueing.Order.FAIR) {
            return Words.needs(count + "*" + SIMPLE_NEEDS.get(move.b % SIMPLE_NEEDS.size()), false);
        }
        var one = NEEDS.get(move.b % NEEDS.size());
        var needs = count + "*" + one + (move.a % 7 == 0 ? "+" + NEEDS.get(move.c % NEEDS.size()) : "");
        return Words.needs(needs, move.c % 6 == 0);
    }

    private Command report(Move move) {
        var environment = claimedOne(move.a);
        var epoch = environment == null ? 0 : environment.epoch() - (move.c % 25 == 0 ? 1 : 0);
        var name = environment == null ? name(move.a) : environment.name();
        int how = move.b % 20;
        Command.Result result = how < 12
                ? done(how == 0 ? move.c % 20 : 0)
                : how < 16
                        ? new Command.Result.Failed("broken", null)
                        : how < 19 ? new Command.Result.Unavailable("down", null) : new Command.Result.Unfenced();
        return new Command.Report(name, claimOf(name, move.c), epoch, result);
    }

    /** Mostly one that somebody is at. */
    private @Nullable Environment claimedOne(int number) {
        var claimed = store.environments.values().stream()
                .filter(NaiveStore::isClaimed)
                .toList();
        return claimed.isEmpty() ? store.environments.get(name(number)) : claimed.get(number % claimed.size());
    }

    private static Command.Result done(int settle) {
        return new Command.Result.Done(new Sealed("secret"), null, Duration.ofSeconds(settle));
    }

    private Command.ClaimWork claim(String process, int most) {
        var fresh = new ArrayList<ClaimId>();
        for (int i = 0; i < most; i++) {
            fresh.add(new ClaimId("c" + ++claimsMade));
        }
        return new Command.ClaimWork(process, fresh);
    }

    /** Mostly the last one, at times a lost one. */
    private ClaimId claimOf(EnvironmentName name, int number) {
        var made = claims.getOrDefault(name, List.of(new ClaimId("none")));
        return number % 8 == 0 ? made.get(number / 8 % made.size()) : made.getLast();
    }

    private AllocationId some(int number) {
        if (asked.isEmpty()) {
            return AllocationId.create(1, now, ids);
        }
        // mostly one of the last, which lives
        int back = number % 10 == 0 ? number % asked.size() : number % Math.min(6, asked.size());
        return asked.get(asked.size() - 1 - back);
    }

    private EnvironmentName name(int number) {
        return new EnvironmentName("e" + number % size);
    }

    private Registration record(int number, int variant) {
        var options = new HashMap<String, String>();
        options.put("digest", "v" + variant);
        options.put("id", "thing" + number % size);
        if (isolates) {
            options.put("account", List.of("acc", "bcc", "ccc").get(number % size / 2 % 3));
        } else if (number % size % 2 == 0) {
            options.put("account", number % size % 4 == 0 ? "acc" : "bcc");
        }
        if (shaped) {
            options.put("shape", SHAPES.get((number % size + (variant == 2 ? 1 : 0)) % SHAPES.size()));
        }
        return Scenario.record("e" + number % size, options);
    }
}
