package dev.berth.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

@Timeout(240)
class CommandLineTest {
    @TempDir
    private Path folder;

    private final Map<String, String> env = new HashMap<>();
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private FakeBerth berth;

    @BeforeEach
    void start() throws IOException {
        berth = new FakeBerth();
        env.put("BERTH_URL", berth.url());
        env.put("BERTH_TOKEN", "secret");
    }

    @AfterEach
    void stop() {
        berth.close();
    }

    private Surroundings around() {
        return new Surroundings(
                env,
                folder,
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8),
                false,
                false);
    }

    private int berth(String... args) {
        return Main.run(args, around());
    }

    private String out() {
        return out.toString(StandardCharsets.UTF_8);
    }

    private String err() {
        return err.toString(StandardCharsets.UTF_8);
    }

    @Test
    void everyCommandHasHelpWithExamples() {
        List<CommandLine> all = new ArrayList<>(List.of(BerthCommand.tree(around())));
        for (int i = 0; i < all.size(); i++) {
            all.addAll(all.get(i).getSubcommands().values());
        }
        assertThat(all.size()).isGreaterThan(20);
        for (CommandLine line : all) {
            String name = line.getCommandSpec().qualifiedName();
            out.reset();
            String[] args = (name + " --help").substring("berth ".length()).split(" ");
            assertThat(berth(args)).as(name).isEqualTo(0);
            assertThat(out()).as(name).contains("Usage: " + name).contains("Examples:");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "nonsense",
                "run",
                "run --pool p",
                "run --pool p --wait soon -- true",
                "run --pool p --count 0 -- true",
                "run --pool p --nonsense -- true",
                "run --pool p --need arch -- true",
                "run --pool p --need =arm64 -- true",
                "run --pool p --need arch=a --need arch=b -- true",
                "run --pool p --need size=[s,m] -- true",
                "run --pool p --need size={s:1} -- true",
                "run --pool p --need size=\"s -- true",
                "run --pool p --constraint region -- true",
                "run --pool p --constraint region= -- true",
                "run --pool p --constraint region=a,,b -- true",
                "run --pool p --constraint region=a --constraint region=b -- true",
                "run --pool p --distinct region -- true",
                "run --pool p --priority high -- true",
                "run --pool p --priority 101 -- true",
                "run --pool p --label team -- true",
                "run --pool p --hold-to alice -- true",
                "run --pool p --hold-on-failure 0s --hold-to alice -- true",
                "run --pool p --hold-on-failure soon --hold-to alice -- true",
                "run --pool p --hold-on-failure 30m --hold-to alice, -- true",
                "hold a1",
                "hold a1 --for 0s --to alice",
                "priority a1",
                "priority a1 high",
                "priority a1 --nonsense",
                "priority a1 -101",
                "release",
                "extend a1",
                "extend --for 1h --until 2026-01-01T00:00:00Z a1",
                "token",
                "config",
                "config apply",
                "environments clean",
                "environments baseline",
                "environments baseline show",
                "environments baseline accept",
                "status -o xml",
                "status --url ftp://h",
                "completion fish"
            })
    void aWrongCommandLineIsExit64AndAsksNothing(String line) {
        assertThat(berth(line.isEmpty() ? new String[0] : line.split(" "))).isEqualTo(ExitCode.USAGE);
        assertThat(err()).startsWith("berth: ");
        assertThat(out()).isEmpty();
        assertThat(berth.asked()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "400,configuration-invalid,78",
        "400,malformed,64",
        "401,unauthorized,77",
        "403,forbidden,77",
        "404,no-such-pool,64",
        "409,mass-removal,78",
        "409,extend-not-allowed,77",
        "409,hold-not-allowed,77",
        "409,not-waiting,64",
        "409,environment-allocated,75",
        "410,lease-lost,79",
        "422,unsatisfiable,64",
        "423,no-environment-available,75",
        "429,queue-full,75",
        "429,quota-exceeded,75",
        "500,internal,70",
        "502,http-502,69"
    })
    void eachRefusalHasItsExitCode(int status, String code, int exit) {
        berth.answer("POST /allocations", status, "{\"code\":\"" + code + "\",\"message\":\"because\"}");
        assertThat(berth("allocate", "--pool", "p")).isEqualTo(exit);
        assertThat(err()).startsWith("berth: because");
    }

    @Test
    void whoAsksForAPoolThatIsNoneIsToldWhichThereAre() {
        berth.answer("POST /allocations", 404, "{\"code\":\"no-such-pool\",\"message\":\"No pool 'relaese'\"}");
        berth.answer("GET /pools", 200, """
                {"pools":[{"name":"release","provider":"fixed"},{"name":"scratch","provider":"command"}]}""");
        for (String[] command :
                new String[][] {{"allocate", "--pool", "relaese"}, {"run", "--pool", "relaese", "--", "true"}}) {
            assertThat(berth(command)).isEqualTo(ExitCode.USAGE);
            assertThat(err()).endsWith("berth: No pool 'relaese': you may use release, scratch\n");
        }
        berth.answer("GET /pools", 503, "{\"code\":\"store-unavailable\",\"message\":\"away\"}");
        assertThat(berth("allocate", "--pool", "relaese")).isEqualTo(ExitCode.USAGE);
        assertThat(err()).contains("berth: No pool 'relaese'\n").doesNotContain("away");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "cores=8 | 8",
                "cores=8.50 | 8.50",
                "ssd=true | true",
                "none=null | null",
                "zone=\"8\" | \"8\"",
                "size=[\"s\",\"m\"] | [\"s\",\"m\"]",
                "disk={\"ssd\":true} | {\"ssd\":true}",
                "arch=arm64 | \"arm64\"",
                "arch=* | \"*\"",
                "day=2026-01-01 | \"2026-01-01\"",
                "tag=a=b | \"a=b\"",
                "two=8 9 | \"8 9\"",
                "empty= | \"\"",
            })
    void aNeedIsAskedForByTheTypeThatItIsWrittenIn(String need, String sent) {
        assertThat(berth("allocate", "--pool", "p", "--need", need))
                .as(this::err)
                .isZero();
        String key = need.substring(0, need.indexOf('='));
        assertThat(berth.asked().getFirst().body())
                .contains("\"environments\":[{\"capabilities\":{\"" + key + "\":" + sent + "}}]");
    }

    @Test
    void everythingThatCanBeAskedForIsSent() {
        assertThat(berth(("allocate --pool p --requester r --need arch=arm64 --need zone=* --count 2 --access readonly"
                                + " --distinct account --constraint region=us-east-1,eu-west-1"
                                + " --constraint account=1 --priority -5 --label team=cli --label why=a=b")
                        .split(" ")))
                .as(this::err)
                .isZero();
        assertThat(Json.MAPPER.readTree(berth.asked().getFirst().body())).isEqualTo(Json.MAPPER.readTree("""
                {"pool":"p","requester":"r",
                 "environments":[{"capabilities":{"arch":"arm64","zone":"*"},"count":2,"access":"readonly"}],
                 "distinct":"account",
                 "constraints":[{"type":"region","value":["us-east-1","eu-west-1"]},{"type":"account","value":["1"]}],
                 "priority":-5,"labels":{"team":"cli","why":"a=b"}}"""));
    }

    @Test
    void aValueThatLostItsQuotesToTheShellIsToldAsSuch() {
        assertThat(berth("allocate", "--pool", "p", "--need", "size=[s,m]")).isEqualTo(ExitCode.USAGE);
        assertThat(err()).contains("--need size=[s,m]", "put quotes around it for the shell");
    }

    @Test
    void aRefusalForNowSaysWhenToAskAgain() {
        berth.answer("POST /allocations", 429, """
                {"code":"quota-exceeded","message":"ci holds 3 of 3 environments of pool 'p'","requestId":"r1"}""").retryAfter(90);
        assertThat(berth("allocate", "--pool", "p")).isEqualTo(ExitCode.NOTHING_FREE);
        assertThat(err()).isEqualTo("""
                berth: ci holds 3 of 3 environments of pool 'p'
                  (quota-exceeded, ask again in 1m 30s, request r1)
                """);
    }

    @Test
    void anAllocationIsKeptForPersons() {
        assertThat(berth("hold", "a1", "--for", "30m", "--to", "alice,bob", "--outcome", "failure"))
                .isZero();
        assertThat(out()).isEqualTo("kept for alice, bob until 2026-01-01T01:00:00Z\n");
        assertThat(berth.asked().getLast().body())
                .isEqualTo("{\"for\":\"30m\",\"outcome\":\"failure\",\"to\":[\"alice\",\"bob\"]}");
        out.reset();
        assertThat(berth("keepalive", "a1")).isEqualTo(ExitCode.LEASE_LOST);
        assertThat(berth("status", "a1")).isZero();
        assertThat(out()).contains("kept until   2026-01-01T01:00:00Z\nkept for     alice\n");
        out.reset();
        assertThat(berth("hold", "a1", "--for", "30m")).isZero();
        assertThat(berth.asked().getLast().body()).isEqualTo("{\"for\":\"30m\"}");
        assertThat(out()).isEqualTo("kept until 2026-01-01T01:00:00Z\n");
    }

    @Test
    void anOperatorGivesAnotherPriorityNegativeOnesToo() {
        berth.answer("PATCH /allocations/a1", 200, """
                {"id":"a1","state":"pending","pool":"p","requester":"r","priority":-5,"queue":{"position":7}}""");
        assertThat(berth("priority", "a1", "-5")).as(this::err).isZero();
        assertThat(berth.asked().getLast().body()).isEqualTo("{\"priority\":-5}");
        assertThat(out()).isEqualTo("""
                allocation  a1
                state       pending
                pool        p
                requester   r
                priority    -5
                position    7
                """);
        out.reset();
        assertThat(berth("priority", "-o", "json", "a1", "5")).isZero();
        assertThat(out()).contains("\"position\" : 7");
    }

    @Test
    void aWaitingAllocationIsShownWithItsPlaceAndWhatItWaitsFor() {
        berth.become("pending");
        assertThat(berth("status", "a1")).isZero();
        assertThat(out()).contains("""
                state          pending
                pool           scratch
                position       2
                granted about  2026-01-01T00:04:00Z
                9 in 10 by     2026-01-01T00:12:00Z
                why            waits for a free one, held by job 1
                """);
        out.reset();
        assertThat(berth("status", "a1", "-o", "json")).isZero();
        assertThat(Json.MAPPER.readTree(out()).at("/queue/position").asInt(0)).isEqualTo(2);
    }

    @Test
    void whoWaitsIsShownBelowThePools() {
        berth.answer("GET /pools", 200, """
                {"pools":[{"name":"p","provider":"fixed","queue":{"length":2,"oldestSeconds":75}}]}""");
        berth.answer("GET /allocations?state=pending&limit=50", 200, """
                {"allocations":[
                  {"id":"a3","state":"pending","pool":"o","requester":"job 3","createdAt":"2026-01-01T00:00:02Z"},
                  {"id":"a2","state":"pending","pool":"p","requester":"job 2","createdAt":"2026-01-01T00:00:01Z"},
                  {"id":"a1","state":"pending","pool":"p","requester":"job\\u001b1","createdAt":"2026-01-01T00:00:00Z",
                   "priority":5,"queue":{}}],"next":"c"}""");
        assertThat(berth("status")).isZero();
        assertThat(out()).endsWith("""

                WAITS FOR  SINCE                 PRIORITY  ALLOCATION  REQUESTER
                o          2026-01-01T00:00:02Z  0         a3          job 3
                p          2026-01-01T00:00:00Z  5         a1          job 1
                p          2026-01-01T00:00:01Z  0         a2          job 2
                … and more
                """);
        out.reset();
        assertThat(berth("status", "-o", "json")).isZero();
        assertThat(Json.MAPPER.readTree(out()).at("/waiting/2/id").asString("")).isEqualTo("a2");
        assertThat(Json.MAPPER.readTree(out()).at("/pools/0/name").asString("")).isEqualTo("p");
    }

    @Test
    void aServiceThatIsNotThereIsExit69() throws IOException {
        try (ServerSocket closed = new ServerSocket(0)) {
            env.put("BERTH_URL", "http://127.0.0.1:" + closed.getLocalPort());
        }
        assertThat(berth("run", "--pool", "p", "--wait", "0s", "--", "true")).isEqualTo(ExitCode.UNAVAILABLE);
        assertThat(err()).contains("cannot be connected to");
    }

    @Test
    void withoutAnyHintTheMessageSaysWhereItLooked() {
        env.clear();
        assertThat(berth("status")).isEqualTo(ExitCode.UNAVAILABLE);
        assertThat(err()).contains("--url", "BERTH_URL", folder + "/.local/state/berth", "berth demo");
    }

    @Test
    void theServiceOfThisMachineIsFoundInItsDataFolderWithItsToken() throws IOException {
        berth.answer("GET /pools", 200, "{\"pools\":[]}");
        Path data = folder.resolve(".local/state/berth");
        writeDataFolder(data, berth.url());
        env.clear();

        assertThat(berth("status")).isEqualTo(0);
        assertThat(out()).isEqualTo("no pools\n");
        assertThat(berth.asked().getLast().authorization()).isEqualTo("Bearer admin-secret");

        env.put("BERTH_TOKEN", "mine");
        assertThat(berth("status")).isEqualTo(0);
        assertThat(berth.asked().getLast().authorization()).isEqualTo("Bearer mine");

        Files.writeString(folder.resolve("token"), "filed\n");
        assertThat(berth("status", "--token-file", folder.resolve("token").toString()))
                .isEqualTo(0);
        assertThat(berth.asked().getLast().authorization()).isEqualTo("Bearer filed");
    }

    @Test
    void theAdminTokenGoesToNoOtherAddress() throws IOException {
        berth.answer("GET /pools", 200, "{\"pools\":[]}");
        Path data = folder.resolve("data");
        writeDataFolder(data, "http://127.0.0.1:1");
        env.clear();
        env.put("BERTH_DATA", data.toString());
        env.put("BERTH_URL", berth.url());
        assertThat(berth("status")).isEqualTo(0);
        assertThat(berth.asked().getLast().authorization()).isNull();

        writeDataFolder(data, berth.url());
        assertThat(berth("status")).isEqualTo(0);
        assertThat(berth.asked().getLast().authorization()).isEqualTo("Bearer admin-secret");
    }

    private static void writeDataFolder(Path data, String url) throws IOException {
        Files.createDirectories(data);
        Files.writeString(data.resolve("endpoint.json"), "{\"url\":\"" + url + "\",\"pid\":1}");
        Files.writeString(data.resolve("admin-token"), "admin-secret\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "hush hush", "hush\nhush", "hüsh"})
    void aTokenThatIsNoneIsNotShown(String token) throws IOException {
        Path file = folder.resolve("token");
        Files.writeString(file, token);
        assertThat(berth("status", "--token-file", file.toString())).isEqualTo(ExitCode.NOT_ALLOWED);
        assertThat(err()).contains(file.toString());
        if (!token.isEmpty()) {
            assertThat(err()).doesNotContain(token);
        }
    }

    @Test
    void aDamagedEndpointFileIsToldAsSuch() throws IOException {
        env.clear();
        writeDataFolder(folder.resolve(".local/state/berth"), "\"");
        assertThat(berth("status")).isEqualTo(ExitCode.UNAVAILABLE);
        assertThat(err()).contains("endpoint.json is damaged");
    }

    @Test
    void allocatePrintsTheAccess() {
        assertThat(berth("allocate", "--pool", "scratch", "--requester", "me")).isEqualTo(0);
        assertThat(out()).isEqualTo("""
                allocation   a1
                state        active
                pool         scratch
                requester    me
                expires      2026-01-01T03:00:00Z (in 3h)
                environment  s1
                  path       /tmp/s1
                  password   hush
                environment  s2
                """);
        out.reset();
        assertThat(berth("allocate", "--pool", "scratch", "-o", "json")).isEqualTo(0);
        assertThat(Json.MAPPER.readTree(out()).path("environments").size()).isEqualTo(2);
    }

    @Test
    void theRequesterIsTheJobWhereThereIsOne() {
        env.put("CI_JOB_URL", "https://ci.example/7");
        berth("allocate", "--pool", "scratch");
        assertThat(berth.asked().getFirst().body()).contains("https://ci.example/7");
    }

    @Test
    void everyIdIsReleasedThoughOneFails() {
        assertThat(berth("release", "--outcome", "success", "nobody", "a1")).isEqualTo(ExitCode.USAGE);
        assertThat(out()).isEqualTo("released a1\n");
        assertThat(err()).contains("no such thing");
        assertThat(berth.asked().getLast().body()).isEqualTo("{\"outcome\":\"success\"}");
    }

    @Test
    void extendCountsFromTheServicesOwnEnd() {
        berth.answer("POST /allocations/a1/extend", 200, """
                {"id":"a1","state":"active","pool":"p","expiresAt":"2026-01-01T03:30:00Z"}""");
        assertThat(berth("extend", "--for", "30m", "a1")).isEqualTo(0);
        assertThat(berth.asked().getLast().body()).isEqualTo("{\"until\":\"2026-01-01T03:30:00Z\"}");
        assertThat(out()).isEqualTo("extended until 2026-01-01T03:30:00Z\n");
    }

    @Test
    void aKeepaliveOfAnEndedAllocationIsExit79() {
        assertThat(berth("keepalive", "a1")).isEqualTo(0);
        berth.become("ended");
        assertThat(berth("keepalive", "a1")).isEqualTo(ExitCode.LEASE_LOST);
    }

    @Test
    void statusShowsThePoolsAsATable() {
        berth.answer("GET /pools", 200, """
                {"pools":[{"name":"scratch","provider":"command",
                  "environments":{"total":4,"available":1,"allocated":2,"cleaning":0,"checking":0,"dirty":1},
                  "retiring":0,"queue":{"length":3,"oldestSeconds":75},
                  "waits":{"p50":1.2,"p90":200,"p99":null},"utilisation":0.5}]}""");
        assertThat(berth("status")).isEqualTo(0);
        assertThat(out()).isEqualTo("""
                POOL     PROVIDER  TOTAL  AVAILABLE  ALLOCATED  CLEANING  CHECKING  DIRTY  RETIRING  QUEUE  OLDEST  P50 WAIT  P90 WAIT  USED
                scratch  command   4      1          2          0         0         1      0         3      1m 15s  1s        3m 20s    50%
                """);
    }

    @Test
    void statusHasAColumnForWhatIsWithheldWhereAnythingIs() {
        berth.answer("GET /pools", 200, """
                {"pools":[{"name":"accounts","provider":"aws",
                  "environments":{"total":4,"available":1,"allocated":1,"cleaning":0,"checking":0,"withheld":2,"dirty":0},
                  "retiring":0,"queue":{"length":0,"oldestSeconds":0},
                  "waits":{"p50":null,"p90":null,"p99":null},"utilisation":0.5}]}""");
        assertThat(berth("status")).isEqualTo(0);
        assertThat(out().lines().map(line -> line.replaceAll(" +", " ")))
                .containsExactly(
                        "POOL PROVIDER TOTAL AVAILABLE ALLOCATED CLEANING CHECKING WITHHELD DIRTY RETIRING QUEUE OLDEST P50 WAIT P90 WAIT USED",
                        "accounts aws 4 1 1 0 0 2 0 0 0 0s - - 50%");
    }

    @Test
    void credentialsOfAwsArePrintedAsAProcessDoes() {
        berth.answer("GET /allocations/a1", 200, AwsEndpointTest.lent("AKIA1", Instant.parse("2999-01-01T00:00:00Z")));
        assertThat(berth("credentials", "--allocation", "a1")).isZero();
        assertThat(Json.MAPPER.readTree(out())).isEqualTo(Json.MAPPER.readTree("""
                {"Version":1,"AccessKeyId":"AKIA1","SecretAccessKey":"secret of AKIA1","SessionToken":"token of AKIA1",
                 "Expiration":"2999-01-01T00:00:00Z"}"""));
    }

    @Test
    void credentialsThatExpireSoonAreRenewedFirst() {
        berth.answer(
                "GET /allocations/a1",
                200,
                AwsEndpointTest.lent("AKIA1", Instant.now().plusSeconds(60)));
        berth.answer(
                "POST /allocations/a1/credentials",
                200,
                AwsEndpointTest.lent("AKIA2", Instant.parse("2999-01-01T00:00:00Z")));
        assertThat(berth("credentials", "--allocation", "a1", "--environment", "e1"))
                .isZero();
        assertThat(out()).contains("AKIA2").doesNotContain("AKIA1");
        assertThat(berth("credentials", "--allocation", "a1", "--environment", "e2"))
                .isEqualTo(ExitCode.USAGE);
        assertThat(err()).contains("e2").doesNotContain("hush");
    }

    @Test
    void credentialsThatHaveExpiredAreNotShownAndFetchedAnew() {
        berth.answer("GET /allocations/a1", 200, """
                {"id":"a1","state":"active","pool":"release","requester":"job","environments":[
                  {"name":"e1","epoch":1,"credentials":null,"accessExpired":true,"connection":null}]}""");
        berth.answer(
                "POST /allocations/a1/credentials",
                200,
                AwsEndpointTest.lent("AKIA2", Instant.parse("2999-01-01T00:00:00Z")));
        assertThat(berth("credentials", "--allocation", "a1")).as(err()).isZero();
        assertThat(out()).contains("AKIA2");
    }

    @Test
    void anEndedAllocationHasNoCredentials() {
        berth.answer("GET /allocations/a1", 200, "{\"id\":\"a1\",\"state\":\"ended\",\"pool\":\"release\"}");
        berth.answer(
                "POST /allocations/a1/credentials", 410, "{\"code\":\"lease-lost\",\"message\":\"ended: released\"}");
        assertThat(berth("credentials", "--allocation", "a1")).isEqualTo(ExitCode.LEASE_LOST);
        assertThat(berth("credentials")).isEqualTo(ExitCode.USAGE);
    }

    @Test
    void whatBelongsToAnEnvironmentIsShownWithWhatWasFound() {
        berth.answer("GET /environments/a/baseline", 200, """
                {"environment":"a","version":2,"at":"2026-01-01T00:00:00Z","by":"olga",
                 "things":{"role":["admin","old"]},
                 "found":{"at":"2026-01-02T00:00:00Z","more":{"bucket":["logs"]},"missing":{"role":["old"]}}}""");
        assertThat(berth("environments", "baseline", "show", "a")).isZero();
        assertThat(out()).isEqualTo("""
                a: version 2, kept at 2026-01-01T00:00:00Z by olga

                belongs to it
                  role
                    admin
                    old

                found at 2026-01-02T00:00:00Z beside that
                  bucket
                    logs

                not found at 2026-01-02T00:00:00Z
                  role
                    old
                """);
    }

    @Test
    void whatWasFoundIsAccepted() {
        berth.answer("POST /environments/a/baseline/accept", 200, """
                {"environment":"a","version":3,"at":"2026-01-01T00:00:00Z","by":"olga","things":{},"found":null}""");
        assertThat(berth("environments", "baseline", "accept", "a")).isZero();
        assertThat(out()).isEqualTo("a: version 3 is to be verified\n");
    }

    @Test
    void environmentsAreListedOverAllPagesAndWithoutControlCharacters() {
        berth.answer("GET /environments?state=dirty&limit=500", 200, """
                {"environments":[{"name":"s1","pool":"p","state":"dirty","since":"2026-01-01T00:00:00Z",
                 "reason":"bad\\u001b[2J"}],"next":"c"}""");
        berth.answer("GET /environments?state=dirty&cursor=c&limit=500", 200, """
                {"environments":[{"name":"s2","pool":"p","state":"dirty","retiring":true}],"next":null}""");
        assertThat(berth("environments", "--state", "dirty")).isEqualTo(0);
        assertThat(out()).isEqualTo("""
                NAME  POOL  STATE             SINCE                 HOLDER  REASON
                s1    p     dirty             2026-01-01T00:00:00Z  -       bad [2J
                s2    p     dirty (retiring)  -                     -       -
                """);
    }

    @Test
    void oneEnvironmentIsShownWithItsHistory() {
        berth.answer("GET /environments/s1", 200, """
                {"name":"s1","pool":"p","state":"dirty","since":"2026-01-01T00:00:00Z",
                 "report":"rm: \\u001b[31mbusy\\nsecond","history":[{"at":"2026-01-01T00:00:00Z","type":"cleaned","seconds":3}]}""");
        assertThat(berth("environments", "s1")).isEqualTo(0);
        assertThat(out())
                .contains("environment  s1\n")
                .contains("report\n  rm:  [31mbusy\n  second\n")
                .contains("  2026-01-01T00:00:00Z  cleaned  seconds=3\n");
    }

    @Test
    void operatorsActOnEnvironmentsByName() {
        berth.answer("POST /environments/s1/quarantine", 200, "{}");
        assertThat(berth("environments", "quarantine", "s1", "--reason", "noise"))
                .isEqualTo(0);
        assertThat(berth.asked().getLast().body()).isEqualTo("{\"reason\":\"noise\"}");
        assertThat(out()).isEqualTo("s1: is quarantined\n");
    }

    @Test
    void eventsAreReadPageByPage() {
        berth.answer("GET /events?limit=500", 200, """
                {"events":[{"cursor":"1","type":"granted","at":"2026-01-01T00:00:00Z","pool":"p","number":1,
                  "allocation":"a1","data":{"requester":"job\\n1","count":"2"}}],
                 "next":"1"}""");
        berth.answer("GET /events?cursor=1&limit=500", 200, "{\"events\":[],\"next\":\"1\"}");
        assertThat(berth("events")).isEqualTo(0);
        assertThat(out())
                .isEqualTo("2026-01-01T00:00:00Z  p  granted  number=1  allocation=a1  requester=job 1  count=2\n");
    }

    @Test
    void aNewTokenIsPrintedOnceAsJson() {
        berth.answer("POST /tokens", 201, """
                {"id":"t1","token":"brth_x","principal":"ci","expiresAt":null}""");
        assertThat(berth("token", "create", "--principal", "ci", "--expires", "90d", "--output", "json"))
                .isEqualTo(0);
        assertThat(out()).isEqualTo("{\"id\":\"t1\",\"token\":\"brth_x\"}\n");
        assertThat(berth.asked().getLast().body()).isEqualTo("{\"principal\":\"ci\",\"expires\":\"2160h\"}");
    }

    @Test
    void aNewAccessKeyIsPrintedOnceAsJson() {
        berth.answer("POST /tokens", 201, """
                {"id":"BERTHA","accessKeyId":"BERTHA","secretAccessKey":"s3cret","principal":"ci","expiresAt":null}""");
        assertThat(berth("token", "create", "--principal", "ci", "--sigv4", "--output", "json"))
                .isEqualTo(0);
        assertThat(out()).isEqualTo("{\"id\":\"BERTHA\",\"accessKeyId\":\"BERTHA\",\"secretAccessKey\":\"s3cret\"}\n");
        assertThat(berth.asked().getLast().body()).isEqualTo("{\"principal\":\"ci\",\"sigv4\":true}");
        assertThat(berth("token", "create", "--principal", "ci", "--sigv4")).isEqualTo(0);
        assertThat(out())
                .contains("access key")
                .contains("BERTHA")
                .contains("s3cret")
                .contains("never");
        assertThat(berth("token", "create", "--principal", "admin", "--sigv4", "--store", "postgresql://u@h/d"))
                .isEqualTo(ExitCode.USAGE);
    }

    @Test
    void aPublicUrlThatIsNoneIsAMistakeOfTheCommandLine() {
        assertThat(berth("serve", "--public-url", "ci.example/berth")).isEqualTo(ExitCode.USAGE);
        assertThat(err()).contains("--public-url");
    }

    @Test
    void tokensAreListedAndRevoked() {
        berth.answer("GET /tokens", 200, """
                {"tokens":[{"id":"t1","principal":"ci","kind":"bearer","createdAt":"2026-01-01T00:00:00Z"}]}""");
        berth.answer("DELETE /tokens/t1", 204, "");
        assertThat(berth("token", "list")).isEqualTo(0);
        assertThat(berth("token", "revoke", "t1")).isEqualTo(0);
        assertThat(out()).isEqualTo("""
                ID  PRINCIPAL  KIND    CREATED               EXPIRES  LAST USED
                t1  ci         bearer  2026-01-01T00:00:00Z  never    never
                revoked t1
                """);
    }

    @Test
    void aConfigurationIsAppliedAndItsMistakesAreToldByLine() throws IOException {
        Path file = folder.resolve("berth.yaml");
        Files.writeString(file, "pools: {}\n");
        berth.answer("PUT /config?allow-removals=true", 200, """
                {"digest":"d1","pools":["p"],"register":["s3"],"deregister":["s1"],"change":[]}""");
        assertThat(berth("config", "apply", "--allow-removals", file.toString()))
                .isEqualTo(0);
        assertThat(out()).isEqualTo("registered s3\nde-registered s1\nchanged pool p\nin force: d1\n");
        assertThat(berth.asked().getLast().body()).isEqualTo("pools: {}\n");

        berth.answer("POST /config/diff", 400, """
                {"code":"configuration-invalid","message":"the configuration has 1 mistake",
                 "errors":[{"line":3,"field":"pool","message":"no such pool"}]}""");
        assertThat(berth("config", "diff", file.toString())).isEqualTo(ExitCode.BAD_CONFIGURATION);
        assertThat(err()).isEqualTo("berth: the configuration has 1 mistake\n  line 3: pool: no such pool\n");
    }

    @Test
    void aConfigurationIsCheckedWithoutAService() throws IOException {
        Path good = folder.resolve("good.yaml");
        Files.writeString(good, """
                pools:
                  lab: { provider: fixed }
                environments:
                  - { name: board-7, pool: lab, connection: { host: 192.0.2.7 } }
                """);
        assertThat(berth("config", "check", good.toString())).isEqualTo(0);
        assertThat(out()).isEqualTo(good + " is good: 1 pool, 1 environment\n");

        Path bad = folder.resolve("bad.yaml");
        Files.writeString(bad, "pools:\n  lab: { provider: fixed, sesion: 3h }\nnonsense: 1\n");
        assertThat(berth("config", "check", bad.toString())).isEqualTo(ExitCode.BAD_CONFIGURATION);
        assertThat(err().lines())
                .hasSize(2)
                .anyMatch(line -> line.startsWith(bad + ": line 2,") && line.contains("sesion"))
                .anyMatch(line -> line.startsWith(bad + ": line 3,") && line.contains("nonsense"));

        assertThat(berth("config", "check", folder.resolve("none").toString())).isEqualTo(ExitCode.BAD_CONFIGURATION);
        assertThat(berth.asked()).isEmpty();
    }

    @Test
    void theCompletionScriptKnowsTheCommands() {
        assertThat(berth("completion", "bash")).isEqualTo(0);
        assertThat(out()).contains("complete -F", "quarantine", "--keepalive");
    }
}
