package dev.berth.server.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What a file may not say, where the mistake is told to be, and in which words. */
class ConfigurationMistakesTest {
    /** Stands for what must never be printed. */
    private static final String HIDDEN = "hunter2-hunter2-hunter2";

    private Parsing parsing;

    @BeforeEach
    void makeFiles(@TempDir Path folder) throws Exception {
        parsing = new Parsing(
                folder,
                Map.of("EMPTY", "", "PASSWORD", HIDDEN, "BLANKS", HIDDEN + " " + HIDDEN, "HUGE", "x".repeat(65537)));
        Files.writeString(folder.resolve("token"), HIDDEN + "\n");
        Files.writeString(folder.resolve("empty"), "\n");
        Files.writeString(folder.resolve("large"), "x".repeat(65537));
        Files.write(folder.resolve("binary"), new byte[] {(byte) 0xff, (byte) 0xfe});
        Files.createDirectory(folder.resolve("folder"));
    }

    static Stream<Arguments> files() {
        return Stream.of(
                row(
                        "",
                        "line 1, column 1: is empty: it has the keys pools, environments, principals, trusted-proxies, limits"),
                row("# nothing\n", "line 1, column 1: is empty"),
                row("---\n", "line 2, column 1: is empty"),
                row("- a\n", "line 1, column 1: must be a mapping, is a list"),
                row("text\n", "line 1, column 1: must be a mapping, is text"),
                row("pools: {}\nenvironments: [\n", "is no YAML: while parsing a flow node"),
                row("pools: {}\n\tenvironments: []\n", "line 2, column 1: is no YAML"),
                row("pools: {}\nenvironments: \u0007\n", "line 2, column 15: has a character that YAML does not allow"),
                row("pools: {}\n---\npools: {}\n", "line 2, column 1: has a second document"),
                row("pools: !!binary aGk=\n", "line 1, column 8: has a tag that does not fit here"),
                row("pools: !!int abc\n", "line 1, column 8: has a tag that does not fit here"),
                row("pools: !mine {}\n", "line 1, column 8: has a tag that does not fit here"),
                row("? [a]\n: b\n", "line 1, column 3: has a key that is a list or a mapping"),
                row("pools: *there\n", "line 1, column 8: has an alias whose anchor does not stand complete before it"),
                row("pools: &x {a: *x}\n", "line 1, column 15: has an alias whose anchor"),
                row("pools: " + "[".repeat(40) + "]".repeat(40), "is nested deeper than 32 levels"),
                row(tower(), "is nested deeper than 32 levels"),
                row(laughs(), "repeats more than 67108864 characters through aliases"),
                // Callers
                row("trusted-proxies: 10.0.0.1\n", "line 1, column 18: trusted-proxies must be a list"),
                row(
                        "trusted-proxies: [10.0.0.1, proxy.example]\n",
                        "trusted-proxies[1] must be an address or a network"),
                row("trusted-proxies: [10.0.0.0/33]\n", "trusted-proxies[0] must be an address or a network"),
                row(
                        "limits: {principal: {rate: 0}}\n",
                        "limits.principal.rate must be a whole number from 1 to 1000000"),
                row("limits: {failures: on}\n", "limits.failures must be a mapping"),
                row("limits: {adress: off}\n", "limits.adress is not known; did you mean 'address'?"),
                // The top level
                row("pool: {}\n", "line 1, column 1: pool is not known; did you mean 'pools'?"),
                row("tls: {}\n", "line 1, column 1: tls is not known; known are pools, environments, principals"),
                row("<<: {}\n", "line 1, column 1: << is a merge, which YAML 1.2 does not have"),
                row("pools: {}\npools: {}\n", "line 2, column 1: pools is given twice, first on line 1"),
                row("pools:\n", "pools must be a mapping"),
                row("pools: []\n", "line 1, column 8: pools must be a mapping"),
                row("environments:\n", "environments must be a list, [] for none"),
                row("environments: {}\n", "line 1, column 15: environments must be a list"),
                row("principals: {}\n", "line 1, column 13: principals must be a list"),
                // Pools
                row("pools: { -a: {} }\n", "line 1, column 10: pools.-a is not a pool name"),
                row("pools: { 12: {} }\n", "line 1, column 10: pools.12 must be text, is a number: quote it, \"12\""),
                row("pools:\n  a: fixed\n", "line 2, column 6: pools.a must be a mapping, is text"),
                row("pools:\n  a:\n", "pools.a must be a mapping, is nothing"),
                row(
                        "pools:\n  a: { provider: fixed }\n  a: { provider: fixed }\n",
                        "line 3, column 3: pools.a is given twice"),
                pool("sesion: 3h", "line 4, column 5: pools.lab.sesion is not known; did you mean 'session'?"),
                pool("max_session: 3h", "pools.lab.max_session is not known; did you mean 'max-session'?"),
                pool("order: fair", "pools.lab.order is not known; known are provider, session"),
                pool("provider: fixed", "line 4, column 5: pools.lab.provider is given twice, first on line 3"),
                pool("session: 3", "line 4, column 14: pools.lab.session needs a unit: 3s, 3m or 3h"),
                pool("session: 3 h", "pools.lab.session must be a duration like 20s, 90m, 3h, 1h30m or 7d or none"),
                pool("session: 30m1h", "pools.lab.session must be a duration"),
                pool("session: -3h", "pools.lab.session must be a duration"),
                pool("session: 1.5", "pools.lab.session must be a duration"),
                pool("session: [3h]", "pools.lab.session must be a duration"),
                pool("session:", "pools.lab.session must be a duration"),
                pool("session: 0s", "pools.lab.session must be from 1s to 3650d"),
                pool("session: 3651d", "pools.lab.session must be from 1s to 3650d"),
                pool("session: 999999999d999999999h", "pools.lab.session must be from 1s to 3650d"),
                pool("session: off", "pools.lab.session must be a duration"),
                pool("max-session: 1h", "line 4, column 18: pools.lab.max-session must be at least the session, 3h"),
                pool("max-session: none", "pools.lab.max-session must be a duration"),
                pool("session: none\n    max-session: 1h", "line 5, column 18: pools.lab.max-session has no meaning"),
                pool("keepalive: 9s", "pools.lab.keepalive must be from 10s to 3650d"),
                pool("keepalive: 4h", "pools.lab.keepalive must be at most the session, 3h"),
                pool("keepalive: true", "pools.lab.keepalive must be a duration like 20s, 90m, 3h, 1h30m or 7d or off"),
                pool("retry-after: 2d", "pools.lab.retry-after must be from 1s to 1d"),
                pool("on-register: adapt", "pools.lab.on-register 'adapt' is not known; did you mean 'adopt'?"),
                pool("isolate: accounts", "pools.lab.isolate 'accounts' is not known; did you mean 'account'?"),
                pool("on-register: wipe", "pools.lab.on-register 'wipe' is not known; known are clean, adopt"),
                pool("revocable: no", "pools.lab.revocable must be true or false"),
                pool("clean: 60m", "line 4, column 12: pools.lab.clean must be a mapping, is text"),
                pool(
                        "clean: { timout: 1m }",
                        "line 4, column 14: pools.lab.clean.timout is not known; did you mean 'timeout'?"),
                pool("clean: { every: 1m }", "pools.lab.clean.every is not known"),
                pool("clean: { timeout: 8d }", "pools.lab.clean.timeout must be from 1s to 7d"),
                pool("clean: { attempts: 0 }", "pools.lab.clean.attempts must be a whole number from 1 to 100"),
                pool("clean: { attempts: 2.0 }", "pools.lab.clean.attempts must be a whole number"),
                pool("clean: { attempts: '2' }", "pools.lab.clean.attempts must be a whole number"),
                pool("verify: { every: 30s }", "pools.lab.verify.every must be from 1m to 365d"),
                pool("queue: { max: -1 }", "pools.lab.queue.max must be a whole number from 0 to 1000000"),
                pool("queue: { max: 99999999999 }", "pools.lab.queue.max must be a whole number"),
                pool("queue: { max-wait: 31d }", "pools.lab.queue.max-wait must be from 1s to 30d"),
                pool("queue: { agging: 15m }", "pools.lab.queue.agging is not known; did you mean 'aging'?"),
                pool("queue: { order: lifo }", "pools.lab.queue.order 'lifo' is not known; did you mean 'fifo'?"),
                pool(
                        "queue: { share-by: team }",
                        "line 4, column 24: pools.lab.queue.share-by has no meaning unless the order is fair"),
                pool(
                        "queue: { order: fair, share-by: '" + "x".repeat(101) + "' }",
                        "pools.lab.queue.share-by has 101 characters, may have 100"),
                pool("queue: { order: fair, share-by: [team] }", "pools.lab.queue.share-by must be text, is a list"),
                pool("queue: { order: fair, half-life: 59s }", "pools.lab.queue.half-life must be from 1m to 365d"),
                pool("queue: { order: fair, half-life: 366d }", "pools.lab.queue.half-life must be from 1m to 365d"),
                pool("queue: { aging: 0s }", "pools.lab.queue.aging must be from 1s to 30d"),
                pool("queue: { aging: 31d }", "pools.lab.queue.aging must be from 1s to 30d"),
                pool("queue: { liveness: 9s }", "pools.lab.queue.liveness must be from 10s to 1h"),
                pool("queue: { liveness: 2h }", "pools.lab.queue.liveness must be from 10s to 1h"),
                pool("max-priority: 101", "pools.lab.max-priority must be a whole number from -100 to 100"),
                pool("max-priority: -101", "pools.lab.max-priority must be a whole number from -100 to 100"),
                pool("quota: 5", "pools.lab.quota must be a mapping, is a number"),
                pool("quota: { held: 0 }", "pools.lab.quota.held must be a whole number from 1 to 1000000 or none"),
                pool(
                        "quota: { queued: -1 }",
                        "pools.lab.quota.queued must be a whole number from 0 to 1000000 or none"),
                pool("quota: { held: off }", "pools.lab.quota.held must be a whole number from 1 to 1000000 or none"),
                pool(
                        "quota: { waiting: 1 }",
                        "pools.lab.quota.waiting is not known; known are held, queued, principals"),
                pool("quota: { principals: [ci] }", "pools.lab.quota.principals must be a mapping of at most 10000"),
                pool(
                        "quota:\n      principals:\n        ci: { held: 2 }",
                        "line 6, column 9: pools.lab.quota.principals.ci is not a principal of this file"),
                pool(
                        "quota: { principals: { admin: { held: 0 } } }",
                        "pools.lab.quota.principals.admin.held must be a whole number from 1 to 1000000 or none"),
                pool(
                        "quota: { principals: { admin: 3 } }",
                        "pools.lab.quota.principals.admin must be a mapping, is a number"),
                pool(
                        "quota: { principals: { admin: { hold: 3 } } }",
                        "principals.admin.hold is not known; did you mean 'held'?"),
                pool("hold: true", "pools.lab.hold must be a mapping, is true or false"),
                pool("hold: { max: 59s }", "pools.lab.hold.max must be from 1m to 30d"),
                pool("hold: { max: 31d }", "pools.lab.hold.max must be from 1m to 30d"),
                pool("hold: { quota: 0 }", "pools.lab.hold.quota must be a whole number from 1 to 1000000"),
                pool("upkeep: { parallel: 0 }", "pools.lab.upkeep.parallel must be a whole number from 1 to 1000"),
                pool("upkeep: { per-account: 1001 }", "pools.lab.upkeep.per-account must be a whole number"),
                pool("env: [A]", "pools.lab.env must be a mapping of at most 100 variables"),
                pool("env: { 1A: credentials.a }", "pools.lab.env.1A is not the name of a variable"),
                pool("env: { BERTH_X: credentials.a }", "pools.lab.env.BERTH_X begins with BERTH_"),
                pool("env: { A: password }", "pools.lab.env.A must be a part of the access, like credentials.password"),
                pool("env: { A: 5 }", "pools.lab.env.A must be text, is a number"),
                row(
                        "pools:\n  lab: { provider: fixd }\n",
                        "line 2, column 20: pools.lab.provider 'fixd' is not known; did you mean 'fixed'?"),
                row("pools:\n  lab: { provider: heroku }\n", "'heroku' is not known; known are command, fixed"),
                row("pools:\n  lab: { provider: 5 }\n", "pools.lab.provider must be text"),
                row("pools:\n  lab: {}\n", "line 2, column 8: pools.lab.provider is 'aws' where the pool does not say"),
                // What the kind itself complains of
                pool(
                        "fixed: { host: x }",
                        "line 4, column 14: pools.lab.fixed.host is not known: provider fixed has no settings"),
                pool("fixed: [x]", "line 4, column 12: pools.lab.fixed must be a mapping, is a list"),
                pool("command: { clean: [true] }", "line 4, column 14: pools.lab.command belongs to provider command"),
                row("pools:\n  c: { provider: command }\n", "line 2, column 6: pools.c names no program"),
                command("clean: [no-such-program]", "line 5, column 7: pools.c.command.clean"),
                command("clean: ['true', 5]", "line 5, column 23: pools.c.command.clean[1] must be text"),
                command("clean: { run: ['true', 5] }", "line 5, column 30: pools.c.command.clean.run[1] must be text"),
                command(
                        "clean: ['true']\n      variables: { 'A B': x }",
                        "line 6, column 20: pools.c.command.variables.A B"),
                command(
                        "clean: ['true']\n      clean: ['true']",
                        "line 6, column 7: pools.c.command.clean is given twice"),
                command(
                        "clean: ['true', .nan]",
                        "line 5, column 23: pools.c.command.clean[1] is a number that JSON does not have"),
                command("clean: ['true', " + "9".repeat(41) + "]", "is a number of more than 40 characters: quote it"),
                command(
                        "clean: ['true', 1e999999999]",
                        "line 5, column 23: pools.c.command.clean[1] is a number that JSON does not have"),
                command("clean: ['" + "x".repeat(1 << 20) + "']", "pools.c.command has more than 1 MiB"),
                pool(
                        "env: {" + many(101, "V%d: credentials.a") + "}",
                        "pools.lab.env must be a mapping of at most 100"),
                row(
                        "pools: {" + many(10_001, "p%d: {provider: fixed}") + "}",
                        "pools must be a mapping of at most 10000"),
                // Environments
                row("environments: [x]\n", "line 1, column 16: environments[0] must be a mapping, is text"),
                record("{ name: a }", "line 5, column 5: environments[0].pool is missing: every environment is in one"),
                record(
                        "pool: lab",
                        "line 5, column 5: environments[0].name is missing: give one, or both account and region"),
                record("{ pool: lab, account: '1' }", "environments[0].name is missing"),
                record(
                        "{ pool: lab, name: b, nam: a }",
                        "line 5, column 27: environments[0].nam is not known; did you mean 'name'?"),
                record(
                        "{ pool: lab, name: a, access: [x] }",
                        "environments[0].access must be a mapping of at most 100"),
                record(
                        "{ pool: lab, name: a, access: { r: x } }",
                        "environments[0].access.r must be a mapping, {} for nothing"),
                record(
                        "{ pool: lab, name: a, access: { -r: {} } }",
                        "environments[0].access.-r is not the name of an access profile"),
                record(
                        "{ pool: lab, name: a, access: { r: {}, r: {} } }",
                        "line 5, column 44: environments[0].access.r is given twice"),
                record(
                        "{ pool: lab, name: a, access: {" + many(101, "r%d: {}") + "} }",
                        "environments[0].access must be a mapping of at most 100"),
                record(
                        "{ pool: lab, name: a, access: { r: { connection: { host: } } } }",
                        "environments[0].access.r.connection.host is empty"),
                record(
                        "{ pool: lab, name: a, access: { r: { connection: x } } }",
                        "environments[0].access.r.connection must be a mapping"),
                record(
                        "{ pool: lab, name: a, access: { r: { secrets: { p: " + HIDDEN + " } } } }",
                        "environments[0].access.r.secrets.p must be a reference"),
                record(
                        "{ pool: lab, name: a, access: { r: { secrets: { p: { env: NOT_SET } } } } }",
                        "environments[0].access.r.secrets.p.env names the variable NOT_SET, which is not set"),
                record(
                        "{ pool: lab, name: a, access: { r: { role: x } } }",
                        "line 5, column 1: environments.a.access.r.role is not known; a profile of provider fixed has"
                                + " connection, secrets"),
                record(
                        "{ pool: lab, name: a, access: { r: { secrets: { p: { env: PASSWORD } } } } }",
                        "line 5, column 5: environments.a.access cannot be taken back once handed out: pool lab must say"
                                + " revocable: false"),
                record("{ pool: lab, name: a, expires: x }", "environments[0].expires is not known"),
                record("{ pool: lab, name: a b }", "environments[0].name is not an environment name"),
                record("{ pool: lab, name: 7 }", "environments[0].name must be text, is a number: quote it, \"7\""),
                record("{ pool: lab, name: '' }", "environments[0].name is empty"),
                record("{ pool: lab, name: [a] }", "environments[0].name must be text, is a list"),
                record("{ pool: la b, name: a }", "environments[0].pool is not a pool name"),
                record(
                        "{ pool: lab, account: 111111111111, region: x }",
                        "line 5, column 27: environments[0].account must be text, is a number: quote it, \"111111111111\""),
                record("{ pool: lab, account: 012345678901, region: x }", "quote it, \"012345678901\""),
                record("{ pool: lab, account: 1e5, region: x }", "quote it, \"1e5\""),
                record("{ pool: lab, name: a, account: a/b }", "environments[0].account must be 1 to 100 letters"),
                record("{ pool: lab, name: a, region: 'a b' }", "environments[0].region must be 1 to 100 letters"),
                record(
                        "{ pool: lab, account: " + "a".repeat(100) + ", region: " + "b".repeat(100) + " }",
                        "environments[0].name is missing: account and region are too long"),
                record("{ pool: lab, name: a, admin_role: x }", "environments[0].admin_role must be the ARN of a role"),
                record(
                        "{ pool: lab, name: a, admin_role: 'arn:x', adminRoleArn: 'arn:x' }",
                        "line 5, column 62: environments[0].adminRoleArn says the same as admin_role"),
                record("{ pool: lab, name: a, capabilities: [a] }", "environments[0].capabilities must be a mapping"),
                record(
                        "{ pool: lab, name: a, capabilities: { a: '*' } }",
                        "line 5, column 46: environments[0].capabilities.a is \"*\", which means any value in a request"),
                record(
                        "{ pool: lab, name: a, capabilities: { a: { b: [x, '*'] } } }",
                        "line 5, column 55: environments[0].capabilities.a.b[1] is \"*\""),
                record(
                        "{ pool: lab, name: a, capabilities: { a: " + "x".repeat(1001) + " } }",
                        "environments[0].capabilities.a has 1001 characters, may have 1000"),
                record(
                        "{ pool: lab, name: a, capabilities: { a: [" + "x".repeat(1001) + "] } }",
                        "environments[0].capabilities.a[0] has 1001 characters, may have 1000"),
                record(
                        "{ pool: lab, name: a, capabilities: { " + "x".repeat(101) + ": 1 } }",
                        "environments[0].capabilities has a name of 101 characters, may have 1 to 100"),
                record(
                        "{ pool: lab, name: a, capabilities: { '': 1 } }",
                        "environments[0].capabilities has a name of 0 characters, may have 1 to 100"),
                record(
                        "{ pool: lab, name: a, capabilities: {" + many(101, "c%d: 1") + "} }",
                        "environments[0].capabilities has 101 keys, may have 100"),
                record(
                        "{ pool: lab, name: a, capabilities: { a: {" + many(101, "c%d: 1") + "} } }",
                        "environments[0].capabilities.a has 101 keys, may have 100"),
                record(
                        "{ pool: lab, name: a, capabilities: { a: [" + many(1001, "%d") + "] } }",
                        "environments[0].capabilities.a has 1001 values, may have 1000"),
                record(
                        "{ pool: lab, name: a, capabilities: { a: " + "[".repeat(8) + "]".repeat(8) + " } }",
                        "environments[0].capabilities is nested deeper than 8 levels"),
                record(
                        "{ pool: lab, name: a, capabilities: { a: .inf } }",
                        "environments[0].capabilities.a is a number that JSON"),
                record(
                        "{ pool: lab, name: a, capabilities: { a: 0.12345678901234567890 } }",
                        "environments[0].capabilities.a is a number of more digits than readers of JSON keep: quote it"),
                record(
                        "{ pool: lab, name: a, capabilities: { a: " + "9".repeat(41) + " } }",
                        "environments[0].capabilities.a is a number of more than 40 characters: quote it"),
                record(
                        "{ pool: lab, name: a, capabilities: { a: 1, a: 2 } }",
                        "environments[0].capabilities.a is given twice"),
                record("{ pool: lab, name: a, connection: { a: [~] } }", "environments[0].connection.a[0] is empty"),
                record(
                        "{ pool: lab, name: a, connection: { a: " + "x".repeat(65536) + " } }",
                        "environments[0] has more than 64 KiB"),
                record(
                        "{ pool: lab, name: a }\n  - { pool: lab, name: a }",
                        "line 6, column 24: environments[1].name 'a' is the name of the record on line 5 too"),
                record(
                        "{ pool: lab, account: x, region: y }\n  - { pool: lab, account: x, region: y }",
                        "line 6, column 27: environments[1].account and region are those of the record on line 5"),
                record(
                        "{ pool: lab, name: a, account: x, region: y }\n  - { pool: lab, name: b, account: x, region: y }",
                        "line 6, column 36: environments[1].account and region are those of the record on line 5"),
                row(
                        """
                        pools:
                          alone: { provider: fixed, isolate: account }
                          many: { provider: fixed }
                        environments:
                          - { pool: many, account: a, region: x }
                          - { pool: alone, account: a, region: y }
                          - { pool: many, account: b, region: x }
                        """,
                        "line 5, column 5: environments.a-x.pool must be 'alone', which lends one environment of account a"
                                + " at a time"),
                row(
                        "environments:\n  - { pool: r, account: '1', region: x }\n  - { pool: r, account: '2', region: x }\n",
                        "line 2, column 5: pools.r.provider is 'aws' where the pool does not say, which is not known;"
                                + " known are command, fixed"),
                row(
                        "environments:\n  - { pool: r, name: a, connection: {} }\n  - { pool: r, name: b }\n",
                        "line 2, column 5: pools.r is missing: declare the pool with its provider"),
                // Secrets
                secret(HIDDEN, "environments[0].secrets.p must be a reference, { file: path } or { env: NAME }"),
                secret("[" + HIDDEN + "]", "environments[0].secrets.p must be a reference"),
                secret("{ " + HIDDEN + " }", "environments[0].secrets.p must be a reference"),
                secret("{ " + HIDDEN + ": x }", "environments[0].secrets.p must be a reference"),
                secret("{ value: " + HIDDEN + " }", "environments[0].secrets.p must be a reference"),
                secret("{ file: token, env: PASSWORD }", "environments[0].secrets.p must be a reference"),
                secret("{ file: 5 }", "environments[0].secrets.p must be a reference"),
                secret("{ file: }", "environments[0].secrets.p must be a reference"),
                secret("{ file: nowhere }", "line 5, column 49: environments[0].secrets.p.file names the file"),
                secret("{ file: nowhere }", "nowhere, which is not there"),
                secret("{ file: empty }", "empty, which is empty"),
                secret("{ file: large }", "large, which is larger than 64 KiB"),
                secret("{ file: binary }", "binary, which is not UTF-8"),
                secret("{ file: folder }", "folder, which is no regular file"),
                secret("{ file: \"a\\0b\" }", "environments[0].secrets.p.file is not a path"),
                secret(
                        "{ env: NOT_SET }",
                        "environments[0].secrets.p.env names the variable NOT_SET, which is not set"),
                secret("{ env: EMPTY }", "names the variable EMPTY, which is empty"),
                secret("{ env: HUGE }", "names the variable HUGE, which is larger than 64 KiB"),
                secret("{ env: A=B }", "environments[0].secrets.p.env is not the name of a variable"),
                record("{ pool: lab, name: a, secrets: x }", "environments[0].secrets must be a mapping"),
                record(
                        "{ pool: lab, name: a, secrets: { 'a b': { env: PASSWORD } } }",
                        "environments[0].secrets has a name"),
                row(
                        "pools: { lab: { provider: fixed } }\nenvironments:\n  - { pool: lab, name: a, secrets: { p: { env: PASSWORD } } }\n",
                        "line 3, column 5: environments.a.secrets cannot be taken back once handed out: pool lab must say"
                                + " revocable: false"),
                record(
                        "{ pool: lab, name: a, secrets: {" + many(101, "s%d: {env: PASSWORD}") + "} }",
                        "environments[0].secrets must be a mapping of at most 100 names"),
                // Principals
                row(
                        "principals: [" + many(10_001, "{name: p%d, roles: [viewer]}") + "]",
                        "principals must be a list of at most 10000"),
                principal("{ roles: [viewer] }", "line 4, column 5: principals[0].name is missing"),
                principal("{ name: a }", "principals[0].roles is missing: some of viewer, consumer, operator, admin"),
                principal("{ name: admin, roles: [viewer] }", "principals[0].name 'admin' is the built-in principal"),
                principal("{ name: a b, roles: [viewer] }", "principals[0].name must be 1 to 100 letters"),
                principal("{ name: a, roles: viewer }", "principals[0].roles must be a list of at least one name"),
                principal("{ name: a, roles: [] }", "principals[0].roles must be a list of at least one name"),
                principal(
                        "{ name: a, roles: [veiwer] }",
                        "principals[0].roles[0] 'veiwer' is not known; did you mean 'viewer'?"),
                principal(
                        "{ name: a, roles: [root] }",
                        "'root' is not known; known are viewer, consumer, operator, admin"),
                principal(
                        "{ name: a, roles: [consumer] }", "principals[0].pools is missing: a consumer uses only those"),
                principal(
                        "{ name: a, roles: [consumer], pools: [] }",
                        "principals[0].pools must be a list of at least one"),
                principal(
                        "{ name: a, roles: [consumer], pools: [lab, lob] }",
                        "line 4, column 48: principals[0].pools[1] 'lob' is not a pool of this file"),
                principal(
                        "{ name: a, roles: [consumer], pools: ['*'] }",
                        "principals[0].pools[0] '*' is not a pool of this file"),
                principal("{ name: a, roles: [viewer], jwt: {} }", "principals[0].jwt is not known"),
                principal("{ name: a, roles: [viewer], aws: {} }", "principals[0].aws.accounts is missing"),
                principal(
                        "{ name: a, roles: [viewer], aws: { accounts: [222222222222] } }",
                        "principals[0].aws.accounts[0] must be text, is"),
                principal(
                        "{ name: a, roles: [viewer], aws: { accounts: ['*'] } }",
                        "principals[0].aws.accounts[0] '*' is not an account number"),
                principal(
                        "{ name: a, roles: [viewer], aws: { accounts: ['222222222222'], roles: ['a/b'] } }",
                        "principals[0].aws.roles[0] must be the name of a role"),
                principal(
                        "{ name: a, roles: [viewer], aws: { principals: ['arn:aws:sts::*:assumed-role/ci/*'] } }",
                        "principals[0].aws.principals[0] must be an ARN as GetCallerIdentity tells it"),
                row("aws-callers: { service: 'a b' }", "aws-callers.service must be a name"),
                row("aws-callers: { endpoint: 'ftp://sts' }", "aws-callers.endpoint must be a URL without a path"),
                row("aws-callers: { partition: mars }", "aws-callers.partition 'mars' is not known"),
                principal(
                        "{ name: a, roles: [viewer], token: " + HIDDEN + " }",
                        "principals[0].token must be a reference"),
                principal("{ name: a, roles: [viewer], token: { env: BLANKS } }", "principals[0].token has characters"),
                principal(
                        "{ name: a, roles: [viewer] }\n  - { name: a, roles: [viewer] }",
                        "line 5, column 13: principals[1].name 'a' is the name of the principal on line 4 too"),
                principal(
                        "{ name: a, roles: [viewer], token: { env: PASSWORD } }\n"
                                + "  - { name: b, roles: [viewer], token: { file: token } }",
                        "principals[1].token is another's too"),
                principal(
                        "{ name: a, roles: [viewer], token: [] }",
                        "principals[0].token must be a reference, or a list"),
                principal(
                        "{ name: a, roles: [viewer], token: [ { env: PASSWORD }, { file: token } ] }",
                        "principals[0].token[1] is another's too"),
                principal(
                        "{ name: a, roles: [viewer], token: [ { file: token }, { env: BLANKS } ] }",
                        "principals[0].token[1] has characters"));
    }

