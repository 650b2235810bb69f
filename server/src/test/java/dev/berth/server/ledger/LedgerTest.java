package dev.berth.server.ledger;

import static dev.berth.server.store.Samples.NOON;
import static dev.berth.server.store.Samples.policy;
import static dev.berth.server.store.Samples.record;
import static dev.berth.server.store.Samples.request;
import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.core.Allocation;
import dev.berth.core.AllocationId;
import dev.berth.core.AllocationState;
import dev.berth.core.Answer;
import dev.berth.core.Caller;
import dev.berth.core.Command;
import dev.berth.core.Decision;
import dev.berth.core.EndReason;
import dev.berth.core.Need;
import dev.berth.core.NeedClass;
import dev.berth.core.Pool;
import dev.berth.core.PoolName;
import dev.berth.core.Refusal;
import dev.berth.core.Request;
import dev.berth.core.Slice;
import dev.berth.server.store.FaultyStore;
import dev.berth.server.store.Samples;
import dev.berth.server.store.SqliteStore;
import dev.berth.server.store.Store;
import dev.berth.server.store.StoreException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The ledger, stepped by hand over a store that fails on request. */
class LedgerTest {
    private static final PoolName POOL = new PoolName("pool");
    private static final PoolName OTHER = new PoolName("other");
    private static final int MOST_WAITING = 2_000;
    private static final Caller ANN = new Caller("ann", false);

    private final Store store = SqliteStore.inMemory();
    private final Script script = new Script();
    private final Random random = new Random(3);
    private Instant now = NOON;
    private int batches;
    private final Ledger ledger = ledger("p");

    private Ledger ledger(String process) {
        return new Ledger(new FaultyStore(store, script), () -> now, () -> process + "/" + ++batches, MOST_WAITING);
    }

    /** What is to go wrong, and what happened. */
    private static final class Script implements FaultyStore.Faults {
        boolean beginFails;
        boolean writeFails;
        boolean commitIsLost;
        boolean answerIsLost;
        boolean awayFromCommitOn;
        boolean away;

        @Nullable
        PoolName poisoned;
        /** So many transactions fail with a defect, from the next on. */
        int defects;

        int begun;
        int commits;

        @Override
        public void beginning() {
            begun++;
            failIf(beginFails);
        }

        Consumer<Slice.Needs> seen = _ -> {};

        @Override
        public Slice loaded(Pool pool, Slice.Needs needs, Slice slice) {
            seen.accept(needs);
            if (pool.name().equals(poisoned) || defects-- > 0) {
                throw new IllegalStateException("a defect");
            }
            return slice;
        }

        @Override
        public void written() {
            failIf(writeFails);
        }

        @Override
        public boolean committing() {
            away |= awayFromCommitOn;
            failIf(commitIsLost);
            return true;
        }

        @Override
        public void committed() {
            commits++;
            failIf(answerIsLost);
        }

        /** The disk's turn; null where it is always done. */
        @Nullable
        CompletableFuture<Void> disk;

        @Override
        public CompletableFuture<Void> durable(CompletableFuture<Void> commit) {
            return disk == null ? commit : disk;
        }

        @Override
        public void asked() {
            failIf(away);
        }

        private static void failIf(boolean fails) {
            if (fails) {
                throw new StoreException("as the test wants it");
            }
        }
    }

    @BeforeEach
    void pools() {
        for (var pool : List.of(POOL, OTHER)) {
            var _ = ledger.submit(pool, new Command.Enact(policy()));
            var _ = ledger.submit(
                    pool,
                    new Command.Register(IntStream.range(0, 4)
                            .mapToObj(i -> record(pool + "-" + i))
                            .toList()));
        }
        step();
        script.begun = 0;
        script.commits = 0;
    }

    @AfterEach
    void close() {
        store.close();
    }

    private void step() {
        while (ledger.step()) {}
    }

    private Command.Ask ask(PoolName pool, Request request) {
        return Samples.ask(AllocationId.create(ledger.numberOf(pool).orElseThrow(), now, random), request);
    }

    private CompletableFuture<Answer> submit(PoolName pool, Command command) {
        return ledger.submit(pool, command);
    }

    private CompletableFuture<Answer> asking(PoolName pool) {
        return submit(pool, ask(pool, request()));
    }

    private static Allocation granted(CompletableFuture<Answer> answer) {
        assertThat(answer).isCompleted();
        assertThat(answer.join()).isInstanceOf(Answer.Current.class);
        return ((Answer.Current) answer.join()).allocation();
    }

