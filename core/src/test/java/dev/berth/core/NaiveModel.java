package dev.berth.core;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * What a pool should do, told as simply as it can be: mutable things, looked through one by one, one command after the other. It shares
 * no code with the rules but their records, and says for each command what the answer has to be. Where the rules are free to choose
 * (which free environment, which due step) it takes their choice and says whether it was allowed.
 */
final class NaiveModel {
    /** An environment. */
    static final class Thing {
        String state = "cleaning";
        final String name;
        String digest = "";
        Shape shape = Shape.PLAIN;

        @Nullable
        String account;

        @Nullable
        Step step;

        int failures;
        int stalls;
        Instant due = Instant.MIN;

        @Nullable
        Claim claim;

        final List<Claim> lost = new ArrayList<>();
        boolean settling;

        @Nullable
        String dirty;

        @Nullable
        String drain;

        @Nullable
        String quarantine;

        boolean byOperator;
        long epoch;

        @Nullable
        Loan loan;

        @Nullable
        Instant checkAt;

        /** Not before then it comes back, as things were when it was granted. */
        @Nullable
        Instant backAt;

        /** In which batch it came free. */
        int freedIn;

        /** In which batch it got another shape while it was there: nobody had looked for others of that shape. */
        int reshapedIn;

        Instant since = Instant.MIN;

        Thing(String name) {
            this.name = name;
        }

        boolean isFree() {
            return state.equals("available");
        }

        boolean isGone() {
            return state.equals("retired");
        }

        /** Whether it is lent again without a person's doing. */
        boolean isLendable() {
            return !isGone() && !state.equals("dirty") && drain == null;
        }

        boolean isWorked() {
            return step != null;
        }

        List<Claim> moving() {
            var all = new ArrayList<>(lost);
            if (claim != null) {
                all.add(claim);
            }
            return all;
        }
    }

    /** An allocation, or the place of a caller who keeps asking. */
    static final class Loan {
        final AllocationId id;
        final String principal;
        final Request request;
        final String sharer;
        final long arrival;
        final Instant createdAt;
        /** In which batch it came. */
        final int cameIn;

        int priority;
        /** Its place, as it was reckoned when it came or got another priority. */
        long rank;

        String state = "pending";
        Instant until;

        /** Null while nobody is known to be interested. */
        @Nullable
        Instant interest;

        /** Until when a call is held open for it; null for as long as issuing takes. */
        @Nullable
        Instant open;

        Instant giveUp = Instant.MAX;
        Instant grantedAt = Instant.MIN;

        @Nullable
        Instant expires;

        @Nullable
        Instant keepaliveBy;

        @Nullable
        Instant collectBy;

        /** Whether it has what somebody else gathers. */
        boolean lent;

        @Nullable
        Instant heldSince;

        @Nullable
        Instant heldUntil;

        Set<String> heldTo = Set.of();

        /** Of who keeps asking: when it asked last. */
        Instant askedAt = Instant.MIN;

        @Nullable
        Instant keptUntil;

        /** The same as the batch found it. */
        @Nullable
        Instant keptBefore;

        int misses;
        boolean awake = true;

        final @Nullable Duration keepalive;
        final Set<String> avoid = new HashSet<>();
        List<String> has = new ArrayList<>();

        Loan(
                Command.Ask ask,
                String sharer,
                long arrival,
                int cameIn,
                Instant now,
                @Nullable Duration keepalive,
                Duration liveness) {
            id = ask.id();
            principal = ask.principal();
            request = ask.request();
            priority = request.priority();
            createdAt = now;
            until = now.plus(request.maxWait());
            interest = now.plus(liveness);
            open = now.plus(ask.open());
            this.sharer = sharer;
            this.arrival = arrival;
            this.cameIn = cameIn;
            this.keepalive = keepalive;
        }

        NeedClass need() {
            return request.need();
        }

        boolean isOver() {
            return state.startsWith("ended");
        }

        /** For how long it has been asking. */
        Duration asking() {
            return Duration.between(createdAt, askedAt);
        }

        boolean isPlace() {
            return state.equals("polling");
        }

        boolean isPending() {
            return state.equals("pending");
        }

        boolean holds() {
            return state.equals("granting") || state.equals("active");
        }
    }

    final Map<String, Thing> things = new TreeMap<>();
    final Map<AllocationId, Loan> loans = new TreeMap<>(Comparator.comparing(AllocationId::value));
    final Map<String, Loan> keys = new TreeMap<>();
    final Map<Slice.Place, Loan> places = new HashMap<>();
    private final UnaryOperator<Policy> believed;
    private Policy policy;
    private final NaiveQueue queue;
    boolean listed = true;
    private long arrivals;
    private int unavailable;
    private @Nullable Instant openUntil;
    private Instant touched;
    private Instant now;
    private int batches;
    private int firstOfRun;
    private boolean reconfigured;
    private boolean registering;
    /** What the rules came to, for their free choices. */
    final NaiveStore actual;