    private static Arguments row(String text, String mistake) {
        return Arguments.of(text, mistake);
    }

    private static Arguments pool(String line, String mistake) {
        return row("pools:\n  lab:\n    provider: fixed\n    " + line + "\n", mistake);
    }

    private static Arguments command(String line, String mistake) {
        return row("pools:\n  c:\n    provider: command\n    command:\n      " + line + "\n", mistake);
    }

    private static Arguments record(String record, String mistake) {
        return row("pools:\n  lab:\n    provider: fixed\nenvironments:\n  - " + record + "\n", mistake);
    }

    private static Arguments secret(String reference, String mistake) {
        return row(
                "pools:\n  lab:\n    { provider: fixed, revocable: false }\nenvironments:\n  - { name: a, pool: lab, secrets: { p: "
                        + reference + " } }\n",
                mistake);
    }

    private static Arguments principal(String principal, String mistake) {
        return row("pools:\n  lab: { provider: fixed }\nprincipals:\n  - " + principal + "\n", mistake);
    }

    private static String many(int count, String entry) {
        return IntStream.range(0, count).mapToObj(entry::formatted).collect(Collectors.joining(", "));
    }

    /** Levels that no single line has, put upon each other by aliases. */
    private static String tower() {
        return "l0: &l0 [x]\n"
                + IntStream.rangeClosed(1, 40)
                        .mapToObj(i -> "l%d: &l%d [*l%d]\n".formatted(i, i, i - 1))
                        .collect(Collectors.joining());
    }

