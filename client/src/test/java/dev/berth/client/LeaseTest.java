package dev.berth.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.client.ScriptedService.Reply;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

@Timeout(120)
@Execution(ExecutionMode.CONCURRENT)
class LeaseTest {
    /** Of leases that are to be lost. */
    private static final Duration SHORT = Duration.ofMillis(400);

    /** Of leases that are not, or not yet: a busy machine keeps a keepalive waiting for no longer than this. */
    private static final Duration KEEPALIVE = Duration.ofSeconds(3);

    private static BerthClient client(ScriptedService service) {
        return BerthClient.at(service.uri()).retryFor(Duration.ZERO).build();
    }

    private static Allocation active() {
        return Replies.allocation(Replies.tree(BerthClientTest.ACTIVE));
    }

    private static Allocation activeFor(Duration session) {
        Allocation a = active();
        return new Allocation(
                a.id(),
                a.state(),
                a.pool(),
                a.requester(),
                a.createdAt(),
                a.grantedAt(),
                a.expiresAt(),
                session,
                null,
                null,
                List.of(),
                null,
                null,
                null,
                0,
                a.labels(),
                a.environments(),
                null,
                a.json());
    }

    @Test
    void keepalivesAreSentUntilTheRelease() throws Exception {
        CountDownLatch several = new CountDownLatch(6);
        try (ScriptedService service = new ScriptedService(asked -> {
            several.countDown();
            return Reply.ok(BerthClientTest.ACTIVE);
        })) {
            Lease lease = Lease.of(client(service), active(), KEEPALIVE);
            several.await();
            lease.release("success");
            lease.close();

            assertThat(lease.lost()).isNotDone();
            assertThat(service.lines()).contains("POST /allocations/a1/keepalive");
            assertThat(service.lines().stream().filter("DELETE /allocations/a1"::equals))
                    .hasSize(1);
        }
    }

    @Test
    void thePoolsKeepaliveCountsFromTheAnswerWhereThatCameAfterTheGrant() {
        assertThat(Lease.ofPool(active())).isEqualTo(Duration.ofSeconds(60));
        String collectedLate = BerthClientTest.ACTIVE
                .replace("\"expiresIn\": 10800", "\"expiresIn\": 10770")
                .replace("2026-01-01T00:01:01Z", "2026-01-01T00:01:31Z");
        assertThat(Lease.ofPool(Replies.allocation(Replies.tree(collectedLate))))
                .isEqualTo(Duration.ofSeconds(60));
    }

    @Test
    void aLeaseThatIsHandedOverIsNeitherKeptNorReleasedAnyMore() throws Exception {
        CountDownLatch several = new CountDownLatch(2);
        try (ScriptedService service = new ScriptedService(asked -> {
            several.countDown();
            return Reply.ok(BerthClientTest.ACTIVE);
        })) {
            Lease lease = Lease.of(client(service), active(), KEEPALIVE);
            several.await();
            assertThat(lease.hold(Duration.ofMinutes(30), "failure", List.of("alice"))
                            .id())
                    .isEqualTo("a1");
            lease.close();

            assertThat(lease.lost()).isNotDone();
            assertThat(service.lines()).contains("POST /allocations/a1/hold").doesNotContain("DELETE /allocations/a1");
        }
    }

    @Test
    void aLeaseWhoseHandingOverIsRefusedGoesOnUntilItsRelease() throws Exception {
        CountDownLatch kept = new CountDownLatch(1);
        try (ScriptedService service = new ScriptedService(asked -> {
            if (asked.target().endsWith("/hold")) {
                return new Reply(409, "{\"code\":\"hold-not-allowed\",\"message\":\"no\"}", Map.of());
            }
            kept.countDown();
            return Reply.ok(BerthClientTest.ACTIVE);
        })) {
            Lease lease = Lease.of(client(service), active(), KEEPALIVE);
            assertThatThrownBy(() -> lease.hold(Duration.ofMinutes(30), "failure", List.of("alice")))
                    .isInstanceOf(BerthProblem.class);
            kept.await();
            lease.close();
            assertThat(service.lines()).contains("DELETE /allocations/a1");
        }
    }

    @Test
    void anEndedAllocationIsALostLeaseAtOnce() throws Exception {
        try (ScriptedService service = new ScriptedService(asked ->
                        new Reply(410, "{\"code\":\"lease-lost\",\"message\":\"ended: operator\"}", Map.of()));
                Lease lease = Lease.of(client(service), active(), Duration.ofHours(1))) {
            LeaseLoss loss = lease.lost().get(60, TimeUnit.SECONDS);
            assertThat(loss).isEqualTo(new LeaseLoss("lease-lost", "ended: operator"));
            service.script(asked -> Reply.ok("{}"));
        }
    }