    /**
     * @param believed what it takes a policy for: to be as wrong as the rules would be
     */
    NaiveModel(Policy policy, UnaryOperator<Policy> believed, NaiveStore actual, Instant now) {
        this.believed = believed;
        this.policy = believed.apply(policy);
        this.actual = actual;
        this.now = now;
        touched = now;
        queue = new NaiveQueue(this);
    }

    Instant now() {
        return now;
    }

    Policy policy() {
        return policy;
    }

    int batches() {
        return batches;
    }

    /** What the rules made of it in this very batch; null where it lives no more. */
    @Nullable
    Allocation real(Loan loan) {
        return actual.lastLiving.get(batches - firstOfRun).get(loan.id);
    }

    /** Whether what has to happen to it was left to a batch that followed at once. */
    boolean isLeft(Loan loan) {
        return isFollowed() && real(loan) != null;
    }

    /** Whether it was a batch that followed at once which served it. */
    boolean isServedLater(Loan loan) {
        return actual.lastLiving.stream()
                .skip(batches - firstOfRun + 1)
                .map(living -> living.get(loan.id))
                .anyMatch(real -> real != null && !real.state().grants().isEmpty());
    }

    /** Whether another policy came with these commands, under which more may be served than were looked at: a batch follows at once. */
    boolean isReconfigured() {
        return reconfigured && isFollowed();
    }

    /** Whether records came with these commands, so that environments may be others than were looked at: a batch follows at once. */
    boolean isRegistering() {
        return registering && isFollowed();
    }

    private boolean isFollowed() {
        return batches - firstOfRun < actual.lastLiving.size() - 1;
    }

    /** Whether it came with the commands that were compared last. */
    boolean isNew(Loan loan) {
        return loan.cameIn >= firstOfRun;
    }

    /** What each command has to be answered, in the words of {@link Scenario}; batches without a command may have followed at once. */
    List<String> run(List<Command> commands, List<Answer> answers, Instant at) {
        firstOfRun = batches + 1;
        reconfigured = commands.stream().anyMatch(Command.Enact.class::isInstance);
        registering = commands.stream().anyMatch(Command.Register.class::isInstance);
        var said = batch(commands, answers, at);
        for (int i = 1; i < actual.lastLiving.size(); i++) {
            batch(List.of(new Command.Tick()), List.of(), at);
        }
        for (int i = 0; i < commands.size(); i++) { // an allocation is answered as it is in the end
            if (said.get(i).startsWith("loan ")) {
                said.set(i, state(loans.get(new AllocationId(said.get(i).substring(5)))));
            }
        }
        return said;
    }

    private List<String> batch(List<Command> commands, List<Answer> answers, Instant at) {
        now = at;
        batches++;
        boolean restarted = commands.stream().anyMatch(Command.VoidClaims.class::isInstance);
        if ((things.values().stream().anyMatch(thing -> thing.state.equals("allocated"))
                        || !waiting().isEmpty())
                && (now.isAfter(touched.plusSeconds(6)) || restarted)) {
            forgive(Duration.between(touched, now), restarted);
        }
        queue.begin();
        var said = new ArrayList<String>();
        for (var command : commands) {
            said.add(first(command));
        }
        for (var thing : things.values()) {
            if (thing.settling && !thing.due.isAfter(now)) {
                settled(thing);
            }
        }
        for (var loan : List.copyOf(loans.values())) {
            expire(loan);
        }
        queue.serve();
        for (var loan : waiting()) {
            if (!loan.until.isAfter(now)) {
                end(loan, "wait-timeout");
            } else if (loan.interest != null && !loan.interest.isAfter(now)) {
                loan.interest = null;
            }
        }
        List.copyOf(places.values()).forEach(this::miss);
        queue.serve();
        for (int i = 0; i < commands.size(); i++) {
            if (commands.get(i) instanceof Command.Ask ask) {
                said.set(i, ask(ask, answers.get(i)));
            }
        }
        checks();
        for (int i = 0; i < commands.size(); i++) {
            if (commands.get(i) instanceof Command.ClaimWork claim) {
                said.set(i, claimed(claim, (Answer.Claimed) answers.get(i), commands.size() == 1));
            }
        }
        touched = now;
        return said;
    }

