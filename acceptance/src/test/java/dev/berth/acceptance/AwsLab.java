package dev.berth.acceptance;

import dev.berth.core.Step;
import dev.berth.providers.Inventory;
import dev.berth.providers.Kind;
import dev.berth.providers.Provider;
import dev.berth.providers.StepResult;
import dev.berth.providers.Task;
import dev.berth.providers.aws.AwsKind;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** An emulated AWS, strict, and a provider on it, without a server around. Tests take an account each, so they may run at once. */
final class AwsLab implements AutoCloseable {
    static final String REGION = "eu-west-1";
    /** Of Berth itself; a test's own process has them as system properties, a server as variables. */
    static final String OWN_KEY = "AKIABERTHSOWNKEY";

    private final Moto moto;
    private final StrictAws strict;
    private final AtomicLong claims = new AtomicLong();
    private final AtomicLong allocations = new AtomicLong();

    private AwsLab(Moto moto, StrictAws strict) {
        this.moto = moto;
        this.strict = strict;
    }

    static AwsLab start(Path folder) {
        System.setProperty("aws.accessKeyId", OWN_KEY);
        System.setProperty("aws.secretAccessKey", "own");
        var moto = Moto.start(folder);
        return new AwsLab(moto, new StrictAws(moto.url()));
    }

    StrictAws strict() {
        return strict;
    }

    /** Where Berth is told that AWS is. */
    URI endpoint() {
        return strict.url();
    }

    /** An account as its owner sees it: nothing is in the way. */
    AwsAccount account(String id) {
        return account(id, REGION);
    }

    AwsAccount account(String id, String region) {
        return account(id, region, AwsAccount.ADMIN);
    }

    /**
     * One that lends another role than the one that it would have from the beginning.
     *
     * @param admin the role's name
     */
    AwsAccount account(String id, String region, String admin) {
        return new AwsAccount(moto.url(), id, region, admin);
    }

    /** All types of things that are swept, as the provider tells them to whoever names one that there is not. */
    static NavigableSet<String> types() {
        try {
            new AwsKind().create("p", keepingAll(Set.of("nonsense")), Map.of());
            throw new AssertionError("it took nonsense for a type");
        } catch (Kind.InvalidSettings e) {
            var message = e.mistakes().getFirst().message();
            var types = new TreeSet<>(
                    List.of(message.replaceFirst(".*known are ", "").split(", ")));
            types.removeAll(Set.of("cloudformation stack", "lent role"));
            return types;
        }
    }

    /** Settings with which no things of these types are even listed. */
    static Map<String, Object> keepingAll(Collection<String> types) {
        return Map.of("keep", Map.of("names", rules(types)));
    }

    private static List<String> rules(Collection<String> types) {
        return types.stream().map(type -> type + ": *").toList();
    }

    /** Rules that keep what only {@link AwsCatalogueTest} has to do with: looking for it takes all others much time. */
    static List<String> most() {
        var types = types();
        types.removeAll(Set.of(
                "ecr repository",
                "iam policy",
                "iam role",
                "iam user",
                "log group",
                "s3 bucket",
                "secret",
                "security group",
                "subnet",
                "vpc"));
        return rules(types);
    }

    /** A provider that knows nothing of earlier ones, as after a restart; it looks for a few types of things where no {@code keep} is given. */
    Provider provider(AwsAccount account, Map<String, Object> settings) {
        var all = new HashMap<String, Object>(Map.of("keep", Map.of("names", most())));
        all.putAll(settings);
        all.putIfAbsent("endpoint", endpoint().toString());
        all.putIfAbsent("propagation", "0s");
        try {
            return new AwsKind()
                    .create(
                            "release",
                            all,
                            Map.of(environment(account), new Kind.Record(facts(account), Kind.Secrets.NONE)));
        } catch (Kind.InvalidSettings e) {
            throw new IllegalStateException(e);
        }
    }

    private static String environment(AwsAccount account) {
        return account.id() + "-" + account.region();
    }

    static Map<String, Object> facts(AwsAccount account) {
        return Map.of(
                "account", account.id(),
                "region", account.region(),
                "adminRoleArn", account.adminRole(),
                "access", Map.of("readonly", Map.of("role", account.role("ReadOnly"))));
    }

    /** A loan of an account, and the steps around it. */
    final class Loan {
        final AwsAccount account;
        final Provider provider;
        final String allocation;
        final AtomicBoolean held = new AtomicBoolean(true);
        final AtomicBoolean accountIdle = new AtomicBoolean(true);
        Duration timeout = Duration.ofSeconds(40);

        @Nullable
        String profile;

        @Nullable
        Inventory baseline;

        Loan(AwsAccount account, Provider provider) {
            this.account = account;
            this.provider = provider;
            this.allocation = "1-0mhabcdef-%026d".formatted(allocations.incrementAndGet());
        }

        Task task() {
            return new Task(
                    environment(account),
                    facts(account),
                    7,
                    new Task.Holder(allocation, "https://ci.example/job/" + allocation, "ci", profile),
                    "w" + claims.incrementAndGet(),
                    timeout,
                    held::get,
                    baseline,
                    accountIdle::get);
        }

        StepResult run(Step step) {
            try {
                return provider.run(step, task());
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }

        /** Registers the account as it is. */
        Loan adopt() {
            baseline = ((StepResult.Done) run(Step.VERIFY)).found();
            return this;
        }

        StepResult.Access issue() {
            var done = (StepResult.Done) run(Step.ISSUE);
            return java.util.Objects.requireNonNull(done.access());
        }

        /** Who holds it, as AWS sees it. */
        AwsAccount.Holder holder(StepResult.Access access) {
            return new AwsAccount.Holder(strict.url(), account.region(), access.env());
        }
    }

    Loan loan(AwsAccount account, Map<String, Object> settings) {
        return new Loan(account, provider(account, settings));
    }

    @Override
    public void close() {
        strict.close();
        moto.close();
    }
}