    private static LedgerException.Kind failure(CompletableFuture<Answer> answer) {
        assertThat(answer).isCompletedExceptionally();
        try {
            throw new IllegalStateException("answered " + answer.join());
        } catch (CompletionException e) {
            return ((LedgerException) e.getCause()).kind();
        }
    }

    private int lent(PoolName pool) {
        return store.pool(pool).orElseThrow().counts().allocated();
    }

    // ---- batches

    @Test
    void allThatWaitIsCommittedAtOnceAndAnsweredAfterwards() {
        var answers = IntStream.range(0, 3).mapToObj(_ -> asking(POOL)).toList();
        var others = IntStream.range(0, 2).mapToObj(_ -> asking(OTHER)).toList();
        assertThat(answers).noneMatch(CompletableFuture::isDone);
        assertThat(ledger.step()).isTrue();
        assertThat(script.commits).isEqualTo(1);
        assertThat(answers).allMatch(answer -> granted(answer).state() instanceof AllocationState.Active);
        assertThat(others).allMatch(answer -> granted(answer).pool().equals(OTHER));
        assertThat(lent(POOL)).isEqualTo(3);
        assertThat(lent(OTHER)).isEqualTo(2);
        assertThat(ledger.step()).isFalse();
    }

    @Test
    void nobodyIsAnsweredBeforeTheCommit() {
        var answer = asking(POOL);
        var done = new ArrayList<Boolean>();
        var watching = new Ledger(
                new FaultyStore(store, new FaultyStore.Faults() {
                    @Override
                    public boolean committing() {
                        done.add(answer.isDone());
                        return true;
                    }
                }),
                () -> now,
                () -> "w/1",
                9);
        var watched = watching.submit(POOL, ask(POOL, request())).thenAccept(_ -> done.add(true));
        watching.step();
        assertThat(watched).isCompleted();
        assertThat(done).containsExactly(false, true);
    }

    @Test
    void whatWaitsLongIsTakenInParts() {
        var answers = IntStream.range(0, 900)
                .mapToObj(_ -> submit(POOL, new Command.Tick()))
                .toList();
        step();
        assertThat(answers).allMatch(CompletableFuture::isDone);
        assertThat(script.commits).isEqualTo(2);
    }

    @Test
    void whatDidNotFitInOneBatchIsDoneByAnother() {
        var held = IntStream.range(0, 4).mapToObj(_ -> asking(POOL)).toList();
        step();
        held.forEach(answer -> assertThat(granted(answer)).isNotNull());
        var waiting = IntStream.range(0, 700)
                .mapToObj(_ -> submit(POOL, ask(POOL, request(1, Duration.ofSeconds(5), null))))
                .toList();
        step();
        assertThat(store.pool(POOL).orElseThrow().waiting()).isEqualTo(700);
        now = now.plusSeconds(5);
        var _ = submit(POOL, new Command.Tick());
        script.commits = 0;
        step();
        assertThat(store.pool(POOL).orElseThrow().waiting()).isZero();
        assertThat(script.commits).isGreaterThan(1);
        assertThat(waiting).hasSize(700);
    }

    @Test
    void aBatchHasOneInstant() {
        var answers = IntStream.range(0, 3).mapToObj(_ -> asking(POOL)).toList();
        step();
        assertThat(answers).extracting(answer -> granted(answer).createdAt()).containsOnly(now);
    }

    @Test
    void aPoolThatIsNotThereIsNoDefect() {
        var stranger = submit(new PoolName("stranger"), new Command.Tick());
        var beside = asking(POOL);
        step();
        assertThat(failure(stranger)).isEqualTo(LedgerException.Kind.NO_SUCH_POOL);
        assertThat(granted(beside).state().grants()).hasSize(1);
        stranger = submit(new PoolName("stranger"), new Command.Tick());
        step();
        assertThat(failure(stranger)).isEqualTo(LedgerException.Kind.NO_SUCH_POOL);
        assertThat(ledger.numberOf(new PoolName("stranger"))).isEmpty();
        assertThat(ledger.poolOf(99)).isEmpty();
        assertThat(ledger.poolOf(granted(beside).id())).contains(POOL);
    }