    private String first(Command command) {
        return switch (command) {
            case Command.Release release -> {
                var known = loans.get(release.id());
                boolean heldFor = known != null
                        && !known.isOver()
                        && known.heldTo.contains(release.caller().principal());
                var loan = heldFor ? known : visible(release.id(), release.caller());
                if (loan != null && !loan.isOver()) {
                    var by = release.caller().principal();
                    end(loan, loan.principal.equals(by) || loan.heldTo.contains(by) ? "released" : "operator");
                }
                yield loan == null ? "no-such-allocation" : "loan " + loan.id;
            }
            case Command.KeepAlive keep -> {
                var loan = visible(keep.id(), keep.caller());
                if (loan == null || isOver(loan)) {
                    yield loan == null ? "no-such-allocation" : "lease-lost";
                }
                note(loan, Duration.ZERO);
                live(loan);
                yield "loan " + loan.id;
            }
            case Command.Extend extend -> {
                var loan = visible(extend.id(), extend.caller());
                if (loan == null || isOver(loan)) {
                    yield loan == null ? "no-such-allocation" : "lease-lost";
                }
                if (policy.maxSession() == null
                        || !loan.state.equals("active")
                        || loan.lent
                        || loan.heldUntil != null) {
                    yield "extend-not-allowed";
                }
                if (loan.expires != null && extend.until().isAfter(loan.expires)) {
                    if (extend.until().isAfter(loan.grantedAt.plus(policy.maxSession()))) {
                        yield "extend-too-far";
                    }
                    loan.expires = extend.until();
                    loan.collectBy = null;
                    live(loan);
                }
                yield "loan " + loan.id;
            }
            case Command.Attend attend -> {
                var loan = visible(attend.id(), attend.caller());
                if (loan != null && loan.principal.equals(attend.caller().principal())) {
                    note(loan, attend.open());
                }
                yield loan == null ? "no-such-allocation" : "loan " + loan.id;
            }
            case Command.Leave leave -> leave(leave);
            case Command.Hold hold -> hold(hold);
            case Command.Prioritise prioritise -> {
                var loan = visible(prioritise.id(), prioritise.caller());
                if (loan == null || !loan.isPending()) {
                    yield loan == null ? "no-such-allocation" : "not-waiting";
                }
                loan.priority = prioritise.priority();
                loan.rank = rank(loan);
                yield "loan " + loan.id;
            }
            case Command.Report report -> report(report) ? "taken" : "lost";
            case Command.RenewClaims renew -> {
                boolean lost = false;
                for (var held : renew.held()) {
                    var thing = things.get(held.environment().value());
                    if (thing == null
                            || thing.claim == null
                            || !thing.claim.id().equals(held.claim())
                            || !thing.claim.deadline().isAfter(now)) {
                        lost = true;
                    } else {
                        var claim = thing.claim;
                        var until = now.plusSeconds(15);
                        thing.claim = new Claim(
                                claim.id(),
                                claim.process(),
                                until.isBefore(claim.deadline()) ? until : claim.deadline(),
                                claim.deadline());
                    }
                }
                yield lost ? "lost" : "kept";
            }
            case Command.Restored _ -> throw new IllegalArgumentException("no walk restores the store");
            case Command.VoidClaims gone -> {
                for (var thing : things.values()) {
                    if (thing.claim != null && !thing.claim.process().equals(gone.process())) {
                        thing.lost.add(thing.claim);
                        thing.claim = null;
                        thing.stalls++;
                        thing.due = now;
                    }
                }
                yield "done";
            }
            case Command.Act act -> act(act);
            case Command.Register register -> {
                register.records().forEach(this::register);
                yield "done";
            }
            case Command.Deregister deregister -> {
                for (var name : deregister.names()) {
                    var thing = things.get(name.value());
                    if (thing != null && thing.state.equals("retired")) {
                        thing.byOperator = false;
                    } else if (thing != null) {
                        drain(thing, "record");
                    }
                }
                yield "done";
            }
            case Command.Enact enact -> {
                policy = believed.apply(enact.policy());
                listed = true;
                yield "done";
            }
            case Command.Delist _ -> {
                listed = false;
                yield "done";
            }
            case Command.Note _, Command.Tick _ -> "done";
            case Command.Ask _, Command.ClaimWork _ -> "";
        };
    }

    // ---- loans

