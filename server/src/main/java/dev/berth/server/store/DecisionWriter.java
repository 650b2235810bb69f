package dev.berth.server.store;

import dev.berth.core.Allocation;
import dev.berth.core.AllocationState;
import dev.berth.core.Decision;
import dev.berth.core.Environment;
import dev.berth.core.Event;
import dev.berth.core.Holder;
import dev.berth.core.KeyUse;
import dev.berth.core.Line;
import dev.berth.core.Pool;
import dev.berth.core.Request;
import dev.berth.core.Shape;
import dev.berth.core.ShapeCount;
import dev.berth.core.Slice;
import dev.berth.core.Step;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Writes the difference that a decision makes. A row that is not as it was decided on fails the whole transaction. */
final class DecisionWriter {
    private static final Insert EVENTS =
            Insert.into("event (pool, number, at, type, allocation, environment, principal, data)");
    private static final Insert SUBJECTS =
            Insert.into("environment_event (pool, number, environment, before_pool, before_number)");

    private final Lane lane;
    private final Map<String, EventPlace> latestEvents;
    /** Changes by one statement that were not sent yet: they go together, where that is quicker. */
    private final List<@Nullable Object[]> waiting = new ArrayList<>();

    private String statement = "";

    /**
     * @param latestEvents about environments that were loaded, by their names; brought up to date
     */
    DecisionWriter(Lane lane, Map<String, EventPlace> latestEvents) {
        this.lane = lane;
        this.latestEvents = latestEvents;
    }

    /** In the order in which they are given. */
    private void one(String sql, @Nullable Object... arguments) {
        if (!sql.equals(statement)) {
            send();
            statement = sql;
        }
        waiting.add(arguments);
    }

    private void send() {
        if (!waiting.isEmpty()) {
            lane.updateEach(statement, waiting);
            waiting.clear();
        }
    }

    private void any(String sql, @Nullable Object... arguments) {
        send();
        lane.update(sql, arguments);
    }

    /**
     * @param revision of the pool from then on
     */
    void write(Decision decision, Pool before, long revision) {
        decision.keysFreed()
                .forEach(key -> any(
                        "DELETE FROM idempotency_key WHERE principal = ? AND key = ?", key.principal(), key.value()));
        int pool = decision.pool().number();
        newShapes(decision).values().forEach(this::shape);
        var links = links(pool, decision.events());
        for (var change : decision.environments()) {
            environment(change.before(), change.after());
        }
        for (var change : decision.environments()) {
            if (change.before() != null) {
                upkeep(change.before(), change.after());
            }
        }
        // Before what is new: a caller may get another place in the same batch.
        for (var place : decision.forgotten()) {
            one("DELETE FROM allocation WHERE id = ?", place.id().value());
        }
        allocations(pool, decision.allocations());
        decision.shapes().forEach(count -> count(pool, count));
        decision.lines().forEach(line -> line(pool, line));
        decision.holders().forEach(holder -> holder(pool, holder));
        decision.keysUsed().forEach(use -> key(pool, use));
        events(pool, decision.events(), links);
        latestOfUnchanged(decision);
        pool(before, decision.pool(), revision);
        send();
    }

    private void pool(Pool before, Pool after, long revision) {
        if (!before.policy().equals(after.policy())) {
            one("UPDATE pool SET policy = ? WHERE number = ?", Rows.text(after.policy()), after.number());
        }
        one(
                """
                UPDATE pool SET listed = ?, generation = ?, sequence = ?, events = ?, available = ?, allocated = ?, cleaning = ?, checking = ?,
                    withheld = ?, dirty = ?, retiring = ?, waiting = ?, polling = ?, on_hold = ?, issuing = ?, maintained = ?,
                    breaker_failures = ?, breaker_open_until = ?, touched_at = ?, revision = ?
                WHERE number = ?""",
                after.listed(),
                after.generation(),
                after.sequence(),
                after.events(),
                after.counts().available(),
                after.counts().allocated(),
                after.counts().cleaning(),
                after.counts().checking(),
                after.counts().withheld(),
                after.counts().dirty(),
                after.counts().retiring(),
                after.waiting(),
                after.polling(),
                after.onHold(),
                after.issuing(),
                after.maintained(),
                after.breaker().failures(),
                after.breaker().openUntil(),
                after.touchedAt(),
                revision,
                after.number());
    }

