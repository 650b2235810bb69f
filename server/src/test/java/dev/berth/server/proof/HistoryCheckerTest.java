package dev.berth.server.proof;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.server.proof.HistoryChecker.AllocationRow;
import dev.berth.server.proof.HistoryChecker.EnvironmentRow;
import dev.berth.server.proof.HistoryChecker.Happened;
import dev.berth.server.proof.HistoryChecker.Taken;
import dev.berth.server.proof.Journal.Entry;
import dev.berth.server.proof.Journal.Entry.Granted;
import dev.berth.server.proof.Journal.Entry.Kept;
import dev.berth.server.proof.Journal.Entry.Lost;
import dev.berth.server.proof.Journal.Entry.Released;
import dev.berth.server.proof.Journal.Entry.Releasing;
import dev.berth.server.proof.Journal.Entry.Seen;
import dev.berth.server.proof.Journal.Entry.Trampled;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** A history that keeps the promises passes, and each broken promise is found. */
class HistoryCheckerTest {
    private static final Instant NOON = Instant.parse("2026-07-01T12:00:00Z");
    private static final List<String> STEPS = List.of("revoke", "clean", "verify");

    private final HistoryChecker checker =
            new HistoryChecker(instant -> Duration.between(NOON, instant).toNanos());

    private static Granted granted(String id, long at, String environment, long epoch) {
        return new Granted(id, at, null, Map.of(environment, epoch), NOON.plusSeconds(10), 1);
    }

    private static Seen active(String id, long at, String environment, long epoch, Instant by) {
        return new Seen(id, at, "active", Map.of(environment, epoch), by, "", "");
    }

    private static Seen ended(String id, long at, String reason, String outcome) {
        return new Seen(id, at, "ended", Map.of(), null, reason, outcome);
    }

    private List<String> clients(Entry... entries) {
        checker.clients(List.of(entries));
        return checker.violations();
    }

    private List<String> events(Happened... events) {
        checker.events(List.of(events), STEPS);
        return checker.violations();
    }

    private static Happened event(long number, String type, String allocation, String detail) {
        return new Happened(number, type, allocation, List.of("e"), detail);
    }

    @Test
    void aHistoryThatKeepsThePromisesPasses() {
        clients(
                granted("a", 1, "e", 1),
                new Kept("a", 2, NOON.plusSeconds(12)),
                active("a", 3, "e", 1, NOON.plusSeconds(12)),
                new Releasing("a", 4, "fine"),
                granted("b", 5, "e", 2), // before the answer to the release came
                new Released("a", 6),
                new Releasing("a", 7, "another"),
                new Released("a", 8),
                ended("a", 9, "released", "fine"),
                new Lost("b", 10, NOON.plusSeconds(11), "410"));
        assertThat(checker.violations()).isEmpty();
        assertThat(events(
                        event(1, "step-done", "", "clean"),
                        event(2, "step-done", "", "verify"),
                        event(3, "allocation-granted", "a", ""),
                        event(4, "step-done", "a", "issue"),
                        event(5, "allocation-ended", "a", "released"),
                        event(6, "step-done", "a", "revoke"),
                        event(7, "step-done", "a", "clean"),
                        event(8, "step-failed", "a", "verify"),
                        event(9, "step-done", "a", "clean"),
                        event(10, "step-done", "a", "verify")))
                .isEmpty();
        checker.rows(
                List.of(
                        new EnvironmentRow("free", "available", false, null),
                        new EnvironmentRow("lent", "allocated", false, null),
                        new EnvironmentRow("busy", "cleaning", true, null),
                        new EnvironmentRow("bad", "dirty", false, "it burns")),
                List.of(new AllocationRow("a", "active", List.of("lent"), true)));
        assertThat(checker.violations()).isEmpty();
    }

    @Test
    void aHoldIsSureUntilItsDeadlineAlone() {
        long late = Duration.ofSeconds(11).toNanos();
        assertThat(clients(
                        granted("a", 1, "e", 1),
                        granted("b", late, "e", 2),
                        new Releasing("a", late + 1, "fine"),
                        new Released("a", late + 2),
                        ended("a", late + 3, "keepalive-lost", "")))
                .isEmpty();
    }

    @Test
    void aHoldThatAnotherGetsBeforeItsDeadlineIsFound() {
        long soon = Duration.ofSeconds(9).toNanos();
        assertThat(clients(
                        granted("a", 1, "e", 1),
                        granted("b", soon, "e", 2),
                        new Releasing("a", soon + 1, "fine"),
                        new Released("a", soon + 2),
                        ended("a", soon + 3, "keepalive-lost", "")))
                .hasSize(2);
    }

