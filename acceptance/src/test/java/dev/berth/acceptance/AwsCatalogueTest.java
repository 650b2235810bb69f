package dev.berth.acceptance;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.acceptance.StrictAws.Answer;
import dev.berth.core.Step;
import dev.berth.providers.StepResult.Done;
import dev.berth.providers.StepResult.Failed;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every type of things that the provider knows, each with one thing of it that belongs to the account. */
class AwsCatalogueTest {
    private static final Map<String, Object> NOTHING = Map.of();

    @TempDir
    private static Path folder;

    private static AwsLab aws;
    private static AwsAccount account;
    private static AwsTypes types;

    @BeforeAll
    static void start() {
        aws = AwsLab.start(folder);
        account = aws.account("300000000001");
        types = new AwsTypes(account);
        types.makers().values().forEach(make -> make.accept("belongs"));
    }

    @AfterAll
    static void stop() {
        aws.close();
    }

    @Test
    void oneOfEachTypeThatWasLeftIsResidueAndSweptAndOneThatBelongsThereIsNeither() {
        assertThat(types.makers().keySet()).isEqualTo(AwsLab.types());
        var untouched =
                aws.loan(account, Map.of("keep", NOTHING, "sweep", false)).adopt();
        types.makers().values().forEach(make -> make.accept("theirs"));
        assertThat(untouched.run(Step.VERIFY)).isInstanceOfSatisfying(Failed.class, failed -> {
            for (var type : types.makers().keySet()) {
                assertThat(failed.report()).contains("left: " + type + " ");
            }
            assertThat(failed.report()).doesNotContain("missing", "changed", "belongs");
        });

        var swept = aws.loan(account, Map.of("keep", NOTHING));
        swept.baseline = untouched.baseline;
        assertThat(swept.run(Step.CLEAN)).isInstanceOf(Done.class);
        assertThat(swept.run(Step.VERIFY)).isInstanceOf(Done.class);
    }

    @Test
    void nothingIsAgreedToBecauseAListingWasRefused() {
        Set<String> refused = new HashSet<>();
        for (var type : types.makers().keySet()) {
            var others = AwsLab.types();
            others.remove(type);
            var loan = aws.loan(account, AwsLab.keepingAll(others));
            int before = aws.strict().calls(account.id()).size();
            loan.adopt();
            var calls = aws.strict().calls(account.id());
            calls.subList(before, calls.size()).stream()
                    .filter(call -> !call.is("sts", "GetCallerIdentity"))
                    .map(AwsCatalogueTest::what)
                    .filter(refused::add)
                    .distinct()
                    .forEach(what -> {
                        var refusal = aws.strict()
                                .fault(call -> call.of(account) && what(call).equals(what)
                                        ? Answer.error(403, "AccessDenied", "no")
                                        : null);
                        assertThat(loan.run(Step.VERIFY)).as(what).isInstanceOf(Failed.class);
                        aws.strict().mend(refusal);
                    });
        }
        assertThat(refused).hasSizeGreaterThan(types.makers().size());
    }

    private static String what(StrictAws.Call call) {
        return call.service() + " " + call.operation();
    }
}