    @Test
    void listenersAreToldOfEachCommitBeforeAnyAnswer() {
        var told = new ArrayList<String>();
        ledger.addListener(
                (pool, decision) -> told.add(pool + " " + decision.answers().size()));
        var answer = asking(POOL).thenAccept(_ -> told.add("answer"));
        var _ = asking(OTHER);
        var _ = asking(OTHER);
        step();
        assertThat(answer).isCompleted();
        assertThat(told).containsExactly("pool 1", "answer", "other 2");
    }

    @Test
    void aListenerWithADefectKeepsNobodyFromHisAnswer() {
        ledger.addListener((pool, decision) -> {
            throw new IllegalStateException("a defect of the listener");
        });
        var told = new ArrayList<PoolName>();
        ledger.addListener((pool, decision) -> told.add(pool));
        var first = asking(POOL);
        var second = asking(OTHER);
        step();
        assertThat(granted(first)).isNotNull();
        assertThat(granted(second)).isNotNull();
        assertThat(told).containsExactly(POOL, OTHER);
    }

    // ---- connections of other processes

    /** All are lent but for one that comes back while somebody waits, with this open connection, without keepalive and key. */
    private Allocation grantedFromTheQueue(Duration open) {
        var held = IntStream.range(0, 4).mapToObj(_ -> asking(POOL)).toList();
        var asked = ask(POOL, request(1, Duration.ofMinutes(5), null));
        var waits = submit(
                POOL, new Command.Ask(asked.id(), asked.principal(), asked.request(), open, null, asked.operator()));
        step();
        assertThat(granted(waits).state()).isInstanceOf(AllocationState.Pending.class);
        var _ = submit(POOL, new Command.Release(granted(held.getFirst()).id(), ANN, null));
        step();
        return store.allocation(asked.id()).orElseThrow();
    }

    @Test
    void whatIsGrantedToAConnectionOfAProcessThatMayBeGoneIsGivenBackUnlessSomebodyComesForIt() {
        ledger.waitsHere(id -> false);
        var open = Duration.ofSeconds(50);
        var allocation = grantedFromTheQueue(open);
        var by = now.plus(open).plus(policy().queue().liveness());
        assertThat(allocation.state())
                .isInstanceOfSatisfying(
                        AllocationState.Active.class,
                        active -> assertThat(active.collectBy()).isEqualTo(by));
        while (now.isBefore(by)) {
            now = now.plusSeconds(5);
            var _ = submit(POOL, new Command.Tick());
            step();
        }
        assertThat(store.allocation(allocation.id()).orElseThrow().state())
                .isInstanceOfSatisfying(
                        AllocationState.Ended.class,
                        ended -> assertThat(ended.reason()).isEqualTo(EndReason.NOT_COLLECTED));
    }

    @Test
    void whoHasTheConnectionCollectsWhatAnotherProcessGranted() {
        ledger.waitsHere(id -> false);
        var allocation = grantedFromTheQueue(Duration.ofSeconds(50));
        var collected = submit(POOL, new Command.Attend(allocation.id(), ANN, Duration.ZERO));
        step();
        assertThat(granted(collected).state())
                .isInstanceOfSatisfying(
                        AllocationState.Active.class,
                        active -> assertThat(active.collectBy()).isNull());
    }

    @Test
    void whatIsGrantedToAConnectionOfThisProcessNeedsNoSecondCommit() {
        var asked = new ArrayList<AllocationId>();
        ledger.waitsHere(asked::add);
        var allocation = grantedFromTheQueue(Duration.ofSeconds(50));
        assertThat(asked).containsExactly(allocation.id());
        assertThat(allocation.state())
                .isInstanceOfSatisfying(
                        AllocationState.Active.class,
                        active -> assertThat(active.collectBy()).isNull());
    }

    // ---- bounds

    @Test
    void whoComesWhenTooManyWaitIsRefusedAtOnce() {
        var waiting = IntStream.range(0, MOST_WAITING)
                .mapToObj(_ -> submit(POOL, new Command.Tick()))
                .toList();
        assertThat(failure(asking(POOL))).isEqualTo(LedgerException.Kind.OVERLOADED);
        assertThat(failure(submit(POOL, new Command.Tick()))).isEqualTo(LedgerException.Kind.OVERLOADED);
        step();
        assertThat(waiting).allMatch(answer -> answer.isDone() && !answer.isCompletedExceptionally());
        var after = asking(POOL);
        step();
        assertThat(granted(after)).isNotNull();
    }