    /**
     * Keys are unique across pools, and the locked pool says nothing of those that are used in another one: a row of another pool's was
     * not there when this one was decided on.
     */
    private void key(int pool, KeyUse use) {
        var prefix = Integer.toString(pool, 36);
        one(
                """
                INSERT INTO idempotency_key (principal, key, allocation, digest) VALUES (?, ?, ?, ?)
                ON CONFLICT (principal, key) DO UPDATE SET allocation = excluded.allocation, digest = excluded.digest
                WHERE idempotency_key.allocation > ? AND idempotency_key.allocation < ?""",
                use.key().principal(),
                use.key().value(),
                use.allocation().value(),
                use.digest(),
                prefix + "-",
                prefix + ".");
    }

    // ---- shapes, lines, holders

    /** In the order of their digests: who writes the same ones at the same time waits, and not in a ring. */
    private static SortedMap<String, Shape> newShapes(Decision decision) {
        var shapes = new TreeMap<String, Shape>();
        for (var change : decision.environments()) {
            var shape = change.after().record().shape();
            var before = change.before();
            if (before == null || !before.record().shape().equals(shape)) {
                shapes.put(shape.digest(), shape);
            }
        }
        return shapes;
    }

    /** A digest stands for the same content for ever. */
    private void shape(Shape shape) {
        any(
                "INSERT INTO shape (digest, content) VALUES (?, ?) ON CONFLICT (digest) DO NOTHING",
                shape.digest(),
                shape.json());
    }

    private void count(int pool, ShapeCount count) {
        if (count.total() == 0) {
            any(
                    "DELETE FROM shape_count WHERE pool = ? AND shape = ?",
                    pool,
                    count.shape().digest());
            return;
        }
        one(
                """
                INSERT INTO shape_count (pool, shape, free, held, upkeep, dirty, draining) VALUES (?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (pool, shape) DO UPDATE SET free = excluded.free, held = excluded.held, upkeep = excluded.upkeep,
                    dirty = excluded.dirty, draining = excluded.draining""",
                pool,
                count.shape().digest(),
                count.free(),
                count.held(),
                count.upkeep(),
                count.dirty(),
                count.draining());
    }

    private void line(int pool, Line line) {
        var key = line.key();
        if (line.waiting() == 0) {
            any("DELETE FROM line WHERE pool = ? AND need = ? AND holder = ?", pool, key.need(), key.holder());
            return;
        }
        one(
                """
                INSERT INTO line (pool, need, holder, needs, waiting) VALUES (?, ?, ?, ?, ?)
                ON CONFLICT (pool, need, holder) DO UPDATE SET waiting = excluded.waiting""",
                pool,
                key.need(),
                key.holder(),
                line.need() == null ? null : line.need().json(),
                line.waiting());
    }

    private void holder(int pool, Holder holder) {
        one("""
                INSERT INTO holder (pool, name, held, queued, used, as_of, served_at) VALUES (?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (pool, name) DO UPDATE SET held = excluded.held, queued = excluded.queued, used = excluded.used,
                    as_of = excluded.as_of, served_at = excluded.served_at""", pool, holder.name(), holder.held(), holder.queued(), holder.used(), holder.asOf(), holder.servedAt());
    }

    // ---- environments

