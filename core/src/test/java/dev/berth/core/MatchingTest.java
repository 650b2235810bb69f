package dev.berth.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Several needs at once: an assignment is found where there is one, held against trying them all. {@code -Dberth.seed=N} for one. */
final class MatchingTest {
    private static final int CASES = 3_000;
    private static final List<String> SHAPES =
            List.of("os:linux,gpu:1", "os:linux", "os:mac,/region:eu", "os:linux,/region:us@ro", "");
    private static final List<String> NEEDS = List.of(
            "",
            "os:linux",
            "gpu:*",
            "os:mac|linux",
            "/region:eu|us",
            "@ro",
            "/name:e0|e1",
            "/account:a",
            "os:linux,/account:a|b");

    @Test
    void asManyUnitsArePlacedAsCanBe() {
        for (long seed = 0; seed < CASES; seed++) {
            var random = new Random(seed);
            int slots = random.nextInt(6);
            var candidates = new ArrayList<int[]>();
            for (int unit = random.nextInt(6); unit > 0; unit--) {
                candidates.add(IntStream.range(0, slots)
                        .filter(_ -> random.nextInt(3) == 0)
                        .toArray());
            }
            var found = Matching.largest(candidates, slots);
            var taken = new HashSet<Integer>();
            for (int unit = 0; unit < found.length; unit++) {
                if (found[unit] != Matching.NONE) {
                    assertThat(candidates.get(unit)).as("seed %d", seed).contains(found[unit]);
                    assertThat(taken.add(found[unit])).as("seed %d", seed).isTrue();
                }
            }
            assertThat(taken).as("seed %d", seed).hasSize(most(candidates, 0, new HashSet<>()));
        }
    }

    private static int most(List<int[]> candidates, int unit, Set<Integer> taken) {
        if (unit == candidates.size()) {
            return 0;
        }
        int best = most(candidates, unit + 1, taken);
        for (int slot : candidates.get(unit)) {
            if (taken.add(slot)) {
                best = Math.max(best, 1 + most(candidates, unit + 1, taken));
                taken.remove(slot);
            }
        }
        return best;
    }

    @Test
    void aRequestIsServedExactlyWhenSomeAssignmentServesIt() {
        var only = Long.getLong("berth.seed");
        int served = 0;
        int impossible = 0;
        for (long seed = only == null ? 0 : only; seed < (only == null ? CASES : only + 1); seed++) {
            var answer = serve(seed);
            served += answer instanceof Answer.Current ? 1 : 0;
            impossible +=
                    answer instanceof Answer.Refused refused && refused.refusal() == Refusal.UNSATISFIABLE ? 1 : 0;
        }
        if (only == null) { // else nothing is tested
            assertThat(served).isBetween(CASES / 10, CASES * 9 / 10);
            assertThat(impossible).isBetween(CASES / 10, CASES * 9 / 10);
        }
    }

    private static Answer serve(long seed) {
        var random = new Random(seed);
        var store = new NaiveStore();
        var now = Scenario.START;
        store.pools.put(1, Pool.create(1, new PoolName("p"), Scenario.policy(null, Map.of()), now));
        register(store, random, now);
        var needs = new ArrayList<Need>();
        for (int i = 1 + random.nextInt(3); i > 0; i--) {
            needs.add(Words.need(1 + random.nextInt(2) + "*" + NEEDS.get(random.nextInt(NEEDS.size()))));
        }
        var need = NeedClass.of(needs, random.nextBoolean());
        var pool = store.pools.get(1);
        var all = store.inPool(pool).toList();
        var free = all.stream().filter(Environment::isFree).toList();
        boolean could = BruteForce.canServe(need, free);
        boolean ever = BruteForce.canServe(need, all);
        var ask = new Command.Ask(
                AllocationId.create(1, now, random), "ci", request(need), java.time.Duration.ZERO, null, false);
        var answer = store.run(1, List.of(ask), now).answers().getFirst();
        var as = "seed %d: %s of %s"
                .formatted(
                        seed,
                        need.json(),
                        all.stream()
                                .map(each -> each.name() + "=" + each.state().name() + " "
                                        + each.record().account()
                                        + each.record().shape().json())
                                .toList());
        switch (answer) {
            case Answer.Current(var allocation) -> {
                assertThat(could).as(as).isTrue();
                assertServes(as, store, allocation);
            }
            case Answer.Refused refused -> {
                assertThat(could).as(as).isFalse();
                assertThat(refused.refusal())
                        .as(as)
                        .isEqualTo(ever ? Refusal.NO_ENVIRONMENT_AVAILABLE : Refusal.UNSATISFIABLE);
            }
            default -> throw new AssertionError(answer);
        }
        return answer;
    }

    private static void register(NaiveStore store, Random random, Instant now) {
        int size = 1 + random.nextInt(6);
        for (int i = 0; i < size; i++) {
            var account = List.of("a", "b", "c", "").get(random.nextInt(4));
            var options = new java.util.HashMap<String, String>();
            options.put("shape", SHAPES.get(random.nextInt(SHAPES.size())));
            if (!account.isEmpty()) {
                options.put("account", account);
            }
            var batch = new ArrayList<Command>();
            batch.add(new Command.Register(List.of(Scenario.record("e" + i, options))));
            store.run(1, batch, now);
            if (random.nextInt(4) == 0) {
                store.run(
                        1,
                        List.of(new Command.Act(new EnvironmentName("e" + i), Command.Action.QUARANTINE, null, "root")),
                        now);
            }
        }
    }

    /** Each unit has an environment of its own that serves it, with its profile, in an account of its own where that is asked for. */
    private static void assertServes(String as, NaiveStore store, Allocation allocation) {
        var need = allocation.request().need();
        var had = allocation.state().grants().stream()
                .map(grant -> store.environments.get(grant.environment()))
                .toList();
        assertThat(BruteForce.canServe(need, had)).as(as).isTrue();
        assertThat(had).as(as).hasSize(need.count());
        assertThat(allocation.state().grants().stream().map(Grant::profile).map(String::valueOf))
                .as(as)
                .containsExactlyInAnyOrderElementsOf(need.needs().stream()
                        .flatMap(each -> IntStream.range(0, each.count()).mapToObj(_ -> String.valueOf(each.access())))
                        .toList());
        for (var grant : allocation.state().grants()) {
            var shape = store.environments.get(grant.environment()).record().shape();
            assertThat(grant.profile() == null || shape.profiles().contains(grant.profile()))
                    .as(as)
                    .isTrue();
        }
        if (!need.isSpecial()) {
            var one = need.needs().getFirst();
            int worst = had.stream()
                    .mapToInt(each -> one.surplus(each.record().shape()))
                    .max()
                    .orElseThrow();
            assertThat(store.environments.values().stream()
                            .filter(Environment::isFree)
                            .filter(need::wants)
                            .mapToInt(each -> one.surplus(each.record().shape())))
                    .as("a better fit is left: " + as)
                    .allMatch(left -> left >= worst);
        }
    }

    private static Request request(NeedClass need) {
        return new Request("job", need, null, null, java.time.Duration.ZERO, 0, "{}", null, "body");
    }
}