    private static String laughs() {
        return IntStream.rangeClosed(1, 12)
                .mapToObj(i -> "l%d: &l%d [%s]\n"
                        .formatted(
                                i,
                                i,
                                Stream.generate(() -> i == 1 ? "ha" : "*l" + (i - 1))
                                        .limit(10)
                                        .collect(Collectors.joining(", "))))
                .collect(Collectors.joining());
    }

    @ParameterizedTest
    @MethodSource("files")
    void mistakeIsToldWithItsPlaceAndWithoutSecrets(String text, String expected) {
        ConfigurationInvalid invalid = mistakes(text);

        assertThat(invalid.mistakes()).hasSize(1);
        assertThat(invalid.mistakes().getFirst().toString()).contains(expected).doesNotContain("\n");
        assertThat(invalid.toString()).doesNotContain(HIDDEN);
    }

    @Test
    void allMistakesAreToldAtOnceInTheOrderOfTheFile() {
        ConfigurationInvalid invalid = mistakes("""
                environments:
                  - { account: 111111111111, region: us-east-1, pool: lab }
                  - { name: a, pool: lab, secrets: { p: { env: PASSWORD } } }
                  - { name: a, pool: other, connection: {} }
                principals:
                  - { name: admin, roles: [boss], token: { file: nowhere } }
                pools:
                  lab: { provider: fixed, sesion: 3h, clean: { attempts: 0 }, fixed: { x: 1 } }
                  bad: { provider: nothing }
                """);

        assertThat(invalid.mistakes())
                .extracting(mistake -> mistake.line() + " " + mistake.field())
                .containsExactly(
                        "2 environments[0].account",
                        "3 environments.a.secrets",
                        "4 environments[2].name",
                        "6 principals[0].name",
                        "6 principals[0].roles[0]",
                        "6 principals[0].token.file",
                        "8 pools.lab.sesion",
                        "8 pools.lab.clean.attempts",
                        "8 pools.lab.fixed.x",
                        "9 pools.bad.provider");
        assertThat(invalid.getMessage().lines()).hasSize(10);
    }