    private String ask(Command.Ask ask, Answer answer) {
        var request = ask.request();
        var key = ask.principal() + "/" + request.key();
        var earlier = request.key() == null ? null : keys.get(key);
        if (earlier != null) {
            boolean same = earlier.request.digest().equals(request.digest());
            boolean spent = earlier.isOver();
            if (same && !spent) {
                boolean asleep = earlier.isPending() && earlier.interest == null;
                note(earlier, ask.open());
                if (asleep) {
                    queue.serve();
                }
            }
            return !same ? "idempotency-key-reused" : spent ? "idempotency-key-spent" : "loan " + earlier.id;
        }
        if (!listed) {
            return "no-such-pool";
        }
        if (queue.isImpossible(request.need())) {
            return "unsatisfiable";
        }
        var quota = policy.quota(ask.principal());
        if (quota.held() != null && request.count() > quota.held()) {
            return "out-of-range";
        }
        var queueing = policy.queue();
        var loan = new Loan(
                ask,
                sharer(ask),
                ++arrivals,
                batches,
                now,
                request.keepalive() == null ? policy.keepalive() : request.keepalive(),
                queueing.liveness());
        loan.rank = rank(loan);
        boolean waits = request.maxWait().isPositive();
        var asked = Slice.Place.of(ask);
        var place = places.get(asked);
        boolean over = queue.isOverQuota(loan) && !isFreeStill(answer);
        var choice = over ? null : queue.choose(place == null ? loan : place, loan, waits || place != null);
        if (choice == null && waits && isFullStill(answer)) {
            return Scenario.slug(((Answer.Refused) answer).refusal());
        }
        if (choice == null && waits) {
            if (quota.queued() != null
                    && waiting().stream()
                                    .filter(other -> other.principal.equals(loan.principal))
                                    .count()
                            >= quota.queued()) {
                return "quota-exceeded";
            }
            if (waiting().size() >= queueing.max()) {
                return "queue-full";
            }
        } else if (choice == null) {
            if (!over) {
                keepPlace(loan, asked, place);
            }
            return over ? "quota-exceeded" : "no-environment-available";
        }
        loans.put(loan.id, loan);
        if (request.key() != null) {
            keys.put(key, loan);
        }
        places.remove(asked);
        if (choice == null) {
            queue.join(loan);
        } else {
            grant(loan, choice);
            queue.took(choice, place);
        }
        return "loan " + loan.id;
    }

    private String sharer(Command.Ask ask) {
        var by = policy.queue().shareBy();
        return by == null ? ask.principal() : by + "=" + (ask.label() == null ? "" : ask.label());
    }

    /** Whether it came too early: somebody left the queue only with a batch that followed at once. */
    private boolean isFullStill(Answer answer) {
        return actual.lastLiving.size() > 1
                && answer instanceof Answer.Refused refused
                && (refused.refusal() == Refusal.QUEUE_FULL || refused.refusal() == Refusal.QUOTA_EXCEEDED);
    }

    /** Whether it came before those of its principal who were served only by a batch that followed at once. */
    private boolean isFreeStill(Answer answer) {
        return actual.lastLiving.size() > 1
                && answer instanceof Answer.Refused refused
                && refused.refusal() == Refusal.NO_ENVIRONMENT_AVAILABLE;
    }

    private void keepPlace(Loan loan, Slice.Place asked, @Nullable Loan place) {
        if (place == null && places.size() < policy.queue().max()) {
            loan.state = "polling";
            loan.awake = false; // it may never come again
            loan.askedAt = now;
            places.put(asked, loan);
        } else if (place != null
                && (!place.awake
                        || !place.askedAt.plusSeconds(10).isAfter(now)
                        || !place.askedAt.plus(place.asking()).isAfter(now))) {
            place.askedAt = now;
            place.keptUntil = null;
            place.awake = true;
        }
    }

    private long rank(Loan loan) {
        return loan.createdAt.toEpochMilli()
                - loan.priority * policy.queue().aging().toMillis();
    }

    private void miss(Loan place) {
        boolean missed = place.keptUntil != null && !place.keptUntil.isAfter(now);
        if (missed) {
            place.misses++;
            place.keptUntil = null;
            place.awake = false;
        }
        if (place.misses >= 2 || !place.askedAt.plusSeconds(130).isAfter(now)) {
            places.values().remove(place);
        }
    }

    /** Somebody is interested: noted again when a third of the time is over, but for a longer open call. */
    private void note(Loan loan, Duration open) {
        if (loan.isPending()) {
            var liveness = policy.queue().liveness();
            var third = liveness.multipliedBy(2).dividedBy(3);
            if (loan.interest == null || !loan.interest.isAfter(now.plus(third))) {
                loan.interest = now.plus(liveness);
            }
            if (loan.open == null || loan.open.isBefore(now.plus(open))) {
                loan.open = now.plus(open);
            }
        } else {
            boolean waited = loan.collectBy != null;
            loan.collectBy = null;
            if (waited) {
                live(loan);
            }
        }
    }

    private String leave(Command.Leave leave) {
        var loan = loans.get(leave.id());
        if (loan == null || !loan.principal.equals(leave.caller().principal())) {
            return "no-such-allocation";
        }
        if (!loan.isOver() && !leave.known() && loan.request.key() == null) {
            end(loan, "not-collected");
        } else if (loan.isPending()) {
            loan.interest = null;
            loan.open = now;
        } else if (loan.state.equals("granting")) {
            loan.open = now;
        } else if (loan.state.equals("active")) {
            loan.collectBy = now.plus(policy.queue().liveness());
            live(loan);
        }
        return "loan " + loan.id;
    }

