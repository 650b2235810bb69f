package dev.berth.server.forecast;

import static dev.berth.server.store.Samples.policy;
import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.core.Allocation;
import dev.berth.core.AllocationId;
import dev.berth.core.Answer;
import dev.berth.core.Caller;
import dev.berth.core.Command;
import dev.berth.core.EnvironmentName;
import dev.berth.core.NeedClass;
import dev.berth.core.PoolName;
import dev.berth.core.Registration;
import dev.berth.core.Request;
import dev.berth.core.Shape;
import dev.berth.server.auth.Principal;
import dev.berth.server.auth.Role;
import dev.berth.server.ledger.Ledger;
import dev.berth.server.store.SqliteStore;
import dev.berth.server.store.Store;
import java.time.Duration;
import java.time.Instant;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ForecastsTest {
    private static final PoolName LAB = new PoolName("lab");
    private static final Principal CI = new Principal("ci", Set.of(Role.CONSUMER), null);
    private static final Principal WEB = new Principal("web", Set.of(Role.CONSUMER), null);
    private static final Principal VIEWER = new Principal("boss", Set.of(Role.VIEWER), null);

    private final Store store = SqliteStore.inMemory();
    private final Random random = new Random(1);
    private Instant now = Instant.parse("2026-03-01T12:00:00Z");
    private long nanos;
    private int batches;
    private final Ledger ledger = new Ledger(store, () -> now, () -> "test/" + batches++, 100);
    private final Forecasts forecasts = new Forecasts(store, () -> now, () -> nanos);
    /** Whose looks take a tenth of a second. */
    private final Forecasts slow = new Forecasts(store, () -> now, () -> nanos += 50_000_000);

    @BeforeEach
    void aPoolOfTwo() {
        call(new Command.Enact(policy()));
        call(new Command.Register(IntStream.rangeClosed(1, 2)
                .mapToObj(i ->
                        new Registration(new EnvironmentName("board-" + i), "board-" + i, null, Shape.PLAIN, "{}", "1"))
                .toList()));
    }

    @AfterEach
    void close() {
        ledger.close();
        store.close();
    }

    private Answer call(Command command) {
        var answer = ledger.submit(LAB, command);
        while (ledger.step()) {}
        return answer.join();
    }

    private Allocation asks(Principal who, String requester, Duration duration) {
        var request =
                new Request(requester, NeedClass.ONE, duration, null, Duration.ofHours(10), 0, "{}", null, "digest");
        var id = AllocationId.create(1, now, random);
        return ((Answer.Current) call(new Command.Ask(id, who.name(), request, Duration.ZERO, null, false)))
                .allocation();
    }

    private void forget() {
        nanos += Duration.ofMinutes(2).toNanos();
    }

    @Test
    void whoWaitsIsToldItsPlaceWhyAndWhen() {
        asks(CI, "nightly", Duration.ofMinutes(30));
        asks(WEB, "preview", Duration.ofMinutes(50));
        var first = asks(CI, "second", Duration.ofMinutes(5));
        var next = asks(CI, "third", Duration.ofMinutes(5));

        assertThat(forecasts.of(CI, first)).hasValueSatisfying(outlook -> {
            assertThat(outlook.position()).isEqualTo(1);
            assertThat(outlook.p50()).isEqualTo(now.plus(Duration.ofMinutes(15)));
            assertThat(outlook.p90()).isEqualTo(now.plus(Duration.ofMinutes(30)));
            assertThat(outlook.waitingFor())
                    .isEqualTo(
                            "waits for 1 of 2 environments: 2 held (the first back by 12:30 UTC at the latest); held by"
                                    + " nightly");
        });
        assertThat(forecasts.of(CI, next))
                .hasValueSatisfying(outlook -> assertThat(outlook.position()).isEqualTo(2));
    }

    @Test
    void whoHoldsIsToldToThoseWhoMaySeeIt() {
        asks(CI, "nightly", Duration.ofMinutes(30));
        asks(WEB, "secret preview", Duration.ofMinutes(50));
        var waiting = asks(CI, "second", Duration.ofMinutes(5));

        assertThat(forecasts.of(CI, waiting).orElseThrow().waitingFor())
                .contains("held by nightly")
                .doesNotContain("secret");
        assertThat(forecasts.of(VIEWER, waiting).orElseThrow().waitingFor())
                .contains("held by nightly, secret preview");
    }

    @Test
    void whatWasLentBeforeTellsHowLongItWillTake() {
        for (int i = 0; i < 300; i++) {
            var lent = asks(CI, "job", Duration.ofMinutes(60));
            now = now.plus(Duration.ofMinutes(6));
            call(new Command.Release(lent.id(), new Caller("ci", false), null));
        }
        asks(CI, "job", Duration.ofMinutes(60));
        asks(CI, "job", Duration.ofMinutes(60));
        var waiting = asks(CI, "second", Duration.ofMinutes(5));

        assertThat(forecasts.of(CI, waiting)).hasValueSatisfying(outlook -> {
            assertThat(Duration.between(now, outlook.p50())).isEqualTo(Duration.ofMinutes(6));
            assertThat(Duration.between(now, outlook.p90())).isEqualTo(Duration.ofMinutes(6));
        });
    }

    @Test
    void whoCameSinceIsToldThatItIsLastWhereAPoolWasJustLookedAtForLong() {
        asks(CI, "nightly", Duration.ofMinutes(30));
        asks(CI, "other", Duration.ofMinutes(40));
        assertThat(slow.of(CI, asks(CI, "second", Duration.ofMinutes(5))))
                .hasValueSatisfying(outlook -> assertThat(outlook.p90()).isNotNull());

        var last = asks(CI, "third", Duration.ofMinutes(5));
        assertThat(slow.of(CI, last)).hasValueSatisfying(outlook -> {
            assertThat(outlook.position()).isEqualTo(2);
            assertThat(outlook.p90()).isNull();
        });
        forget();
        assertThat(slow.of(CI, last))
                .hasValueSatisfying(outlook -> assertThat(outlook.p90()).isNotNull());
    }

    @Test
    void aPoolIsLookedAtOnceASecondButForWhoCameSince() {
        asks(CI, "nightly", Duration.ofMinutes(30));
        var other = asks(CI, "other", Duration.ofMinutes(40));
        var waiting = asks(CI, "second", Duration.ofMinutes(5));
        var told = forecasts.of(CI, waiting).orElseThrow();
        now = now.plusSeconds(1);
        call(new Command.Release(other.id(), new Caller("ci", false), null)); // which grants the one that waits

        assertThat(forecasts.of(CI, waiting)).hasValue(told);

        asks(CI, "third", Duration.ofMinutes(50));
        var later = asks(CI, "fourth", Duration.ofMinutes(5));
        assertThat(forecasts.of(CI, later).orElseThrow().position()).isEqualTo(2);
        assertThat(forecasts.of(CI, waiting)).isEmpty();
        forget();
        assertThat(forecasts.of(CI, waiting)).isEmpty();
    }
}
