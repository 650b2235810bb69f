package dev.berth.server.store;

import dev.berth.core.Allocation;
import dev.berth.core.AllocationId;
import dev.berth.core.AllocationState;
import dev.berth.core.Claim;
import dev.berth.core.ClaimId;
import dev.berth.core.EndReason;
import dev.berth.core.Environment;
import dev.berth.core.EnvironmentName;
import dev.berth.core.EnvironmentState;
import dev.berth.core.Event;
import dev.berth.core.Grant;
import dev.berth.core.Policy;
import dev.berth.core.Pool;
import dev.berth.core.PoolName;
import dev.berth.core.Registration;
import dev.berth.core.Request;
import dev.berth.core.Sealed;
import dev.berth.core.Step;
import dev.berth.core.Tenant;
import dev.berth.core.Work;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.json.JsonMapper;

/** How rows become values of the rules, and values rows. What is looked for by nobody is kept as JSON inside a row. */
final class Rows {
    private static final ObjectMapper JSON = JsonMapper.builder().build();
    private static final TypeReference<Map<String, String>> FACTS = new TypeReference<>() {};
    private static final TypeReference<List<GrantText>> GRANTS = new TypeReference<>() {};
    private static final TypeReference<Set<String>> NAMES = new TypeReference<>() {};
    private static final int MOST_POLICIES = 10_000;

    /** Policies change rarely and are read with every batch. */
    private final Map<String, Policy> policies = new ConcurrentHashMap<>();

    // ---- pools

    static final String POOL_COLUMNS = """
            number, name, policy, listed, sequence, events, available, allocated, cleaning, checking, dirty, retiring, \
            waiting, issuing, maintained, breaker_failures, breaker_open_until, touched_at""";

    Pool pool(ResultSet row) throws SQLException {
        return new Pool(
                row.getInt(1),
                new PoolName(row.getString(2)),
                policy(row.getString(3)),
                row.getInt(4) == 1,
                row.getLong(5),
                row.getLong(6),
                new Pool.Counts(
                        row.getInt(7), row.getInt(8), row.getInt(9), row.getInt(10), row.getInt(11), row.getInt(12)),
                row.getInt(13),
                row.getInt(14),
                row.getInt(15),
                new Pool.Breaker(row.getInt(16), instant(row, 17)),
                Instant.ofEpochMilli(row.getLong(18)));
    }

    private Policy policy(String text) {
        if (policies.size() > MOST_POLICIES) {
            policies.clear();
        }
        return policies.computeIfAbsent(
                text, json -> JSON.readValue(json, PolicyText.class).policy());
    }

    static String text(Policy policy) {
        return JSON.writeValueAsString(PolicyText.of(policy));
    }

    private record PolicyText(
            String provider,
            String settings,
            Set<Step> steps,
            @Nullable Long session,
            @Nullable Long maxSession,
            @Nullable Long keepalive,
            long retryAfter,
            boolean adopt,
            Map<Step, LimitsText> limits,
            @Nullable Long verifyEvery,
            int queueMax,
            long maxWait,
            int parallel,
            int perAccount) {

        static PolicyText of(Policy policy) {
            var limits = new EnumMap<Step, LimitsText>(Step.class);
            policy.limits()
                    .forEach((step, bounds) ->
                            limits.put(step, new LimitsText(bounds.timeout().toMillis(), bounds.attempts())));
            var steps = EnumSet.noneOf(Step.class);
            steps.addAll(policy.steps());
            return new PolicyText(
                    policy.provider(),
                    policy.settings(),
                    steps,
                    millis(policy.session()),
                    millis(policy.maxSession()),
                    millis(policy.keepalive()),
                    policy.retryAfter().toMillis(),
                    policy.adopt(),
                    limits,
                    millis(policy.verifyEvery()),
                    policy.queueMax(),
                    policy.maxWait().toMillis(),
                    policy.parallel(),
                    policy.perAccount());
        }

        Policy policy() {
            var bounds = new EnumMap<Step, Policy.Limits>(Step.class);
            limits.forEach((step, text) ->
                    bounds.put(step, new Policy.Limits(Duration.ofMillis(text.timeout()), text.attempts())));
            return new Policy(
                    provider,
                    settings,
                    steps,
                    duration(session),
                    duration(maxSession),
                    duration(keepalive),
                    Duration.ofMillis(retryAfter),
                    adopt,
                    bounds,
                    duration(verifyEvery),
                    queueMax,
                    Duration.ofMillis(maxWait),
                    parallel,
                    perAccount);
        }
    }

    private record LimitsText(long timeout, int attempts) {}

    // ---- environments

    static final String ENVIRONMENT_COLUMNS = """
            name, pool, identity, account, facts, digest, epoch, drain, quarantine, since, turn, tenant_allocation, \
            tenant_requester, tenant_principal, state, due_at, detail""";

