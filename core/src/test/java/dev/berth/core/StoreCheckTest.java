package dev.berth.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.core.Decision.Change;
import java.util.List;
import java.util.Objects;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** The tests of the rules can fail: decisions with a defect planted in them are caught on the way. */
final class StoreCheckTest {

    @Test
    void rulesAsTheyAreGoTheWholeWay() {
        go(UnaryOperator.identity());
    }

    @Test
    void aGrantThatIgnoresTheHolderIsCaught() {
        assertCaught("does not know that", decision -> {
            var lent = decision.environments().stream()
                    .filter(change -> change.before() != null
                            && change.after().state() instanceof EnvironmentState.Allocated
                            && !(change.before().state() instanceof EnvironmentState.Allocated))
                    .toList();
            // the environment is written as if it had not been lent: the next one gets it too
            return with(
                    decision,
                    decision.environments().stream()
                            .filter(change -> !lent.contains(change))
                            .toList(),
                    decision.allocations(),
                    decision.keysUsed());
        });
    }

    @Test
    void aPartialGrantIsCaught() {
        assertCaught(
                "has \\d+ of \\d+",
                decision -> with(
                        decision,
                        decision.environments(),
                        decision.allocations().stream()
                                .map(change -> change.after().state() instanceof AllocationState.Active active
                                                && active.grants().size() > 1
                                        ? new Change<>(
                                                change.before(), change.after().in(withoutLast(active)))
                                        : change)
                                .toList(),
                        decision.keysUsed()));
    }

    private static AllocationState.Active withoutLast(AllocationState.Active active) {
        return new AllocationState.Active(
                active.grants().subList(0, active.grants().size() - 1),
                active.grantedAt(),
                active.expiresAt(),
                active.keepaliveBy(),
                active.collectBy(),
                active.loan(),
                active.hold());
    }

    @Test
    void aForgottenKeyIsCaught() {
        assertCaught(
                "is forgotten", decision -> with(decision, decision.environments(), decision.allocations(), List.of()));
    }

    @Test
    void aCleanUpThatIsSkippedIsCaught() {
        assertCaught("was not revoked, cleaned and verified", decision -> {
            var pool = decision.pool();
            var counts = pool.counts();
            long skipped = decision.environments().stream()
                    .filter(StoreCheckTest::isGivenBack)
                    .count();
            var free = new Pool.Counts(
                    counts.available() + (int) skipped,
                    counts.allocated(),
                    counts.cleaning() - (int) skipped,
                    counts.checking(),
                    0,
                    counts.dirty(),
                    counts.retiring());
            var environments = decision.environments().stream()
                    .map(change -> isGivenBack(change) ? new Change<>(change.before(), freed(change.after())) : change)
                    .toList();
            return new Decision(
                    new Pool(
                            pool.number(),
                            pool.name(),
                            pool.policy(),
                            pool.listed(),
                            pool.generation(),
                            pool.sequence(),
                            pool.events(),
                            free,
                            pool.waiting(),
                            pool.polling(),
                            pool.onHold(),
                            pool.issuing(),
                            pool.maintained(),
                            pool.breaker(),
                            pool.touchedAt()),
                    decision.allocations(),
                    environments,
                    decision.forgotten(),
                    decision.shapes(),
                    decision.lines(),
                    decision.holders(),
                    decision.keysUsed(),
                    decision.keysFreed(),
                    decision.events(),
                    decision.answers(),
                    decision.again());
        });
    }

    private static boolean isGivenBack(Change<Environment> change) {
        return change.before() != null
                && change.before().state() instanceof EnvironmentState.Allocated
                && change.after().state() instanceof EnvironmentState.Cleaning;
    }

    private static Environment freed(Environment environment) {
        return environment.freedAs(environment.order(), new EnvironmentState.Available(null), environment.since());
    }

    @Test
    void aPlaceLostInTheQueueIsCaught() {
        assertCaught(
                "lost its place",
                decision -> with(
                        decision,
                        decision.environments(),
                        decision.allocations().stream()
                                .map(change -> change.before() == null
                                                || !(change.after().state() instanceof AllocationState.Pending)
                                        ? change
                                        : new Change<>(change.before(), later(Objects.requireNonNull(change.after()))))
                                .toList(),
                        decision.keysUsed()));
    }

