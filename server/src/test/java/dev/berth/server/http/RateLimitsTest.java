package dev.berth.server.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.server.config.Callers;
import dev.berth.server.config.Callers.Rate;
import dev.berth.server.config.Network;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.net.InetAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Who may call how often, and who it is that calls. */
class RateLimitsTest {
    private static final InetAddress HERE = InetAddress.ofLiteral("192.0.2.1");
    private static final InetAddress THERE = InetAddress.ofLiteral("192.0.2.2");

    private final AtomicLong nanos = new AtomicLong(Long.MAX_VALUE - 1_000); // it may overflow at any time
    private final SimpleMeterRegistry registry = new SimpleMeterRegistry();

    private RateLimits limits(@Nullable Rate principal, @Nullable Rate address, @Nullable Rate failures) {
        var callers = new Callers(List.of(), principal, address, failures, Set.of());
        return new RateLimits(() -> callers, nanos::get, registry);
    }

    private void pass(Duration time) {
        nanos.addAndGet(time.toNanos());
    }

    @Test
    void aBurstIsLetInAndThenTheRate() {
        var limits = limits(new Rate(10, 3), null, null);
        for (int i = 0; i < 3; i++) {
            limits.principal("alice", false);
        }
        assertThatThrownBy(() -> limits.principal("alice", false)).isInstanceOfSatisfying(Problem.class, problem -> {
            assertThat(problem.code()).isEqualTo(ErrorCode.RATE_LIMITED);
            assertThat(problem.retryAfter()).isEqualTo(Duration.ofMillis(100));
        });
        assertThatCode(() -> limits.principal("bob", false)).doesNotThrowAnyException();
        pass(Duration.ofMillis(100));
        assertThatCode(() -> limits.principal("alice", false)).doesNotThrowAnyException();
        assertThatThrownBy(() -> limits.principal("alice", false)).isInstanceOf(Problem.class);
        assertThat(registry.get("berth.http.limited")
                        .tag("by", "principal")
                        .counter()
                        .count())
                .isEqualTo(2);
    }

    @Test
    void whatIsSparedIsCountedAndLetIn() {
        var limits = limits(null, new Rate(1, 2), null);
        for (int i = 0; i < 5; i++) {
            limits.address(HERE, true);
        }
        assertThatThrownBy(() -> limits.address(HERE, false)).isInstanceOf(Problem.class);
        assertThatCode(() -> limits.address(THERE, false)).doesNotThrowAnyException();
    }

    @Test
    void whoHasHalfOfAnIpv6AddressHasAllOfIt() {
        var limits = limits(null, new Rate(1, 1), null);
        limits.address(InetAddress.ofLiteral("2001:db8::1"), false);
        assertThatThrownBy(() -> limits.address(InetAddress.ofLiteral("2001:db8::ffff:2"), false))
                .isInstanceOf(Problem.class);
        assertThatCode(() -> limits.address(InetAddress.ofLiteral("2001:db8:0:1::1"), false))
                .doesNotThrowAnyException();
    }

    @Test
    void failuresOfAnAddressShutItOutUntilSomeTimePassed() {
        var limits = limits(null, null, new Rate(10, 2));
        limits.failed(HERE);
        assertThatCode(() -> limits.address(HERE, false)).doesNotThrowAnyException();
        limits.failed(HERE);
        assertThatThrownBy(() -> limits.address(HERE, true)).isInstanceOf(Problem.class);
        assertThatCode(() -> limits.address(THERE, true)).doesNotThrowAnyException();
        pass(Duration.ofMillis(100));
        assertThatCode(() -> limits.address(HERE, false)).doesNotThrowAnyException();
    }

