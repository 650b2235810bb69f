package dev.berth.server.store;

import dev.berth.core.Allocation;
import dev.berth.core.AllocationState;
import dev.berth.core.Decision;
import dev.berth.core.Environment;
import dev.berth.core.Event;
import dev.berth.core.Grant;
import dev.berth.core.Pool;
import dev.berth.core.Request;
import dev.berth.core.Step;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Writes the difference that a decision makes. A row that is not as it was decided on fails the whole transaction. */
final class DecisionWriter {
    private static final Insert EVENTS =
            Insert.into("event (pool, number, at, type, allocation, environment, principal, data)");
    private static final Insert SUBJECTS = Insert.into("environment_event (environment, pool, number)");

    private final Lane lane;

    DecisionWriter(Lane lane) {
        this.lane = lane;
    }

    void write(Decision decision, Pool before) {
        decision.keysFreed()
                .forEach(key -> lane.update(
                        "DELETE FROM idempotency_key WHERE principal = ? AND key = ?", key.principal(), key.value()));
        // Ends come first: what they had may be granted to another in the same batch.
        for (var change : decision.environments()) {
            environment(change.before(), change.after());
        }
        for (var change : decision.allocations()) {
            allocation(decision.pool().number(), change.before(), change.after());
        }
        decision.keysUsed()
                .forEach(use -> lane.update(
                        """
                        INSERT INTO idempotency_key (principal, key, allocation, digest) VALUES (?, ?, ?, ?)
                        ON CONFLICT (principal, key) DO UPDATE SET allocation = excluded.allocation, digest = excluded.digest""",
                        use.key().principal(),
                        use.key().value(),
                        use.allocation().value(),
                        use.digest()));
        events(decision.pool().number(), decision.events());
        pool(before, decision.pool());
    }

    private void pool(Pool before, Pool after) {
        if (!before.policy().equals(after.policy())) {
            lane.updateOne("UPDATE pool SET policy = ? WHERE number = ?", Rows.text(after.policy()), after.number());
        }
        lane.updateOne(
                """
                UPDATE pool SET listed = ?, sequence = ?, events = ?, available = ?, allocated = ?, cleaning = ?, checking = ?,
                    dirty = ?, retiring = ?, waiting = ?, issuing = ?, maintained = ?, breaker_failures = ?,
                    breaker_open_until = ?, touched_at = ?
                WHERE number = ?""",
                after.listed(),
                after.sequence(),
                after.events(),
                after.counts().available(),
                after.counts().allocated(),
                after.counts().cleaning(),
                after.counts().checking(),
                after.counts().dirty(),
                after.counts().retiring(),
                after.waiting(),
                after.issuing(),
                after.maintained(),
                after.breaker().failures(),
                after.breaker().openUntil(),
                after.touchedAt(),
                after.number());
    }

    // ---- environments