    static Environment environment(ResultSet row) throws SQLException {
        var drain = row.getString(8);
        var tenant = row.getString(12);
        return new Environment(
                row.getInt(2),
                new Registration(
                        new EnvironmentName(row.getString(1)),
                        row.getString(3),
                        row.getString(4),
                        row.getString(5),
                        row.getString(6)),
                row.getLong(7),
                drain == null ? null : Environment.Drain.valueOf(drain),
                row.getString(9),
                Instant.ofEpochMilli(row.getLong(10)),
                row.getLong(11),
                tenant == null ? null : new Tenant(new AllocationId(tenant), row.getString(13), row.getString(14)),
                state(stateName(row.getString(15)), instant(row, 16), row.getString(17)));
    }

    private static EnvironmentState state(
            EnvironmentState.Name name, @Nullable Instant dueAt, @Nullable String detail) {
        var text = detail == null ? Detail.NOTHING : JSON.readValue(detail, Detail.class);
        return switch (name) {
            case AVAILABLE -> new EnvironmentState.Available(dueAt);
            case ALLOCATED -> new EnvironmentState.Allocated(text.work == null ? null : text.work.work());
            case CLEANING ->
                new EnvironmentState.Cleaning(Objects.requireNonNull(text.work).work());
            case CHECKING ->
                new EnvironmentState.Checking(Objects.requireNonNull(text.work).work(), text.reason);
            case DIRTY -> new EnvironmentState.Dirty(Objects.requireNonNull(text.reason), text.report);
            case RETIRED -> new EnvironmentState.Retired(text.reason, text.byOperator);
        };
    }

    static @Nullable String detail(EnvironmentState state) {
        var detail = switch (state) {
            case EnvironmentState.Available _ -> null;
            case EnvironmentState.Allocated(var work) ->
                work == null ? null : new Detail(WorkText.of(work), null, null, false);
            case EnvironmentState.Cleaning(var work) -> new Detail(WorkText.of(work), null, null, false);
            case EnvironmentState.Checking(var work, var because) ->
                new Detail(WorkText.of(work), because, null, false);
            case EnvironmentState.Dirty(var reason, var report) -> new Detail(null, reason, report, false);
            case EnvironmentState.Retired(var because, var byOperator) -> new Detail(null, because, null, byOperator);
        };
        return detail == null ? null : JSON.writeValueAsString(detail);
    }

    private record Detail(
            @Nullable WorkText work,
            @Nullable String reason,
            @Nullable String report,
            boolean byOperator) {
        static final Detail NOTHING = new Detail(null, null, null, false);
    }

    private record WorkText(
            Step step,
            int failures,
            int stalls,
            long dueAt,
            @Nullable ClaimText claim,
            List<ClaimText> unfenced,
            boolean settling) {

        static WorkText of(Work work) {
            return new WorkText(
                    work.step(),
                    work.failures(),
                    work.stalls(),
                    work.dueAt().toEpochMilli(),
                    work.claim() == null ? null : ClaimText.of(work.claim()),
                    work.unfenced().stream().map(ClaimText::of).toList(),
                    work.settling());
        }

        Work work() {
            return new Work(
                    step,
                    failures,
                    stalls,
                    Instant.ofEpochMilli(dueAt),
                    claim == null ? null : claim.claim(),
                    unfenced.stream().map(ClaimText::claim).toList(),
                    settling);
        }
    }

    private record ClaimText(String id, String process, long until, long deadline) {
        static ClaimText of(Claim claim) {
            return new ClaimText(
                    claim.id().value(),
                    claim.process(),
                    claim.until().toEpochMilli(),
                    claim.deadline().toEpochMilli());
        }

        Claim claim() {
            return new Claim(new ClaimId(id), process, Instant.ofEpochMilli(until), Instant.ofEpochMilli(deadline));
        }
    }

    static EnvironmentState.Name stateName(String slug) {
        return EnvironmentState.Name.valueOf(slug.toUpperCase(Locale.ROOT));
    }

    static String slug(EnvironmentState.Name name) {
        return switch (name) {
            case AVAILABLE -> "available";
            case ALLOCATED -> "allocated";
            case CLEANING -> "cleaning";
            case CHECKING -> "checking";
            case DIRTY -> "dirty";
            case RETIRED -> "retired";
        };
    }

    // ---- allocations

    static final String REQUEST_COLUMNS = """
            id, pool, principal, requester, count, duration, asked_keepalive, max_wait, labels, idempotency_key, digest, \
            arrival, created_at, keepalive""";
    static final String LIVE_COLUMNS =
            REQUEST_COLUMNS + ", state, until, give_up_at, granted_at, expires_at, keepalive_by, avoid, grants";
    static final String ENDED_COLUMNS =
            REQUEST_COLUMNS + ", granted_at, expires_at, ended_at, end_reason, outcome, grants";

