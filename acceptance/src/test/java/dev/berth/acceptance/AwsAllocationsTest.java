package dev.berth.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.acceptance.StrictAws.Answer;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * What who borrows accounts relies on, through the API of a service of its own: the list of scenarios of the service that this one
 * follows. A pool and an account for each, since they run beside each other.
 */
@Execution(ExecutionMode.CONCURRENT)
class AwsAllocationsTest {
    private static final String STRANGER = "token-of-one-who-may-use-no-pool";
    private static final String CONFIGURATION = """
            pools:
              basic:   { provider: aws, retry-after: 1s, aws: { endpoint: "ENDPOINT", propagation: 0s, keep: { names: KEEP } } }
              emptied: { provider: aws, retry-after: 1s, aws: { endpoint: "ENDPOINT", propagation: 0s, keep: { names: KEEP } } }
              late:    { provider: aws, retry-after: 1s, aws: { endpoint: "ENDPOINT", propagation: 0s, keep: { names: KEEP } }, clean: { timeout: 15s, attempts: 1 } }
              failing: { provider: aws, retry-after: 1s, aws: { endpoint: "ENDPOINT", propagation: 0s, keep: { names: KEEP } }, clean: { timeout: 40s, attempts: 1 } }
              timed:   { provider: aws, retry-after: 1s, aws: { endpoint: "ENDPOINT", propagation: 0s, keep: { names: KEEP } } }
              alone:   { provider: aws, retry-after: 1s, isolate: account, aws: { endpoint: "ENDPOINT", propagation: 0s, keep: { names: KEEP } } }
            environments:
              - { account: "200000000001", region: eu-west-1, pool: basic, admin_role: "arn:aws:iam::200000000001:role/Admin" }
              - { account: "200000000002", region: eu-west-1, pool: emptied, admin_role: "arn:aws:iam::200000000002:role/Admin" }
              - { account: "200000000003", region: eu-west-1, pool: late, admin_role: "arn:aws:iam::200000000003:role/Admin" }
              - { account: "200000000004", region: eu-west-1, pool: failing, admin_role: "arn:aws:iam::200000000004:role/Admin" }
              - { account: "200000000005", region: eu-west-1, pool: timed, admin_role: "arn:aws:iam::200000000005:role/Admin" }
              - { account: "200000000006", region: eu-west-1, pool: alone, admin_role: "arn:aws:iam::200000000006:role/Admin" }
              - { account: "200000000006", region: us-east-1, pool: alone, admin_role: "arn:aws:iam::200000000006:role/Admin" }
            principals:
              - { name: root, roles: [admin, operator, viewer, consumer], pools: [basic, emptied, late, failing, timed, alone], token: { env: ROOT_TOKEN } }
              - { name: stranger, roles: [consumer], pools: [basic], token: { env: STRANGER_TOKEN } }
            limits: { failures: off }
            """;

    @TempDir
    private static Path folder;

    private static AwsLab aws;
    private static BerthProcess berth;

    @BeforeAll
    static void start() {
        aws = AwsLab.start(folder.resolve("moto"));
        for (int i = 1; i <= 6; i++) {
            aws.account("20000000000" + i).bucket("belongs-there-" + i);
        }
        berth = BerthProcess.start(
                folder,
                CONFIGURATION
                        .replace("ENDPOINT", aws.endpoint().toString())
                        .replace("KEEP", JsonMapper.shared().writeValueAsString(AwsLab.most())),
                Map.of(
                        "AWS_ACCESS_KEY_ID",
                        AwsLab.OWN_KEY,
                        "AWS_SECRET_ACCESS_KEY",
                        "own",
                        "STRANGER_TOKEN",
                        STRANGER));
    }

    @AfterAll
    static void stop() {
        if (berth != null) {
            berth.close();
        }
        aws.close();
    }

    private static HttpResponse<String> call(String method, String path, String body) {
        return berth.call(BerthProcess.ROOT_TOKEN, method, path, body);
    }

    private static JsonNode json(HttpResponse<String> response) {
        return JsonMapper.shared().readTree(response.body());
    }

    /** Asks until it is free: it is verified first. */
    private static JsonNode allocate(String pool, String more) {
        var response = await(
                () -> call(
                        "POST",
                        "/allocations",
                        "{\"pool\":\"%s\",\"requester\":\"https://ci.example/7\"%s}".formatted(pool, more)),
                answer -> answer.statusCode() != 423);
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        return json(response);
    }