    private String hold(Command.Hold hold) {
        var loan = visible(hold.id(), hold.caller());
        if (loan == null || isOver(loan)) {
            return loan == null ? "no-such-allocation" : "lease-lost";
        }
        var terms = policy.hold();
        if (terms == null || !loan.state.equals("active") || loan.lent) {
            return "hold-not-allowed";
        }
        if (hold.period().compareTo(terms.max()) > 0) {
            return "out-of-range";
        }
        int onHold = loans.values().stream()
                .filter(other -> other.heldUntil != null && other.state.equals("active"))
                .mapToInt(other -> other.has.size())
                .sum();
        if (loan.heldSince == null) {
            if (onHold + loan.has.size() > terms.quota()) {
                return "hold-quota-exceeded";
            }
            loan.heldSince = now;
        }
        var latest = loan.heldSince.plus(terms.max());
        var until = now.plus(hold.period());
        loan.heldUntil = until.isAfter(latest) ? latest : until;
        loan.heldTo = hold.to();
        loan.expires = null;
        loan.keepaliveBy = null;
        loan.collectBy = null;
        return "loan " + loan.id;
    }

    void grant(Loan loan, NaiveQueue.Choice choice) {
        loan.has = new ArrayList<>(choice.names());
        loan.lent = choice.loan();
        boolean issues = policy.steps().contains(Step.ISSUE);
        var length = length(loan);
        for (var name : choice.names()) {
            var thing = things.get(name);
            thing.state = "allocated";
            thing.since = now;
            thing.epoch++;
            thing.loan = loan;
            thing.backAt = length == null ? null : now.plus(length);
            work(thing, issues ? Step.ISSUE : null, 0);
            thing.due = now;
        }
        queue.granted(loan);
        var limits = policy.limits(Step.ISSUE);
        loan.giveUp = now.plus(limits.timeout().multipliedBy(limits.attempts())).plusSeconds(120);
        if (loan.cameIn == batches) {
            loan.open = null; // who asks now is there
        }
        if (issues) {
            loan.state = "granting";
        } else {
            activate(loan);
        }
    }

    @Nullable
    Duration length(Loan loan) {
        return loan.request.duration() == null ? policy.session() : loan.request.duration();
    }

    private void activate(Loan loan) {
        loan.state = "active";
        loan.grantedAt = now;
        var duration = length(loan);
        loan.collectBy = loan.open == null || loan.open.isAfter(now)
                ? null
                : now.plus(policy.queue().liveness());
        loan.expires = duration == null ? null : now.plus(duration);
        live(loan);
    }

    private void live(Loan loan) {
        if (loan.state.equals("active") && loan.keepalive != null && loan.heldUntil == null) {
            var by = now.plus(loan.keepalive);
            loan.keepaliveBy = loan.expires != null && by.isAfter(loan.expires) ? loan.expires : by;
            if (loan.collectBy != null) {
                loan.keepaliveBy = null;
            }
        }
    }

    private void expire(Loan loan) {
        if (loan.state.equals("granting") && !loan.giveUp.isAfter(now)) {
            end(loan, "access-failed");
        } else if (loan.state.equals("active") && loan.heldUntil != null) {
            if (!loan.heldUntil.isAfter(now)) {
                end(loan, "session-expired");
            }
        } else if (loan.state.equals("active") && loan.expires != null && !loan.expires.isAfter(now)) {
            end(loan, "session-expired");
        } else if (loan.state.equals("active") && loan.keepaliveBy != null && !loan.keepaliveBy.isAfter(now)) {
            end(loan, "keepalive-lost");
        } else if (loan.state.equals("active") && loan.collectBy != null && !loan.collectBy.isAfter(now)) {
            end(loan, "not-collected");
        }
    }

    private void forgive(Duration silence, boolean restarted) {
        for (var loan : loans.values()) {
            if (restarted) {
                loan.open = now;
            }
            loan.until = loan.until.plus(silence);
            loan.interest = loan.interest == null ? null : loan.interest.plus(silence);
            loan.collectBy = loan.collectBy == null ? null : loan.collectBy.plus(silence);
            if (loan.state.equals("granting")) {
                loan.giveUp = loan.giveUp.plus(silence);
            }
            live(loan);
        }
        for (var place : places.values()) {
            place.askedAt = place.askedAt.plus(silence);
            place.keptUntil = null;
        }
    }

    void end(Loan loan, String why) {
        vacate(loan);
        loan.state = "ended " + why;
        if (List.of("wait-timeout", "access-failed", "unsatisfiable", "not-collected")
                        .contains(why)
                && loan.request.key() != null) {
            keys.remove(loan.principal + "/" + loan.request.key());
        }
    }

    private void vacate(Loan loan) {
        queue.vacated(loan);
        for (var name : loan.has) {
            var thing = things.get(name);
            var moving = thing.moving();
            enter(thing, Step.REVOKE, 0, moving);
        }
        loan.has = new ArrayList<>();
    }

    List<Loan> waiting() {
        return loans.values().stream()
                .filter(loan -> loan.state.equals("pending"))
                .sorted(Comparator.comparingLong(loan -> loan.arrival))
                .toList();
    }

    private int total() {
        return (int) things.values().stream()
                .filter(thing -> !thing.state.equals("retired"))
                .count();
    }