    @Test
    void moreCallersThanItHoldsTakeNoMoreMemory() {
        var limits = limits(null, new Rate(1, 1), null);
        for (int i = 0; i < 250_000; i++) {
            limits.address(InetAddress.ofLiteral("10.%d.%d.%d".formatted(i >> 16, i >> 8 & 255, i & 255)), false);
        }
        assertThat(limits.addresses()).isEqualTo(100_000);
        pass(Duration.ofSeconds(2));
        limits.address(HERE, false);
        assertThat(limits.addresses()).isEqualTo(1);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "203.0.113.9 | 203.0.113.9",
                "198.51.100.1, 203.0.113.9 | 203.0.113.9",
                "203.0.113.9, 10.0.0.2, 10.9.9.9 | 203.0.113.9",
                "10.0.0.1, 10.0.0.2 | 10.0.0.1",
                "203.0.113.9:4711 | 203.0.113.9",
                "[2001:db8::9]:4711 | 2001:db8::9",
                "2001:db8::9 | 2001:db8::9",
                "203.0.113.9, unknown | 10.0.0.7",
                "203.0.113.9, | 10.0.0.7",
                "203.0.113.9, evil.example, 10.0.0.3 | 10.0.0.3",
                "'' | 10.0.0.7"
            })
    void aRequestComesFromTheLastThatIsNoTrustedProxy(@Nullable String header, String origin) {
        var proxies = List.of(Network.parse("10.0.0.0/8").orElseThrow());
        assertThat(Origins.of(InetAddress.ofLiteral("10.0.0.7"), proxies, header == null ? "" : header))
                .isEqualTo(InetAddress.ofLiteral(origin));
    }

    /** Through the whole of the API. */
    @Nested
    class OverHttp {
        @TempDir
        private Path folder;

        private Service service;

        @BeforeEach
        void start() {
            service = new Service(folder);
        }

        @AfterEach
        void stop() {
            service.close();
        }

        /** From now on, and no time passes any more: however long the calls take, nobody is forgiven meanwhile. */
        private void limit(@Nullable Rate principal, @Nullable Rate failures, String... proxies) {
            long now = System.nanoTime();
            service.nanoTime.set(() -> now);
            service.callers.set(new Callers(
                    Stream.of(proxies)
                            .map(Network::parse)
                            .map(one -> one.orElseThrow())
                            .toList(),
                    principal,
                    null,
                    failures,
                    Set.of()));
        }

        @Test
        void aHundredJobsOfOnePrincipalMeetNoLimit() {
            service.pool("release", Service.policy(), 100);
            var asked = IntStream.range(0, 200)
                    .mapToObj(job -> service.later(
                            Service.ALICE,
                            "POST",
                            "/allocations",
                            "{\"pool\":\"release\",\"requester\":\"job-" + job + "\"}",
                            UnaryOperator.identity()))
                    .toList();
            assertThat(asked.stream().map(one -> one.join().status()).distinct())
                    .containsExactlyInAnyOrder(200, 423);
        }

        @Test
        void whoCallsTooOftenMayStillGiveBack() {
            service.pool("release", Service.policy(), 1);
            var granted =
                    service.ask(Service.ALICE, "release").body().path("id").asString();
            limit(new Rate(1, 1), null);
            service.call(Service.ALICE, "GET", "/pools", null);
            var refused = service.call(Service.ALICE, "GET", "/pools", null);
            assertThat(refused.code()).isEqualTo("rate-limited");
            assertThat(refused.header("Retry-After")).isEqualTo("1");
            assertThat(service.call(Service.BOB, "GET", "/pools", null).status())
                    .isEqualTo(200);
            assertThat(service.call(Service.ALICE, "POST", "/allocations/" + granted + "/keepalive", null)
                            .status())
                    .isEqualTo(200);
            assertThat(service.call(Service.ALICE, "DELETE", "/allocations/" + granted, null)
                            .status())
                    .isEqualTo(200);
        }

        @Test
        void whoGuessesIsShutOut() {
            limit(null, new Rate(1, 3));
            for (int i = 0; i < 3; i++) {
                assertThat(service.call("guess-" + i, "GET", "/pools", null).status())
                        .isEqualTo(401);
            }
            assertThat(service.call(Service.ALICE, "GET", "/pools", null).code())
                    .isEqualTo("rate-limited");
        }

        @Test
        void onlyATrustedProxyIsBelievedWhereARequestComesFrom() {
            limit(null, new Rate(1, 1));
            assertThat(guessFrom("203.0.113.1").status()).isEqualTo(401);
            assertThat(guessFrom("203.0.113.2").status()).isEqualTo(429);

            limit(null, new Rate(1, 1), "127.0.0.0/8");
            assertThat(guessFrom("203.0.113.1").status()).isEqualTo(401);
            assertThat(guessFrom("203.0.113.1").status()).isEqualTo(429);
            assertThat(guessFrom("203.0.113.2").status()).isEqualTo(401);
            assertThat(guessFrom("203.0.113.9, 203.0.113.2").status()).isEqualTo(429);
        }

        private Service.Answered guessFrom(String forwardedFor) {
            return service.call(
                    "guess", "GET", "/pools", null, request -> request.header("X-Forwarded-For", forwardedFor));
        }
    }
}