    private static AwsAccount.Holder holder(JsonNode allocation) {
        var given = allocation.path("credentials");
        return new AwsAccount.Holder(
                aws.endpoint(),
                AwsLab.REGION,
                Map.of(
                        "AWS_ACCESS_KEY_ID", given.path("accessKeyId").stringValue(),
                        "AWS_SECRET_ACCESS_KEY", given.path("secretAccessKey").stringValue(),
                        "AWS_SESSION_TOKEN", given.path("sessionToken").stringValue()));
    }

    private static void release(JsonNode allocation) {
        var response = call("DELETE", "/allocations/" + allocation.path("id").stringValue(), null);
        assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
        assertThat(response.body()).isEqualTo("{}");
    }

    private static JsonNode environment(String account) {
        return json(call("GET", "/environments/" + account + "-" + AwsLab.REGION, null));
    }

    private static JsonNode awaitState(String account, String state) {
        return await(
                () -> environment(account),
                found -> found.path("state").stringValue("").equals(state));
    }

    private static <T> T await(Supplier<T> look, Predicate<T> good) {
        long deadline = System.nanoTime() + Running.PATIENCE.toNanos();
        while (true) {
            T now = look.get();
            if (good.test(now)) {
                return now;
            }
            assertThat(System.nanoTime() - deadline)
                    .as(() -> now + "\n" + berth.printed())
                    .isNegative();
            LockSupport.parkNanos(50_000_000);
        }
    }

    @Test
    void anAllocationHasAnAccountWithCredentialsThatWorkAndNobodyElseGetsItUntilItIsReleased() {
        var allocation = allocate("basic", "");
        assertThat(allocation.path("environment").path("account").stringValue()).isEqualTo("200000000001");
        assertThat(allocation.path("environment").path("region").stringValue()).isEqualTo(AwsLab.REGION);
        assertThat(allocation.path("environment").path("adminRoleArn").stringValue())
                .isEqualTo("arn:aws:iam::200000000001:role/Admin");
        var holder = holder(allocation);
        assertThat(holder.sts().getCallerIdentity().arn())
                .endsWith("/berth-" + allocation.path("id").stringValue());
        assertThat(holder.s3().listBuckets().buckets()).hasSize(1);

        var locked = call("POST", "/allocations", "{\"pool\":\"basic\",\"requester\":\"r\"}");
        assertThat(locked.statusCode()).isEqualTo(423);
        assertThat(locked.body()).contains("No environments available in pool 'basic'");

        release(allocation);
        release(allocation);
        var next = allocate("basic", "");
        assertThat(next.path("id").stringValue())
                .isNotEqualTo(allocation.path("id").stringValue());
        assertThatThrownBy(() -> holder.s3().listBuckets()).hasMessageContaining("explicit deny");
        assertThat(holder(next).s3().listBuckets().buckets()).hasSize(1);
        // Releasing what was lent to somebody else since changes nothing.
        release(allocation);
        assertThat(json(call("GET", "/allocations/" + next.path("id").stringValue(), null))
                        .path("state")
                        .stringValue())
                .isEqualTo("active");
        release(next);
    }

    @Test
    void whatWasMadeIsGoneWhenItIsFreeAgain() {
        var account = aws.account("200000000002");
        var allocation = allocate("emptied", "");
        account.stack("protected", AwsAccount.bucketResource("full-2"), true);
        account.fill("full-2");
        account.bucket("loose-2");
        account.fill("loose-2");
        account.iam().createUser(create -> create.userName("backdoor"));
        release(allocation);
        awaitState("200000000002", "available");
        assertThat(account.stacks().describeStacks().stacks()).isEmpty();
        assertThat(account.s3().listBuckets().buckets()).hasSize(1);
        assertThat(account.iam().listUsers().users()).isEmpty();
    }

    @Test
    void anAccountIsOneBorrowersAloneWhereThePoolSaysSo() {
        var account = aws.account("200000000006");
        var allocation = allocate("alone", ",\"constraints\":[{\"type\":\"region\",\"value\":[\"us-east-1\"]}]");
        assertThat(allocation.path("environment").path("region").stringValue()).isEqualTo("us-east-1");
        var beside = environment("200000000006");
        assertThat(beside.path("state").stringValue()).isEqualTo("withheld");
        assertThat(beside.path("reason").stringValue()).contains("200000000006-us-east-1");
        assertThat(call("POST", "/allocations", "{\"pool\":\"alone\",\"requester\":\"r\"}")
                        .statusCode())
                .isEqualTo(423);
        assertThat(json(call("GET", "/pools/alone", null))
                        .path("environments")
                        .path("withheld")
                        .intValue())
                .isEqualTo(1);

        account.iam().createUser(create -> create.userName("backdoor"));
        release(allocation);
        awaitState("200000000006", "available");
        assertThat(account.iam().listUsers().users()).isEmpty();
    }