    @Test
    void twoClientsThatHoldAnEnvironmentAtOnceAreFound() {
        assertThat(clients(granted("a", 1, "e", 1), granted("b", 2, "e", 2), new Releasing("a", 3, "")))
                .containsExactly("promise 1: e was held by a and b at once");
    }

    @Test
    void aHoldThatOutlastsTheNextTwoIsFoundTwice() {
        assertThat(clients(
                        granted("a", 1, "e", 1),
                        granted("b", 2, "e", 2),
                        new Releasing("b", 3, ""),
                        granted("c", 4, "e", 3),
                        new Releasing("c", 5, ""),
                        new Releasing("a", 9, "")))
                .hasSize(2);
    }

    @Test
    void anEpochOfTwoHoldersIsFound() {
        assertThat(clients(granted("a", 1, "e", 1), new Releasing("a", 2, ""), granted("b", 3, "e", 1)))
                .containsExactly("promise 1: a and b have e in epoch 1");
    }

    @Test
    void anEpochThatGoesBackIsFound() {
        assertThat(clients(granted("a", 1, "e", 2), new Releasing("a", 2, ""), granted("b", 3, "e", 1)))
                .hasSize(1)
                .first()
                .asString()
                .startsWith("promise 1: e: epoch");
    }

    @Test
    void aLeaseMayBeLostAfterItsDeadline() {
        assertThat(clients(
                        granted("a", 1, "e", 1),
                        ended("a", Duration.ofSeconds(11).toNanos(), "keepalive-lost", "")))
                .isEmpty();
    }

    @Test
    void anAnsweredGrantThatIsGoneIsFound() {
        assertThat(clients(granted("a", 1, "e", 1), ended("a", 2, "keepalive-lost", "")))
                .containsExactly("promise 3: a was active, and is ended (keepalive-lost)");
    }

    @Test
    void anAnsweredGrantOfOtherEnvironmentsIsFound() {
        assertThat(clients(granted("a", 1, "e", 1), active("a", 2, "f", 1, NOON.plusSeconds(10))))
                .hasSize(1);
    }

    @Test
    void aReleaseThatWasForgottenIsFound() {
        assertThat(clients(
                        granted("a", 1, "e", 1),
                        new Releasing("a", 2, ""),
                        new Released("a", 3),
                        active("a", 4, "e", 1, NOON.plusSeconds(10))))
                .containsExactly("promise 3: a was released, and is active");
    }

    @Test
    void aDeadlineThatWentBackIsFound() {
        assertThat(clients(
                        granted("a", 1, "e", 1),
                        new Kept("a", 2, NOON.plusSeconds(20)),
                        active("a", 3, "e", 1, NOON.plusSeconds(10))))
                .hasSize(1);
    }

    @Test
    void aDeadlineByAClockThatIsMinutesAheadIsFound() {
        assertThat(clients(granted("a", 1, "e", 1), new Kept("a", 2, NOON.plusSeconds(100))))
                .hasSize(1)
                .first()
                .asString()
                .startsWith("promise 5");
    }

    @Test
    void aLeaseThatIsLostBeforeItsDeadlineIsFound() {
        assertThat(clients(granted("a", 1, "e", 1), new Lost("a", 2, NOON.plusSeconds(9), "410")))
                .hasSize(1);
    }

    @Test
    void aSecondReleaseThatChangesTheOutcomeIsFound() {
        assertThat(clients(
                        granted("a", 1, "e", 1),
                        new Releasing("a", 2, "fine"),
                        new Released("a", 3),
                        new Releasing("a", 4, "another"),
                        new Released("a", 5),
                        ended("a", 6, "released", "another")))
                .containsExactly("promise 7: a was released as fine, and ended by released as another");
    }

    @Test
    void aKeyWithTwoAllocationsIsFound() {
        assertThat(clients(
                        new Granted("a", 1, "k", Map.of("e", 1L), null, 1),
                        new Granted("b", 2, "k", Map.of("f", 1L), null, 1)))
                .containsExactly("promise 7: key k got a, and then b");
    }

    @Test
    void aGrantOfLessThanWasAskedForIsFound() {
        assertThat(clients(new Granted("a", 1, "k", Map.of("e", 1L), null, 2)))
                .containsExactly("promise 2: a asked for 2, and got {e=1}");
    }

    @Test
    void whoWaitsAndHoldsSomethingIsFoundAmongRows() {
        checker.rows(
                List.of(new EnvironmentRow("e", "allocated", false, null)),
                List.of(new AllocationRow("a", "pending", List.of("e"), true)));
        assertThat(checker.violations()).containsExactly("promise 2: a waits, and holds [e]");
    }