    @Test
    void whoAsksForSomethingIsRefusedWhileThereIsRoomForWhoGivesBack() {
        var asked = IntStream.range(0, MOST_WAITING / 2)
                .mapToObj(_ -> submit(POOL, ask(POOL, request(1, Duration.ofSeconds(5), null))))
                .toList();
        assertThat(failure(asking(POOL))).isEqualTo(LedgerException.Kind.OVERLOADED);
        var other = submit(POOL, new Command.Tick());
        step();
        assertThat(asked).allMatch(answer -> answer.isDone() && !answer.isCompletedExceptionally());
        assertThat(other).isCompleted();
    }

    @Test
    void aClosedLedgerFinishesWhatWaitsAndTakesNoMore() {
        var waiting = asking(POOL);
        ledger.close();
        assertThat(failure(asking(POOL))).isEqualTo(LedgerException.Kind.CLOSED);
        step();
        assertThat(granted(waiting)).isNotNull();
    }

    @Test
    void waitingForWorkEndsWhenThereIsSomeOrTheTimeIsOver() throws InterruptedException {
        assertThat(ledger.await(Duration.ofMillis(1))).isFalse();
        var _ = asking(POOL);
        assertThat(ledger.await(Duration.ofDays(1))).isTrue();
        step();
        ledger.close();
        assertThat(ledger.await(Duration.ofDays(1))).isFalse();
    }

    // ---- defects

    @Test
    void aDefectInOneCommandHarmsNoOther() {
        var ask = ask(POOL, request());
        var _ = submit(POOL, ask);
        step();
        var before = asking(POOL);
        var twice = submit(POOL, ask); // an id is never used twice: the store refuses what the rules let through
        var after = asking(OTHER);
        step();
        assertThat(failure(twice)).isEqualTo(LedgerException.Kind.DEFECT);
        assertThat(granted(before)).isNotNull();
        assertThat(granted(after)).isNotNull();
        assertThat(lent(POOL)).isEqualTo(2);
    }

    @Test
    void aPoolWithADefectHarmsNoOtherPool() {
        script.poisoned = OTHER;
        var here = List.of(asking(POOL), asking(POOL));
        var there = List.of(asking(OTHER), asking(OTHER));
        step();
        assertThat(here).allMatch(answer -> granted(answer) != null);
        assertThat(there).extracting(LedgerTest::failure).containsOnly(LedgerException.Kind.DEFECT);
        script.poisoned = null;
        var again = asking(OTHER);
        step();
        assertThat(granted(again)).isNotNull();
    }

    // ---- failures of the store

    @Test
    void aStoreThatFailsBeforeTheCommitTakesNothing() {
        script.beginFails = true;
        var atBegin = asking(POOL);
        step();
        script.beginFails = false;
        script.writeFails = true;
        var atWrite = asking(POOL);
        step();
        script.writeFails = false;
        assertThat(failure(atBegin)).isEqualTo(LedgerException.Kind.STORE_UNAVAILABLE);
        assertThat(failure(atWrite)).isEqualTo(LedgerException.Kind.STORE_UNAVAILABLE);
        assertThat(lent(POOL)).isZero();
        var answer = asking(POOL);
        step();
        assertThat(granted(answer)).isNotNull();
    }

    @Test
    void whereTheAnswerToCommitIsLostItIsFoundOutBeforeAnyoneIsAnswered() {
        script.answerIsLost = true;
        var committed = asking(POOL);
        step();
        assertThat(granted(committed)).isNotNull();
        assertThat(lent(POOL)).isEqualTo(1);
        script.answerIsLost = false;

        script.commitIsLost = true;
        var lost = asking(POOL);
        step();
        assertThat(failure(lost)).isEqualTo(LedgerException.Kind.STORE_UNAVAILABLE);
        assertThat(lent(POOL)).isEqualTo(1);
    }

    @Test
    void theNextBatchDoesNotWaitForTheDiskAndNobodyIsToldBeforeItIsDone() {
        var told = new ArrayList<Decision>();
        ledger.addListener((pool, decision) -> told.add(decision));
        var first = new CompletableFuture<Void>();
        script.disk = first;
        var answer = asking(POOL);
        step();
        script.disk = CompletableFuture.completedFuture(null);
        var next = asking(POOL);
        step();
        assertThat(granted(next)).isNotNull();
        assertThat(lent(POOL)).isEqualTo(2);
        assertThat(answer).isNotDone();
        assertThat(told).hasSize(1);
        first.complete(null);
        assertThat(granted(answer)).isNotNull();
        assertThat(told).hasSize(2);
    }

