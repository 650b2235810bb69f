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
import dev.berth.core.Fit;
import dev.berth.core.Grant;
import dev.berth.core.Holder;
import dev.berth.core.Line;
import dev.berth.core.NeedClass;
import dev.berth.core.Policy;
import dev.berth.core.Pool;
import dev.berth.core.PoolName;
import dev.berth.core.Registration;
import dev.berth.core.Request;
import dev.berth.core.Sealed;
import dev.berth.core.Shape;
import dev.berth.core.ShapeCount;
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
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
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

    private final Selectors selectors = new Selectors();

    // ---- pools

    static final String POOL_COLUMNS = """
            number, name, policy, listed, generation, sequence, events, available, allocated, cleaning, checking, dirty, retiring, \
            waiting, polling, on_hold, issuing, maintained, breaker_failures, breaker_open_until, touched_at, \
            revision, withheld""";

    static long revision(ResultSet pool) throws SQLException {
        return pool.getLong(22);
    }

    Pool pool(ResultSet row) throws SQLException {
        return new Pool(
                row.getInt(1),
                new PoolName(row.getString(2)),
                policy(row.getString(3)),
                row.getInt(4) == 1,
                row.getInt(5),
                row.getLong(6),
                row.getLong(7),
                new Pool.Counts(
                        row.getInt(8),
                        row.getInt(9),
                        row.getInt(10),
                        row.getInt(11),
                        row.getInt(23),
                        row.getInt(12),
                        row.getInt(13)),
                row.getInt(14),
                row.getInt(15),
                row.getInt(16),
                row.getInt(17),
                row.getInt(18),
                new Pool.Breaker(row.getInt(19), instant(row, 20)),
                Instant.ofEpochMilli(row.getLong(21)));
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
            QueueText queue,
            QuotaText quota,
            Map<String, QuotaText> quotas,
            @Nullable HoldTermsText hold,
            int parallel,
            int perAccount,
            @Nullable Boolean isolates) {

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
                    QueueText.of(policy.queue()),
                    QuotaText.of(policy.quota()),
                    map(policy.quotas(), QuotaText::of),
                    policy.hold() == null ? null : HoldTermsText.of(policy.hold()),
                    policy.parallel(),
                    policy.perAccount(),
                    policy.isolates() ? true : null);
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
                    queue.queueing(),
                    quota.quota(),
                    map(quotas, QuotaText::quota),
                    hold == null ? null : hold.hold(),
                    parallel,
                    perAccount,
                    isolates != null && isolates);
        }
    }

    private record LimitsText(long timeout, int attempts) {}

    private record QueueText(
            int max,
            long maxWait,
            Policy.Queueing.Order order,
            @Nullable String shareBy,
            long halfLife,
            long aging,
            long liveness,
            int maxPriority) {

        static QueueText of(Policy.Queueing queue) {
            return new QueueText(
                    queue.max(),
                    queue.maxWait().toMillis(),
                    queue.order(),
                    queue.shareBy(),
                    queue.halfLife().toMillis(),
                    queue.aging().toMillis(),
                    queue.liveness().toMillis(),
                    queue.maxPriority());
        }

        Policy.Queueing queueing() {
            return new Policy.Queueing(
                    max,
                    Duration.ofMillis(maxWait),
                    order,
                    shareBy,
                    Duration.ofMillis(halfLife),
                    Duration.ofMillis(aging),
                    Duration.ofMillis(liveness),
                    maxPriority);
        }
    }

    private record QuotaText(
            @Nullable Integer held, @Nullable Integer queued) {
        static QuotaText of(Policy.Quota quota) {
            return new QuotaText(quota.held(), quota.queued());
        }

        Policy.Quota quota() {
            return new Policy.Quota(held, queued);
        }
    }

    private record HoldTermsText(long max, int quota) {
        static HoldTermsText of(Policy.Hold hold) {
            return new HoldTermsText(hold.max().toMillis(), hold.quota());
        }

        Policy.Hold hold() {
            return new Policy.Hold(Duration.ofMillis(max), quota);
        }
    }

    private static <A, B> Map<String, B> map(Map<String, A> from, Function<A, B> each) {
        var to = new TreeMap<String, B>();
        from.forEach((name, value) -> to.put(name, each.apply(value)));
        return to;
    }

    // ---- shapes, lines, holders

    static final String SHAPE_COUNT_COLUMNS = "shape, free, held, upkeep, dirty, draining";

    ShapeCount shapeCount(Lane lane, ResultSet row) throws SQLException {
        return new ShapeCount(
                shape(lane, row.getString(1)),
                row.getInt(2),
                row.getInt(3),
                row.getInt(4),
                row.getInt(5),
                row.getInt(6));
    }

    private Shape shape(Lane lane, String digest) {
        return selectors.shape(
                digest,
                () -> lane.one(row -> row.getString(1), "SELECT content FROM shape WHERE digest = ?", digest)
                        .orElseThrow(() -> new StoreException("no shape has digest " + digest)));
    }

    Fit fit(Pool pool, Map<String, ShapeCount> shapes) {
        return selectors.fit(pool.number(), shapes);
    }

    static final String LINE_COLUMNS = "need, holder, waiting, needs";

    Line line(ResultSet row) throws SQLException {
        var key = new Line.Key(row.getString(1), row.getString(2));
        return new Line(key, key.need().isEmpty() ? null : need(row, 1, 4), row.getInt(3));
    }

    /** The digest is in one column, the text in the other: that is fetched only where it is not known. */
    NeedClass need(ResultSet row, int digest, int text) throws SQLException {
        var known = selectors.need(row.getString(digest));
        return known == null ? selectors.need(row.getString(digest), row.getString(text)) : known;
    }

    static final String HOLDER_COLUMNS = "name, held, queued, used, as_of, served_at";

    static Holder holder(ResultSet row) throws SQLException {
        return new Holder(row.getString(1), row.getInt(2), row.getInt(3), row.getDouble(4), sure(row, 5), sure(row, 6));
    }

    // ---- environments

    static final String ENVIRONMENT_COLUMNS = """
            name, pool, identity, account, facts, digest, epoch, drain, quarantine, since, turn, tenant_allocation, \
            tenant_requester, tenant_principal, state, due_at, detail, shape, back_at, event_pool, \
            event_number""";

    /** The latest event about an environment; null where there never was one. */
    static @Nullable EventPlace latestEvent(ResultSet environment) throws SQLException {
        int pool = environment.getInt(20);
        return pool == 0 ? null : new EventPlace(pool, environment.getLong(21));
    }

    Environment environment(Lane lane, ResultSet row) throws SQLException {
        var drain = row.getString(8);
        var tenant = row.getString(12);
        return new Environment(
                row.getInt(2),
                new Registration(
                        new EnvironmentName(row.getString(1)),
                        row.getString(3),
                        row.getString(4),
                        shape(lane, row.getString(18)),
                        row.getString(5),
                        row.getString(6)),
                row.getLong(7),
                drain == null ? null : Environment.Drain.valueOf(drain),
                row.getString(9),
                Instant.ofEpochMilli(row.getLong(10)),
                row.getLong(11),
                tenant == null ? null : new Tenant(new AllocationId(tenant), row.getString(13), row.getString(14)),
                state(stateName(row.getString(15)), instant(row, 16), row.getString(17), instant(row, 19)));
    }

    private static EnvironmentState state(
            EnvironmentState.Name name, @Nullable Instant dueAt, @Nullable String detail, @Nullable Instant backAt) {
        var text = detail == null ? Detail.NOTHING : JSON.readValue(detail, Detail.class);
        return switch (name) {
            case AVAILABLE -> new EnvironmentState.Available(dueAt);
            case ALLOCATED ->
                new EnvironmentState.Allocated(
                        text.work == null ? null : text.work.work(),
                        text.backAt == null ? backAt : Instant.ofEpochMilli(text.backAt));
            case CLEANING ->
                new EnvironmentState.Cleaning(Objects.requireNonNull(text.work).work());
            case CHECKING ->
                new EnvironmentState.Checking(Objects.requireNonNull(text.work).work(), text.reason);
            case WITHHELD -> Objects.requireNonNull(text.withheld).state(dueAt);
            case DIRTY -> new EnvironmentState.Dirty(Objects.requireNonNull(text.reason), text.report);
            case RETIRED -> new EnvironmentState.Retired(text.reason, text.byOperator);
        };
    }

    static @Nullable String detail(Environment environment) {
        var detail = switch (environment.state()) {
            case EnvironmentState.Available _ -> null;
            case EnvironmentState.Withheld(var _, var by, var untilMended) ->
                new Detail(null, null, null, false, null, new WithheldText(by.value(), untilMended));
            case EnvironmentState.Allocated(var work, var back) -> {
                var hidden = back == null || !environment.isRetiring() ? null : back.toEpochMilli();
                yield work == null && hidden == null
                        ? null
                        : new Detail(work == null ? null : WorkText.of(work), null, null, false, hidden, null);
            }
            case EnvironmentState.Cleaning(var work) -> new Detail(WorkText.of(work), null, null, false, null, null);
            case EnvironmentState.Checking(var work, var because) ->
                new Detail(WorkText.of(work), because, null, false, null, null);
            case EnvironmentState.Dirty(var reason, var report) -> new Detail(null, reason, report, false, null, null);
            case EnvironmentState.Retired(var because, var byOperator) ->
                new Detail(null, because, null, byOperator, null, null);
        };
        return detail == null ? null : JSON.writeValueAsString(detail);
    }

    /** When it comes back, as the column has it that is looked at for what can be lent then. */
    static @Nullable Instant backAt(Environment environment) {
        return environment.state() instanceof EnvironmentState.Allocated(var _, var back) && !environment.isRetiring()
                ? back
                : null;
    }

    /** Whether it is lent again without a person's doing; -1 for one that is gone. */
    static int lendable(Environment environment) {
        return switch (environment.state()) {
            case EnvironmentState.Retired _ -> -1;
            case EnvironmentState.Dirty _ -> 0;
            case EnvironmentState.Withheld withheld -> withheld.untilMended() ? 0 : 1;
            case EnvironmentState.Available _,
                    EnvironmentState.Allocated _,
                    EnvironmentState.Cleaning _,
                    EnvironmentState.Checking _ -> environment.isRetiring() ? 0 : 1;
        };
    }

    /**
     * What no statement looks for.
     *
     * @param backAt of one that drains: the column does not have it then
     */
    private record Detail(
            @Nullable WorkText work,
            @Nullable String reason,
            @Nullable String report,
            boolean byOperator,
            @Nullable Long backAt,
            @Nullable WithheldText withheld) {
        static final Detail NOTHING = new Detail(null, null, null, false, null, null);
    }

    private record WithheldText(String by, boolean untilMended) {
        EnvironmentState state(@Nullable Instant checkAt) {
            return new EnvironmentState.Withheld(checkAt, new EnvironmentName(by), untilMended);
        }
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
            case WITHHELD -> "withheld";
            case DIRTY -> "dirty";
            case RETIRED -> "retired";
        };
    }

    // ---- allocations

    static final String REQUEST_COLUMNS = """
            id, pool, principal, requester, need, needs, duration, asked_keepalive, max_wait, priority, labels, idempotency_key, \
            digest, sharer, arrival, rank, created_at, keepalive""";
    static final String STATE_COLUMNS = """
            state, until, interest_until, open_until, give_up_at, granted_at, expires_at, keepalive_by, collect_by, loan, hold, \
            asked_at, kept_until, misses, awake, avoid, grants""";
    static final String LIVE_COLUMNS = REQUEST_COLUMNS + ", " + STATE_COLUMNS;
    static final String ENDED_COLUMNS =
            REQUEST_COLUMNS + ", granted_at, expires_at, ended_at, end_reason, outcome, grants, held_for";

    Allocation live(ResultSet row, PoolName pool) throws SQLException {
        AllocationState state = switch (row.getString(19)) {
            case "pending" ->
                new AllocationState.Pending(
                        sure(row, 20), instant(row, 21), sure(row, 22), setbacks(row.getString(34)));
            case "polling" ->
                new AllocationState.Polling(sure(row, 30), instant(row, 31), row.getInt(32), row.getInt(33) == 1);
            case "granting" ->
                new AllocationState.Granting(
                        grants(row.getString(35)),
                        sure(row, 20),
                        sure(row, 23),
                        instant(row, 22),
                        row.getInt(28) == 1,
                        setbacks(row.getString(34)));
            case "active" ->
                new AllocationState.Active(
                        grants(row.getString(35)),
                        sure(row, 24),
                        instant(row, 25),
                        instant(row, 26),
                        instant(row, 27),
                        row.getInt(28) == 1,
                        hold(row.getString(29)));
            default -> throw new IllegalStateException("an allocation in state " + row.getString(19));
        };
        return allocation(row, pool, state);
    }

    Allocation ended(ResultSet row, PoolName pool) throws SQLException {
        return allocation(
                row,
                pool,
                new AllocationState.Ended(
                        grants(row.getString(24)),
                        instant(row, 19),
                        instant(row, 20),
                        sure(row, 21),
                        EndReason.of(row.getString(22)),
                        row.getString(23),
                        names(row.getString(25))));
    }

    private Allocation allocation(ResultSet row, PoolName pool, AllocationState state) throws SQLException {
        var request = new Request(
                row.getString(4),
                need(row, 5, 6),
                period(row, 7),
                period(row, 8),
                Duration.ofMillis(row.getLong(9)),
                row.getInt(10),
                row.getString(11),
                row.getString(12),
                row.getString(13));
        return new Allocation(
                new AllocationId(row.getString(1)),
                pool,
                row.getString(3),
                request,
                row.getString(14),
                row.getLong(15),
                row.getLong(16),
                Instant.ofEpochMilli(row.getLong(17)),
                period(row, 18),
                state);
    }

    static String slug(AllocationState state) {
        return switch (state) {
            case AllocationState.Pending _ -> "pending";
            case AllocationState.Polling _ -> "polling";
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
            @Nullable String profile,
            @Nullable String access) {
        static GrantText of(Grant grant) {
            return new GrantText(
                    grant.environment().value(),
                    grant.epoch(),
                    grant.facts(),
                    grant.profile(),
                    grant.access() == null ? null : grant.access().text());
        }

        Grant grant() {
            return new Grant(
                    new EnvironmentName(environment),
                    epoch,
                    facts,
                    profile,
                    access == null ? null : new Sealed(access));
        }
    }

    private static AllocationState.@Nullable Hold hold(@Nullable String text) {
        return text == null ? null : JSON.readValue(text, HoldText.class).hold();
    }

    static @Nullable String text(AllocationState.@Nullable Hold hold) {
        return hold == null ? null : JSON.writeValueAsString(HoldText.of(hold));
    }

    private record HoldText(
            long since,
            long until,
            Set<String> to,
            @Nullable String outcome) {
        static HoldText of(AllocationState.Hold hold) {
            return new HoldText(
                    hold.since().toEpochMilli(), hold.until().toEpochMilli(), new TreeSet<>(hold.to()), hold.outcome());
        }

        AllocationState.Hold hold() {
            return new AllocationState.Hold(Instant.ofEpochMilli(since), Instant.ofEpochMilli(until), to, outcome);
        }
    }

    private static AllocationState.Setbacks setbacks(@Nullable String text) {
        return text == null
                ? AllocationState.Setbacks.NONE
                : new AllocationState.Setbacks(JSON.readValue(text, NAMES).stream()
                        .map(EnvironmentName::new)
                        .collect(Collectors.toSet()));
    }

    static @Nullable String text(Set<String> names) {
        return names.isEmpty() ? null : JSON.writeValueAsString(new TreeSet<>(names));
    }

    private static Set<String> names(@Nullable String text) {
        return text == null ? Set.of() : Set.of(JSON.readValue(text, String[].class));
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

    static @Nullable Duration period(ResultSet row, int column) throws SQLException {
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
