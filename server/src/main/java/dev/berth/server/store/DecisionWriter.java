package dev.berth.server.store;

import dev.berth.core.Decision;
import dev.berth.core.Environment;
import dev.berth.core.Event;
import dev.berth.core.Holder;
import dev.berth.core.KeyUse;
import dev.berth.core.Line;
import dev.berth.core.Pool;
import dev.berth.core.Shape;
import dev.berth.core.ShapeCount;
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
    private final Updates updates;
    private final AllocationWriter allocations;

    /**
     * @param latestEvents about environments that were loaded, by their names; brought up to date
     */
    DecisionWriter(Lane lane, Map<String, EventPlace> latestEvents) {
        this.lane = lane;
        this.latestEvents = latestEvents;
        this.updates = new Updates(lane);
        this.allocations = new AllocationWriter(updates);
    }

    /**
     * @param revision of the pool from then on
     */
    void write(Decision decision, Pool before, long revision) {
        decision.keysFreed()
                .forEach(key -> updates.any(
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
        allocations.write(pool, decision);
        decision.shapes().forEach(count -> count(pool, count));
        decision.lines().forEach(line -> line(pool, line));
        decision.holders().forEach(holder -> holder(pool, holder));
        decision.keysUsed().forEach(use -> key(pool, use));
        events(pool, decision.events(), links);
        latestOfUnchanged(decision);
        pool(before, decision.pool(), revision);
        updates.send();
    }

    private void pool(Pool before, Pool after, long revision) {
        if (!before.policy().equals(after.policy())) {
            updates.one("UPDATE pool SET policy = ? WHERE number = ?", Rows.text(after.policy()), after.number());
        }
        updates.one(
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
        updates.one(
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
        updates.any(
                "INSERT INTO shape (digest, content) VALUES (?, ?) ON CONFLICT (digest) DO NOTHING",
                shape.digest(),
                shape.json());
    }

    private void count(int pool, ShapeCount count) {
        if (count.total() == 0) {
            updates.any(
                    "DELETE FROM shape_count WHERE pool = ? AND shape = ?",
                    pool,
                    count.shape().digest());
            return;
        }
        updates.one(
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
            updates.any("DELETE FROM line WHERE pool = ? AND need = ? AND holder = ?", pool, key.need(), key.holder());
            return;
        }
        updates.one(
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
        updates.one(
                """
                INSERT INTO holder (pool, name, held, queued, used, as_of, served_at) VALUES (?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (pool, name) DO UPDATE SET held = excluded.held, queued = excluded.queued, used = excluded.used,
                    as_of = excluded.as_of, served_at = excluded.served_at""",
                pool,
                holder.name(),
                holder.held(),
                holder.queued(),
                holder.used(),
                holder.asOf(),
                holder.servedAt());
    }

    // ---- environments

    private void environment(@Nullable Environment before, Environment after) {
        var tenant = after.tenant();
        var state = after.state();
        var latest = latestEvents.get(after.name().value());
        if (before == null) {
            var record = after.record();
            var upkeep = UpkeepRow.of(after);
            updates.one(
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
            updates.one(
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
        updates.one(
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
            updates.one(
                    "UPDATE environment SET lendable = ? WHERE name = ?",
                    lendable,
                    after.name().value());
        }
    }

    /** What is to be done about it. Apart, since it changes seldom, and SQLite changes an index with every column that is set. */
    private void upkeep(Environment before, Environment after) {
        var upkeep = UpkeepRow.of(after);
        if (!UpkeepRow.of(before).equals(upkeep)) {
            updates.one(
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
                    updates.any(
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
        updates.send();
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