    @Test
    void aLoanThatIsNotCalledOneIsCaught() {
        var scenario = new Scenario(decision -> with(
                decision,
                decision.environments(),
                decision.allocations().stream()
                        .map(change -> new Change<>(change.before(), owned(change.after())))
                        .toList(),
                decision.keysUsed()));
        scenario.line("pool env=2 session=1h");
        scenario.line("ask X -> active e1");
        scenario.line("+10s");
        scenario.line("ask B n=2 wait=1h -> pending");
        assertThatThrownBy(() -> scenario.line("ask C duration=10m"))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("was served before");
    }

    private static Allocation owned(Allocation allocation) {
        return switch (allocation.state()) {
            case AllocationState.Active active ->
                allocation.in(new AllocationState.Active(
                        active.grants(),
                        active.grantedAt(),
                        active.expiresAt(),
                        active.keepaliveBy(),
                        active.collectBy(),
                        false,
                        active.hold()));
            case AllocationState.Granting granting ->
                allocation.in(new AllocationState.Granting(
                        granting.grants(),
                        granting.until(),
                        granting.giveUpAt(),
                        granting.openUntil(),
                        false,
                        granting.setbacks()));
            case AllocationState.Pending _, AllocationState.Polling _, AllocationState.Ended _ -> allocation;
        };
    }

    @Test
    void aShapeThatIsMiscountedIsCaught() {
        assertCaught(
                "of a shape there are|a shape is not counted",
                decision -> counting(decision, List.of(), decision.lines(), decision.holders(), decision.forgotten()));
    }

    @Test
    void aLineThatIsMiscountedIsCaught() {
        assertCaught(
                "in a line are",
                decision -> counting(
                        decision,
                        decision.shapes(),
                        decision.lines().stream()
                                .map(line -> new Line(line.key(), line.need(), line.waiting() + 1))
                                .toList(),
                        decision.holders(),
                        decision.forgotten()));
    }

    @Test
    void aHolderThatIsMiscountedIsCaught() {
        assertCaught(
                "holds \\d+, and the pool says",
                decision -> counting(
                        decision,
                        decision.shapes(),
                        decision.lines(),
                        decision.holders().stream()
                                .map(it -> new Holder(
                                        it.name(), it.held() + 1, it.queued(), it.used(), it.asOf(), it.servedAt()))
                                .toList(),
                        decision.forgotten()));
    }

    @Test
    void aPlaceThatIsNotForgottenIsCaught() {
        assertCaught(
                "keep asking, and the pool says",
                decision -> counting(decision, decision.shapes(), decision.lines(), decision.holders(), List.of()));
    }

    private static Decision counting(
            Decision decision,
            List<ShapeCount> shapes,
            List<Line> lines,
            List<Holder> holders,
            List<Allocation> forgotten) {
        return new Decision(
                decision.pool(),
                decision.allocations(),
                decision.environments(),
                forgotten,
                shapes,
                lines,
                holders,
                decision.keysUsed(),
                decision.keysFreed(),
                decision.events(),
                decision.answers(),
                decision.again());
    }

    private static Allocation later(Allocation waiting) {
        return new Allocation(
                waiting.id(),
                waiting.pool(),
                waiting.principal(),
                waiting.request(),
                waiting.sharer(),
                waiting.arrival() + 1000,
                waiting.rank(),
                waiting.createdAt(),
                waiting.keepalive(),
                waiting.state());
    }

    private static Decision with(
            Decision decision,
            List<Change<Environment>> environments,
            List<Change<Allocation>> allocations,
            List<KeyUse> keysUsed) {
        return new Decision(
                decision.pool(),
                allocations,
                environments,
                decision.forgotten(),
                decision.shapes(),
                decision.lines(),
                decision.holders(),
                keysUsed,
                decision.keysFreed(),
                decision.events(),
                decision.answers(),
                decision.again());
    }

    private static void assertCaught(String as, UnaryOperator<Decision> defect) {
        assertThatThrownBy(() -> go(defect))
                .isInstanceOf(AssertionError.class)
                .hasMessageMatching("(?s).*" + as + ".*");
    }

    private static void go(UnaryOperator<Decision> defect) {
        for (long seed = 0; seed < 20; seed++) {
            var legs = Walk.legs(seed, 60);
            assertThat(legs).hasSize(60);
            new Walk(seed, 256, 256, false, defect).go(legs);
        }
    }
}
