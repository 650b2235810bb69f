package dev.berth.providers.aws;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.berth.core.Step;
import dev.berth.providers.Kind;
import dev.berth.providers.Kind.InvalidSettings;
import dev.berth.providers.Kind.Mistake;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AwsKindTest {
    private static final Map<String, Object> RECORD = Map.of(
            "account", "111111111111", "region", "eu-west-1", "adminRoleArn", "arn:aws:iam::111111111111:role/Admin");

    private final AwsKind kind = new AwsKind();

    private List<String> fields(Map<String, Object> settings, Map<String, Object> facts) {
        var records = Map.of("one", new Kind.Record(facts, Kind.Secrets.NONE));
        return catchThrowableOfType(InvalidSettings.class, () -> kind.create("p", settings, records))
                .mistakes()
                .stream()
                .map(Mistake::field)
                .sorted()
                .toList();
    }

    @Test
    void aPoolThatSaysEverythingRightIsTaken() throws InvalidSettings {
        var provider = kind.create(
                "p",
                Map.of(
                        "endpoint",
                        "http://127.0.0.1:5000",
                        "external-id",
                        "berth-7",
                        "session",
                        "1h30m",
                        "session-policy",
                        Map.of("Version", "2012-10-17", "Statement", List.of()),
                        "session-policies",
                        List.of("arn:aws:iam::aws:policy/ReadOnlyAccess"),
                        "keep",
                        Map.of("names", List.of("log group: /org/*", "*-keep"), "tags", Map.of("owner", "*")),
                        "sweep",
                        false,
                        "propagation",
                        "20s",
                        "session-tags",
                        true,
                        "source-identity",
                        true),
                Map.of("one", new Kind.Record(RECORD, Kind.Secrets.NONE)));
        assertThat(provider.steps()).containsExactlyInAnyOrder(Step.values());
        assertThat(kind.adopts()).isTrue();
    }

    @Test
    void everyMistakeIsNamedByItsField() {
        Map<String, Object> settings = new HashMap<>();
        settings.put("endpoint", "ftp://here");
        settings.put("external-id", "x");
        settings.put("session", "13h");
        settings.put("session-policy", "Allow");
        settings.put("session-policies", List.of("ReadOnlyAccess"));
        settings.put("keep", Map.of("names", List.of("lambda cabin: x"), "tags", List.of(), "colours", 1));
        settings.put("sweep", "yes");
        settings.put("propagation", 5);
        settings.put("regions", List.of());
        assertThat(fields(settings, RECORD))
                .containsExactly(
                        "endpoint",
                        "external-id",
                        "keep.colours",
                        "keep.names",
                        "keep.tags",
                        "propagation",
                        "regions",
                        "session",
                        "session-policies",
                        "session-policy",
                        "sweep");
    }

    @Test
    void everyMistakeOfARecordIsNamedByItsField() {
        assertThat(fields(
                        Map.of(),
                        Map.of(
                                "account", "1111",
                                "region", "here",
                                "adminRoleArn", "arn:aws:iam::222222222222:user/me",
                                "access", Map.of("a", Map.of("policy", "x"), "b", Map.of("role", "Admin")))))
                .containsExactly(
                        "environments.one.access.a.policy",
                        "environments.one.access.a.role",
                        "environments.one.access.b.role",
                        "environments.one.account",
                        "environments.one.admin_role",
                        "environments.one.region");
        assertThat(fields(Map.of(), Map.of("account", "111111111111", "region", "eu-west-1")))
                .containsExactly("environments.one.admin_role");
        var elsewhere = new HashMap<>(RECORD);
        elsewhere.put("adminRoleArn", "arn:aws:iam::222222222222:role/Admin");
        assertThat(fields(Map.of(), elsewhere)).containsExactly("environments.one.admin_role");
    }

    @ParameterizedTest
    @CsvSource({
        "log group: /org/*, log group, /org/trail, true",
        "log group: /org/*, s3 bucket, /org/trail, false",
        "log group: /org/*, log group, /organization, false",
        "cdk-*-assets-*, s3 bucket, cdk-x-assets-1, true",
        "a.c, s3 bucket, abc, false"
    })
    void aRuleMatchesTheWholeNameOfItsType(String rule, String type, String name, boolean kept) {
        assertThat(new Keep(List.of(rule), Map.of()).byName(type, name)).isEqualTo(kept);
    }

    @Test
    void whatIsWrittenIntoARolesPolicyIsReadAgainAndRoundedToWhenItHasSurelyExpired() {
        var until = Instant.parse("2026-11-21T10:07:00Z");
        var text = Denials.write(List.of(new Denials.Entry("berth-1", until), new Denials.Entry("berth-2", until)));
        assertThat(Denials.parse(text)).extracting(Denials.Entry::session).containsExactly("berth-1", "berth-2");
        assertThat(Denials.parse(text))
                .allSatisfy(entry -> assertThat(entry.until()).isEqualTo("2026-11-21T10:15:00Z"));
        assertThat(text).containsOnlyOnce("\"Deny\"");
        assertThat(Denials.parse("no policy")).isEmpty();
    }

    @Test
    void aSessionsNameFitsAndNoHoldersIsAWorkers() {
        assertThat(Roles.holder("zzzzzz-0mhabcdef-00000000000000000000000000").length())
                .isLessThanOrEqualTo(64);
        assertThat(Roles.worker("x")).doesNotStartWith("berth-");
        assertThatThrownBy(() -> Roles.worker("x".repeat(80))).isInstanceOf(IllegalArgumentException.class);
    }
}
