package dev.berth.core;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Something that is asked of a pool. Every command is answered by one {@link Answer}; none is answered before its effects are durable. */
public sealed interface Command {

    /**
     * Environments are wanted. Answered by {@link Answer.Current} or {@link Answer.Refused}.
     *
     * @param id of the allocation that this makes, if it makes one
     * @param open how long the caller's connection waits for it; zero for not at all
     * @param label the value of the label that shares the pool, where one does; null for none
     * @param operator may ask for any priority
     * @param address where it came from, for the events; null where it came from within
     */
    record Ask(
            AllocationId id,
            String principal,
            Request request,
            Duration open,
            @Nullable String label,
            boolean operator,
            @Nullable String address)
            implements Command {
        /** One that came from within. */
        public Ask(
                AllocationId id,
                String principal,
                Request request,
                Duration open,
                @Nullable String label,
                boolean operator) {
            this(id, principal, request, open, label, operator, null);
        }
    }

    /**
     * Its own principal looks at it: that is interest while it waits, and fetches what was granted. Answered by
     * {@link Answer.Current}, or refused.
     *
     * @param open how long the caller's connection waits for it; zero for not at all
     */
    record Attend(AllocationId id, Caller caller, Duration open) implements Command {}

    /**
     * The connection that waited for it was closed. Answered by {@link Answer.Current}, or refused.
     *
     * @param known whether the caller was told its id before: else one without a key can be found by nobody, and ends
     */
    record Leave(AllocationId id, Caller caller, boolean known) implements Command {}

    /**
     * Its environments are to be kept for a person. Answered by {@link Answer.Current}, or refused.
     *
     * @param period from now on
     * @param outcome what the holder says of its run; null for nothing
     * @param to principals who may read its access and end it
     */
    record Hold(
            AllocationId id,
            Caller caller,
            Duration period,
            @Nullable String outcome,
            Set<String> to) implements Command {
        public Hold {
            to = Set.copyOf(to);
        }
    }

    /** Another priority, while it waits. Answered by {@link Answer.Current}, or refused. */
    record Prioritise(AllocationId id, Caller caller, int priority) implements Command {}

    /** A sign of life. Answered by {@link Answer.Current}, or refused. */
    record KeepAlive(AllocationId id, Caller caller) implements Command {}

    /** A later end of the session is wanted. Answered by {@link Answer.Current}, or refused. */
    record Extend(AllocationId id, Caller caller, Instant until) implements Command {}

    /**
     * The end, on the holder's or an operator's word. Answered by {@link Answer.Current}, also for one that has ended.
     *
     * @param outcome what the holder says of it; null for nothing
     */
    record Release(AllocationId id, Caller caller, @Nullable String outcome) implements Command {}

    /**
     * An operator acts on an environment. Answered by {@link Answer.Acted}, or refused.
     *
     * @param reason of a quarantine; null where none is given
     * @param address where it came from, for the events; null where it came from within
     */
    record Act(
            EnvironmentName environment,
            Action action,
            @Nullable String reason,
            String principal,
            @Nullable String address)
            implements Command {
        /** One that came from within. */
        public Act(EnvironmentName environment, Action action, @Nullable String reason, String principal) {
            this(environment, action, reason, principal, null);
        }
    }

    /** What an operator can do. */
    enum Action {
        /** A full episode of revoke, clean and verify, from dirty too. */
        CLEAN,
        /** Check now; agreement makes a dirty one available. */
        VERIFY,
        /** Dirty with a reason; an allocated one at its end. */
        QUARANTINE,
        /** Drain. */
        RETIRE
    }

    /** The pool's policy is this from now on. */
    record Enact(Policy policy) implements Command {}

    /**
     * The store may have lost commits: it was restored or copied, or another server of it took over. Whatever is not known to be lent
     * is revoked, cleaned and verified again. Without effect where the pool is of this generation.
     */
    record Restored(int generation) implements Command {}

    /** The configuration has the pool no more: it takes no request, and drains. */
    record Delist() implements Command {}

    /** These records are, or became, this pool's. */
    record Register(List<Registration> records) implements Command {
        public Register {
            records = List.copyOf(records);
        }
    }