    @Test
    void whatWasTakenForWhoWasRefusedIsFoundAndWhatWasTakenTwice() {
        checker.taken(
                Set.of("ann"),
                List.of(
                        new Taken("ann", "a", true),
                        new Taken("bob", "b", false),
                        new Taken("bob", "c", true),
                        new Taken("bob", "d", true),
                        new Taken("cid", "e", false),
                        new Taken("cid", "f", true)));
        assertThat(checker.violations())
                .containsExactly(
                        "promise 7: ann was refused, and had [a]", "promise 7: bob asked for one, and had [c, d]");
    }

    @Test
    void whatIsHeldOrWaitedForWhenEverybodyHasGoneIsFound() {
        checker.atRest(List.of(
                new AllocationRow("a", "active", List.of("e"), true),
                new AllocationRow("b", "pending", List.of(), true),
                new AllocationRow("c", "polling", List.of(), true)));
        assertThat(checker.violations()).hasSize(2).allMatch(found -> found.startsWith("promise 5"));
    }

    @Test
    void anUndoneGrantIsHeldByNobody() {
        checker.events(
                List.of(
                        new Happened(1, "allocation-granted", "a", List.of("e", "f"), ""),
                        new Happened(2, "allocation-undone", "a", List.of("e"), ""),
                        new Happened(3, "allocation-granted", "b", List.of("f"), ""),
                        new Happened(4, "allocation-granted", "a", List.of("e"), "")),
                List.of());
        assertThat(checker.violations()).isEmpty();
    }

    @Test
    void whatWasTrampledOnIsFound() {
        assertThat(clients(granted("a", 1, "e", 1), new Trampled("a", 2, "its file is gone")))
                .containsExactly("promise 4: a: its file is gone");
    }

    @Test
    void aGrantOfWhatIsHeldIsFoundAmongEvents() {
        checker.events(
                List.of(event(1, "allocation-granted", "a", ""), event(2, "allocation-granted", "b", "")), List.of());
        assertThat(checker.violations()).containsExactly("promise 1: event 2 grants e, which a holds");
    }

    @Test
    void aGrantWithoutTheStepsBeforeItIsFound() {
        assertThat(events(
                        event(1, "step-done", "", "clean"),
                        event(2, "step-done", "", "verify"),
                        event(3, "allocation-granted", "a", ""),
                        event(4, "allocation-ended", "a", "released"),
                        event(5, "step-done", "a", "clean"),
                        event(6, "step-done", "a", "verify"),
                        event(7, "allocation-granted", "b", "")))
                .containsExactly("promise 4: event 7 grants e after [clean, verify] alone");
    }

    @Test
    void aGapAmongEventsIsFound() {
        assertThat(events(event(1, "step-started", "", ""), event(3, "step-done", "", "clean")))
                .hasSize(1);
    }

    @Test
    void whatClientsWereToldAndEventsDoNotSayIsFound() {
        checker.told(
                List.of(granted("a", 1, "e", 1), new Released("b", 2)),
                List.of(event(1, "allocation-granted", "b", ""), event(2, "allocation-ended", "b", "keepalive-lost")),
                true);
        assertThat(checker.violations()).hasSize(2).allMatch(found -> found.startsWith("promise 3"));
    }

    @Test
    void anAllocationThatNeverEndsIsFound() {
        checker.told(List.of(), List.of(event(1, "allocation-granted", "a", "")), true);
        assertThat(checker.violations()).containsExactly("promise 5: a never ended");
    }

    @Test
    void lostEnvironmentsAreFoundAmongRows() {
        checker.rows(
                List.of(
                        new EnvironmentRow("stuck", "cleaning", false, null),
                        new EnvironmentRow("bad", "dirty", false, ""),
                        new EnvironmentRow("free", "available", false, null),
                        new EnvironmentRow("lent", "allocated", false, null)),
                List.of(
                        new AllocationRow("a", "active", List.of("free"), true),
                        new AllocationRow("b", "active", List.of("gone"), false)));
        assertThat(checker.violations())
                .containsExactlyInAnyOrder(
                        "promise 5: b is active and never ends",
                        "promise 5: stuck is cleaning and nobody ever acts",
                        "promise 5: bad is dirty without a reason",
                        "promise 5: free is available, held by a",
                        "promise 5: lent is allocated, held by null",
                        "promise 5: gone is lost, and held by b");
    }

    @Test
    void anEnvironmentOfTwoAllocationsIsFoundAmongRows() {
        checker.rows(
                List.of(new EnvironmentRow("e", "allocated", false, null)),
                List.of(
                        new AllocationRow("a", "active", List.of("e"), true),
                        new AllocationRow("b", "granting", List.of("e"), true)));
        assertThat(checker.violations()).containsExactly("promise 1: e is held by a and b");
    }
}
