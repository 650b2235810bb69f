package dev.berth.acceptance;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.acceptance.StrictAws.Answer;
import dev.berth.core.Step;
import dev.berth.providers.Inventory;
import dev.berth.providers.Provider;
import dev.berth.providers.StepResult;
import dev.berth.providers.StepResult.Access;
import dev.berth.providers.StepResult.Done;
import dev.berth.providers.StepResult.Failed;
import dev.berth.providers.StepResult.Unavailable;
import dev.berth.providers.Task;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import software.amazon.awssdk.services.s3.model.Bucket;
import software.amazon.awssdk.services.s3.model.Tag;

/** What the provider makes of accounts of the emulator: nothing of a holder is left, and nothing that belonged there is missing. */
@Execution(ExecutionMode.CONCURRENT)
class AwsProviderTest {
    @TempDir
    private static Path folder;

    private static AwsLab aws;

    @BeforeAll
    static void start() {
        aws = AwsLab.start(folder);
    }

    @AfterAll
    static void stop() {
        aws.close();
    }

    @Test
    void whatAHolderLeftIsDeletedAndWhatBelongedThereStays() {
        var account = aws.account("100000000001");
        account.bucket("belongs-1");
        account.stack("belongs", AwsAccount.bucketResource("belongs-in-stack-1"), true);
        account.iam().createRole(create -> create.roleName("Belongs").assumeRolePolicyDocument(AwsAccount.TRUST));
        var loan = aws.loan(account, Map.of()).adopt();

        account.stack("theirs", AwsAccount.bucketResource("theirs-in-stack-1"), true);
        account.fill("theirs-in-stack-1");
        account.bucket("theirs-1");
        account.fill("theirs-1");
        account.logs().createLogGroup(create -> create.logGroupName("/theirs"));
        account.ecr().createRepository(create -> create.repositoryName("theirs"));
        account.secrets().createSecret(create -> create.name("theirs").secretString("x"));
        account.iam().createRole(create -> create.roleName("Theirs").assumeRolePolicyDocument(AwsAccount.TRUST));
        account.iam().createUser(create -> create.userName("theirs"));
        account.iam().createAccessKey(create -> create.userName("theirs"));
        var vpc = account.ec2()
                .createVpc(create -> create.cidrBlock("10.0.0.0/16"))
                .vpc()
                .vpcId();
        account.ec2().createSubnet(create -> create.vpcId(vpc).cidrBlock("10.0.1.0/24"));
        account.ec2()
                .createSecurityGroup(
                        create -> create.vpcId(vpc).groupName("theirs").description("theirs"));

        assertThat(loan.run(Step.VERIFY)).isInstanceOfSatisfying(Failed.class, failed -> {
            assertThat(failed.reason()).contains(loan.allocation, "https://ci.example/job/" + loan.allocation);
            assertThat(failed.report())
                    .contains(
                            "left: cloudformation stack theirs/", "left: s3 bucket theirs-1", "left: iam user theirs/");
        });
        assertThat(loan.run(Step.CLEAN)).isInstanceOf(Done.class);
        assertThat(loan.run(Step.VERIFY)).isInstanceOf(Done.class);
        assertThat(account.s3().listBuckets().buckets().stream().map(Bucket::name))
                .containsExactlyInAnyOrder("belongs-1", "belongs-in-stack-1");
        assertThat(account.stacks().describeStacks().stacks()).hasSize(1);
    }

    @Test
    void credentialsAreOfTheRoleAndNamedAfterTheAllocation() {
        var account = aws.account("100000000002");
        var loan = aws.loan(account, Map.of());
        var access = loan.issue();
        var who = loan.holder(access).sts().getCallerIdentity();
        assertThat(who.account()).isEqualTo(account.id());
        assertThat(who.arn()).endsWith(":assumed-role/Admin/berth-" + loan.allocation);
        assertThat(access.env()).containsEntry("AWS_REGION", AwsLab.REGION);
        assertThat(access.credentials()).containsKeys("accessKeyId", "secretAccessKey", "sessionToken", "expiration");

        loan.profile = "readonly";
        assertThat(loan.holder(loan.issue()).sts().getCallerIdentity().arn()).contains(":assumed-role/ReadOnly/");
        loan.profile = "gone";
        assertThat(loan.run(Step.ISSUE)).isInstanceOf(Failed.class);
    }

