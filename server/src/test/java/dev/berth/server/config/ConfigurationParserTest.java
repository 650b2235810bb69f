package dev.berth.server.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.berth.core.EnvironmentName;
import dev.berth.core.Policy;
import dev.berth.core.PoolName;
import dev.berth.core.Registration;
import dev.berth.core.Step;
import dev.berth.core.Value;
import java.math.BigDecimal;
import java.net.InetAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a file that is right comes to. */
class ConfigurationParserTest {
    private static final String HIDDEN = "hunter2-hunter2-hunter2";

    private Parsing parsing;

    @BeforeEach
    void makeFiles(@TempDir Path folder) throws Exception {
        parsing = new Parsing(folder, Map.of("PASSWORD", HIDDEN));
        Files.writeString(folder.resolve("token"), HIDDEN + "\n");
    }

    @Test
    void fileWithEverythingComesToThis() throws Exception {
        Configuration configuration = parsing.parse(Files.readString(resource("everything.yaml")));

        assertThat(shown(configuration)).isEqualTo(Files.readString(resource("everything.txt")));
    }

    private static Path resource(String name) {
        return Path.of("src/test/resources/dev/berth/server/config", name);
    }

    private static String shown(Configuration configuration) {
        StringBuilder text = new StringBuilder();
        configuration.pools().values().forEach(pool -> show(text, pool, configuration));
        configuration
                .principals()
                .values()
                .forEach(principal -> text.append("principal %s roles %s pools %s token %s\n"
                        .formatted(
                                principal.name(),
                                principal.roles().stream().sorted().toList(),
                                principal.pools().stream()
                                        .map(PoolName::value)
                                        .sorted()
                                        .toList(),
                                principal.tokens().isEmpty()
                                        ? "none"
                                        : principal.tokens().getFirst().reveal())));
        configuration
                .warnings()
                .forEach(warning -> text.append("warning ").append(warning).append('\n'));
        return text.toString();
    }

    private static void show(StringBuilder text, ConfiguredPool pool, Configuration configuration) {
        Policy policy = pool.policy();
        text.append("pool %s: %s %s\n".formatted(pool.name(), policy.provider(), policy.settings()));
        text.append("  steps %s\n".formatted(policy.steps().stream().sorted().toList()));
        text.append("  session %s max %s keepalive %s retry-after %s\n"
                .formatted(policy.session(), policy.maxSession(), policy.keepalive(), policy.retryAfter()));
        text.append("  adopt %s revocable %s env %s\n".formatted(policy.adopt(), pool.revocable(), pool.variables()));
        text.append("  limits %s, verify every %s\n"
                .formatted(
                        Arrays.stream(Step.values())
                                .map(step -> step + " " + policy.limits(step).timeout() + "/"
                                        + policy.limits(step).attempts())
                                .collect(Collectors.joining(" ")),
                        policy.verifyEvery()));
        text.append("  %s\n  %s %s %s upkeep %s/%s isolates %s\n"
                .formatted(
                        policy.queue(),
                        policy.quota(),
                        new TreeMap<>(policy.quotas()),
                        policy.hold(),
                        policy.parallel(),
                        policy.perAccount(),
                        policy.isolates()));
        pool.environments()
                .forEach((name, record) -> text.append("  %s = %s account %s %s shape %s secrets %s\n"
                        .formatted(
                                name,
                                record.identity(),
                                record.account(),
                                record.facts(),
                                record.shape().json(),
                                configuration.secrets(name).keySet())));
    }