    private void environment(@Nullable Environment before, Environment after) {
        var tenant = after.tenant();
        var state = after.state();
        var latest = latestEvents.get(after.name().value());
        if (before == null) {
            var record = after.record();
            var upkeep = UpkeepRow.of(after);
            one(
                    """
                    INSERT INTO environment (name, pool, identity, account, shape, facts, digest, epoch, drain, quarantine, since,
                        turn, tenant_allocation, tenant_requester, tenant_principal, state, due_at, work_at, issuing, claimed,
                        back_at, detail, lendable, event_pool, event_number)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
                    record.name().value(),
                    after.pool(),
                    record.identity(),
                    record.account(),
                    record.shape().digest(),
                    record.facts(),
                    record.digest(),
                    after.epoch(),
                    upkeep.drain,
                    upkeep.quarantine,
                    after.since(),
                    after.order(),
                    tenant == null ? null : tenant.allocation().value(),
                    tenant == null ? null : tenant.requester(),
                    tenant == null ? null : tenant.principal(),
                    Rows.slug(state.name()),
                    upkeep.dueAt,
                    upkeep.workAt,
                    upkeep.issuing,
                    upkeep.claimed,
                    Rows.backAt(after),
                    upkeep.detail,
                    Rows.lendable(after),
                    latest == null ? null : latest.pool(),
                    latest == null ? null : latest.number());
            return;
        }
        if (before.pool() != after.pool() || !before.record().equals(after.record())) {
            var record = after.record();
            one(
                    """
                    UPDATE environment SET name = ?, pool = ?, identity = ?, account = ?, shape = ?, facts = ?, digest = ?
                    WHERE name = ? AND pool = ?""",
                    record.name().value(),
                    after.pool(),
                    record.identity(),
                    record.account(),
                    record.shape().digest(),
                    record.facts(),
                    record.digest(),
                    before.name().value(),
                    before.pool());
        }
        one(
                """
                UPDATE environment SET epoch = ?, since = ?, turn = ?, tenant_allocation = ?, tenant_requester = ?,
                    tenant_principal = ?, state = ?, back_at = ?, event_pool = ?, event_number = ?
                WHERE name = ? AND pool = ? AND epoch = ? AND state = ?""",
                after.epoch(),
                after.since(),
                after.order(),
                tenant == null ? null : tenant.allocation().value(),
                tenant == null ? null : tenant.requester(),
                tenant == null ? null : tenant.principal(),
                Rows.slug(state.name()),
                Rows.backAt(after),
                latest == null ? null : latest.pool(),
                latest == null ? null : latest.number(),
                after.name().value(),
                after.pool(),
                before.epoch(),
                Rows.slug(before.state().name()));
        // Apart, since it changes seldom and an index has it.
        int lendable = Rows.lendable(after);
        if (Rows.lendable(before) != lendable) {
            one(
                    "UPDATE environment SET lendable = ? WHERE name = ?",
                    lendable,
                    after.name().value());
        }
    }

    /** What is to be done about it. Apart, since it changes seldom, and SQLite changes an index with every column that is set. */
    private void upkeep(Environment before, Environment after) {
        var upkeep = UpkeepRow.of(after);
        if (!UpkeepRow.of(before).equals(upkeep)) {
            one(
                    """
                    UPDATE environment SET drain = ?, quarantine = ?, due_at = ?, work_at = ?, issuing = ?, claimed = ?, detail = ?
                    WHERE name = ?""",
                    upkeep.drain,
                    upkeep.quarantine,
                    upkeep.dueAt,
                    upkeep.workAt,
                    upkeep.issuing,
                    upkeep.claimed,
                    upkeep.detail,
                    after.name().value());
        }
    }

    /** The columns of what is to be done about an environment. */
    private record UpkeepRow(
            @Nullable String drain,
            @Nullable String quarantine,
            @Nullable Instant dueAt,
            @Nullable Instant workAt,
            boolean issuing,
            boolean claimed,
            @Nullable String detail) {

        static UpkeepRow of(Environment environment) {
            var drain = environment.drain();
            var state = environment.state();
            var work = state.work();
            return new UpkeepRow(
                    drain == null ? null : drain.name(),
                    environment.quarantine(),
                    state.dueAt(),
                    state.workAt(),
                    work != null && work.step() == Step.ISSUE,
                    work != null && work.claim() != null,
                    Rows.detail(environment));
        }
    }

    // ---- allocations

    /** Each kind of change after the other, and what makes room before what takes it. */
    private void allocations(int pool, List<Decision.Change<Allocation>> changes) {
        for (var change : changes) {
            if (change.after().hasEnded()) {
                one("DELETE FROM allocation WHERE id = ?", change.after().id().value());
            }
        }
        for (var change : changes) {
            if (change.after().state() instanceof AllocationState.Ended ended) {
                insertEnded(pool, change.after(), ended);
            }
        }
        for (var change : changes) {
            if (change.before() != null && !change.after().hasEnded()) {
                update(change.before(), change.after());
            }
        }
        for (var change : changes) {
            if (change.before() == null && !change.after().hasEnded()) {
                insertLive(pool, change.after());
            }
        }
    }

    private void update(Allocation before, Allocation after) {
        if (before.state() instanceof AllocationState.Active was
                && after.state() instanceof AllocationState.Active is
                && was.grants().equals(is.grants())) {
            one(
                    """
                    UPDATE allocation SET due_at = ?, expires_at = ?, keepalive_by = ?, collect_by = ?, loan = ?, hold = ?
                    WHERE id = ?""",
                    is.dueAt(),
                    is.expiresAt(),
                    is.keepaliveBy(),
                    is.collectBy(),
                    is.loan(),
                    Rows.text(is.hold()),
                    after.id().value());
        } else if (before.state() instanceof AllocationState.Pending
                && after.state() instanceof AllocationState.Pending is
                && before.isAwake() == after.isAwake()
                && before.rank() == after.rank()) {
            one(
                    """
                    UPDATE allocation SET due_at = ?, until = ?, interest_until = ?, open_until = ?, avoid = ?, priority = ?
                    WHERE id = ?""",
                    is.dueAt(),
                    is.until(),
                    is.interestUntil(),
                    is.openUntil(),
                    Rows.text(is.setbacks()),
                    after.request().priority(),
                    after.id().value());
        } else {
            updateLive(after);
        }
    }

    private void insertLive(int pool, Allocation allocation) {
        var request = allocation.request();
        var row = LiveRow.of(allocation.state());
        one(
                """
                INSERT INTO allocation (id, pool, principal, requester, count, need, needs, duration, asked_keepalive, max_wait,
                    priority, labels, idempotency_key, digest, sharer, arrival, rank, created_at, keepalive, line, state, due_at,
                    awake, place, until, interest_until, open_until, give_up_at, granted_at, expires_at, keepalive_by, collect_by,
                    loan, hold, asked_at, kept_until, misses, avoid, grants)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                    ?, ?, ?)""",
                allocation.id().value(),
                pool,
                allocation.principal(),
                request.requester(),
                request.count(),
                request.need().digest(),
                request.need().json(),
                request.duration(),
                request.keepalive(),
                request.maxWait(),
                request.priority(),
                request.labels(),
                request.key(),
                request.digest(),
                allocation.sharer(),
                allocation.arrival(),
                allocation.rank(),
                allocation.createdAt(),
                allocation.keepalive(),
                allocation.line().need(),
                row.state,
                allocation.state().dueAt(),
                allocation.isAwake(),
                place(allocation),
                row.until,
                row.interestUntil,
                row.openUntil,
                row.giveUpAt,
                row.grantedAt,
                row.expiresAt,
                row.keepaliveBy,
                row.collectBy,
                row.loan,
                row.hold,
                row.askedAt,
                row.keptUntil,
                row.misses,
                row.avoid,
                row.grants);
    }

    private void updateLive(Allocation allocation) {
        var row = LiveRow.of(allocation.state());
        one(
                """
                UPDATE allocation SET priority = ?, rank = ?, state = ?, due_at = ?, awake = ?, place = ?, until = ?,
                    interest_until = ?, open_until = ?, give_up_at = ?, granted_at = ?, expires_at = ?, keepalive_by = ?,
                    collect_by = ?, loan = ?, hold = ?, asked_at = ?, kept_until = ?, misses = ?, avoid = ?, grants = ?
                WHERE id = ?""",
                allocation.request().priority(),
                allocation.rank(),
                row.state,
                allocation.state().dueAt(),
                allocation.isAwake(),
                place(allocation),
                row.until,
                row.interestUntil,
                row.openUntil,
                row.giveUpAt,
                row.grantedAt,
                row.expiresAt,
                row.keepaliveBy,
                row.collectBy,
                row.loan,
                row.hold,
                row.askedAt,
                row.keptUntil,
                row.misses,
                row.avoid,
                row.grants,
                allocation.id().value());
    }

    private static @Nullable String place(Allocation allocation) {
        return allocation.state() instanceof AllocationState.Polling
                ? Slice.Place.of(allocation).digest()
                : null;
    }

    private void insertEnded(int pool, Allocation allocation, AllocationState.Ended ended) {
        Request request = allocation.request();
        one(
                """
                INSERT INTO ended_allocation (id, pool, principal, requester, count, need, needs, duration, asked_keepalive,
                    max_wait, priority, labels, idempotency_key, digest, sharer, arrival, rank, created_at, keepalive, granted_at,
                    expires_at, ended_at, end_reason, outcome, grants, held_for)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
                allocation.id().value(),
                pool,
                allocation.principal(),
                request.requester(),
                request.count(),
                request.need().digest(),
                request.need().json(),
                request.duration(),
                request.keepalive(),
                request.maxWait(),
                request.priority(),
                request.labels(),
                request.key(),
                request.digest(),
                allocation.sharer(),
                allocation.arrival(),
                allocation.rank(),
                allocation.createdAt(),
                allocation.keepalive(),
                ended.grantedAt(),
                ended.expiresAt(),
                ended.endedAt(),
                ended.reason().slug(),
                ended.outcome(),
                Rows.text(ended.grants()),
                Rows.text(ended.heldFor()));
    }