    @Test
    void aLeaseThatCannotBeKeptIsLostAtItsDeadlineAndNotBefore() throws Exception {
        try (ScriptedService service = new ScriptedService(asked -> new Reply(503, "{}", Map.of()))) {
            long start = System.nanoTime();
            Lease lease = Lease.of(client(service), active(), KEEPALIVE);
            LeaseLoss loss = lease.lost().get(60, TimeUnit.SECONDS);

            assertThat(loss.reason()).isEqualTo("keepalive-lost");
            assertThat(System.nanoTime() - start).isGreaterThanOrEqualTo(KEEPALIVE.toNanos());
            assertThat(service.asked.size()).isGreaterThan(1);
        }
    }

    @Test
    void anOutageOfTheServiceCostsNoLease() throws Exception {
        int port;
        CountDownLatch first = new CountDownLatch(1);
        Lease lease;
        try (ScriptedService service = new ScriptedService(asked -> {
            first.countDown();
            return Reply.ok(BerthClientTest.ACTIVE);
        })) {
            port = service.port();
            lease = Lease.of(client(service), active(), KEEPALIVE);
            first.await();
        }
        // The service is down for several times its keepalive.
        assertThatThrownBy(() -> lease.lost().get(KEEPALIVE.multipliedBy(3).toMillis(), TimeUnit.MILLISECONDS))
                .isInstanceOf(TimeoutException.class);

        CountDownLatch again = new CountDownLatch(3);
        try (ScriptedService back = new ScriptedService(port, asked -> {
            again.countDown();
            return Reply.ok(BerthClientTest.ACTIVE);
        })) {
            assertThat(again.await(60, TimeUnit.SECONDS)).isTrue();
            assertThat(lease.lost()).isNotDone();
            lease.close();
            assertThat(back.lines()).contains("DELETE /allocations/a1");
        }
    }

    @Test
    void aServiceThatCannotUseItsDatabaseCostsNoLease() throws Exception {
        try (ScriptedService service = new ScriptedService(asked ->
                        new Reply(503, "{\"code\":\"store-unavailable\",\"message\":\"disk full\"}", Map.of()));
                Lease lease = Lease.of(client(service), active(), KEEPALIVE)) {
            assertThatThrownBy(() -> lease.lost().get(KEEPALIVE.multipliedBy(3).toMillis(), TimeUnit.MILLISECONDS))
                    .isInstanceOf(TimeoutException.class);
            service.script(
                    asked -> new Reply(410, "{\"code\":\"lease-lost\",\"message\":\"ended: operator\"}", Map.of()));
            assertThat(lease.lost().get(60, TimeUnit.SECONDS).reason()).isEqualTo("lease-lost");
            service.script(asked -> Reply.ok("{}"));
        }
    }

    @Test
    void credentialsThatAreNotThereForAMomentCostNoLease() throws Exception {
        CountDownLatch kept = new CountDownLatch(1);
        AtomicInteger asked = new AtomicInteger();
        try (ScriptedService service = new ScriptedService(_ -> {
            kept.countDown();
            return Reply.ok(BerthClientTest.ACTIVE);
        })) {
            BerthClient client = BerthClient.at(service.uri())
                    .retryFor(Duration.ZERO)
                    .authorization(() -> {
                        if (asked.getAndIncrement() == 0) {
                            throw new IllegalStateException("the credential process failed");
                        }
                        return "Bearer x";
                    })
                    .build();
            try (Lease lease = Lease.of(client, active(), Duration.ofSeconds(40))) {
                assertThat(kept.await(60, TimeUnit.SECONDS)).isTrue();
                assertThat(lease.lost()).isNotDone();
            }
        }
    }

    @Test
    void anOutageDoesNotProlongTheSession() throws Exception {
        ScriptedService service = new ScriptedService(asked -> null);
        BerthClient client = client(service);
        service.close();
        Lease lease = Lease.of(client, activeFor(KEEPALIVE.plusSeconds(2)), KEEPALIVE);
        assertThat(lease.lost().get(60, TimeUnit.SECONDS).reason()).isEqualTo("session-expired");
    }

    @Test
    void aHangingServiceDoesNotHideTheLoss() throws Exception {
        CountDownLatch never = new CountDownLatch(1);
        try (ScriptedService service = new ScriptedService(asked -> {
            never.await();
            return null;
        })) {
            Lease lease = Lease.of(client(service), active(), SHORT);
            assertThat(lease.lost().get(60, TimeUnit.SECONDS).reason()).isEqualTo("keepalive-lost");
            never.countDown();
        }
    }

    @Test
    void theEndOfTheSessionIsALossWithoutAnyCall() throws Exception {
        try (ScriptedService service = new ScriptedService(asked -> Reply.ok("{}"));
                Lease lease = Lease.of(client(service), activeFor(Duration.ofMillis(200)), null)) {
            assertThat(lease.lost().get(60, TimeUnit.SECONDS).reason()).isEqualTo("session-expired");
            assertThat(service.asked).isEmpty();
        }
    }

    @Test
    void onlyAnActiveAllocationIsHeld() throws IOException {
        try (ScriptedService service = new ScriptedService(asked -> null)) {
            Allocation pending = Replies.allocation(Replies.tree(BerthClientTest.PENDING));
            assertThatThrownBy(() -> Lease.of(client(service), pending, null))
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }
}