    @Test
    void credentialsLastAsLongAsTheRoleAllows() {
        var account = aws.account("100000000003");
        aws.strict().longest(account.adminRole(), 7200);
        var loan = aws.loan(account, Map.of());
        assertThat(seconds(loan.issue())).isBetween(7000L, 7200L);
        assertThat(seconds(refreshed(loan))).isBetween(7000L, 7200L);
    }

    @Test
    void whereBerthItselfIsARoleCredentialsLastAnHourAndThatIsFoundInOneCall() {
        var account = aws.account("100000000028");
        var loan = aws.loan(account, Map.of());
        aws.strict()
                .fault(call -> call.of(account)
                                && call.is("sts", "AssumeRole")
                                && Integer.parseInt(call.fields().get("DurationSeconds")) > 3600
                        ? Answer.error(
                                400,
                                "ValidationError",
                                "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining")
                        : null);
        assertThat(seconds(loan.issue())).isBetween(3400L, 3600L);
        assertThat(assumed(loan)).hasSize(2);
        assertThat(seconds(refreshed(loan))).isBetween(3400L, 3600L);
        assertThat(assumed(loan)).hasSize(3);
    }

    private static long seconds(Access access) {
        return Duration.between(Instant.now(), Instant.parse((String)
                        access.credentials().get("expiration")))
                .toSeconds();
    }