    @Test
    void nobodyKnowsTheOutcomeOfWhatTheDiskDidNotTake() {
        var told = new ArrayList<Decision>();
        ledger.addListener((pool, decision) -> told.add(decision));
        script.disk = CompletableFuture.failedFuture(new StoreException("as the test wants it"));
        var answer = asking(POOL);
        step();
        assertThat(failure(answer)).isEqualTo(LedgerException.Kind.OUTCOME_UNKNOWN);
        assertThat(told).isEmpty();
    }

    /** The command is in a batch whose commit gets no answer, and the store stays away. */
    private CompletableFuture<Answer> goAwayDuringTheCommitOf(Command command, boolean committed) {
        script.answerIsLost = committed;
        script.commitIsLost = !committed;
        script.awayFromCommitOn = true;
        var answer = submit(POOL, command);
        assertThat(ledger.step()).isTrue();
        return answer;
    }

    private void back() {
        script.answerIsLost = false;
        script.commitIsLost = false;
        script.awayFromCommitOn = false;
        script.away = false;
        step();
    }

    @Test
    void whileNobodyKnowsTheOutcomeNothingIsDecided() {
        var ask = ask(POOL, request(1, Duration.ZERO, "key"));
        var unknown = goAwayDuringTheCommitOf(ask, true);
        assertThat(failure(unknown)).isEqualTo(LedgerException.Kind.OUTCOME_UNKNOWN);
        var meanwhile = asking(POOL);
        ledger.step();
        assertThat(failure(meanwhile)).isEqualTo(LedgerException.Kind.STORE_UNAVAILABLE);
        assertThat(script.begun).isEqualTo(1);

        var told = new ArrayList<Decision>();
        ledger.addListener((pool, decision) -> told.add(decision));
        back();
        assertThat(told).hasSize(1);
        var again = submit(POOL, ask(POOL, ask.request()));
        step();
        assertThat(granted(again).id()).isEqualTo(ask.id());
        assertThat(lent(POOL)).isEqualTo(1);
    }

    @Test
    void aGrantThatNobodyCanFindIsEndedWhenItTurnsOutToHaveBeenCommitted() {
        var ask = ask(POOL, request());
        var unknown = goAwayDuringTheCommitOf(ask, true);
        assertThat(failure(unknown)).isEqualTo(LedgerException.Kind.OUTCOME_UNKNOWN);
        assertThat(lent(POOL)).isEqualTo(1);
        var told = new ArrayList<Decision>();
        ledger.addListener((pool, decision) -> told.add(decision));
        back();
        assertThat(lent(POOL)).isZero();
        assertThat(told).hasSize(2);
        assertThat(store.allocation(ask.id()).orElseThrow().state())
                .isInstanceOfSatisfying(
                        AllocationState.Ended.class,
                        ended -> assertThat(ended.reason()).isEqualTo(EndReason.RELEASED));
    }

    @Test
    void aGrantThatNobodyCanFindIsEndedThoughTheLedgerIsFullOrClosed() {
        var unknown = goAwayDuringTheCommitOf(ask(POOL, request()), true);
        assertThat(failure(unknown)).isEqualTo(LedgerException.Kind.OUTCOME_UNKNOWN);
        for (int i = 0; i < MOST_WAITING; i++) {
            var _ = submit(POOL, new Command.Tick());
        }
        ledger.close();
        back();
        assertThat(lent(POOL)).isZero();
    }

    @Test
    void aCommitThatTurnsOutNotToHaveBeenDoneLeavesNothing() {
        var told = new ArrayList<Decision>();
        ledger.addListener((pool, decision) -> told.add(decision));
        var unknown = goAwayDuringTheCommitOf(ask(POOL, request()), false);
        assertThat(failure(unknown)).isEqualTo(LedgerException.Kind.OUTCOME_UNKNOWN);
        back();
        assertThat(lent(POOL)).isZero();
        assertThat(told).isEmpty();
        var answer = asking(POOL);
        step();
        assertThat(granted(answer)).isNotNull();
    }

    @Test
    void aCommandAfterAnUnknownOneInAnIsolatedBatchIsNotDecidedBeforeItsOutcomeIsKnown() {
        var first = ask(POOL, request());
        var second = ask(POOL, request());
        script.defects = 1; // each gets a batch of its own
        script.answerIsLost = true;
        script.awayFromCommitOn = true;
        var answers = List.of(submit(POOL, first), submit(POOL, second));
        ledger.step();
        assertThat(failure(answers.get(0))).isEqualTo(LedgerException.Kind.OUTCOME_UNKNOWN);
        assertThat(failure(answers.get(1))).isEqualTo(LedgerException.Kind.STORE_UNAVAILABLE);
        back();
        assertThat(lent(POOL)).isZero(); // the first was ended, having no key
        assertThat(store.allocation(first.id()).orElseThrow().hasEnded()).isTrue();
        assertThat(store.allocation(second.id())).isEmpty();
    }