    @Test
    void secretsAreResolvedAndShownByNothing() throws Exception {
        Configuration configuration = parsing.parse("""
                pools:
                  lab: { provider: fixed, revocable: false }
                environments:
                  - { name: a, pool: lab, secrets: { p: { env: PASSWORD }, q: { file: ./token } } }
                principals:
                  - { name: ci, roles: [viewer], token: { file: token } }
                """);

        Map<String, Secret> secrets = configuration.secrets(new EnvironmentName("a"));
        ConfiguredPrincipal ci =
                Objects.requireNonNull(configuration.principals().get("ci"));
        ConfiguredPool lab = Objects.requireNonNull(configuration.pools().get(new PoolName("lab")));
        assertThat(secrets)
                .hasSize(2)
                .allSatisfy((_, secret) -> assertThat(secret.reveal()).isEqualTo(HIDDEN));
        assertThat(ci.tokens().getFirst().reveal()).isEqualTo(HIDDEN);
        assertThat(lab.provider().standingCredentials("a", null))
                .containsEntry("p", HIDDEN)
                .containsEntry("q", HIDDEN);
        assertThat(configuration.toString() + secrets + ci + lab + lab.environments() + configuration.warnings())
                .doesNotContain(HIDDEN);
    }

    @ParameterizedTest
    @CsvSource({"'', hidden", "'\n', hidden", "'\r\n', hidden", "'\n\n', 'hidden\n'", "' ', 'hidden '"})
    void oneTrailingLineEndOfASecretFileIsNotPartOfIt(String end, String secret) throws Exception {
        Files.writeString(parsing.folder().resolve("secret"), "hidden" + end);

        Configuration configuration = parsing.parse("""
                pools: { lab: { provider: fixed, revocable: false } }
                environments: [ { name: a, pool: lab, secrets: { p: { file: secret } } } ]
                """);

        assertThat(Objects.requireNonNull(
                                configuration.secrets(new EnvironmentName("a")).get("p"))
                        .reveal())
                .isEqualTo(secret);
    }

    @ParameterizedTest
    @CsvSource({
        "20s, PT20S",
        "90m, PT1H30M",
        "3h, PT3H",
        "1h30m, PT1H30M",
        "7d, PT168H",
        "1d2h3m4s, PT26H3M4S",
        "007m, PT7M"
    })
    void durationsAreWrittenLikeThis(String text, String duration) throws Exception {
        assertThat(lab("session: " + text).policy().session()).hasToString(duration);
    }

    @Test
    void whatIsSwitchedOffIsNull() throws Exception {
        assertThat(lab("session: none").policy().session()).isNull();
        assertThat(lab("keepalive: off").policy().keepalive()).isNull();
        assertThat(lab("keepalive: false").policy().keepalive()).isNull();
        assertThat(lab("verify: { every: off }").policy().verifyEvery()).isNull();
    }

    @Test
    void sessionOfNoneTakesAnyKeepalive() throws Exception {
        assertThat(lab("session: none\n    keepalive: 30d").policy().keepalive())
                .hasToString("PT720H");
    }