    private static Access refreshed(AwsLab.Loan loan) {
        try {
            return requireNonNull(loan.provider.refresh(loan.task()));
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void sessionsCarryWhatTheTrustPolicyWasFoundToAllowAtRegistration() {
        assertThat(marks("100000000004", AwsAccount.trust("sts:TagSession", "sts:SetSourceIdentity")))
                .containsExactlyInAnyOrder("Tags.member.1.Key", "SourceIdentity");
        assertThat(marks("100000000024", AwsAccount.trust("sts:TagSession"))).containsExactly("Tags.member.1.Key");
        assertThat(marks("100000000025", AwsAccount.trust("sts:SetSourceIdentity")))
                .containsExactly("SourceIdentity");
        assertThat(marks("100000000026", AwsAccount.TRUST)).isEmpty();
    }

    /** Of the first session that is lent, which needed one call. */
    private static List<String> marks(String id, String trust) {
        var account = aws.account(id);
        account.iam().updateAssumeRolePolicy(update -> update.roleName("Admin").policyDocument(trust));
        var loan = aws.loan(account, Map.of("session-tags", true, "source-identity", true))
                .adopt();
        loan.issue();
        var assumed = assumed(loan);
        assertThat(assumed).hasSize(1);
        var fields = assumed.getFirst().fields();
        if (fields.containsKey("SourceIdentity")) {
            assertThat(fields).containsEntry("SourceIdentity", "berth-" + loan.allocation);
        }
        if (fields.containsKey("Tags.member.1.Key")) {
            assertThat(fields).containsEntry("Tags.member.1.Value", loan.allocation);
        }
        return Stream.of("Tags.member.1.Key", "SourceIdentity")
                .filter(fields::containsKey)
                .toList();
    }

    @Test
    void aTrustPolicyThatAllowsLessThanItDidIsNoHindrance() {
        var account = aws.account("100000000027");
        account.iam()
                .updateAssumeRolePolicy(update -> update.roleName("Admin")
                        .policyDocument(AwsAccount.trust("sts:TagSession", "sts:SetSourceIdentity")));
        var loan = aws.loan(account, Map.of("session-tags", true, "source-identity", true));
        loan.issue();
        account.iam().updateAssumeRolePolicy(update -> update.roleName("Admin").policyDocument(AwsAccount.TRUST));
        loan.issue();
        assertThat(assumed(loan))
                .last()
                .satisfies(call -> assertThat(call.fields()).doesNotContainKeys("SourceIdentity", "Tags.member.1.Key"));
    }

    /** The calls for sessions of the holder. */
    private static List<StrictAws.Call> assumed(AwsLab.Loan loan) {
        return aws.strict().calls().stream()
                .filter(call -> call.of(loan.account)
                        && call.is("sts", "AssumeRole")
                        && call.fields().get("RoleSessionName").equals("berth-" + loan.allocation))
                .toList();
    }

    @Test
    void whoGaveItBackCanDoNothingAndANeighbourUnderTheSameRoleCan() {
        var account = aws.account("100000000005");
        var loan = aws.loan(account, Map.of());
        var neighbour = aws.new Loan(aws.account(account.id(), "us-west-2"), loan.provider);
        var holder = loan.holder(loan.issue());
        var other = neighbour.holder(neighbour.issue());
        holder.s3().listBuckets();
        // IAM is told, and does not know it everywhere at once.
        aws.strict().unaware("berth-" + loan.allocation, 7);

        assertThat(loan.run(Step.REVOKE)).isInstanceOfSatisfying(Done.class, done -> {
            assertThat(done.settle()).isZero();
            assertThat(done.report()).contains("told 3 times");
        });
        assertThatThrownBy(() -> holder.s3().listBuckets()).hasMessageContaining("explicit deny");
        assertThat(other.s3().listBuckets().buckets()).isEmpty();
        // Fresh ones have the old name.
        var fresh = loan.holder(refreshed(loan));
        assertThatThrownBy(() -> fresh.iam().listUsers()).hasMessageContaining("explicit deny");
        // And once more, as after a crash.
        assertThat(loan.run(Step.REVOKE)).isInstanceOf(Done.class);

        // Who has the neighbour has the role, and drops the denial.
        other.iam()
                .putRolePolicy(put ->
                        put.roleName("Admin").policyName(policyOf(account)).policyDocument(AwsAccount.ANYTHING));
        assertThat(holder.s3().listBuckets().buckets()).isEmpty();
        assertThat(loan.run(Step.CLEAN)).isInstanceOf(Done.class);
        assertThatThrownBy(() -> holder.s3().listBuckets()).hasMessageContaining("explicit deny");
    }

    @Test
    void aRevocationIsNotBelievedWhileTheCredentialsStillWork() {
        var account = aws.account("100000000006");
        var loan = aws.loan(account, Map.of());
        loan.issue();
        aws.strict().unaware("berth-" + loan.allocation, Integer.MAX_VALUE);
        loan.timeout = Duration.ofSeconds(12);
        assertThat(loan.run(Step.REVOKE))
                .isInstanceOfSatisfying(
                        Failed.class, failed -> assertThat(failed.reason()).contains("still work"));
    }

    @Test
    void whereTheCredentialsAreNotKnownIamIsGivenTime() {
        var account = aws.account("100000000007");
        var loan = aws.loan(account, Map.of());
        var holder = loan.holder(loan.issue());
        var restarted = aws.provider(account, Map.of("propagation", "45s"));
        assertThat(run(restarted, Step.REVOKE, loan.task()))
                .isInstanceOfSatisfying(
                        Done.class, done -> assertThat(done.settle()).isEqualTo(Duration.ofSeconds(45)));
        assertThatThrownBy(() -> holder.s3().listBuckets()).hasMessageContaining("explicit deny");
    }

    private static StepResult run(Provider provider, Step step, Task task) {
        try {
            return provider.run(step, task);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void revocationsOfSeveralReplicasAtOnceDoNotOverwriteEachOther() {
        var id = "100000000008";
        var loans = new ArrayList<AwsLab.Loan>();
        var holders = new ArrayList<AwsAccount.Holder>();
        for (var region : List.of("eu-west-1", "eu-west-2", "us-east-1", "us-west-2")) {
            // Each has a memory of its own, as in a process of its own.
            var loan = aws.loan(aws.account(id, region), Map.of());
            loans.add(loan);
            holders.add(loan.holder(loan.issue()));
        }
        // What is read is as old as can be.
        aws.strict()
                .fault(call -> call.is("iam", "GetRolePolicy")
                                && call.session() != null
                                && call.session().account().equals(id)
                        ? Answer.error(404, "NoSuchEntity", "there is no such policy yet")
                        : null);
        assertThat(loans.parallelStream().map(loan -> loan.run(Step.REVOKE))).allMatch(Done.class::isInstance);
        assertThat(holders)
                .allSatisfy(holder ->
                        assertThatThrownBy(() -> holder.s3().listBuckets()).hasMessageContaining("explicit deny"));
    }

    @Test
    void whatWasDeniedBeforeStaysDeniedWhereIamIsSlowToTellOfIt() {
        var account = aws.account("100000000029");
        var loan = aws.loan(account, Map.of());
        var holder = loan.holder(loan.issue());
        var next = aws.new Loan(account, loan.provider);
        next.issue();
        aws.strict()
                .fault(call -> call.of(account) && call.is("iam", "GetRolePolicy")
                        ? Answer.error(404, "NoSuchEntity", "there is no such policy yet")
                        : null);
        assertThat(loan.run(Step.REVOKE)).isInstanceOf(Done.class);
        assertThat(next.run(Step.REVOKE)).isInstanceOf(Done.class);
        assertThatThrownBy(() -> holder.s3().listBuckets()).hasMessageContaining("explicit deny");
    }

    @Test
    void theRolesPoliciesLoseWhatHasExpired() {
        var account = aws.account("100000000009");
        var loan = aws.loan(account, Map.of()).adopt();
        denied(account, policyOf(account), "Until20200101T000000Z", 200);
        denied(account, "berth-revoked", "Until20200101T000000Z", 2);
        assertThat(loan.run(Step.REVOKE)).isInstanceOf(Done.class);
        assertThat(policy(account)).contains(loan.allocation).doesNotContain("Until2020");
        assertThat(policies(account)).contains(policyOf(account)).doesNotContain("berth-revoked");

        // What an earlier version denied stays denied until it has expired; what is idle is tidied too.
        denied(account, "berth-revoked", "Until20990101T000000Z", 2);
        denied(account, policyOf(account), "Until20200101T000000Z", 2);
        assertThat(run(aws.provider(account, Map.of()), Step.VERIFY, loan.task()))
                .isInstanceOf(Done.class);
        assertThat(policies(account)).contains("berth-revoked").doesNotContain(policyOf(account));
    }

    @Test
    void whatCouldNotBeRevokedIsNotLent() {
        var account = aws.account("100000000030");
        var loan = aws.loan(account, Map.of());
        loan.issue();
        int before = looks(account);
        loan.issue();
        assertThat(looks(account)).as("there was much room a moment ago").isEqualTo(before);

        // Those of other environments.
        denied(account, "berth-revoked-other", "Until20990101T000000Z", 203);
        assertThat(aws.loan(account, Map.of()).run(Step.ISSUE))
                .isInstanceOfSatisfying(
                        Unavailable.class, full -> assertThat(full.reason()).contains("no room"));
        aws.strict()
                .fault(call -> call.of(account) && call.is("iam", "PutRolePolicy")
                        ? Answer.error(409, "LimitExceeded", "Maximum policy size of 10240 bytes exceeded")
                        : null);
        assertThat(loan.run(Step.REVOKE))
                .isInstanceOfSatisfying(
                        Unavailable.class, full -> assertThat(full.reason()).contains("no room"));
        account.iam().deleteRolePolicy(delete -> delete.roleName("Admin").policyName("berth-revoked-other"));
        assertThat(aws.loan(account, Map.of()).run(Step.ISSUE)).isInstanceOf(Done.class);
    }

    private static int looks(AwsAccount account) {
        return (int) aws.strict().calls(account.id()).stream()
                .filter(call -> call.is("iam", "ListRolePolicies"))
                .count();
    }

    @Test
    void aRightUnderTheNameOfADenialIsResidue() {
        var account = aws.account("100000000031");
        var loan = aws.loan(account, Map.of()).adopt();
        denied(account, "berth-revoked-other", "Until20990101T000000Z", 1);
        assertThat(loan.run(Step.VERIFY)).isInstanceOf(Done.class);
        account.iam()
                .putRolePolicy(put ->
                        put.roleName("Admin").policyName("berth-revoked-right").policyDocument(AwsAccount.ANYTHING));
        assertThat(loan.run(Step.VERIFY))
                .isInstanceOfSatisfying(
                        Failed.class, failed -> assertThat(failed.reason()).contains("changed: lent role Admin/"));
    }

    private static void denied(AwsAccount account, String policy, String sid, int sessions) {
        var users = IntStream.range(0, sessions)
                .mapToObj("\"*:berth-1-0mhabcdef-%026d\""::formatted)
                .collect(Collectors.joining(","));
        account.iam()
                .putRolePolicy(
                        put -> put.roleName("Admin").policyName(policy).policyDocument("""
                {"Version":"2012-10-17","Statement":[{"Sid":"%s","Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringLike":{"aws:userid":[%s]}}}]}""".formatted(sid, users)));
    }

    private static String policyOf(AwsAccount account) {
        return "berth-revoked-" + account.id() + "-" + account.region();
    }

    private static List<String> policies(AwsAccount account) {
        return account.iam().listRolePolicies(list -> list.roleName("Admin")).policyNames();
    }

    private static String policy(AwsAccount account) {
        return URLDecoder.decode(
                account.iam()
                        .getRolePolicy(get -> get.roleName("Admin").policyName(policyOf(account)))
                        .policyDocument(),
                StandardCharsets.UTF_8);
    }

    @Test
    void aWorkerIsNotCalledHarmlessBeforeIamWasGivenTime() throws InterruptedException {
        var account = aws.account("100000000032");
        var loan = aws.loan(account, Map.of("propagation", "10m"));
        loan.timeout = Duration.ofSeconds(5);
        long begun = System.nanoTime();
        assertThat(loan.provider.fence("of-another", loan.task())).isFalse();
        assertThat(Duration.ofNanos(System.nanoTime() - begun)).isLessThan(Duration.ofMinutes(2));
    }

    @Test
    void aWorkerWhoseClaimWasTakenOverCanDoNothing() throws InterruptedException {
        var account = aws.account("100000000010");
        var loan = aws.loan(account, Map.of()).adopt();
        account.bucket("taken-over");
        var old = loan.task();
        assertThat(loan.provider.fence(old.claim(), loan.task())).isTrue();
        assertThat(run(loan.provider, Step.CLEAN, old)).isInstanceOf(Failed.class);
        assertThat(account.s3().listBuckets().buckets()).hasSize(1);
    }

    @Test
    void aWorkerThatLostItsClaimChangesNothing() {
        var account = aws.account("100000000011");
        var loan = aws.loan(account, Map.of()).adopt();
        account.bucket("claim-lost");
        loan.held.set(false);
        assertThat(loan.run(Step.CLEAN))
                .isInstanceOfSatisfying(
                        Failed.class, failed -> assertThat(failed.reason()).contains("claim"));
        assertThat(account.s3().listBuckets().buckets()).hasSize(1);
    }

    @Test
    void nothingIsDoneInAnotherAccountThanTheRegisteredOne() {
        var account = aws.account("100000000012");
        var loan = aws.loan(account, Map.of()).adopt();
        account.bucket("another-account");
        aws.strict()
                .fault(call -> call.of(account) && call.is("sts", "GetCallerIdentity") ? new Answer(200, """
                        <GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>a</Arn><UserId>u</UserId><Account>999999999999</Account></GetCallerIdentityResult></GetCallerIdentityResponse>""") : null);
        int before = aws.strict().calls(account.id()).size();
        for (var step : List.of(Step.REVOKE, Step.CLEAN, Step.VERIFY)) {
            assertThat(loan.run(step))
                    .isInstanceOfSatisfying(
                            Failed.class,
                            failed -> assertThat(failed.reason()).contains("999999999999", "nothing was done"));
        }
        assertThat(aws.strict().calls(account.id()).subList(before, before + 3))
                .allMatch(call -> call.operation().equals("GetCallerIdentity"));
        assertThat(account.s3().listBuckets().buckets()).hasSize(1);
    }

    @Test
    void aStackThatCouldNotBeDeletedIsTriedAgainAndWhatBlocksItIsNamed() {
        var account = aws.account("100000000013");
        var loan = aws.loan(account, Map.of()).adopt();
        account.stack("blocked", AwsAccount.bucketResource("blocked-1"), false);
        // Somebody writes into it whenever it was emptied.
        var writer = aws.strict().fault(call -> {
            if (call.of(account) && call.is("cloudformation", "DeleteStack")) {
                account.fill("blocked-1");
            }
            return null;
        });
        // And the bucket cannot be taken away from under the stack.
        var guard = aws.strict()
                .fault(call -> call.of(account) && call.operation().equals("DELETE /blocked-1")
                        ? Answer.error(403, "AccessDenied", "no")
                        : null);
        assertThat(loan.run(Step.CLEAN))
                .isInstanceOfSatisfying(
                        Failed.class,
                        failed -> assertThat(failed.reason())
                                .contains(
                                        "cloudformation stack blocked: DELETE_FAILED",
                                        "AWS::S3::Bucket blocked-1",
                                        "not empty"));
        aws.strict().mend(writer);
        aws.strict().mend(guard);
        assertThat(run(aws.provider(account, Map.of()), Step.CLEAN, loan.task()))
                .isInstanceOf(Done.class);
        assertThat(account.stacks().describeStacks().stacks()).isEmpty();
        assertThat(account.s3().listBuckets().buckets()).isEmpty();
    }

    @Test
    void nestedStacksAreEmptiedAndLeftToTheirParents() {
        var account = aws.account("100000000033");
        var loan = aws.loan(account, Map.of("sweep", false)).adopt();
        account.stack("parent", AwsAccount.bucketResource("of-parent-33"), false);
        account.stack("child", AwsAccount.bucketResource("of-child-33"), false);
        account.fill("of-child-33");
        var child = account.stacks()
                .describeStacks(describe -> describe.stackName("child"))
                .stacks()
                .getFirst()
                .stackId();
        aws.strict().nest(account, "child", "parent", child);
        // CloudFormation deletes the one with the other.
        aws.strict().fault(call -> {
            if (call.of(account)
                    && call.is("cloudformation", "DeleteStack")
                    && call.fields().get("StackName").contains("stack/parent/")
                    && account.s3()
                            .listObjectVersions(list -> list.bucket("of-child-33"))
                            .versions()
                            .isEmpty()) {
                account.stacks().deleteStack(delete -> delete.stackName("child"));
            }
            return null;
        });
        assertThat(loan.run(Step.CLEAN)).isInstanceOf(Done.class);
        assertThat(account.stacks().describeStacks().stacks()).isEmpty();
        assertThat(aws.strict().calls(account.id()))
                .filteredOn(call -> call.is("cloudformation", "DeleteStack"))
                .allMatch(call -> call.fields().get("StackName").contains("stack/parent/"));
    }

    @Test
    void whereNothingIsSweptStacksGoAllTheSameAndTheRestIsResidue() {
        var account = aws.account("100000000022");
        var loan = aws.loan(account, Map.of("sweep", false)).adopt();
        account.stack(
                "full",
                AwsAccount.bucketResource("full-22")
                        + ",\"Images\":{\"Type\":\"AWS::ECR::Repository\",\"Properties\":{\"RepositoryName\":\"full-22\"}}",
                true);
        account.fill("full-22");
        account.image("full-22");
        account.bucket("loose-22");
        assertThat(loan.run(Step.CLEAN)).isInstanceOf(Done.class);
        assertThat(account.stacks().describeStacks().stacks()).isEmpty();
        assertThat(account.ecr().describeRepositories().repositories()).isEmpty();
        assertThat(account.s3().listBuckets().buckets())
                .singleElement()
                .satisfies(bucket -> assertThat(bucket.name()).isEqualTo("loose-22"));
        assertThat(loan.run(Step.VERIFY))
                .isInstanceOfSatisfying(
                        Failed.class, failed -> assertThat(failed.reason()).contains("left: s3 bucket loose-22"));
    }

    @Test
    void whatThePoolKeepsIsNeitherDeletedNorCompared() {
        var account = aws.account("100000000014");
        var loan = aws.loan(
                        account,
                        Map.of(
                                "keep",
                                Map.of(
                                        "names",
                                        List.of("log group: /org/*", "kept-*"),
                                        "tags",
                                        Map.of("owner", "platform-*"))))
                .adopt();
        account.logs().createLogGroup(create -> create.logGroupName("/org/trail"));
        account.stack("kept-stack", AwsAccount.bucketResource("of-a-kept-stack"), false);
        account.logs().createLogGroup(create -> create.logGroupName("/theirs"));
        account.bucket("kept-1");
        account.bucket("tagged-1");
        account.s3()
                .putBucketTagging(put -> put.bucket("tagged-1")
                        .tagging(tags -> tags.tagSet(List.of(Tag.builder()
                                .key("owner")
                                .value("platform-team")
                                .build()))));
        assertThat(loan.run(Step.CLEAN)).isInstanceOf(Done.class);
        assertThat(loan.run(Step.VERIFY)).isInstanceOf(Done.class);
        assertThat(account.s3().listBuckets().buckets().stream().map(Bucket::name))
                .containsExactlyInAnyOrder("kept-1", "tagged-1", "of-a-kept-stack");
        assertThat(account.logs().describeLogGroups().logGroups())
                .singleElement()
                .satisfies(group -> assertThat(group.logGroupName()).isEqualTo("/org/trail"));
    }

    @Test
    void whatTheRegionsOfAnAccountShareIsLeftAloneWhileANeighbourIsLent() {
        var account = aws.account("100000000015");
        var loan = aws.loan(account, Map.of()).adopt();
        account.iam().createRole(create -> create.roleName("Neighbours").assumeRolePolicyDocument(AwsAccount.TRUST));
        loan.accountIdle.set(false);
        assertThat(loan.run(Step.CLEAN)).isInstanceOf(Done.class);
        assertThat(loan.run(Step.VERIFY)).isInstanceOf(Done.class);
        account.bucket("beside-a-neighbour");
        assertThat(loan.run(Step.VERIFY))
                .isInstanceOfSatisfying(
                        Failed.class,
                        failed -> assertThat(
                                        requireNonNull(failed.found()).things().toString())
                                .contains("beside-a-neighbour")
                                .doesNotContain("Neighbours"));
        loan.accountIdle.set(true);
        assertThat(loan.run(Step.VERIFY))
                .isInstanceOfSatisfying(
                        Failed.class, failed -> assertThat(failed.reason()).contains("left: iam role Neighbours/"));
        assertThat(loan.run(Step.CLEAN)).isInstanceOf(Done.class);
        assertThat(loan.run(Step.VERIFY)).isInstanceOf(Done.class);

        loan.baseline = null;
        loan.accountIdle.set(false);
        assertThat(loan.run(Step.VERIFY)).isInstanceOf(Unavailable.class);
    }

    /** As a baseline is that an older version kept, which knew of fewer types. */
    @Test
    void whatNobodyListedWhenTheBaselineWasKeptIsNotDeletedAndBelongsThereFromThenOn() {
        var account = aws.account("100000000071");
        account.logs().createLogGroup(create -> create.logGroupName("/old"));
        var loan = aws.loan(account, Map.of()).adopt();
        var kept = new TreeMap<>(requireNonNull(loan.baseline).things());
        kept.remove("log group");
        kept.computeIfPresent(
                "listed types", (_, line) -> new TreeSet<>(List.of(line.first().replace("log group, ", ""))));
        var whole = loan.baseline;
        loan.baseline = new Inventory(kept);
        assertThat(loan.baseline).isNotEqualTo(whole);

        assertThat(loan.run(Step.CLEAN)).isInstanceOf(Done.class);
        assertThat(account.logs().describeLogGroups().logGroups()).hasSize(1);
        assertThat(loan.run(Step.VERIFY))
                .isInstanceOfSatisfying(
                        Done.class, done -> assertThat(done.found()).isEqualTo(whole));
        loan.baseline = whole;
        account.logs().createLogGroup(create -> create.logGroupName("/new"));
        assertThat(loan.run(Step.CLEAN)).isInstanceOf(Done.class);
        assertThat(account.logs().describeLogGroups().logGroups())
                .singleElement()
                .satisfies(group -> assertThat(group.logGroupName()).isEqualTo("/old"));
    }

    @Test
    void whatIsMissingAndWhatWasChangedIsResidueToo() {
        var account = aws.account("100000000016");
        account.bucket("missing-1");
        account.iam().createUser(create -> create.userName("operator"));
        var loan = aws.loan(account, Map.of()).adopt();
        account.s3().deleteBucket(delete -> delete.bucket("missing-1"));
        account.iam().createAccessKey(create -> create.userName("operator"));
        account.iam()
                .updateAssumeRolePolicy(update -> update.roleName("Admin")
                        .policyDocument(AwsAccount.TRUST.replace("123456789012", "666666666666")));
        assertThat(loan.run(Step.CLEAN)).isInstanceOf(Done.class);
        assertThat(loan.run(Step.VERIFY))
                .isInstanceOfSatisfying(
                        Failed.class,
                        failed -> assertThat(failed.report())
                                .contains(
                                        "missing: s3 bucket missing-1",
                                        "changed: iam user operator/",
                                        "changed: lent role Admin/"));
    }

    @Test
    void nothingIsAgreedToWhileItChanges() {
        var account = aws.account("100000000021");
        var loan = aws.loan(account, Map.of()).adopt();
        var count = new AtomicInteger();
        aws.strict().fault(call -> {
            if (call.of(account) && call.is("logs", "DescribeLogGroups")) {
                account.logs().createLogGroup(create -> create.logGroupName("/changing/" + count.incrementAndGet()));
            }
            return null;
        });
        assertThat(loan.run(Step.VERIFY))
                .isInstanceOfSatisfying(
                        Failed.class, failed -> assertThat(failed.reason()).contains("no two listings"));
    }

    @Test
    void throttlingAndCutConnectionsAreOutlived() {
        var account = aws.account("100000000018");
        var loan = aws.loan(account, Map.of()).adopt();
        account.bucket("throttled-1");
        var left = new AtomicInteger(2);
        var cut = new AtomicInteger(1);
        aws.strict()
                .fault(call -> call.of(account) && call.service().equals("logs") && left.getAndDecrement() > 0
                        ? Answer.error(400, "ThrottlingException", "Rate exceeded")
                        : null);
        aws.strict()
                .fault(call -> call.of(account) && call.operation().startsWith("DELETE ") && cut.getAndDecrement() > 0
                        ? Answer.cut()
                        : null);
        assertThat(loan.run(Step.CLEAN)).isInstanceOf(Done.class);
        assertThat(left.get()).isNegative();
        assertThat(cut.get()).isNegative();
        assertThat(account.s3().listBuckets().buckets()).isEmpty();
    }

    @Test
    void whatTheEnvironmentDidNotCauseMakesItNoDirtier() {
        var account = aws.account("100000000019");
        var loan = aws.loan(account, Map.of()).adopt();
        loan.issue();
        var own = List.of(
                Answer.error(403, "ExpiredToken", "The security token included in the request is expired"),
                Answer.error(403, "InvalidClientTokenId", "The security token included in the request is invalid"),
                Answer.error(
                        403,
                        "AccessDenied",
                        "User: berth is not authorized to perform: sts:AssumeRole because no identity-based policy allows the sts:AssumeRole action"));
        for (var answer : own) {
            var fault = aws.strict().fault(call -> call.of(account) && call.is("sts", "AssumeRole") ? answer : null);
            for (var step : Step.values()) {
                assertThat(loan.run(step)).as(step + " " + answer).isInstanceOf(Unavailable.class);
            }
            aws.strict().mend(fault);
        }
        // The role's trust policy is the account's: whoever held it may have changed it.
        aws.strict()
                .fault(call -> call.of(account) && call.is("sts", "AssumeRole")
                        ? Answer.error(
                                403,
                                "AccessDenied",
                                "User: berth is not authorized to perform: sts:AssumeRole because no role trust policy allows the sts:AssumeRole action")
                        : null);
        assertThat(loan.run(Step.VERIFY)).isInstanceOf(Failed.class);
    }

    @Test
    void anEndpointThatIsDownMakesNothingDirty() {
        var account = aws.account("100000000020");
        var loan = aws.loan(account, Map.of()).adopt();
        account.bucket("down-1");
        aws.strict().fault(call -> call.of(account) && call.operation().startsWith("DELETE ") ? Answer.cut() : null);
        assertThat(loan.run(Step.CLEAN)).isInstanceOf(Unavailable.class);
    }
}