    // ---- processes and pools beside each other

    @Test
    void twoProcessesNeverLendTheSame() {
        var second = ledger("q");
        var answers = new ArrayList<CompletableFuture<Answer>>();
        for (int i = 0; i < 3; i++) {
            answers.add(asking(POOL));
            answers.add(second.submit(POOL, ask(POOL, request())));
            ledger.step();
            second.step();
        }
        var lent = answers.stream()
                .map(CompletableFuture::join)
                .filter(Answer.Current.class::isInstance)
                .map(answer -> ((Answer.Current) answer).allocation())
                .flatMap(allocation -> allocation.state().grants().stream())
                .map(grant -> grant.environment().value())
                .toList();
        assertThat(lent).hasSize(4).doesNotHaveDuplicates();
        assertThat(answers.stream().map(CompletableFuture::join).filter(Answer.Refused.class::isInstance))
                .allMatch(answer -> ((Answer.Refused) answer).refusal() == Refusal.NO_ENVIRONMENT_AVAILABLE)
                .hasSize(2);
    }

    @Test
    void whoAsksForDifferentAccountsAsksAlone() {
        var apart = request(NeedClass.of(List.of(Need.any(2)), true), Duration.ZERO, null);
        var batches = new ArrayList<List<Integer>>();
        script.seen = needs -> batches.add(
                needs.asks().stream().map(ask -> ask.request().count()).toList());
        var answers = Stream.of(request(), request(), apart, apart, request(), request())
                .map(request -> submit(POOL, ask(POOL, request)))
                .toList();
        var tick = submit(POOL, new Command.Tick());
        step();
        assertThat(batches).containsExactly(List.of(1, 1), List.of(2), List.of(2), List.of(1, 1));
        assertThat(tick.join()).isInstanceOf(Answer.Done.class);
        assertThat(answers.stream().map(CompletableFuture::join).map(Answer.Current.class::isInstance))
                .containsExactly(true, true, true, false, false, false);
    }

    @Test
    void whoAsksForDifferentAccountsIsDecidedOnWithWhatCameBeforeThatAsksForNothing() {
        var lent = asking(POOL);
        step();
        script.begun = 0;
        var release = submit(POOL, new Command.Release(granted(lent).id(), ANN, null));
        var apart = submit(POOL, ask(POOL, request(NeedClass.of(List.of(Need.any(4)), true), Duration.ZERO, null)));
        step();
        assertThat(script.begun).isEqualTo(1);
        assertThat(granted(release).hasEnded()).isTrue();
        assertThat(granted(apart).state().grants()).hasSize(4);
    }

    @Test
    void aKeyThatWasUsedInAnotherPoolTouchesNothingThere() {
        var request = new Request(
                "job", NeedClass.ONE, Duration.ofSeconds(60), null, Duration.ZERO, 0, "{}", "key", "digest");
        var there = submit(OTHER, ask(OTHER, request));
        step();
        assertThat(granted(there).pool()).isEqualTo(OTHER);
        now = now.plusSeconds(61); // over, and not processed yet
        var here = submit(POOL, ask(POOL, request));
        step();
        assertThat(((Answer.Current) here.join()).allocation()).isEqualTo(granted(there));
        assertThat(lent(OTHER)).isEqualTo(1);
        var _ = submit(OTHER, new Command.Tick());
        step();
        assertThat(lent(OTHER)).isZero();
        assertThat(store.pool(OTHER).orElseThrow().counts().available()).isEqualTo(4);
        assertThat(store.allocation(granted(there).id()).orElseThrow().pool()).isEqualTo(OTHER);
    }

    @Test
    void aReleaseThatWasAnsweredIsInTheStore() {
        var answer = asking(POOL);
        step();
        var release = submit(POOL, new Command.Release(granted(answer).id(), ANN, "passed"));
        step();
        assertThat(store.allocation(granted(answer).id())).contains(granted(release));
        var twice = submit(POOL, new Command.Release(granted(answer).id(), ANN, "failed"));
        step();
        assertThat(granted(twice)).isEqualTo(granted(release));
    }
}
