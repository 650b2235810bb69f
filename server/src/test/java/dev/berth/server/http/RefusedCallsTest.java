package dev.berth.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.berth.server.auth.Principal;
import dev.berth.server.auth.Role;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

/** What is told of calls that nobody was let in for. */
class RefusedCallsTest extends ServiceTest {
    private final Logger logger = (Logger) LoggerFactory.getLogger(RefusedCalls.class);
    private final ListAppender<ILoggingEvent> log = new ListAppender<>();

    @BeforeEach
    void listen() {
        log.list = new CopyOnWriteArrayList<>(); // filled by threads of the service
        log.start();
        logger.addAppender(log);
        service.pool("release", Service.policy(), 1);
        service.pool("lab", Service.policy(), 1);
    }

    @AfterEach
    void listenNoMore() {
        logger.detachAppender(log);
    }

    private List<String> lines() {
        return log.list.stream().map(ILoggingEvent::getFormattedMessage).toList();
    }

    private String scrape() {
        return service.call("", "GET", "/metrics", null).text();
    }

    @Test
    void aRefusalIsLoggedAndCountedAndNotStored() {
        var lent = service.ask(Service.ALICE, "release").body().path("id").asString();
        var before = service.store.events(java.util.Map.of(), 100).size();
        service.call("a-guessed-token", "POST", "/allocations", "{}", request -> request.header("X-Request-Id", "r-1"));
        service.call(Service.VIEWER, "POST", "/allocations", "{}");
        service.call(Service.BOB, "GET", "/allocations/" + lent, null);
        service.call(Service.BOB, "DELETE", "/allocations/" + lent, null);
        service.ask(Service.BOB, "lab");
        service.call(Service.OPERATOR, "GET", "/allocations/unknown", null); // sees all: it is not there

        assertThat(lines()).hasSize(5);
        assertThat(lines().getFirst())
                .isEqualTo("refused: unauthenticated to POST /allocations from 127.0.0.1 by nobody known, request r-1");
        assertThat(lines().get(1))
                .startsWith("refused: forbidden to POST /allocations from 127.0.0.1 by vera, request ");
        assertThat(lines().get(2))
                .startsWith("refused: no-such-allocation to GET /allocations/{id} from 127.0.0.1 by bob, request ");
        assertThat(lines().get(4)).startsWith("refused: no-such-pool to POST /allocations from 127.0.0.1 by bob");
        assertThat(scrape())
                .contains("berth_http_refused_total{code=\"unauthenticated\"} 1.0")
                .contains("berth_http_refused_total{code=\"forbidden\"} 1.0")
                .contains("berth_http_refused_total{code=\"no-such-allocation\"} 2.0")
                .contains("berth_http_refused_total{code=\"no-such-pool\"} 1.0");
        assertThat(service.store.events(java.util.Map.of(), 100)).hasSize(before);
    }

    @Test
    void nothingThatACallerWritesGetsIntoTheLog() {
        service.call(
                "secret-looking-token",
                "GET",
                "/allocations/%0aINFO%20all%20is%20well?cursor=forged-words",
                null,
                request -> request.header("X-Request-Id", "forged words").header("User-Agent", "forged-words"));
        service.call(Service.BOB, "GET", "/allocations/forged-words%0d%0a", null);
        assertThat(lines())
                .hasSize(2)
                .allSatisfy(line -> assertThat(line)
                        .doesNotContain("forged")
                        .doesNotContain("secret")
                        .doesNotContain("INFO")
                        .doesNotContain("\n")
                        .doesNotContain("\r"));
    }

    @Test
    void whoMakesAndRevokesTokensIsLoggedWithoutTheirSecrets() {
        var calls = (Logger) LoggerFactory.getLogger(TokenCalls.class);
        calls.addAppender(log);
        try {
            var token = service.call(Service.ADMIN, "POST", "/tokens", "{\"principal\":\"alice\"}")
                    .body();
            var key = service.call(Service.ADMIN, "POST", "/tokens", "{\"principal\":\"bob\",\"sigv4\":true}")
                    .body();
            var id = token.path("id").asString();
            service.call(Service.ADMIN, "DELETE", "/tokens/" + id, null);
            service.call(Service.ADMIN, "DELETE", "/tokens/forged", null);
            assertThat(lines())
                    .containsExactly(
                            "token " + id + " of alice was made by root from 127.0.0.1",
                            "access key " + key.path("id").asString() + " of bob was made by root from 127.0.0.1",
                            "token " + id + " was revoked by root from 127.0.0.1");
        } finally {
            calls.detachAppender(log);
        }
    }

    @Test
    void aFloodOfRefusalsIsCountedInTheLog() {
        var now = new AtomicLong();
        var refused = new RefusedCalls(new ServiceMetrics(), now::get);
        var route = service.api.routes().getFirst();
        var bob = new Principal("bob", Set.of(Role.CONSUMER), Set.of());
        for (int i = 0; i < 1_000; i++) {
            refused.note(ErrorCode.UNAUTHENTICATED, route, null, () -> "192.0.2.1", "r");
        }
        assertThat(lines()).hasSize(60);
        now.addAndGet(1_500_000_000L);
        refused.note(ErrorCode.FORBIDDEN, route, bob, () -> "192.0.2.1", "r");
        refused.note(ErrorCode.FORBIDDEN, route, bob, () -> "192.0.2.1", "r");
        assertThat(lines()).hasSize(61);
        assertThat(lines().getLast()).endsWith("by bob, request r; 940 more before it");
        refused.note(ErrorCode.NO_ENVIRONMENT_AVAILABLE, route, bob, () -> "192.0.2.1", "r");
        now.addAndGet(3_600_000_000_000L);
        for (int i = 0; i < 100; i++) {
            refused.note(ErrorCode.FORBIDDEN, route, bob, () -> "192.0.2.1", "r");
        }
        assertThat(lines()).hasSize(121);
    }
}