    private ConfiguredPool lab(String line) throws ConfigurationInvalid {
        Configuration configuration = parsing.parse("pools:\n  lab:\n    provider: fixed\n    " + line + "\n");
        return Objects.requireNonNull(configuration.pools().get(new PoolName("lab")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"admin_role", "admin_role_arn", "adminRoleArn"})
    void adminRoleHasThreeSpellings(String key) throws Exception {
        Configuration configuration = parsing.parse("""
                pools: { lab: { provider: fixed } }
                environments: [ { account: "1", region: x, pool: lab, %s: "arn:aws:iam::1:role/A" } ]
                """.formatted(key));

        assertThat(configuration
                        .pools()
                        .values()
                        .iterator()
                        .next()
                        .environments()
                        .values())
                .singleElement()
                .satisfies(record -> assertThat(record.facts())
                        .isEqualTo("{\"account\":\"1\",\"adminRoleArn\":\"arn:aws:iam::1:role/A\",\"capabilities\":{},"
                                + "\"region\":\"x\"}"));
    }

    @Test
    void digestOfARecordDependsOnWhatItSaysNotOnHow() throws Exception {
        String head = "pools: { lab: { provider: fixed } }\nenvironments: ";
        String digest = digest(head + "[ { name: a, pool: lab, capabilities: { x: 1, y: [b] } } ]");

        assertThat(digest(head + "\n- pool: lab\n  name: 'a'\n  capabilities: { 'y': [ 'b' ], 'x': 1 }\n"))
                .isEqualTo(digest);
        assertThat(digest(head + "[ { name: a, pool: lab, capabilities: { x: '1', y: [b] } } ]"))
                .isNotEqualTo(digest);
        assertThat(digest(head + "[ { name: b, pool: lab, capabilities: { x: 1, y: [b] } } ]"))
                .isNotEqualTo(digest);
    }

    private String digest(String text) throws ConfigurationInvalid {
        return parsing.parse(text)
                .pools()
                .values()
                .iterator()
                .next()
                .environments()
                .values()
                .iterator()
                .next()
                .digest();
    }

    @Test
    void digestOfARecordDependsOnItsProfiles() throws Exception {
        String head = "pools: { lab: { provider: fixed } }\nenvironments: ";

        assertThat(digest(head + "[ { name: a, pool: lab, access: { r: {} } } ]"))
                .isNotEqualTo(digest(head + "[ { name: a, pool: lab } ]"))
                .isNotEqualTo(digest(head + "[ { name: a, pool: lab, access: { s: {} } } ]"))
                .isNotEqualTo(digest(head + "[ { name: a, pool: lab, access: { r: { connection: { a: b } } } } ]"));
    }

    @Test
    void profilesHaveTheirOwnSecretsOrThoseOfTheRecord() throws Exception {
        Configuration configuration = parsing.parse("""
                pools:
                  lab: { provider: fixed, revocable: false }
                environments:
                  - name: a
                    pool: lab
                    secrets: { p: { env: PASSWORD } }
                    access:
                      same: { connection: { port: 7 } }
                      own: { secrets: { q: { file: token } } }
                      none: { secrets: {} }
                """);

        ConfiguredPool lab = Objects.requireNonNull(configuration.pools().get(new PoolName("lab")));
        Registration record = Objects.requireNonNull(lab.environments().get(new EnvironmentName("a")));
        assertThat(record.shape().profiles()).containsExactly("none", "own", "same");
        assertThat(record.facts())
                .contains("\"access\":{\"none\":{},\"own\":{},\"same\":{\"connection\":{\"port\":7}}}")
                .doesNotContain(HIDDEN);
        assertThat(lab.provider().standingCredentials("a", null)).isEqualTo(Map.of("p", HIDDEN));
        assertThat(lab.provider().standingCredentials("a", "same")).isEqualTo(Map.of("p", HIDDEN));
        assertThat(lab.provider().standingCredentials("a", "own")).isEqualTo(Map.of("q", HIDDEN));
        assertThat(lab.provider().standingCredentials("a", "none")).isNull();
        assertThat(lab.provider().standingCredentials("a", "gone")).isNull();
    }

    @Test
    void capabilitiesAreComparedAsTheyAreShown() throws Exception {
        Configuration configuration = parsing.parse("""
                pools: { lab: { provider: fixed } }
                environments:
                  - { name: a, pool: lab, capabilities: { one: 1, text: "1", half: 0.50, big: 99999999999999999999, none: ~ } }
                  - { name: b, pool: lab, capabilities: { none: ~, half: 0.5, text: "1", one: 1, big: 99999999999999999999 } }
                """);

        Map<EnvironmentName, Registration> records =
                configuration.pools().values().iterator().next().environments();
        Registration a = Objects.requireNonNull(records.get(new EnvironmentName("a")));
        Map<String, Value> own = a.shape().capabilities();
        assertThat(own)
                .containsEntry("one", new Value.Number(BigDecimal.ONE))
                .containsEntry("text", new Value.Text("1"))
                .containsEntry("half", new Value.Number(new BigDecimal("0.5")))
                .containsEntry("big", new Value.Number(new BigDecimal("99999999999999999999")))
                .containsEntry("none", new Value.Nothing());
        assertThat(records.values())
                .extracting(Registration::shape)
                .allSatisfy(shape -> assertThat(shape).isSameAs(a.shape()));
    }

    @Test
    void poolHasAThousandShapesAtMost() throws Exception {
        parsing.parse(serialNumbers(ConfigurationParser.MOST_SHAPES));

        assertThatExceptionOfType(ConfigurationInvalid.class)
                .isThrownBy(() -> parsing.parse(serialNumbers(ConfigurationParser.MOST_SHAPES + 1)))
                .satisfies(e -> assertThat(e.mistakes())
                        .singleElement()
                        .hasToString("line 2, column 8: pools.lab has environments of 1001 different kinds by their"
                                + " capabilities, region and access profiles, may have 1000: leave out capabilities"
                                + " like serial numbers, and have requests use constraints on name for them"));
    }

    private static String serialNumbers(int count) {
        var pair = """
                - { name: a%1$d, pool: lab, capabilities: { serial: %1$d } }
                - { name: b%1$d, pool: other, capabilities: { size: big } }
                """;
        return """
                pools:
                  lab: { provider: fixed }
                  other: { provider: fixed }
                environments:
                """ + IntStream.range(0, count).mapToObj(pair::formatted).collect(Collectors.joining());
    }

    @Test
    void principalHasTheQuotaOfThePoolUnlessItSaysOtherwise() throws Exception {
        Configuration configuration = parsing.parse("""
                pools:
                  lab:
                    provider: fixed
                    quota: { held: 2, queued: 5, principals: { ci: { held: 9 }, admin: { held: none, queued: none } } }
                principals:
                  - { name: ci, roles: [viewer] }
                """);

        Policy policy = configuration.pools().values().iterator().next().policy();
        assertThat(policy.quota("ci")).isEqualTo(new Policy.Quota(9, 5));
        assertThat(policy.quota("admin")).isEqualTo(Policy.Quota.NONE);
        assertThat(policy.quota("somebody")).isEqualTo(new Policy.Quota(2, 5));
    }

    @Test
    void aliasesStandForWhatTheyName() throws Exception {
        Configuration configuration = parsing.parse("""
                pools: { lab: { provider: fixed, clean: &limits { attempts: 7 }, verify: *limits } }
                environments:
                  - { name: a, pool: lab, connection: &here { host: h } }
                  - { name: b, pool: lab, connection: *here }
                """);

        ConfiguredPool lab = configuration.pools().values().iterator().next();
        assertThat(lab.policy().limits(Step.VERIFY).attempts()).isEqualTo(7);
        assertThat(lab.environments().values())
                .allSatisfy(record -> assertThat(record.facts()).contains("\"connection\":{\"host\":\"h\"}"));
    }

    @ParameterizedTest
    @CsvSource({
        "8, 8",
        "+8, 8",
        "-8, -8",
        "0o17, 15",
        "0xfF, 255",
        "007, 7",
        "1.50, 1.5",
        ".5, 0.5",
        "1., 1.0",
        "-1e3, -1000.0",
        "99999999999999999999, 99999999999999999999",
        "true, true",
        "FALSE, false",
        "yes, '\"yes\"'",
        "'\"8\"', '\"8\"'",
        "!!str 8, '\"8\"'",
        "2001-01-01, '\"2001-01-01\"'",
        "[], []",
        "{}, {}"
    })
    void valuesHaveTheTypesOfTheCoreSchema(String yaml, String json) throws Exception {
        Configuration configuration = parsing.parse(
                "pools: { lab: { provider: fixed } }\nenvironments:\n- { name: a, pool: lab, capabilities: { x: " + yaml
                        + " } }\n");

        assertThat(configuration
                        .pools()
                        .values()
                        .iterator()
                        .next()
                        .environments()
                        .values())
                .singleElement()
                .satisfies(record -> assertThat(record.facts()).isEqualTo("{\"capabilities\":{\"x\":" + json + "}}"));
    }

    @Test
    void poolWithoutEnvironmentsIsWarnedOf() throws Exception {
        assertThat(parsing.parse("pools: { lab: { provider: fixed } }").warnings())
                .containsExactly("line 1: pools.lab has no environments");
    }

    @Test
    void digestIsThatOfTheText() throws Exception {
        String text = "{}\n";

        assertThat(parsing.parse(text).digest())
                .isEqualTo(Configuration.digestOf(text))
                .isEqualTo("ca3d163bab055381827226140568f3bef7eaac187cebd76878e0b63e9e442356");
        assertThat(parsing.parse("\uFEFF" + text).digest()).isEqualTo(Configuration.digestOf("\uFEFF" + text));
    }

    @Test
    void largeFileIsReadAndFiveTimesAsMuchWouldFit() throws Exception {
        int count = EnvironmentReader.MOST / 5;
        StringBuilder text = new StringBuilder("pools: { lab: { provider: fixed } }\nenvironments:\n");
        for (int i = 0; i < count; i++) {
            text.append("- {name: board-").append(i).append(", pool: lab, capabilities: {size: big}}\n");
        }
        assertThat(text.toString().getBytes(StandardCharsets.UTF_8).length * 5).isLessThan(ConfigurationParser.LARGEST);

        Configuration configuration = parsing.parse(text.toString());

        assertThat(configuration.pools().values().iterator().next().environments())
                .hasSize(count);
    }

    @Test
    void oneEnvironmentMoreIsRefused() {
        String text = "pools: { lab: { provider: fixed } }\nenvironments:\n" + "- {}\n".repeat(EnvironmentReader.MOST)
                + "- {name: a, pool: lab}\n- {}\n";

        assertThatExceptionOfType(ConfigurationInvalid.class)
                .isThrownBy(() -> parsing.parse(text))
                .satisfies(e -> assertThat(e.untold()).isEqualTo(2 * EnvironmentReader.MOST + 1 - Mistakes.MOST));
    }

    @Test
    void callersAreToldApartAndLimitedAsItSays() throws Exception {
        assertThat(parsing.parse("pools: {}").callers()).isEqualTo(Callers.USUAL);

        var callers = parsing.parse("""
                trusted-proxies: [10.0.0.0/8, "2001:db8::1"]
                limits: { principal: { rate: 7 }, address: off, failures: { burst: 3 } }
                """).callers();

        assertThat(callers.principal()).isEqualTo(new Callers.Rate(7, 7));
        assertThat(callers.address()).isNull();
        assertThat(callers.failures()).isEqualTo(new Callers.Rate(10, 3));
        assertThat(callers.trustedProxies()).hasSize(2);
        var near = callers.trustedProxies().getFirst();
        assertThat(near.has(InetAddress.ofLiteral("10.255.0.1"))).isTrue();
        assertThat(near.has(InetAddress.ofLiteral("11.0.0.1"))).isFalse();
        assertThat(near.has(InetAddress.ofLiteral("::1"))).isFalse();
        assertThat(Network.parse("192.0.2.128/25").orElseThrow().has(InetAddress.ofLiteral("192.0.2.127")))
                .isFalse();
        assertThat(Network.parse("0.0.0.0/0").orElseThrow().has(InetAddress.ofLiteral("192.0.2.127")))
                .isTrue();
    }

    @Test
    void whatStrangersSeeCanBeClosed() throws Exception {
        assertThat(parsing.parse("{ status: authenticated, metrics: open }")
                        .callers()
                        .closed())
                .containsExactly(Callers.Page.STATUS);
        assertThat(parsing.parse("{ status: authenticated, metrics: authenticated }")
                        .callers()
                        .closed())
                .containsExactlyInAnyOrder(Callers.Page.values());
    }
}