    private @Nullable Loan visible(AllocationId id, Caller caller) {
        var loan = loans.get(id);
        return loan == null || !(caller.operator() || loan.principal.equals(caller.principal())) ? null : loan;
    }

    private boolean isOver(Loan loan) {
        var end = loan.heldUntil == null ? loan.expires : loan.heldUntil;
        return loan.isOver() || (loan.state.equals("active") && end != null && !end.isAfter(now));
    }

    // ---- upkeep

    private static void work(Thing thing, @Nullable Step step, int failures) {
        thing.step = step;
        thing.failures = failures;
        thing.stalls = 0;
        thing.claim = null;
        thing.lost.clear();
        thing.settling = false;
        thing.due = Instant.MIN;
    }

    private void enter(Thing thing, Step from, int failures, List<Claim> moving) {
        Step next = null;
        for (var step : List.of(Step.REVOKE, Step.CLEAN, Step.VERIFY)) {
            if (next == null && step.compareTo(from) >= 0 && policy.steps().contains(step)) {
                next = step;
            }
        }
        if (next == null && !moving.isEmpty()) {
            next = Step.REVOKE;
        }
        if (next == null || (thing.quarantine != null && next != Step.REVOKE)) {
            rest(thing);
            return;
        }
        var lost = List.copyOf(moving);
        become(thing, "cleaning");
        work(thing, next, failures);
        thing.lost.addAll(lost);
        thing.due = now;
    }

    private void rest(Thing thing) {
        work(thing, null, 0);
        if (thing.quarantine != null) {
            soil(thing, thing.quarantine);
        } else if (thing.drain != null) {
            retire(thing, thing.drain, null);
        } else {
            become(thing, "available");
            thing.freedIn = batches;
            thing.since = now;
            thing.dirty = null;
            thing.checkAt = policy.verifyEvery() == null || !policy.steps().contains(Step.VERIFY) ? null : Instant.MAX;
        }
    }

    private void soil(Thing thing, String why) {
        work(thing, null, 0);
        if (thing.drain != null) {
            retire(thing, thing.drain, why);
        } else {
            become(thing, "dirty");
            thing.dirty = why;
            thing.quarantine = null;
        }
    }

    private void retire(Thing thing, String because, @Nullable String dirty) {
        become(thing, "retired");
        thing.byOperator = because.equals("operator");
        thing.dirty = dirty;
        thing.drain = null;
        thing.quarantine = null;
    }

    private void become(Thing thing, String state) {
        if (!thing.state.equals(state)) {
            thing.since = now;
        }
        thing.state = state;
    }

    private boolean report(Command.Report report) {
        var thing = things.get(report.environment().value());
        if (thing == null
                || thing.claim == null
                || !thing.claim.id().equals(report.claim())
                || thing.epoch != report.epoch()) {
            return false;
        }
        switch (report.result()) {
            case Command.Result.Done done -> {
                unavailable = 0;
                openUntil = null;
                thing.claim = null;
                thing.lost.clear();
                thing.stalls = 0;
                if (done.settle().isPositive()) {
                    thing.settling = true;
                    thing.due = now.plus(done.settle());
                } else {
                    settled(thing);
                }
            }
            case Command.Result.Failed failed -> {
                unavailable = 0;
                openUntil = null;
                thing.claim = null;
                failed(thing, failed.reason());
            }
            case Command.Result.Unavailable _ -> {
                thing.claim = null;
                thing.stalls++;
                thing.due = now.plus(pause(thing.stalls));
                if (++unavailable >= 3) {
                    openUntil = now.plusSeconds(60);
                }
            }
            case Command.Result.Unfenced _ -> {
                thing.due = thing.lost.stream()
                        .map(Claim::deadline)
                        .max(Comparator.naturalOrder())
                        .orElse(now);
                thing.lost.clear();
                thing.claim = null;
            }
        }
        return true;
    }

    private void settled(Thing thing) {
        thing.settling = false;
        if (thing.state.equals("allocated")) {
            work(thing, null, 0);
            var loan = Objects.requireNonNull(thing.loan);
            if (loan.has.stream().noneMatch(name -> things.get(name).isWorked())) {
                activate(loan);
            }
        } else if (thing.state.equals("checking")) {
            rest(thing);
        } else if (thing.step == Step.REVOKE) {
            enter(thing, Step.CLEAN, 0, List.of());
        } else if (thing.step == Step.CLEAN) {
            enter(thing, Step.VERIFY, thing.failures, List.of());
        } else {
            rest(thing);
        }
    }

