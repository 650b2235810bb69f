package dev.berth.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.server.auth.Role;
import dev.berth.server.config.Callers;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class RolesTest extends ServiceTest {
    private static final String ANYBODY = "anybody";

    /** Which role may make which call. The first letters: viewer, consumer, operator, admin. */
    private static final String TABLE = """
            GET /                                 open
            GET /healthz/live                     open
            GET /healthz/ready                    open
            GET /metrics                          open
            GET /openapi.json                     open
            POST /allocations                     -c-a
            GET /allocations                      vcoa
            GET /allocations/{id}                 vcoa
            DELETE /allocations/{id}              -coa
            POST /allocations/{id}/keepalive      -coa
            POST /allocations/{id}/extend         -coa
            POST /allocations/{id}/hold           -coa
            POST /allocations/{id}/credentials    vcoa
            PATCH /allocations/{id}               --oa
            POST /reservations                    -c-a
            GET /reservations/{id}                vcoa
            POST /reservations/{id}               vcoa
            DELETE /reservations/{id}             vcoa
            GET /pools                            vcoa
            GET /pools/{name}                     vcoa
            GET /environments                     v-oa
            GET /environments/{name}              v-oa
            GET /environments/{name}/baseline     --oa
            POST /environments/{name}/baseline/accept  --oa
            POST /environments/actions            --oa
            POST /environments/{name}/clean       --oa
            POST /environments/{name}/verify      --oa
            POST /environments/{name}/retire      --oa
            POST /environments/{name}/quarantine  --oa
            GET /events                           v-oa
            POST /tokens                          ---a
            POST /tokens/aws                      open
            GET /tokens                           ---a
            DELETE /tokens/{id}                   ---a
            POST /config/diff                     ---a
            PUT /config                           ---a
            """;

    private static final Map<Role, String> TOKENS = Map.of(
            Role.VIEWER, Service.VIEWER,
            Role.CONSUMER, Service.ALICE,
            Role.OPERATOR, Service.OPERATOR,
            Role.ADMIN, Service.ADMIN);

    private static Map<String, String> table() {
        return TABLE.lines()
                .map(line -> line.split(" {2,}", -1))
                .collect(Collectors.toMap(cells -> cells[0], cells -> cells[1], (a, b) -> a, TreeMap::new));
    }

    @Test
    void theTableHasEveryRoute() {
        Set<String> routes = service.api.routes().stream()
                .map(route -> route.method() + " " + route.path())
                .collect(Collectors.toCollection(TreeSet::new));
        assertThat(routes).isEqualTo(table().keySet());
    }

    @Test
    void everyRouteAdmitsWhomTheTableSaysAndNobodyElse() {
        table().forEach((route, admitted) -> {
            var call = route.split(" ", 2);
            var path = call[1].replace("{id}", "x").replace("{name}", "x");
            for (var role : Role.values()) {
                var answer = service.call(TOKENS.get(role), call[0], path, "");
                var letter = role.name().substring(0, 1).toLowerCase(java.util.Locale.ROOT);
                boolean may = admitted.equals("open") || admitted.contains(letter);
                assertThat(answer.status() != 403)
                        .as(route + " by " + role + ": " + answer.text())
                        .isEqualTo(may);
            }
            for (var stranger : Set.of("", ANYBODY)) {
                var answer = service.call(stranger, call[0], path, "");
                assertThat(answer.status() != 401).as(route).isEqualTo(admitted.equals("open"));
                assertThat(answer.header("WWW-Authenticate") != null).isEqualTo(answer.status() == 401);
            }
        });
    }

    @Test
    void whatIsClosedIsShownToEveryPrincipalAndToNoStranger() {
        var usual = service.callers.get();
        service.callers.set(new Callers(
                usual.trustedProxies(),
                usual.principal(),
                usual.address(),
                usual.failures(),
                Set.of(Callers.Page.values())));
        for (var path : Set.of("/", "/metrics")) {
            for (var stranger : Set.of("", ANYBODY)) {
                assertThat(service.call(stranger, "GET", path, null).status()).isEqualTo(401);
            }
            TOKENS.values()
                    .forEach(token -> assertThat(
                                    service.call(token, "GET", path, null).status())
                            .isEqualTo(200));
        }
        assertThat(service.call("", "GET", "/healthz/ready", null).status()).isEqualTo(200);
    }

    @Test
    void aConsumerSeesItsPoolsOnly() {
        service.pool("release", Service.policy(), 1);
        service.pool("lab", Service.policy(), 1);
        assertThat(service.call(Service.BOB, "GET", "/pools", null)
                        .body()
                        .path("pools")
                        .size())
                .isEqualTo(1);
        assertThat(service.call(Service.BOB, "GET", "/pools/lab", null).code()).isEqualTo("no-such-pool");
        assertThat(service.call(Service.VIEWER, "GET", "/pools", null)
                        .body()
                        .path("pools")
                        .size())
                .isEqualTo(2);
    }
}