    @Test
    void moreMistakesThanAnybodyReadsAreCounted() {
        String text = "environments:\n" + "  - { name: a b, pool: lab }\n".repeat(Mistakes.MOST + 7);

        ConfigurationInvalid invalid = mistakes("pools: { lab: { provider: fixed } }\n" + text);

        assertThat(invalid.mistakes()).hasSize(Mistakes.MOST);
        assertThat(invalid.untold()).isEqualTo(7);
        assertThat(invalid.getMessage()).endsWith("and 7 more");
    }

    @Test
    void brokenYamlIsToldWithoutQuotingTheFile() {
        for (String text : List.of(
                "principals:\n  - token: " + HIDDEN + ": x\n",
                "principals:\n  - token: \"" + HIDDEN + "\n",
                "principals:\n  - token: *" + HIDDEN + "\n",
                "principals:\n  - token: !" + HIDDEN + " x\n",
                "principals:\n  - token: '" + HIDDEN + "' x\n",
                "principals:\n  - token: %" + HIDDEN + "\n",
                "principals:\n  - token: @" + HIDDEN + "\n")) {
            ConfigurationInvalid invalid = mistakes(text);

            assertThat(invalid.mistakes().getFirst().line()).as(text).isBetween(2, 3);
            assertThat(invalid.toString()).as(text).doesNotContain(HIDDEN);
        }
    }

    @Test
    void aFileOfMoreCharactersThanAllowedIsNotRead() {
        ConfigurationInvalid invalid = mistakes("#".repeat(ConfigurationParser.LARGEST + 1));

        assertThat(invalid.mistakes().getFirst().message()).isEqualTo("has more than 67108864 characters");
    }

    private ConfigurationInvalid mistakes(String text) {
        ConfigurationInvalid invalid = catchThrowableOfType(ConfigurationInvalid.class, () -> parsing.parse(text));
        assertThat(invalid).as(text.substring(0, Math.min(text.length(), 200))).isNotNull();
        return invalid;
    }
}
