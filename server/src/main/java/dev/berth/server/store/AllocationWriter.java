package dev.berth.server.store;

import dev.berth.core.Allocation;
import dev.berth.core.AllocationState;
import dev.berth.core.Decision;
import dev.berth.core.Slice;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Writes what a decision changes about allocations, live and ended. Columns are written in the order in which {@link Rows} reads them;
 * those that only statements look for come last.
 */
final class AllocationWriter {
    private static final String INSERT_LIVE = Insert.into(
                    "allocation (" + Rows.LIVE_COLUMNS + ", count, line, due_at, place)")
            .one();
    private static final String INSERT_ENDED =
            Insert.into("ended_allocation (" + Rows.ENDED_COLUMNS + ", count)").one();
    private static final String UPDATE_LIVE = "UPDATE allocation SET " + Rows.STATE_COLUMNS.replace(",", " = ?,")
            + " = ?, priority = ?, rank = ?, due_at = ?, place = ? WHERE id = ?";
    private static final String DELETE = "DELETE FROM allocation WHERE id = ?";

    private final Updates updates;

    AllocationWriter(Updates updates) {
        this.updates = updates;
    }

    /** Each kind of change after the other, and what makes room before what takes it. */
    void write(int pool, Decision decision) {
        // Before what is new: a caller may get another place in the same batch.
        for (var place : decision.forgotten()) {
            updates.one(DELETE, place.id().value());
        }
        var changes = decision.allocations();
        for (var change : changes) {
            if (change.after().hasEnded()) {
                updates.one(DELETE, change.after().id().value());
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
            updates.one(
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
            updates.one(
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
        var row = new ArrayList<@Nullable Object>();
        addRequest(row, pool, allocation);
        new LiveState(allocation).addTo(row);
        Collections.addAll(
                row,
                allocation.request().count(),
                allocation.line().need(),
                allocation.state().dueAt(),
                place(allocation));
        updates.one(INSERT_LIVE, row.toArray());
    }

    private void updateLive(Allocation allocation) {
        var row = new ArrayList<@Nullable Object>();
        new LiveState(allocation).addTo(row);
        Collections.addAll(
                row,
                allocation.request().priority(),
                allocation.rank(),
                allocation.state().dueAt(),
                place(allocation),
                allocation.id().value());
        updates.one(UPDATE_LIVE, row.toArray());
    }

    private void insertEnded(int pool, Allocation allocation, AllocationState.Ended ended) {
        var row = new ArrayList<@Nullable Object>();
        addRequest(row, pool, allocation);
        Collections.addAll(
                row,
                ended.grantedAt(),
                ended.expiresAt(),
                ended.endedAt(),
                ended.reason().slug(),
                ended.outcome(),
                Rows.text(ended.grants()),
                Rows.text(ended.heldFor()),
                allocation.request().count());
        updates.one(INSERT_ENDED, row.toArray());
    }

    /** As {@link Rows#REQUEST_COLUMNS} says. */
    private static void addRequest(List<@Nullable Object> row, int pool, Allocation allocation) {
        var request = allocation.request();
        Collections.addAll(
                row,
                allocation.id().value(),
                pool,
                allocation.principal(),
                request.requester(),
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
                allocation.keepalive());
    }

    private static @Nullable String place(Allocation allocation) {
        return allocation.state() instanceof AllocationState.Polling
                ? Slice.Place.of(allocation).digest()
                : null;
    }

    /** The columns of a state that an allocation can live in; null those that this one does not have. */
    private static final class LiveState {
        private final Allocation allocation;
        private @Nullable Instant until;
        private @Nullable Instant interestUntil;
        private @Nullable Instant openUntil;
        private @Nullable Instant giveUpAt;
        private @Nullable Instant grantedAt;
        private @Nullable Instant expiresAt;
        private @Nullable Instant keepaliveBy;
        private @Nullable Instant collectBy;
        private boolean loan;
        private @Nullable String hold;
        private @Nullable Instant askedAt;
        private @Nullable Instant keptUntil;
        private @Nullable Integer misses;
        private @Nullable String avoid;

        LiveState(Allocation allocation) {
            this.allocation = allocation;
            switch (allocation.state()) {
                case AllocationState.Pending pending -> {
                    until = pending.until();
                    interestUntil = pending.interestUntil();
                    openUntil = pending.openUntil();
                    avoid = Rows.text(pending.setbacks());
                }
                case AllocationState.Polling polling -> {
                    askedAt = polling.askedAt();
                    keptUntil = polling.keptUntil();
                    misses = polling.misses();
                }
                case AllocationState.Granting granting -> {
                    until = granting.until();
                    openUntil = granting.openUntil();
                    giveUpAt = granting.giveUpAt();
                    loan = granting.loan();
                    avoid = Rows.text(granting.setbacks());
                }
                case AllocationState.Active active -> {
                    grantedAt = active.grantedAt();
                    expiresAt = active.expiresAt();
                    keepaliveBy = active.keepaliveBy();
                    collectBy = active.collectBy();
                    loan = active.loan();
                    hold = Rows.text(active.hold());
                }
                case AllocationState.Ended _ -> throw new IllegalStateException("it has ended");
            }
        }

        /** As {@link Rows#STATE_COLUMNS} says. */
        void addTo(List<@Nullable Object> row) {
            Collections.addAll(
                    row,
                    Rows.slug(allocation.state()),
                    until,
                    interestUntil,
                    openUntil,
                    giveUpAt,
                    grantedAt,
                    expiresAt,
                    keepaliveBy,
                    collectBy,
                    loan,
                    hold,
                    askedAt,
                    keptUntil,
                    misses,
                    allocation.isAwake(),
                    avoid,
                    Rows.text(allocation.state().grants()));
        }
    }
}