    private void failed(Thing thing, String reason) {
        var step = Objects.requireNonNull(thing.step);
        var why = Scenario.slug(step) + " failed: " + reason;
        boolean again = thing.failures + 1 < policy.limits(step).attempts();
        int failures = thing.failures + 1;
        switch (thing.state) {
            case "allocated" -> {
                if (again) {
                    work(thing, Step.ISSUE, failures);
                    thing.due = now.plus(pause(failures));
                } else {
                    undo(Objects.requireNonNull(thing.loan), thing);
                }
            }
            case "cleaning" -> {
                if (again) {
                    boolean cleans = step == Step.VERIFY && policy.steps().contains(Step.CLEAN);
                    work(thing, cleans ? Step.CLEAN : step, failures);
                    thing.due = now.plus(pause(failures));
                } else {
                    soil(thing, why);
                }
            }
            default -> {
                if (thing.dirty != null) {
                    soil(thing, why);
                } else {
                    enter(thing, Step.REVOKE, 0, thing.moving());
                }
            }
        }
    }

    private void undo(Loan loan, Thing culprit) {
        things.forEach((name, thing) -> {
            if (thing == culprit) {
                loan.avoid.add(name);
            }
        });
        if (loan.avoid.size() >= 3 || total() - loan.avoid.size() < loan.request.count()) {
            end(loan, "access-failed");
        } else {
            vacate(loan);
            loan.state = "pending";
            loan.interest = now.plus(policy.queue().liveness());
            loan.open = loan.open == null ? now : loan.open;
        }
    }

    private static Duration pause(int tries) {
        return Duration.ofSeconds(Math.min(300, 1L << Math.min(tries - 1, 20)));
    }

    private void checks() {
        var due = new ArrayList<String>();
        for (var name : things.keySet()) {
            var thing = things.get(name);
            if (!thing.state.equals("available") || thing.checkAt == null) {
                continue;
            }
            var real = actual.environments.get(new EnvironmentName(name)).state();
            if (thing.checkAt.equals(Instant.MAX) && real instanceof EnvironmentState.Available(var at)) {
                var every = Objects.requireNonNull(policy.verifyEvery());
                if (at == null
                        || at.isBefore(now.plus(every.multipliedBy(4).dividedBy(5)))
                        || at.isAfter(now.plus(every.multipliedBy(6).dividedBy(5)))) {
                    throw new AssertionError(name + " is to be checked at " + at);
                }
                thing.checkAt = at;
            }
            if (!thing.checkAt.isAfter(now)) {
                due.add(name);
            }
        }
        // The order of those that are due is the rules' own: those that they chose come first here.
        due.sort(Comparator.comparing(name ->
                !(actual.environments.get(new EnvironmentName(name)).state() instanceof EnvironmentState.Checking)));
        for (var name : due) {
            var thing = things.get(name);
            long free = things.values().stream()
                    .filter(other -> other.state.equals("available"))
                    .count();
            long checking = things.values().stream()
                    .filter(other -> other.state.equals("checking"))
                    .count();
            boolean overdue = now.isAfter(thing.since.plus(
                    Objects.requireNonNull(policy.verifyEvery()).multipliedBy(3)));
            boolean chosen =
                    actual.environments.get(new EnvironmentName(name)).state() instanceof EnvironmentState.Checking;
            if (waiting().isEmpty()
                    && openUntil == null
                    && checking < Math.max(1, free / 20)
                    && (free > 1 || overdue)
                    && !queue.isSurelyKept(name)
                    && (chosen || !queue.mayBeKept(name))) {
                become(thing, "checking");
                thing.dirty = null;
                work(thing, Step.VERIFY, 0);
                thing.due = now;
            } else {
                thing.checkAt = now.plusSeconds(60);
            }
        }
    }

    /** Whether what was claimed could be, and whether more could have been. */
    private String claimed(Command.ClaimWork command, Answer.Claimed answer, boolean alone) {
        for (var thing : things.values()) {
            if (isDue(thing)
                    && thing.moving().size() >= 10
                    && thing.moving().stream()
                            .noneMatch(claim -> claim.deadline().isAfter(now))) {
                failed(
                        thing,
                        "its worker was lost %d times".formatted(thing.moving().size()));
            }
        }
        for (var step : answer.steps()) {
            var thing = things.get(step.environment().name().value());
            if (!mayClaim(thing) || thing.step != step.work().step()) {
                throw new AssertionError(step.environment().name() + " was claimed and could not be");
            }
            if (!List.copyOf(step.fence()).equals(thing.moving())) {
                throw new AssertionError("%s is claimed with %s to be made harmless and not %s"
                        .formatted(step.environment().name(), step.fence(), thing.moving()));
            }
            if (openUntil != null) {
                openUntil = now.plusSeconds(60);
            }
            if (thing.claim != null) {
                thing.lost.add(thing.claim);
                thing.stalls++;
            }
            thing.claim = new Claim(
                    step.claim().id(),
                    command.process(),
                    now.plusSeconds(15),
                    now.plus(policy.limits(Objects.requireNonNull(thing.step)).timeout())
                            .plusSeconds(30));
        }
        // What became due in this very batch was not loaded with it: it comes with the next one.
        boolean more = alone
                && things.values().stream()
                        .anyMatch(thing -> mayClaim(thing)
                                && (thing.claim == null ? thing.due : thing.claim.until()).isBefore(now));
        if (more && answer.steps().size() < command.ids().size()) {
            throw new AssertionError("more could have been claimed");
        }
        return "claimed " + answer.steps().size();
    }