    /** The columns of a state that an allocation can live in. */
    private record LiveRow(
            String state,
            @Nullable Instant until,
            @Nullable Instant interestUntil,
            @Nullable Instant openUntil,
            @Nullable Instant giveUpAt,
            @Nullable Instant grantedAt,
            @Nullable Instant expiresAt,
            @Nullable Instant keepaliveBy,
            @Nullable Instant collectBy,
            boolean loan,
            @Nullable String hold,
            @Nullable Instant askedAt,
            @Nullable Instant keptUntil,
            @Nullable Integer misses,
            @Nullable String avoid,
            @Nullable String grants) {

        static LiveRow of(AllocationState state) {
            return switch (state) {
                case AllocationState.Pending pending -> waiting(pending);
                case AllocationState.Polling polling -> asking(polling);
                case AllocationState.Granting granting -> granting(granting);
                case AllocationState.Active active -> active(active);
                case AllocationState.Ended _ -> throw new IllegalStateException("it has ended");
            };
        }

        private static LiveRow waiting(AllocationState.Pending pending) {
            return new LiveRow(
                    Rows.slug(pending),
                    pending.until(),
                    pending.interestUntil(),
                    pending.openUntil(),
                    null,
                    null,
                    null,
                    null,
                    null,
                    false,
                    null,
                    null,
                    null,
                    null,
                    Rows.text(pending.setbacks()),
                    null);
        }

        private static LiveRow asking(AllocationState.Polling polling) {
            return new LiveRow(
                    Rows.slug(polling),
                    null,
                    null,
                    null,
                    null,
                    null,
                    null,
                    null,
                    null,
                    false,
                    null,
                    polling.askedAt(),
                    polling.keptUntil(),
                    polling.misses(),
                    null,
                    null);
        }

        private static LiveRow granting(AllocationState.Granting granting) {
            return new LiveRow(
                    Rows.slug(granting),
                    granting.until(),
                    null,
                    granting.openUntil(),
                    granting.giveUpAt(),
                    null,
                    null,
                    null,
                    null,
                    granting.loan(),
                    null,
                    null,
                    null,
                    null,
                    Rows.text(granting.setbacks()),
                    Rows.text(granting.grants()));
        }

        private static LiveRow active(AllocationState.Active active) {
            return new LiveRow(
                    Rows.slug(active),
                    null,
                    null,
                    null,
                    null,
                    active.grantedAt(),
                    active.expiresAt(),
                    active.keepaliveBy(),
                    active.collectBy(),
                    active.loan(),
                    Rows.text(active.hold()),
                    null,
                    null,
                    null,
                    null,
                    Rows.text(active.grants()));
        }
    }

