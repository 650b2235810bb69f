package dev.berth.core;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ForecastTest {
    private static final Instant NOW = Instant.parse("2026-03-01T12:00:00Z");
    private static final Shape ARM = Shape.of(Map.of("arch", new Value.Text("arm64")), Map.of(), List.of());
    private static final Shape INTEL = Shape.of(Map.of("arch", new Value.Text("amd64")), Map.of(), List.of());
    private static final Need ANY_ARM = Need.capability("arch", new Value.Text("arm64"));
    private static final NeedClass ONE_ARM = NeedClass.of(List.of(ANY_ARM), false);

    private final List<ForecastPool.Waiting> waiting = new ArrayList<>();
    private final List<ForecastPool.Busy> busy = new ArrayList<>();
    private final List<ShapeCount> shapes = new ArrayList<>();
    private final Map<String, Holder> holders = new TreeMap<>();
    private final List<ForecastPool.Past> loans = new ArrayList<>();
    private final List<Duration> upkeep = new ArrayList<>();
    private final List<ForecastPool.Asked> requests = new ArrayList<>();
    private Policy policy = policy(Set.of(), Policy.Queueing.Order.FIFO, Policy.Quota.NONE);

    private static Policy policy(Set<Step> steps, Policy.Queueing.Order order, Policy.Quota quota) {
        return policy(steps, order, quota, false);
    }

    private static Policy policy(Set<Step> steps, Policy.Queueing.Order order, Policy.Quota quota, boolean isolates) {
        var queue = Policy.Queueing.DEFAULT;
        return new Policy(
                "fixed",
                "{}",
                steps,
                Duration.ofHours(1),
                null,
                null,
                Duration.ofSeconds(20),
                false,
                Map.of(Step.CLEAN, new Policy.Limits(Duration.ofMinutes(30), 3)),
                null,
                new Policy.Queueing(
                        queue.max(),
                        queue.maxWait(),
                        order,
                        null,
                        queue.halfLife(),
                        queue.aging(),
                        queue.liveness(),
                        queue.maxPriority()),
                quota,
                Map.of(),
                null,
                20,
                1,
                isolates);
    }

    private static AllocationId id(int number) {
        return AllocationId.create(1, NOW.plusMillis(number), new Random(number));
    }

    private AllocationId asks(NeedClass need) {
        return asks(need, "ci", null, NOW.plusSeconds(60));
    }

    private AllocationId asks(
            NeedClass need, String principal, @Nullable Duration duration, @Nullable Instant interestUntil) {
        int number = waiting.size() + 1;
        var createdAt = NOW.minusSeconds(600).plusSeconds(number);
        waiting.add(new ForecastPool.Waiting(
                id(number),
                principal,
                policy.sharer(principal, null),
                need,
                0,
                createdAt.toEpochMilli(),
                number,
                createdAt,
                NOW.plus(Duration.ofDays(1)),
                interestUntil,
                duration));
        return id(number);
    }

    private void has(Shape shape, int free, int held, int upkeep, int dirty) {
        shapes.add(new ShapeCount(shape, free, held, upkeep, dirty, 0));
    }

    private void lent(Shape shape, String principal, Duration age, Duration left) {
        lent(shape, principal, 1000 + busy.size(), age, left);
    }

    private void lent(Shape shape, String principal, int allocation, Duration age, Duration left) {
        busy.add(new ForecastPool.Busy(
                new EnvironmentName("board-" + busy.size()),
                shape.digest(),
                "account-" + busy.size(),
                NOW.minus(age),
                false,
                new ForecastPool.Loan(
                        id(allocation), "nightly", principal, policy.sharer(principal, null), NOW.plus(left))));
    }

    private void inUpkeep(Shape shape, Duration age) {
        busy.add(new ForecastPool.Busy(
                new EnvironmentName("board-" + busy.size()), shape.digest(), null, NOW.minus(age), false, null));
    }

    private void lasted(int count, Duration lasted, Duration allowed) {
        IntStream.range(0, count).forEach(_ -> loans.add(new ForecastPool.Past(lasted, allowed)));
    }

    private ForecastPool pool() {
        return new ForecastPool(
                NOW, policy, waiting, shapes, busy, holders, new ForecastPool.History(loans, upkeep, requests));
    }

    private static Duration in(Instant at) {
        return Duration.between(NOW, at);
    }

    private void assertEstimate(Forecast forecast, AllocationId request, Duration p50, Duration p90) {
        assertThat(forecast.estimate(request)).hasValueSatisfying(estimate -> {
            assertThat(in(estimate.p50())).isEqualTo(p50);
            assertThat(in(estimate.p90())).isEqualTo(p90);
        });
    }

    private String sentence(AllocationId request) {
        return Forecast.of(pool()).why(request).orElseThrow().sentence(NOW);
    }

    @Test
    void withNoHistoryTheDeadlinesAreP90AndHalfOfThemP50() {
        has(ARM, 0, 2, 0, 0);
        lent(ARM, "ci", Duration.ofMinutes(5), Duration.ofMinutes(20));
        lent(ARM, "ci", Duration.ofMinutes(5), Duration.ofMinutes(50));
        var first = asks(NeedClass.ONE);
        var second = asks(NeedClass.ONE);
        var third = asks(NeedClass.ONE);

        var forecast = Forecast.of(pool());

        assertEstimate(forecast, first, Duration.ofMinutes(10), Duration.ofMinutes(20));
        assertEstimate(forecast, second, Duration.ofMinutes(25), Duration.ofMinutes(50));
        // The first, granted after 10 or 20 minutes, has half an hour or a whole one.
        assertEstimate(forecast, third, Duration.ofMinutes(40), Duration.ofMinutes(80));
    }

    @Test
    void whatIsInUpkeepWithoutHistoryTakesOneTimeOutAtMost() {
        policy = policy(Set.of(Step.CLEAN), Policy.Queueing.Order.FIFO, Policy.Quota.NONE);
        has(ARM, 0, 0, 1, 0);
        inUpkeep(ARM, Duration.ofMinutes(10));
        var request = asks(NeedClass.ONE);

        assertEstimate(Forecast.of(pool()), request, Duration.ofMinutes(10), Duration.ofMinutes(20));
    }

    @Test
    void loansThatEndEarlyMakeTheEstimateEarlier() {
        has(ARM, 0, 1, 0, 0);
        lent(ARM, "ci", Duration.ofMinutes(6), Duration.ofMinutes(54));
        lasted(1000, Duration.ofMinutes(15), Duration.ofMinutes(60));
        var request = asks(NeedClass.ONE);

        assertEstimate(Forecast.of(pool()), request, Duration.ofMinutes(9), Duration.ofMinutes(9));
    }

    @Test
    void aLoanIsExpectedToLastAsThoseDidThatWereAsOld() {
        has(ARM, 0, 1, 0, 0);
        lent(ARM, "ci", Duration.ofMinutes(20), Duration.ofMinutes(40));
        lasted(900, Duration.ofMinutes(6), Duration.ofMinutes(60));
        lasted(900, Duration.ofMinutes(54), Duration.ofMinutes(60));
        var request = asks(NeedClass.ONE);

        // Had the short ones counted, the median would be at once.
        assertThat(Forecast.of(pool()).estimate(request)).hasValueSatisfying(estimate -> {
            assertThat(in(estimate.p50())).isBetween(Duration.ofMinutes(30), Duration.ofMinutes(38));
            assertThat(in(estimate.p90())).isBetween(Duration.ofMinutes(34), Duration.ofMinutes(40));
        });
    }

    @Test
    void upkeepFollowsEveryLoan() {
        policy = policy(Set.of(Step.CLEAN), Policy.Queueing.Order.FIFO, Policy.Quota.NONE);
        has(ARM, 0, 1, 0, 0);
        lent(ARM, "ci", Duration.ZERO, Duration.ofMinutes(60));
        lasted(1000, Duration.ofMinutes(30), Duration.ofMinutes(60));
        IntStream.range(0, 1000).forEach(_ -> upkeep.add(Duration.ofMinutes(7)));
        var first = asks(NeedClass.ONE);
        var second = asks(NeedClass.ONE, "ci", Duration.ofMinutes(10), NOW.plusSeconds(60));
        var third = asks(NeedClass.ONE);

        var forecast = Forecast.of(pool());

        assertEstimate(forecast, first, Duration.ofMinutes(37), Duration.ofMinutes(37));
        assertEstimate(forecast, second, Duration.ofMinutes(74), Duration.ofMinutes(74));
        assertEstimate(forecast, third, Duration.ofMinutes(86), Duration.ofMinutes(86));
    }

    @Test
    void nobodyLaterTakesWhatTheFirstUnservedGathers() {
        has(ARM, 1, 1, 0, 0);
        lent(ARM, "ci", Duration.ZERO, Duration.ofMinutes(40));
        var both = asks(NeedClass.of(List.of(Need.any(2)), false));
        var one = asks(NeedClass.ONE);

        var forecast = Forecast.of(pool());

        assertEstimate(forecast, both, Duration.ofMinutes(20), Duration.ofMinutes(40));
        assertEstimate(forecast, one, Duration.ofMinutes(50), Duration.ofMinutes(100));
        assertThat(forecast.why(both).orElseThrow().standing()).isEqualTo(ForecastReason.Standing.GATHERS);
        assertThat(forecast.why(one).orElseThrow().standing()).isEqualTo(ForecastReason.Standing.WAITS);
    }

    @Test
    void environmentsOfOneAllocationComeBackTogether() {
        has(ARM, 0, 2, 0, 0);
        lent(ARM, "ci", 7, Duration.ofMinutes(1), Duration.ofMinutes(59));
        lent(ARM, "ci", 7, Duration.ofMinutes(1), Duration.ofMinutes(59));
        IntStream.rangeClosed(1, 59)
                .forEach(minute -> lasted(20, Duration.ofMinutes(minute).plusSeconds(30), Duration.ofMinutes(60)));
        var first = asks(NeedClass.ONE);
        var second = asks(NeedClass.ONE);

        var forecast = Forecast.of(pool());

        assertThat(forecast.estimate(first)).isPresent().isEqualTo(forecast.estimate(second));
    }

    @Test
    void whoNeedsAnotherKindDoesNotWaitForThoseBefore() {
        has(ARM, 0, 1, 0, 0);
        has(INTEL, 0, 1, 0, 0);
        lent(ARM, "ci", Duration.ZERO, Duration.ofMinutes(60));
        lent(INTEL, "ci", Duration.ofMinutes(30), Duration.ofMinutes(2));
        asks(ONE_ARM);
        asks(ONE_ARM);
        var intel = asks(NeedClass.of(List.of(Need.capability("arch", new Value.Text("amd64"))), false));

        assertEstimate(Forecast.of(pool()), intel, Duration.ofMinutes(1), Duration.ofMinutes(2));
    }

    @Test
    void whatIsWithheldComesBackWithItsNeighbourAndGoesWithIt() {
        policy = policy(Set.of(), Policy.Queueing.Order.FIFO, Policy.Quota.NONE, true);
        has(ARM, 0, 1, 0, 0);
        has(INTEL, 0, 1, 0, 0);
        inAccount(ARM, false);
        inAccount(INTEL, true);
        var first = asks(NeedClass.of(List.of(Need.capability("arch", new Value.Text("amd64"))), false));
        var second = asks(ONE_ARM);
        var forecast = Forecast.of(pool());
        assertEstimate(forecast, first, Duration.ofMinutes(10), Duration.ofMinutes(20));
        assertEstimate(forecast, second, Duration.ofMinutes(40), Duration.ofMinutes(80)); // after the first has had it
        policy = policy(Set.of(), Policy.Queueing.Order.FIFO, Policy.Quota.NONE);
        var together = Forecast.of(pool());
        assertEstimate(together, second, Duration.ofMinutes(10), Duration.ofMinutes(20));
    }

    private void inAccount(Shape shape, boolean withheld) {
        busy.add(new ForecastPool.Busy(
                new EnvironmentName("board-" + busy.size()),
                shape.digest(),
                "account",
                NOW,
                withheld,
                new ForecastPool.Loan(id(1000), "nightly", "ci", policy.sharer("ci", null), NOW.plusSeconds(1200))));
    }

    @Test
    void needsOfTwoKindsAreMatchedTogether() {
        has(ARM, 0, 1, 0, 0);
        has(INTEL, 0, 1, 0, 0);
        lent(ARM, "ci", Duration.ZERO, Duration.ofMinutes(10));
        lent(INTEL, "ci", Duration.ZERO, Duration.ofMinutes(30));
        var both = asks(NeedClass.of(List.of(Need.any(1), ANY_ARM), false));

        assertEstimate(Forecast.of(pool()), both, Duration.ofMinutes(15), Duration.ofMinutes(30));
    }

    @Test
    void whereNamesAreAskedForOnlyTheseCount() {
        has(ARM, 0, 2, 0, 0);
        lent(ARM, "ci", Duration.ZERO, Duration.ofMinutes(10));
        lent(ARM, "ci", Duration.ZERO, Duration.ofMinutes(30));
        var pinned = asks(NeedClass.of(List.of(Need.constraint(Need.NAME, new TreeSet<>(List.of("board-1")))), false));

        assertEstimate(Forecast.of(pool()), pinned, Duration.ofMinutes(15), Duration.ofMinutes(30));
        assertThat(sentence(pinned)).contains("name board-1: 1 held (back by 12:30 UTC at the latest)");
    }

    @Test
    void whoIsOverQuotaWaitsForItsOwnToEnd() {
        policy = policy(Set.of(), Policy.Queueing.Order.FIFO, new Policy.Quota(1, null));
        has(ARM, 0, 2, 0, 0);
        lent(ARM, "ci", Duration.ZERO, Duration.ofMinutes(50));
        lent(ARM, "web", Duration.ZERO, Duration.ofMinutes(10));
        holders.put("ci", new Holder("ci", 1, 1, 0, NOW, NOW));
        holders.put("web", new Holder("web", 1, 0, 0, NOW, NOW));
        var request = asks(NeedClass.ONE);

        assertEstimate(Forecast.of(pool()), request, Duration.ofMinutes(25), Duration.ofMinutes(50));
        assertThat(sentence(request)).startsWith("is over quota, since ci holds 1 environments and may hold 1 at once");
    }

    /** So many requests, one every so often until now. */
    private void came(int count, Duration every, String principal, int priority) {
        IntStream.rangeClosed(1, count)
                .mapToObj(i -> new ForecastPool.Asked(
                        NOW.minus(every.multipliedBy(i)),
                        principal,
                        policy.sharer(principal, null),
                        NeedClass.ONE,
                        priority,
                        null))
                .forEach(requests::add);
    }

    @Test
    void whereTheOrderIsFairWhoUsedLessGoesFirst() {
        policy = policy(Set.of(), Policy.Queueing.Order.FAIR, Policy.Quota.NONE);
        has(ARM, 0, 1, 0, 0);
        lent(ARM, "ci", Duration.ZERO, Duration.ofMinutes(20));
        holders.put("ci", new Holder("ci", 1, 1, 500, NOW, NOW.minusSeconds(30)));
        came(100, Duration.ofDays(30), "docs", 0);
        var many = asks(NeedClass.ONE, "ci", null, NOW.plusSeconds(60));
        var few = asks(NeedClass.ONE, "docs", null, NOW.plusSeconds(60));

        var forecast = Forecast.of(pool());

        assertEstimate(forecast, few, Duration.ofMinutes(10), Duration.ofMinutes(20));
        assertThat(forecast.why(few).orElseThrow().position()).isEqualTo(1);
        assertThat(forecast.why(many).orElseThrow().position()).isEqualTo(2);
        assertEstimate(forecast, many, Duration.ofMinutes(40), Duration.ofMinutes(80));
    }

    @Test
    void whereTheOrderIsFairThoseWhoComeLaterAndUsedLessAreForeseen() {
        policy = policy(Set.of(), Policy.Queueing.Order.FAIR, Policy.Quota.NONE);
        has(ARM, 0, 1, 0, 0);
        lent(ARM, "ci", Duration.ZERO, Duration.ofHours(1));
        lasted(1000, Duration.ofMinutes(4), Duration.ofHours(1));
        holders.put("ci", new Holder("ci", 1, 1, 500, NOW, NOW));
        came(200, Duration.ofMinutes(5), "docs", 0);
        var request = asks(NeedClass.ONE, "ci", null, NOW.plusSeconds(60));

        // Alone it would be granted in four minutes; in a quarter of an hour it has waited long enough to go before the
        // others.
        assertThat(Forecast.of(pool()).estimate(request)).hasValueSatisfying(estimate -> {
            assertThat(in(estimate.p50())).isBetween(Duration.ofMinutes(4), Duration.ofMinutes(15));
            assertThat(in(estimate.p90())).isBetween(Duration.ofMinutes(8), Duration.ofMinutes(25));
        });
    }

    @Test
    void whereTheOrderIsFairAndLittleWasAskedForItIsNotToldWhen() {
        policy = policy(Set.of(), Policy.Queueing.Order.FAIR, Policy.Quota.NONE);
        has(ARM, 0, 1, 0, 0);
        lent(ARM, "ci", Duration.ZERO, Duration.ofMinutes(20));
        came(5, Duration.ofMinutes(5), "docs", 0);
        var request = asks(NeedClass.ONE);

        assertThat(Forecast.of(pool()).estimate(request)).isEmpty();
        assertThat(sentence(request)).endsWith("; when cannot be told, since others who come later may go first");
    }

    @Test
    void whereSoManyComeThatNobodyElseGetsItsTurnItIsNotToldWhen() {
        policy = policy(Set.of(), Policy.Queueing.Order.FIFO, Policy.Quota.NONE);
        has(ARM, 0, 1, 0, 0);
        lent(ARM, "ci", Duration.ZERO, Duration.ofMinutes(20));
        lasted(1000, Duration.ofMinutes(20), Duration.ofHours(1));
        came(200, Duration.ofMinutes(1), "urgent", 1000);
        var request = asks(NeedClass.ONE);

        assertThat(Forecast.of(pool()).estimate(request)).isEmpty();
        assertThat(sentence(request)).endsWith("; when cannot be told, since others who come later may go first");
    }

    @Test
    void thoseWhoComeLaterWithAHigherPriorityAreForeseen() {
        has(ARM, 0, 1, 0, 0);
        lent(ARM, "ci", Duration.ZERO, Duration.ofHours(1));
        lasted(1000, Duration.ofMinutes(4), Duration.ofHours(1));
        came(200, Duration.ofMinutes(5), "urgent", 0);
        var request = asks(NeedClass.ONE);
        var alone = Forecast.of(pool()).estimate(request).orElseThrow();
        requests.clear();
        came(200, Duration.ofMinutes(5), "urgent", 5);

        var estimate = Forecast.of(pool()).estimate(request).orElseThrow();

        assertThat(in(alone.p90())).isLessThanOrEqualTo(Duration.ofMinutes(4));
        assertThat(in(estimate.p90())).isGreaterThan(Duration.ofMinutes(7));
    }

    @Test
    void whatIsBlockedHasNoEstimateAndSaysWhy() {
        has(ARM, 0, 1, 0, 1);
        lent(ARM, "ci", Duration.ZERO, Duration.ofMinutes(5));
        var two = asks(NeedClass.of(List.of(Need.any(2)), false));
        var one = asks(NeedClass.ONE);

        var forecast = Forecast.of(pool());

        assertThat(forecast.estimate(two)).isEmpty();
        assertThat(forecast.why(two).orElseThrow().standing()).isEqualTo(ForecastReason.Standing.BLOCKED);
        assertEstimate(forecast, one, Duration.ofSeconds(150), Duration.ofMinutes(5));
        assertThat(sentence(two))
                .isEqualTo(
                        "is blocked until a person acts; waits for 2 of 2 environments: 1 held (back by 12:05 UTC at the"
                                + " latest), 1 dirty");
    }

    @Test
    void whoIsPassedOverHasNoEstimateAndHoldsNobodyUp() {
        has(ARM, 0, 1, 0, 0);
        lent(ARM, "ci", Duration.ZERO, Duration.ofMinutes(10));
        var asleep = asks(NeedClass.ONE, "ci", null, null);
        var lapsed = asks(NeedClass.ONE, "ci", null, NOW);
        var awake = asks(NeedClass.ONE);

        var forecast = Forecast.of(pool());

        assertThat(forecast.estimate(asleep)).isEmpty();
        assertThat(forecast.estimate(lapsed)).isEmpty();
        assertThat(forecast.why(lapsed).orElseThrow().standing()).isEqualTo(ForecastReason.Standing.ASLEEP);
        assertThat(forecast.why(awake).orElseThrow().position()).isEqualTo(1);
        assertEstimate(forecast, awake, Duration.ofMinutes(5), Duration.ofMinutes(10));
    }

    @Test
    void whereALoanHasNoEndAndNoHistoryNothingIsPromised() {
        has(ARM, 0, 1, 0, 0);
        busy.add(new ForecastPool.Busy(
                new EnvironmentName("board-0"),
                ARM.digest(),
                null,
                NOW,
                false,
                new ForecastPool.Loan(id(1000), "a site", "web", "", null)));
        var request = asks(NeedClass.ONE);

        assertThat(Forecast.of(pool()).estimate(request)).isEmpty();
        assertThat(sentence(request)).isEqualTo("waits for 1 of 1 environment: 1 held");
    }

    @Test
    void theSentenceTellsWhatIsAskedForAndHowThatIs() {
        has(ARM, 0, 3, 0, 1);
        has(INTEL, 0, 1, 0, 0);
        lent(ARM, "ci", Duration.ZERO, Duration.ofMinutes(125));
        lent(ARM, "ci", Duration.ZERO, Duration.ofMinutes(140));
        lent(ARM, "ci", Duration.ZERO, Duration.ofDays(1));
        lent(INTEL, "ci", Duration.ZERO, Duration.ofMinutes(1));
        var request = asks(ONE_ARM);

        assertThat(sentence(request))
                .isEqualTo(
                        "waits for 1 of 4 environments with capability arch=arm64: 3 held (the first back by 14:05 UTC at"
                                + " the latest), 1 dirty");
        var need = Forecast.of(pool()).why(request).orElseThrow().needs().getFirst();
        assertThat(need.holders())
                .extracting(ForecastPool.Busy::name)
                .extracting(EnvironmentName::value)
                .containsExactly("board-0", "board-1", "board-2");
    }

    @Test
    void theSentenceStaysShortWhateverIsAskedFor() {
        has(ARM, 0, 1, 0, 0);
        var capabilities = new TreeMap<String, Value>();
        for (int i = 0; i < 100; i++) {
            capabilities.put("key-" + i, new Value.Text("x".repeat(1000)));
        }
        var needs = new ArrayList<Need>();
        for (int i = 1; i < 40; i++) {
            capabilities.put("own", new Value.Text("a" + i));
            needs.add(new Need(1, capabilities, Collections.emptySortedMap(), null));
        }

        assertThat(sentence(asks(NeedClass.of(needs, false))))
                .hasSizeLessThan(3000)
                .contains("35 other kinds");
    }

    @Test
    void theSamePoolHasTheSameForecastAndWhoIsBeforeComesEarlier() {
        has(ARM, 0, 10, 0, 0);
        var random = new Random(7);
        for (int i = 0; i < 10; i++) {
            lent(ARM, "ci", Duration.ofMinutes(random.nextInt(60)), Duration.ofMinutes(random.nextInt(60)));
            lasted(10, Duration.ofSeconds(60 + random.nextInt(3000)), Duration.ofHours(1));
        }
        var requests =
                IntStream.range(0, 300).mapToObj(_ -> asks(NeedClass.ONE)).toList();

        var forecast = Forecast.of(pool());
        var again = Forecast.of(pool());

        for (int i = 0; i < requests.size(); i++) {
            var estimate = forecast.estimate(requests.get(i)).orElseThrow();
            assertThat(again.estimate(requests.get(i))).hasValue(estimate);
            assertThat(estimate.p50()).isBeforeOrEqualTo(estimate.p90());
            if (i > 0) {
                var before = forecast.estimate(requests.get(i - 1)).orElseThrow();
                assertThat(estimate.p50()).isAfterOrEqualTo(before.p50());
                assertThat(estimate.p90()).isAfterOrEqualTo(before.p90());
            }
        }
    }

    @Test
    void whatNobodyWaitsForIsNoReason() {
        has(ARM, 1, 0, 0, 0);

        assertThat(Forecast.of(pool()).why(id(1))).isEmpty();
        assertThat(Forecast.of(pool()).estimate(id(1))).isEmpty();
    }

    @Test
    void everyCourseDrawsByItself() {
        var random = new Random(7);
        for (int i = 0; i < 1000; i++) {
            lasted(1, Duration.ofSeconds(1 + random.nextInt(3600)), Duration.ofHours(1));
        }
        var draws = new ForecastDraws(new ForecastPool.History(loans, upkeep, requests), policy);

        assertThat(drawn(draws, 2).subList(0, 19)).isNotEqualTo(drawn(draws, 1).subList(1, 20));
    }

    private static List<Long> drawn(ForecastDraws draws, int course) {
        draws.begin(course, 0.5);
        return IntStream.range(0, 20)
                .mapToObj(_ -> draws.rest(0, Duration.ofHours(1).toMillis()))
                .toList();
    }
}