    private boolean isDue(Thing thing) {
        return thing.isWorked()
                && !thing.settling
                && !(thing.claim == null ? thing.due : thing.claim.until()).isAfter(now);
    }

    private boolean mayClaim(Thing thing) {
        if (!isDue(thing) || thing.moving().size() >= 10 || (openUntil != null && openUntil.isAfter(now))) {
            return false;
        }
        boolean issue = thing.step == Step.ISSUE;
        long running = things.values().stream()
                .filter(other -> other.claim != null && (other.step == Step.ISSUE) == issue)
                .count();
        long inAccount = things.values().stream()
                .filter(other -> other.claim != null
                        && other.step != Step.ISSUE
                        && thing.account != null
                        && thing.account.equals(other.account))
                .count();
        return thing.claim != null || (running < policy.parallel() && (issue || inAccount < policy.perAccount()));
    }

    // ---- operators and the configuration

    private void register(Registration record) {
        var name = record.name().value();
        var thing = things.get(name);
        if (thing == null || thing.state.equals("retired")) {
            if (thing != null && thing.byOperator && thing.digest.equals(record.digest())) {
                return;
            }
            if (thing == null) {
                thing = new Thing(name);
                things.put(name, thing);
            }
            var dirty = thing.state.equals("retired") ? thing.dirty : null;
            thing.byOperator = false;
            thing.digest = record.digest();
            thing.account = record.account();
            thing.shape = record.shape();
            thing.since = now;
            thing.dirty = null;
            thing.state = "cleaning";
            if (dirty != null) {
                soil(thing, dirty);
            } else {
                enter(thing, policy.adopt() ? Step.VERIFY : Step.REVOKE, 0, List.of());
            }
            return;
        }
        boolean changed = !thing.digest.equals(record.digest());
        thing.reshapedIn = thing.shape.equals(record.shape()) ? thing.reshapedIn : batches;
        thing.digest = record.digest();
        thing.account = record.account();
        thing.shape = record.shape();
        if ("record".equals(thing.drain) || changed) {
            thing.drain = null;
        }
    }

    private void drain(Thing thing, String because) {
        switch (thing.state) {
            case "available" -> retire(thing, because, null);
            case "dirty" -> retire(thing, because, thing.dirty);
            default -> thing.drain = "record".equals(thing.drain) ? "record" : because;
        }
    }

    private String act(Command.Act act) {
        var thing = things.get(act.environment().value());
        if (thing == null || thing.state.equals("retired")) {
            return "no-such-environment";
        }
        boolean held = thing.state.equals("allocated");
        switch (act.action()) {
            case CLEAN -> {
                if (held) {
                    return "environment-allocated";
                }
                thing.quarantine = null;
                boolean underWay = thing.state.equals("cleaning") && thing.claim != null && thing.step != Step.VERIFY;
                if (!underWay) {
                    enter(thing, Step.REVOKE, 0, thing.moving());
                }
            }
            case VERIFY -> {
                if (held) {
                    return "environment-allocated";
                }
                if (thing.state.equals("available") || thing.state.equals("dirty")) {
                    if (policy.steps().contains(Step.VERIFY)) {
                        become(thing, "checking");
                        work(thing, Step.VERIFY, 0);
                        thing.due = now;
                    } else {
                        rest(thing);
                    }
                }
            }
            case QUARANTINE -> {
                var why = act.reason() == null ? "quarantined by " + act.principal() : act.reason();
                if (thing.state.equals("available")) {
                    soil(thing, why);
                } else if (!thing.state.equals("dirty")) {
                    thing.quarantine = why;
                }
            }
            case RETIRE -> drain(thing, "operator");
        }
        return "acted";
    }

    // ---- comparing

    static String state(Loan loan) {
        return loan.state
                + (loan.has.isEmpty()
                        ? ""
                        : " " + String.join(",", loan.has.stream().sorted().toList()));
    }

    static String state(Thing thing) {
        var text = new StringBuilder(thing.state);
        switch (thing.state) {
            case "dirty" -> text.append(": ").append(thing.dirty);
            case "retired" ->
                text.append(thing.byOperator ? " by operator" : "")
                        .append(thing.dirty == null ? "" : ", dirty: " + thing.dirty);
            default -> {}
        }
        if (thing.step != null) {
            text.append(' ').append(Scenario.slug(thing.step));
            text.append(thing.failures == 0 ? "" : " failures=" + thing.failures);
            text.append(thing.claim == null ? "" : " claimed");
            text.append(thing.settling ? " settling" : "");
        }
        text.append(thing.drain == null ? "" : " draining");
        text.append(thing.quarantine == null ? "" : " quarantined");
        return text.toString();
    }
}