    // ---- events

    /** Of each event to the one before about the same environment, which becomes the latest one. */
    private List<@Nullable Object[]> links(int pool, List<Event> events) {
        var links = new ArrayList<@Nullable Object[]>();
        for (var event : events) {
            for (var environment : subjects(event)) {
                var before =
                        latestEvents.containsKey(environment) ? latestEvents.get(environment) : latest(environment);
                latestEvents.put(environment, new EventPlace(pool, event.number()));
                links.add(new @Nullable Object[] {
                    pool,
                    event.number(),
                    environment,
                    before == null ? null : before.pool(),
                    before == null ? null : before.number()
                });
            }
        }
        return links;
    }

    private @Nullable EventPlace latest(String environment) {
        return lane.one(
                        row -> new EventPlace(row.getInt(1), row.getLong(2)),
                        "SELECT event_pool, event_number FROM environment WHERE name = ? AND event_number IS NOT NULL",
                        environment)
                .orElse(null);
    }

    /** Something happened to it that changed nothing else. */
    private void latestOfUnchanged(Decision decision) {
        var changed = new HashSet<String>();
        decision.environments()
                .forEach(change -> changed.add(change.after().name().value()));
        for (var event : decision.events()) {
            for (var environment : subjects(event)) {
                var latest = latestEvents.get(environment);
                if (latest != null && changed.add(environment)) {
                    any(
                            "UPDATE environment SET event_pool = ?, event_number = ? WHERE name = ?",
                            latest.pool(),
                            latest.number(),
                            environment);
                }
            }
        }
    }

    private void events(int pool, List<Event> events, List<@Nullable Object[]> links) {
        var rows = new ArrayList<@Nullable Object[]>(events.size());
        for (var event : events) {
            rows.add(new @Nullable Object[] {
                pool,
                event.number(),
                event.at(),
                event.type().slug(),
                event.allocation() == null ? null : event.allocation().value(),
                event.environment() == null ? null : event.environment().value(),
                event.principal(),
                Rows.text(event.data())
            });
        }
        send();
        lane.insert(EVENTS, rows);
        lane.insert(SUBJECTS, links);
    }

    /** Which environments an event is about. */
    private static List<String> subjects(Event event) {
        if (event.environment() != null) {
            return List.of(event.environment().value());
        }
        var several = event.data().get("environments");
        return several == null ? List.of() : List.of(several.split(",", -1));
    }
}
