package dev.berth.acceptance;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.core.Step;
import dev.berth.providers.StepResult.Done;
import java.io.IOException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.cloudformation.model.Capability;
import software.amazon.awssdk.services.cloudformation.model.Parameter;
import tools.jackson.databind.json.JsonMapper;

/** What examples/aws promises to whoever tries it or begins with it. */
class AwsExampleTest {
    private static final Path EXAMPLE =
            Path.of("../examples/aws").toAbsolutePath().normalize();

    @TempDir
    private Path folder;

    @Test
    void theSecondBorrowerFindsNothingOfTheFirst() throws IOException {
        var berth = folder.resolve("berth");
        Files.writeString(berth, """
                #!/bin/sh
                exec "%s" -XX:TieredStopAtLevel=1 -XX:+UseSerialGC --enable-native-access=ALL-UNNAMED -cp "%s" dev.berth.cli.Main "$@"
                """.formatted(
                Path.of(System.getProperty("java.home"), "bin", "java"), System.getProperty("java.class.path")));
        assertThat(berth.toFile().setExecutable(true)).isTrue();
        var installed =
                PythonEnvironment.install("moto").program("python").getParent().getParent();
        var printed = Running.done(
                folder,
                Map.of("BERTH_COMMAND", berth.toString(), "BERTH_AWS_EXAMPLE", installed.toString()),
                Running.PATIENCE.multipliedBy(3),
                List.of(EXAMPLE.resolve("run").toString()));
        assertThat(printed.lines().filter(line -> line.startsWith("buckets:")))
                .containsExactly("buckets: ['belongs-here']", "buckets: ['belongs-here']");
        assertThat(printed.lines().filter(line -> line.startsWith("stacks:")))
                .containsExactly("stacks:  []", "stacks:  []");
        assertThat(printed.lines().filter(line -> line.startsWith("users:")))
                .containsExactly("users:   []", "users:   []");
    }

    @Test
    void theTemplatesRoleIsOneToLendAndToCleanWith() throws IOException {
        try (var aws = AwsLab.start(folder)) {
            var account = aws.account("400000000001", AwsLab.REGION, "BerthAdmin");
            var template = Files.readString(EXAMPLE.resolve("admin-role.yaml"));
            account.stacks()
                    .createStack(create -> create.stackName("berth")
                            .templateBody(template)
                            .capabilities(Capability.CAPABILITY_NAMED_IAM)
                            .parameters(
                                    parameter("BerthIdentity", "arn:aws:iam::123456789012:user/berth"),
                                    parameter("ExternalId", "of-the-pool")));
            // The emulator cannot list roles whose policies a stack made.
            var unlisted = AwsLab.types();
            unlisted.remove("s3 bucket");
            var settings = new HashMap<>(AwsLab.keepingAll(unlisted));
            settings.putAll(Map.of("external-id", "of-the-pool", "session-tags", true, "source-identity", true));
            var loan = aws.loan(account, settings).adopt();
            var access = loan.issue();
            assertThat(Instant.parse((String) access.credentials().get("expiration")))
                    .isAfter(Instant.now().plus(Duration.ofHours(11)));
            var holder = loan.holder(access);
            assertThat(holder.s3().listBuckets().buckets()).isEmpty();
            account.bucket("left-400000000001");
            assertThat(loan.run(Step.REVOKE)).isInstanceOf(Done.class);
            assertThatThrownBy(() -> holder.s3().listBuckets()).hasMessageContaining("explicit deny");
            assertThat(loan.run(Step.CLEAN)).isInstanceOf(Done.class);
            assertThat(loan.run(Step.VERIFY)).isInstanceOf(Done.class);

            // Who borrows may not touch the role, and Berth may.
            var document = account.iam()
                    .getRolePolicy(get -> get.roleName("BerthAdmin").policyName("hands-off"))
                    .policyDocument();
            var statement = JsonMapper.shared()
                    // It shows what a stack made as Python writes it.
                    .readTree(
                            URLDecoder.decode(document, StandardCharsets.UTF_8).replace('\'', '"'))
                    .path("Statement")
                    .path(0);
            assertThat(statement.path("Resource").stringValue()).isEqualTo(account.adminRole());
            var others = statement
                    .path("Condition")
                    .path("StringNotLike")
                    .path("aws:userid")
                    .stringValue()
                    .replace(".", "\\.")
                    .replace("*", ".*");
            var sessions = aws.strict().calls().stream()
                    .filter(call -> call.of(account) && call.is("sts", "AssumeRole"))
                    .map(call -> "AROA:" + call.fields().get("RoleSessionName"))
                    .toList();
            assertThat(sessions)
                    .filteredOn(session -> !session.matches(others))
                    .containsExactly("AROA:berth-" + loan.allocation);
            assertThat(sessions).filteredOn(session -> session.matches(others)).hasSizeGreaterThan(3);
            assertThat(aws.strict().calls())
                    .filteredOn(call -> call.of(account) && call.is("sts", "AssumeRole"))
                    .allSatisfy(call -> assertThat(call.fields()).containsEntry("ExternalId", "of-the-pool"))
                    .anySatisfy(call -> assertThat(call.fields()).containsKeys("SourceIdentity", "Tags.member.1.Key"));
        }
    }

    private static Parameter parameter(String key, String value) {
        return Parameter.builder().parameterKey(key).parameterValue(value).build();
    }
}
