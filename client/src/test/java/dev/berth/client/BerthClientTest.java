package dev.berth.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.berth.client.ScriptedService.Asked;
import dev.berth.client.ScriptedService.Reply;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class BerthClientTest {
    static final String ACTIVE = """
            { "id": "a1", "state": "active", "pool": "scratch", "requester": "job 1",
              "createdAt": "2026-01-01T00:00:00Z", "grantedAt": "2026-01-01T00:00:01Z",
              "expiresAt": "2026-01-01T03:00:01Z", "expiresIn": 10800, "keepaliveBy": "2026-01-01T00:01:01Z",
              "endedAt": null, "endReason": null, "outcome": null, "aNewerField": [1],
              "environment": { "name": "s1" },
              "environments": [
                { "name": "s1", "pool": "scratch", "account": null, "epoch": 7, "capabilities": {"size": 3},
                  "credentials": {"password": "hush"}, "connection": {"path": "/x", "port": 22},
                  "env": {"SCRATCH": "/x"} } ] }
            """;
    static final String PENDING = """
            { "id": "a1", "state": "pending", "pool": "scratch", "requester": "job 1", "environments": [],
              "queue": {"position": 3, "estimatedGrantAt": {"p50": "2026-01-01T00:05:00Z"}, "waitingFor": "a free one"} }
            """;
    static final String ENDED = """
            { "id": "a1", "state": "ended", "pool": "scratch", "requester": "job 1", "endReason": "wait-timeout" }
            """;

    private static BerthClient.Builder client(ScriptedService service) {
        return BerthClient.at(service.uri()).retryFor(Duration.ZERO);
    }

    @Test
    void anAllocationIsAskedForAsTheApiSaysAndReadWhole() throws IOException {
        try (ScriptedService service = new ScriptedService(asked -> Reply.ok(ACTIVE))) {
            BerthClient client = client(service).token(() -> "secret").build();

            Allocation allocation = client.allocate(
                    AllocationRequest.of("scratch", "job 1")
                            .count(2)
                            .duration(Duration.ofMinutes(90))
                            .keepalive(Duration.ofSeconds(60))
                            .maxWait(Duration.ofMinutes(10))
                            .idempotencyKey("k1")
                            .build(),
                    Duration.ofSeconds(25));

            Asked asked = service.asked.getFirst();
            assertThat(asked.line()).isEqualTo("POST /allocations");
            assertThat(Replies.tree(asked.body())).isEqualTo(Replies.tree("""
                    {"pool":"scratch","requester":"job 1","environments":[{"count":2}],
                     "duration":"1h30m","keepalive":"1m","maxWait":"10m"}"""));
            assertThat(asked.header("Idempotency-key")).isEqualTo("k1");
            assertThat(asked.header("Prefer")).isEqualTo("wait=25");
            assertThat(asked.header("Authorization")).isEqualTo("Bearer secret");
            assertThat(asked.header("Accept")).isEqualTo("application/json");

            assertThat(allocation.state()).isEqualTo(AllocationState.ACTIVE);
            assertThat(allocation.expiresIn()).isEqualTo(Duration.ofHours(3));
            assertThat(allocation.keepaliveBy()).isEqualTo(Instant.parse("2026-01-01T00:01:01Z"));
            LentEnvironment environment = allocation.environments().getFirst();
            assertThat(environment.name()).isEqualTo("s1");
            assertThat(environment.epoch()).isEqualTo(7);
            assertThat(environment.account()).isNull();
            assertThat(environment.credentials()).containsEntry("password", "hush");
            assertThat(environment.connection()).containsEntry("port", 22);
            assertThat(environment.env()).containsExactly(Map.entry("SCRATCH", "/x"));
            assertThat(Replies.tree(allocation.json())).isEqualTo(Replies.tree(ACTIVE));
            assertThat(allocation.toString() + environment).doesNotContain("hush");
        }
    }

    @Test
    void onlyWhatIsNeededIsSentAndAKeyAlways() throws IOException {
        try (ScriptedService service = new ScriptedService(asked -> Reply.ok(PENDING))) {
            Allocation pending = client(service)
                    .build()
                    .allocate(AllocationRequest.of("p", "r").build());
            client(service).build().allocate(AllocationRequest.of("p", "r").build());

            assertThat(Replies.tree(service.asked.getFirst().body()))
                    .isEqualTo(Replies.tree("{\"pool\":\"p\",\"requester\":\"r\"}"));
            assertThat(service.asked.getFirst().header("Prefer")).isNull();
            assertThat(service.asked.getFirst().header("Authorization")).isNull();
            assertThat(service.asked.stream().map(one -> one.header("Idempotency-key")))
                    .doesNotContainNull()
                    .doesNotHaveDuplicates();
            assertThat(pending.queue()).isNotNull();
            assertThat(pending.queue().position()).isEqualTo(3);
            assertThat(pending.queue().waitingFor()).isEqualTo("a free one");
        }
    }

    @Test
    void everythingThatCanBeAskedForIsAskedForByTypeAndInOrder() throws IOException {
        try (ScriptedService service = new ScriptedService(asked -> Reply.ok(PENDING))) {
            client(service)
                    .build()
                    .allocate(AllocationRequest.of("p", "r")
                            .environment(EnvironmentNeed.any()
                                    .withAny("zone")
                                    .with("cores", 8)
                                    .with("version", "8")
                                    .withOneOf("size", List.of("s", "m"))
                                    .with("disk", Map.of("ssd", true))
                                    .times(2)
                                    .access("readonly"))
                            .count(1)
                            .distinctAccounts(true)
                            .constraint("region", List.of("us-east-1", "eu-west-1"))
                            .constraint("name", List.of())
                            .priority(-5)
                            .label("team", "cli")
                            .build());

            assertThat(Replies.tree(service.asked.getFirst().body())).isEqualTo(Replies.tree("""
                    {"pool":"p","requester":"r",
                     "environments":[
                      {"capabilities":{"zone":"*","cores":8,"version":"8","size":["s","m"],"disk":{"ssd":true}},
                       "count":2,"access":"readonly"},
                      {}],
                     "distinct":"account",
                     "constraints":[{"type":"region","value":["us-east-1","eu-west-1"]},{"type":"name","value":[]}],
                     "priority":-5,"labels":{"team":"cli"}}"""));
        }
    }

    @Test
    void whatNoServiceCouldAcceptIsRefusedBeforeItIsSent() {
        AllocationRequest.Builder request = AllocationRequest.of("p", "r");
        assertThatThrownBy(() -> request.priority(101).build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("priority");
        assertThatThrownBy(() -> EnvironmentNeed.any().times(0)).hasMessageContaining("count");
        assertThatThrownBy(() -> EnvironmentNeed.any().withAny("")).hasMessageContaining("capability");
    }

    @Test
    void whatAnAllocationIsKeptForIsReadWithItsPriorityAndLabels() throws IOException {
        try (ScriptedService service = new ScriptedService(asked -> Reply.ok("""
                {"id":"a1","state":"active","pool":"p","heldUntil":"2026-01-01T01:00:00Z","to":["alice"],"priority":-5,
                 "labels":{"team":"cli"}}"""))) {
            Allocation held = client(service).build().allocation("a1");
            assertThat(held.heldUntil()).isEqualTo(Instant.parse("2026-01-01T01:00:00Z"));
            assertThat(held.heldFor()).containsExactly("alice");
            assertThat(held.priority()).isEqualTo(-5);
            assertThat(held.labels()).containsExactly(Map.entry("team", "cli"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"quota-exceeded", "queue-full"})
    void whoIsOverAQuotaIsToldWhatAndWhenAndWaitsAsLongAsItMay(String code) throws IOException {
        AtomicInteger calls = new AtomicInteger();
        try (ScriptedService service = new ScriptedService(asked -> calls.incrementAndGet() == 2
                ? Reply.ok(ACTIVE)
                : new Reply(
                        429,
                        "{\"code\":\"" + code + "\",\"message\":\"you hold 3 of 3\"}",
                        Map.of("Retry-After", "1")))) {
            BerthClient client = client(service).build();
            AllocationRequest patient = AllocationRequest.of("p", "r")
                    .maxWait(Duration.ofMinutes(1))
                    .build();
            List<Throwable> told = new ArrayList<>();

            assertThat(client.acquire(patient, new WaitListener() {
                                @Override
                                public void waiting(Allocation pending) {}

                                @Override
                                public void trouble(RuntimeException cause) {
                                    told.add(cause);
                                }
                            })
                            .id())
                    .isEqualTo("a1");
            assertThat(told).singleElement().isInstanceOfSatisfying(BerthProblem.class, problem -> {
                assertThat(problem.code()).isEqualTo(code);
                assertThat(problem.message()).isEqualTo("you hold 3 of 3");
                assertThat(problem.retryAfter()).contains(Duration.ofSeconds(1));
            });

            AllocationRequest impatient = AllocationRequest.of("p", "r").build();
            BerthProblem problem =
                    catchThrowableOfType(BerthProblem.class, () -> client.acquire(impatient, WaitListener.NONE));
            assertThat(problem.status()).isEqualTo(429);
            assertThat(calls.get()).isEqualTo(3);
        }
    }

    @Test
    void everyCallGoesWhereTheApiHasIt() throws IOException {
        try (ScriptedService service = new ScriptedService(asked -> Reply.ok(
                asked.target().startsWith("/px/allocations?")
                        ? "{\"allocations\":[" + PENDING + "],\"next\":\"c\"}"
                        : asked.target().startsWith("/px/allocations") ? ACTIVE : "{}"))) {
            BerthClient client = BerthClient.at(URI.create(service.uri() + "/px/"))
                    .retryFor(Duration.ZERO)
                    .build();

            client.allocation("a 1/ü");
            AllocationPage page =
                    client.allocations(new AllocationQuery("p q", AllocationState.PENDING, null, null, 10));
            client.keepalive("a1");
            client.extend("a1", Instant.parse("2026-01-01T00:00:00Z"));
            client.release("a1", "success");
            client.release("a1", null);
            client.hold("a1", Duration.ofMinutes(30), "failure", List.of("alice", "bob"));
            client.hold("a1", Duration.ofMinutes(30), null, List.of("alice"));
            client.prioritise("a1", 5);
            client.pools();
            client.environments(new EnvironmentQuery(null, "dirty", null, null));
            client.act("e1", EnvironmentAction.QUARANTINE, "noise");
            client.events(new EventQuery("p", "c=1", null));
            client.diffConfiguration("pools: {}");
            client.applyConfiguration("pools: {}", true);
            client.tokens();
            client.revokeToken("t1");

            assertThat(page.next()).isEqualTo("c");
            assertThat(service.lines())
                    .containsExactly(
                            "GET /px/allocations/a%201%2F%C3%BC",
                            "GET /px/allocations?pool=p%20q&state=pending&limit=10",
                            "POST /px/allocations/a1/keepalive",
                            "POST /px/allocations/a1/extend",
                            "DELETE /px/allocations/a1",
                            "DELETE /px/allocations/a1",
                            "POST /px/allocations/a1/hold",
                            "POST /px/allocations/a1/hold",
                            "PATCH /px/allocations/a1",
                            "GET /px/pools",
                            "GET /px/environments?state=dirty",
                            "POST /px/environments/e1/quarantine",
                            "GET /px/events?pool=p&cursor=c%3D1",
                            "POST /px/config/diff",
                            "PUT /px/config?allow-removals=true",
                            "GET /px/tokens",
                            "DELETE /px/tokens/t1");
            assertThat(service.asked.get(3).body()).isEqualTo("{\"until\":\"2026-01-01T00:00:00Z\"}");
            assertThat(service.asked.get(4).body()).isEqualTo("{\"outcome\":\"success\"}");
            assertThat(service.asked.get(5).body()).isEmpty();
            assertThat(service.asked.get(6).body())
                    .isEqualTo("{\"for\":\"30m\",\"outcome\":\"failure\",\"to\":[\"alice\",\"bob\"]}");
            assertThat(service.asked.get(7).body()).isEqualTo("{\"for\":\"30m\",\"to\":[\"alice\"]}");
            assertThat(service.asked.get(8).body()).isEqualTo("{\"priority\":5}");
            assertThat(service.asked.get(11).body()).isEqualTo("{\"reason\":\"noise\"}");
            assertThat(service.asked.get(14).body()).isEqualTo("pools: {}");
        }
    }

    @Test
    void aPoolIsReadWithItsCountsQueueAndWaits() throws IOException {
        try (ScriptedService service = new ScriptedService(asked -> Reply.ok("""
                {"name":"p","provider":"fixed","policy":{},
                 "environments":{"total":6,"available":1,"allocated":2,"cleaning":1,"checking":1,"dirty":1},
                 "retiring":1,"queue":{"length":4,"oldestSeconds":12},
                 "waits":{"p50":1.5,"p90":20,"p99":null},"utilisation":0.5}"""))) {
            Pool pool = client(service).build().pool("p");

            assertThat(pool.total()).isEqualTo(6);
            assertThat(pool.dirty()).isEqualTo(1);
            assertThat(pool.queueLength()).isEqualTo(4);
            assertThat(pool.waitP50Seconds()).isEqualTo(1.5);
            assertThat(pool.waitP99Seconds()).isNull();
            assertThat(pool.utilisation()).isEqualTo(0.5);
        }
    }

    @Test
    void aRefusalCarriesAllThatTheServiceSaid() throws IOException {
        try (ScriptedService service = new ScriptedService(asked -> new Reply(423, """
                {"status":423,"code":"no-environment-available","detail":"No environments available in pool 'p'",
                 "message":"No environments available in pool 'p'","requestId":"r1",
                 "errors":[{"field":"count","message":"too many","line":3}]}""", Map.of("Retry-After", "20")))) {
            BerthProblem problem = catchThrowableOfType(
                    BerthProblem.class, () -> client(service).build().pool("p"));

            assertThat(problem.status()).isEqualTo(423);
            assertThat(problem.code()).isEqualTo("no-environment-available");
            assertThat(problem.message()).isEqualTo("No environments available in pool 'p'");
            assertThat(problem.retryAfter()).contains(Duration.ofSeconds(20));
            assertThat(problem.requestId()).contains("r1");
            assertThat(problem.errors()).containsExactly(new BerthProblem.FieldError("count", "too many", 3L));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"<html>Bad \u001b[31mGateway</html>", "", "[1]", "\"x\""})
    void aRefusalOfAProxyIsARefusalToo(String body) throws IOException {
        try (ScriptedService service =
                new ScriptedService(asked -> new Reply(418, body, Map.of("Retry-After", "soon")))) {
            BerthProblem problem = catchThrowableOfType(
                    BerthProblem.class, () -> client(service).build().pool("p"));

            assertThat(problem.code()).isEqualTo("http-418");
            assertThat(problem.message()).doesNotContain("\u001b");
            assertThat(problem.retryAfter()).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "<html>", "{}", "{\"id\":\"a\",\"state\":\"sleeping\",\"pool\":\"p\"}", "[]", "null"})
    void anAnswerOfSomethingElseIsToldAsSuch(String body) throws IOException {
        try (ScriptedService service = new ScriptedService(asked -> Reply.ok(body))) {
            assertThatThrownBy(() -> client(service).build().allocation("a")).isInstanceOf(MalformedReply.class);
        }
    }

    @Test
    void aRedirectIsNotFollowedWithTheToken() throws IOException {
        try (ScriptedService service =
                new ScriptedService(asked -> new Reply(302, "", Map.of("Location", "/elsewhere")))) {
            assertThatThrownBy(() -> client(service).token(() -> "s").build().pools())
                    .isInstanceOf(BerthProblem.class);
            assertThat(service.lines()).containsExactly("GET /pools");
        }
    }

    @Test
    void callsAreRepeatedThroughAnOutageUnderTheSameKey() throws IOException {
        AtomicInteger calls = new AtomicInteger();
        try (ScriptedService service = new ScriptedService(asked -> switch (calls.incrementAndGet()) {
            case 1 -> null;
            case 2 -> new Reply(503, "{\"code\":\"store-unavailable\"}", Map.of("Retry-After", "0"));
            default -> Reply.ok(ACTIVE);
        })) {
            BerthClient client = BerthClient.at(service.uri())
                    .retryFor(Duration.ofSeconds(30))
                    .build();

            assertThat(client.allocate(AllocationRequest.of("p", "r").build()).id())
                    .isEqualTo("a1");
            assertThat(service.asked.stream()
                            .map(one -> one.header("Idempotency-key"))
                            .distinct())
                    .hasSize(1);
            assertThat(calls.get()).isEqualTo(3);
        }
    }

    @Test
    void aTokenIsNeverMadeTwice() throws IOException {
        try (ScriptedService service = new ScriptedService(asked -> new Reply(503, "{}", Map.of()))) {
            BerthClient client = BerthClient.at(service.uri()).build();
            assertThatThrownBy(() -> client.createToken("ci", null)).isInstanceOf(BerthProblem.class);
            assertThat(service.lines()).containsExactly("POST /tokens");
        }
    }

    @Test
    void aServiceThatIsNotThereIsUnreachableWithinTheBound() throws IOException {
        try (Socket silent = new Socket()) {
            silent.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0)); // nobody else gets that port
            URI gone = URI.create("http://127.0.0.1:" + silent.getLocalPort());
            BerthClient client =
                    BerthClient.at(gone).retryFor(Duration.ofMillis(300)).build();
            assertThatThrownBy(client::pools)
                    .isInstanceOf(BerthUnreachable.class)
                    .hasMessageContaining(gone.toString());
        }
    }

    @Test
    void aServiceThatHangsIsGivenUp() throws IOException {
        CountDownLatch never = new CountDownLatch(1);
        try (ScriptedService service = new ScriptedService(asked -> {
            never.await();
            return null;
        })) {
            BerthClient client =
                    client(service).requestTimeout(Duration.ofMillis(200)).build();
            assertThatThrownBy(client::pools).isInstanceOf(BerthUnreachable.class);
            never.countDown();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"ftp://h/", "h:80", "http:///x", "http://u:p@h/", "http://h/?q=1", "http://h/#f"})
    void anAddressThatIsNotAPlainOneIsRefused(String address) {
        assertThatThrownBy(() -> BerthClient.at(URI.create(address))).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void acquireWaitsUntilGrantedAndTellsHowItGoes() throws IOException {
        AtomicInteger calls = new AtomicInteger();
        try (ScriptedService service = new ScriptedService(asked -> switch (calls.incrementAndGet()) {
            case 1 -> new Reply(202, PENDING, Map.of());
            case 2 -> Reply.ok(PENDING);
            case 3 -> new Reply(503, "{}", Map.of());
            default -> Reply.ok(ACTIVE);
        })) {
            List<String> told = new ArrayList<>();
            WaitListener listener = new WaitListener() {
                @Override
                public void waiting(Allocation pending) {
                    told.add("position " + pending.queue().position());
                }

                @Override
                public void trouble(RuntimeException cause) {
                    told.add(cause.getClass().getSimpleName());
                }
            };

            Allocation granted = client(service)
                    .build()
                    .acquire(
                            AllocationRequest.of("p", "r")
                                    .maxWait(Duration.ofMinutes(1))
                                    .build(),
                            listener);

            assertThat(granted.state()).isEqualTo(AllocationState.ACTIVE);
            assertThat(told).containsExactly("position 3", "position 3", "BerthProblem");
            assertThat(service.lines())
                    .containsExactly(
                            "POST /allocations", "GET /allocations/a1", "GET /allocations/a1", "GET /allocations/a1");
            assertThat(service.asked.get(1).header("Prefer")).isEqualTo("wait=10");
        }
    }

    @Test
    void acquireTellsWhyAWaitEnded() throws IOException {
        try (ScriptedService service = new ScriptedService(asked -> Reply.ok(ENDED))) {
            assertThatThrownBy(() -> client(service)
                            .build()
                            .acquire(AllocationRequest.of("p", "r").build(), WaitListener.NONE))
                    .isInstanceOf(AllocationEnded.class)
                    .hasMessageContaining("wait-timeout");
        }
    }

    @Test
    void anInterruptedWaitGivesBackWhatItMayHaveTaken() throws Exception {
        CountDownLatch held = new CountDownLatch(1);
        CountDownLatch never = new CountDownLatch(1);
        CountDownLatch released = new CountDownLatch(1);
        try (ScriptedService service = new ScriptedService(asked -> switch (asked.method()) {
            case "POST" -> new Reply(202, PENDING, Map.of());
            case "GET" -> {
                held.countDown();
                never.await();
                yield null;
            }
            default -> {
                released.countDown();
                yield Reply.ok("{}");
            }
        })) {
            AtomicInteger outcome = new AtomicInteger();
            Thread waiter = Thread.ofVirtual().start(() -> {
                try {
                    client(service)
                            .build()
                            .acquire(
                                    AllocationRequest.of("p", "r")
                                            .maxWait(Duration.ofMinutes(1))
                                            .build(),
                                    WaitListener.NONE);
                } catch (BerthUnreachable e) {
                    outcome.set(Thread.currentThread().isInterrupted() ? 1 : 2);
                }
            });
            held.await();
            waiter.interrupt();
            released.await();
            waiter.join();

            assertThat(outcome.get()).isEqualTo(1);
            assertThat(service.asked.getLast().line()).isEqualTo("DELETE /allocations/a1");
            assertThat(service.asked.getLast().body()).isEqualTo("{\"outcome\":\"interrupted\"}");
            never.countDown();
        }
    }

    @Test
    void eventsAreFollowedAcrossABrokenConnectionWithoutALoss() throws IOException {
        AtomicInteger calls = new AtomicInteger();
        try (ScriptedService service = new ScriptedService(asked -> new Reply(
                200,
                calls.incrementAndGet() == 1
                        ? ": hello\n\nid: 1\nevent: granted\ndata: {\"type\":\"granted\",\"pool\":\"p\"}\n\n"
                                + "id: 2\ndata: {\"type\":\"cut"
                        : "id: 2\ndata: {\"type\":\"released\",\ndata: \"pool\":\"p\"}\n\nid: 3\ndata: {}\n\n",
                Map.of("Content-Type", "text/event-stream")))) {
            List<String> seen = new ArrayList<>();

            client(service).build().follow(new EventQuery("p", null, null), event -> {
                seen.add(event.cursor() + " " + event.type());
                return seen.size() < 2;
            });

            assertThat(seen).containsExactly("1 granted", "2 released");
            assertThat(service.lines()).containsExactly("GET /events?pool=p", "GET /events?pool=p");
            assertThat(service.asked.get(0).header("Accept")).isEqualTo("text/event-stream");
            assertThat(service.asked.get(0).header("Last-event-id")).isNull();
            assertThat(service.asked.get(1).header("Last-event-id")).isEqualTo("1");
        }
    }

    @Test
    void aStreamThatIsCutOffBeforeItsFirstEventGoesOnFromItsBeginning() throws IOException {
        AtomicInteger calls = new AtomicInteger();
        try (ScriptedService service = new ScriptedService(asked ->
                Reply.ok(calls.incrementAndGet() == 1 ? "id: 7\n\n" : "id: 8\ndata: {\"type\":\"granted\"}\n\n"))) {
            client(service).build().follow(EventQuery.all(), event -> false);
            assertThat(service.asked.get(1).header("Last-event-id")).isEqualTo("7");
        }
    }

    @Test
    void aStreamThatFellSilentIsOpenedAnew() throws IOException {
        AtomicInteger calls = new AtomicInteger();
        try (SilentService service = new SilentService(calls)) {
            Transport transport = new Transport(
                    HttpClient.newHttpClient(), service.uri(), () -> null, Duration.ofSeconds(60), Duration.ZERO);
            new EventStream(transport, EventQuery.all(), event -> false, Duration.ofSeconds(3)).run();
            assertThat(calls.get()).isEqualTo(2);
        }
    }

    @Test
    void followingEndsWithARefusal() throws IOException {
        try (ScriptedService service =
                new ScriptedService(asked -> new Reply(403, "{\"code\":\"forbidden\"}", Map.of()))) {
            assertThatThrownBy(() -> client(service).build().follow(EventQuery.all(), event -> true))
                    .isInstanceOf(BerthProblem.class);
        }
    }
}