    private void environment(@Nullable Environment before, Environment after) {
        var tenant = after.tenant();
        var state = after.state();
        var work = state.work();
        boolean issuing = work != null && work.step() == Step.ISSUE;
        boolean claimed = work != null && work.claim() != null;
        if (before == null) {
            var record = after.record();
            lane.updateOne(
                    """
                    INSERT INTO environment (name, pool, identity, account, facts, digest, epoch, drain, quarantine, since, turn,
                        tenant_allocation, tenant_requester, tenant_principal, state, due_at, work_at, issuing, claimed, detail)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
                    record.name().value(),
                    after.pool(),
                    record.identity(),
                    record.account(),
                    record.facts(),
                    record.digest(),
                    after.epoch(),
                    after.drain() == null ? null : after.drain().name(),
                    after.quarantine(),
                    after.since(),
                    after.order(),
                    tenant == null ? null : tenant.allocation().value(),
                    tenant == null ? null : tenant.requester(),
                    tenant == null ? null : tenant.principal(),
                    Rows.slug(state.name()),
                    state.dueAt(),
                    state.workAt(),
                    issuing,
                    claimed,
                    Rows.detail(state));
            return;
        }
        if (before.pool() != after.pool() || !before.record().equals(after.record())) {
            var record = after.record();
            lane.updateOne(
                    """
                    UPDATE environment SET name = ?, pool = ?, identity = ?, account = ?, facts = ?, digest = ?
                    WHERE name = ? AND pool = ?""",
                    record.name().value(),
                    after.pool(),
                    record.identity(),
                    record.account(),
                    record.facts(),
                    record.digest(),
                    before.name().value(),
                    before.pool());
        }
        lane.updateOne(
                """
                UPDATE environment SET epoch = ?, drain = ?, quarantine = ?, since = ?, turn = ?, tenant_allocation = ?,
                    tenant_requester = ?, tenant_principal = ?, state = ?, due_at = ?, work_at = ?, issuing = ?, claimed = ?,
                    detail = ?
                WHERE name = ? AND pool = ? AND epoch = ? AND state = ?""",
                after.epoch(),
                after.drain() == null ? null : after.drain().name(),
                after.quarantine(),
                after.since(),
                after.order(),
                tenant == null ? null : tenant.allocation().value(),
                tenant == null ? null : tenant.requester(),
                tenant == null ? null : tenant.principal(),
                Rows.slug(state.name()),
                state.dueAt(),
                state.workAt(),
                issuing,
                claimed,
                Rows.detail(state),
                after.name().value(),
                after.pool(),
                before.epoch(),
                Rows.slug(before.state().name()));
    }

    // ---- allocations

    private void allocation(int pool, @Nullable Allocation before, Allocation after) {
        if (after.state() instanceof AllocationState.Ended ended) {
            lane.updateOne("DELETE FROM allocation WHERE id = ?", after.id().value());
            insertEnded(pool, after, ended);
        } else if (before == null) {
            insertLive(pool, after);
        } else if (before.state() instanceof AllocationState.Active was
                && after.state() instanceof AllocationState.Active is
                && was.grants().equals(is.grants())) {
            lane.updateOne(
                    "UPDATE allocation SET due_at = ?, expires_at = ?, keepalive_by = ? WHERE id = ?",
                    is.dueAt(),
                    is.expiresAt(),
                    is.keepaliveBy(),
                    after.id().value());
        } else {
            var row = LiveRow.of(after.state());
            lane.updateOne(
                    """
                    UPDATE allocation SET state = ?, due_at = ?, until = ?, give_up_at = ?, granted_at = ?, expires_at = ?,
                        keepalive_by = ?, avoid = ?, grants = ?
                    WHERE id = ?""",
                    row.state,
                    after.state().dueAt(),
                    row.until,
                    row.giveUpAt,
                    row.grantedAt,
                    row.expiresAt,
                    row.keepaliveBy,
                    row.avoid,
                    row.grants,
                    after.id().value());
        }
    }

    private void insertLive(int pool, Allocation allocation) {
        var request = allocation.request();
        var row = LiveRow.of(allocation.state());
        lane.updateOne(
                """
                INSERT INTO allocation (id, pool, principal, requester, count, duration, asked_keepalive, max_wait, labels,
                    idempotency_key, digest, arrival, created_at, keepalive, state, due_at, until, give_up_at, granted_at,
                    expires_at, keepalive_by, avoid, grants)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
                allocation.id().value(),
                pool,
                allocation.principal(),
                request.requester(),
                request.count(),
                request.duration(),
                request.keepalive(),
                request.maxWait(),
                request.labels(),
                request.key(),
                request.digest(),
                allocation.arrival(),
                allocation.createdAt(),
                allocation.keepalive(),
                row.state,
                allocation.state().dueAt(),
                row.until,
                row.giveUpAt,
                row.grantedAt,
                row.expiresAt,
                row.keepaliveBy,
                row.avoid,
                row.grants);
    }

    private void insertEnded(int pool, Allocation allocation, AllocationState.Ended ended) {
        Request request = allocation.request();
        lane.updateOne(
                """
                INSERT INTO ended_allocation (id, pool, principal, requester, count, duration, asked_keepalive, max_wait, labels,
                    idempotency_key, digest, arrival, created_at, keepalive, granted_at, expires_at, ended_at, end_reason,
                    outcome, grants)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)""",
                allocation.id().value(),
                pool,
                allocation.principal(),
                request.requester(),
                request.count(),
                request.duration(),
                request.keepalive(),
                request.maxWait(),
                request.labels(),
                request.key(),
                request.digest(),
                allocation.arrival(),
                allocation.createdAt(),
                allocation.keepalive(),
                ended.grantedAt(),
                ended.expiresAt(),
                ended.endedAt(),
                ended.reason().slug(),
                ended.outcome(),
                Rows.text(ended.grants()));
    }

    /** The columns of a state that an allocation can live in. */
    private record LiveRow(
            String state,
            @Nullable Instant until,
            @Nullable Instant giveUpAt,
            @Nullable Instant grantedAt,
            @Nullable Instant expiresAt,
            @Nullable Instant keepaliveBy,
            @Nullable String avoid,
            @Nullable String grants) {

        static LiveRow of(AllocationState state) {
            List<Grant> grants = state.grants();
            return switch (state) {
                case AllocationState.Pending pending ->
                    new LiveRow(
                            Rows.slug(state),
                            pending.until(),
                            null,
                            null,
                            null,
                            null,
                            Rows.text(pending.setbacks()),
                            null);
                case AllocationState.Granting granting ->
                    new LiveRow(
                            Rows.slug(state),
                            granting.until(),
                            granting.giveUpAt(),
                            null,
                            null,
                            null,
                            Rows.text(granting.setbacks()),
                            Rows.text(grants));
                case AllocationState.Active active ->
                    new LiveRow(
                            Rows.slug(state),
                            null,
                            null,
                            active.grantedAt(),
                            active.expiresAt(),
                            active.keepaliveBy(),
                            null,
                            Rows.text(grants));
                case AllocationState.Ended _ -> throw new IllegalStateException("it has ended");
            };
        }
    }

    // ---- events

    private void events(int pool, List<Event> events) {
        var about = new ArrayList<@Nullable Object[]>();
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
            for (var environment : subjects(event)) {
                about.add(new Object[] {environment, pool, event.number()});
            }
        }
        lane.insert(EVENTS, rows);
        lane.insert(SUBJECTS, about);
    }

    /** Which environments an event is about. */
    static List<String> subjects(Event event) {
        if (event.environment() != null) {
            return List.of(event.environment().value());
        }
        var several = event.data().get("environments");
        return several == null ? List.of() : List.of(several.split(",", -1));
    }
}