    /** These are in the configuration no more. */
    record Deregister(List<EnvironmentName> names) implements Command {
        public Deregister {
            names = List.copyOf(names);
        }
    }

    /**
     * Work is wanted. Answered by {@link Answer.Claimed}.
     *
     * @param process who wants it
     * @param ids fresh ids, as many as steps could be begun
     */
    record ClaimWork(String process, List<ClaimId> ids) implements Command {
        public ClaimWork {
            ids = List.copyOf(ids);
        }
    }

    /** The workers with these claims are alive. Answered by {@link Answer.Renewed}. */
    record RenewClaims(List<Held> held) implements Command {
        public RenewClaims {
            held = List.copyOf(held);
        }

        /** A claim and what it is for. */
        public record Held(EnvironmentName environment, ClaimId claim) {}
    }

    /** A step is over. Answered by {@link Answer.Reported}: false says that the claim was lost and nothing was changed. */
    record Report(EnvironmentName environment, ClaimId claim, long epoch, Result result) implements Command {}

    /** How a step ended. */
    sealed interface Result {
        /**
         * It did what it was for.
         *
         * @param access what was issued; null for every step but issuing
         * @param settle what must pass before anything follows
         */
        record Done(@Nullable Sealed access, @Nullable String report, Duration settle) implements Result {}

        /** The environment failed. */
        record Failed(String reason, @Nullable String report) implements Result {}

        /** It failed, and the environment did not cause it. */
        record Unavailable(String reason, @Nullable String report) implements Result {}

        /** An earlier worker could not be made harmless from here: its time-out is waited for. */
        record Unfenced() implements Result {}
    }

    /** The workers of every process but this one are known to be gone: their claims are void. */
    record VoidClaims(String process) implements Command {}

    /**
     * Something to be told among the pool's events that is not the pool's own doing.
     *
     * @param environment what it is about; null for the pool
     * @param principal whose doing it is; null for nobody's
     */
    record Note(
            Event.Type type,
            @Nullable EnvironmentName environment,
            @Nullable String principal,
            Map<String, String> data)
            implements Command {
        public Note {
            data = Map.copyOf(data);
        }

        /** About the pool, and nobody's doing. */
        public Note(Event.Type type, Map<String, String> data) {
            this(type, null, null, data);
        }
    }

    /** Nothing but the time: what is due is done in every batch. */
    record Tick() implements Command {}

    /** The environments that it names. */
    default List<EnvironmentName> environments() {
        return switch (this) {
            case Act act -> List.of(act.environment());
            case Register register ->
                register.records().stream().map(Registration::name).toList();
            case Deregister deregister -> deregister.names();
            case RenewClaims renew ->
                renew.held().stream().map(RenewClaims.Held::environment).toList();
            case Report report -> List.of(report.environment());
            case Note note -> note.environment() == null ? List.of() : List.of(note.environment());
            case Ask _,
                    Attend _,
                    Leave _,
                    Hold _,
                    Prioritise _,
                    KeepAlive _,
                    Extend _,
                    Release _,
                    Enact _,
                    Delist _,
                    ClaimWork _,
                    VoidClaims _,
                    Restored _,
                    Tick _ -> List.of();
        };
    }

    /** The allocations that it names, but for the one that an ask would make. */
    default Set<AllocationId> allocations() {
        return switch (this) {
            case Attend attend -> Set.of(attend.id());
            case Leave leave -> Set.of(leave.id());
            case Hold hold -> Set.of(hold.id());
            case Prioritise prioritise -> Set.of(prioritise.id());
            case KeepAlive keepAlive -> Set.of(keepAlive.id());
            case Extend extend -> Set.of(extend.id());
            case Release release -> Set.of(release.id());
            case Ask _,
                    Act _,
                    Enact _,
                    Delist _,
                    Register _,
                    Deregister _,
                    ClaimWork _,
                    RenewClaims _,
                    Report _,
                    VoidClaims _,
                    Restored _,
                    Note _,
                    Tick _ -> Set.of();
        };
    }
}