    static Allocation live(ResultSet row, PoolName pool) throws SQLException {
        AllocationState state = switch (row.getString(15)) {
            case "pending" -> new AllocationState.Pending(sure(row, 16), setbacks(row.getString(21)));
            case "granting" ->
                new AllocationState.Granting(
                        grants(row.getString(22)), sure(row, 16), sure(row, 17), setbacks(row.getString(21)));
            case "active" ->
                new AllocationState.Active(
                        grants(row.getString(22)), sure(row, 18), instant(row, 19), instant(row, 20));
            default -> throw new IllegalStateException("an allocation in state " + row.getString(15));
        };
        return allocation(row, pool, state);
    }

    static Allocation ended(ResultSet row, PoolName pool) throws SQLException {
        return allocation(
                row,
                pool,
                new AllocationState.Ended(
                        grants(row.getString(20)),
                        instant(row, 15),
                        instant(row, 16),
                        sure(row, 17),
                        EndReason.of(row.getString(18)),
                        row.getString(19)));
    }

    private static Allocation allocation(ResultSet row, PoolName pool, AllocationState state) throws SQLException {
        var request = new Request(
                row.getString(4),
                row.getInt(5),
                period(row, 6),
                period(row, 7),
                Duration.ofMillis(row.getLong(8)),
                row.getString(9),
                row.getString(10),
                row.getString(11));
        return new Allocation(
                new AllocationId(row.getString(1)),
                pool,
                row.getString(3),
                request,
                row.getLong(12),
                Instant.ofEpochMilli(row.getLong(13)),
                period(row, 14),
                state);
    }

    static String slug(AllocationState state) {
        return switch (state) {
            case AllocationState.Pending _ -> "pending";
            case AllocationState.Granting _ -> "granting";
            case AllocationState.Active _ -> "active";
            case AllocationState.Ended _ -> "ended";
        };
    }

    private static List<Grant> grants(@Nullable String text) {
        return text == null
                ? List.of()
                : JSON.readValue(text, GRANTS).stream().map(GrantText::grant).toList();
    }

    static @Nullable String text(List<Grant> grants) {
        return grants.isEmpty()
                ? null
                : JSON.writeValueAsString(grants.stream().map(GrantText::of).toList());
    }

    private record GrantText(
            String environment,
            long epoch,
            String facts,
            @Nullable String access) {
        static GrantText of(Grant grant) {
            return new GrantText(
                    grant.environment().value(),
                    grant.epoch(),
                    grant.facts(),
                    grant.access() == null ? null : grant.access().text());
        }

        Grant grant() {
            return new Grant(
                    new EnvironmentName(environment), epoch, facts, access == null ? null : new Sealed(access));
        }
    }

    private static AllocationState.Setbacks setbacks(@Nullable String text) {
        return text == null
                ? AllocationState.Setbacks.NONE
                : new AllocationState.Setbacks(JSON.readValue(text, NAMES).stream()
                        .map(EnvironmentName::new)
                        .collect(Collectors.toSet()));
    }

    static @Nullable String text(AllocationState.Setbacks setbacks) {
        return setbacks.avoid().isEmpty()
                ? null
                : JSON.writeValueAsString(setbacks.avoid().stream()
                        .map(EnvironmentName::value)
                        .sorted()
                        .toList());
    }

    // ---- events

    static final String EVENT_COLUMNS =
            "e.pool, e.number, e.at, e.type, e.allocation, e.environment, e.principal, e.data";

    static Event event(ResultSet row) throws SQLException {
        var allocation = row.getString(5);
        var environment = row.getString(6);
        var data = row.getString(8);
        return new Event(
                row.getLong(2),
                Instant.ofEpochMilli(row.getLong(3)),
                Event.Type.of(row.getString(4)),
                allocation == null ? null : new AllocationId(allocation),
                environment == null ? null : new EnvironmentName(environment),
                row.getString(7),
                data == null ? Map.of() : JSON.readValue(data, FACTS));
    }

    static @Nullable String text(Map<String, String> data) {
        return data.isEmpty() ? null : JSON.writeValueAsString(data);
    }

    // ---- columns

    static @Nullable Instant instant(ResultSet row, int column) throws SQLException {
        long millis = row.getLong(column);
        return row.wasNull() ? null : Instant.ofEpochMilli(millis);
    }

    private static Instant sure(ResultSet row, int column) throws SQLException {
        return Objects.requireNonNull(instant(row, column));
    }

    private static @Nullable Duration period(ResultSet row, int column) throws SQLException {
        long millis = row.getLong(column);
        return row.wasNull() ? null : Duration.ofMillis(millis);
    }

    private static @Nullable Duration duration(@Nullable Long millis) {
        return millis == null ? null : Duration.ofMillis(millis);
    }

    private static @Nullable Long millis(@Nullable Duration duration) {
        return duration == null ? null : duration.toMillis();
    }
}