    @Test
    void aCleanUpThatTakesTooLongMakesItDirtyAndAPersonReinstatesIt() {
        var account = aws.account("200000000003");
        var allocation = allocate("late", "");
        // Whenever one is deleted there is another one: it never gets to an end.
        var count = new AtomicInteger();
        account.bucket("again-0");
        var again = aws.strict().fault(call -> {
            if (call.of(account) && call.operation().equals("DELETE /again-" + count.get())) {
                account.bucket("again-" + count.incrementAndGet());
            }
            return null;
        });
        release(allocation);
        var dirty = awaitState("200000000003", "dirty");
        assertThat(dirty.toString()).contains("did not end within 15 s");
        assertThat(call("POST", "/allocations", "{\"pool\":\"late\",\"requester\":\"r\"}")
                        .statusCode())
                .isEqualTo(423);

        aws.strict().mend(again);
        assertThat(call("POST", "/environments/200000000003-eu-west-1/clean", "{}")
                        .statusCode())
                .isEqualTo(200);
        awaitState("200000000003", "available");
        assertThat(account.s3().listBuckets().buckets()).hasSize(1);
        release(allocate("late", ""));
    }

    @Test
    void aCleanUpThatFailsMakesItDirtyAndSaysWhoLeftWhat() {
        var account = aws.account("200000000004");
        var allocation = allocate("failing", "");
        account.bucket("locked-4");
        var refusal = aws.strict()
                .fault(call -> call.of(account) && call.operation().startsWith("DELETE /locked-4")
                        ? Answer.error(403, "AccessDenied", "no")
                        : null);
        release(allocation);
        var dirty = awaitState("200000000004", "dirty");
        assertThat(dirty.toString()).contains("s3 bucket locked-4", "AccessDenied");

        // A person says it is well, and is not believed.
        assertThat(call("POST", "/environments/200000000004-eu-west-1/verify", "{}")
                        .statusCode())
                .isEqualTo(200);
        var still = await(
                () -> environment("200000000004"),
                found -> found.path("state").stringValue("").equals("dirty")
                        && found.toString().contains("left: s3 bucket locked-4"));
        assertThat(still.toString())
                .contains("https://ci.example/7", allocation.path("id").stringValue());

        aws.strict().mend(refusal);
        account.s3().deleteBucket(delete -> delete.bucket("locked-4"));
        assertThat(call("POST", "/environments/200000000004-eu-west-1/verify", "{}")
                        .statusCode())
                .isEqualTo(200);
        awaitState("200000000004", "available");
    }

    @Test
    void anAllocationEndsByItsTimeAndOneThatEndedBeforeIsNotEndedAgain() {
        var early = allocate("timed", ",\"duration\":\"10s\"");
        release(early);
        var allocation = allocate("timed", ",\"duration\":\"4s\"");
        var holder = holder(allocation);
        var ended = await(
                () -> json(call("GET", "/allocations/" + allocation.path("id").stringValue(), null)),
                found -> found.path("state").stringValue("").equals("ended"));
        assertThat(ended.path("endReason").stringValue()).isEqualTo("session-expired");
        awaitState("200000000005", "available");
        assertThatThrownBy(() -> holder.s3().listBuckets()).hasMessageContaining("explicit deny");
        var over = Instant.parse(early.path("expiresAt").stringValue()).plusSeconds(1);
        await(Instant::now, now -> now.isAfter(over));
        assertThat(json(call("GET", "/allocations/" + early.path("id").stringValue(), null))
                        .path("endReason")
                        .stringValue())
                .isEqualTo("released");
    }

    @Test
    void whoIsNobodyOrMayNotIsRefusedWithAndWithoutABody() {
        for (var body : new String[] {null, "{\"pool\":\"basic\",\"requester\":\"r\"}", "nonsense"}) {
            assertThat(berth.call(null, "POST", "/allocations", body).statusCode())
                    .isEqualTo(401);
            assertThat(berth.call("wrong", "POST", "/allocations", body).statusCode())
                    .isEqualTo(401);
            assertThat(berth.call(STRANGER, "POST", "/environments/200000000001-eu-west-1/clean", body)
                            .statusCode())
                    .isEqualTo(403);
        }
        assertThat(berth.call(STRANGER, "POST", "/allocations", "{\"pool\":\"late\",\"requester\":\"r\"}")
                        .statusCode())
                .isEqualTo(404);
    }
}
