package dev.berth.core;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
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
        String digest = "";

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

        Instant since = Instant.MIN;

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

    /** An allocation. */
    static final class Loan {
        final AllocationId id;
        final String principal;
        final Request request;
        final long arrival;
        String state = "pending";
        Instant until;
        Instant giveUp = Instant.MAX;
        Instant grantedAt = Instant.MIN;

        @Nullable
        Instant expires;

        @Nullable
        Instant keepaliveBy;

        final @Nullable Duration keepalive;
        final Set<String> avoid = new HashSet<>();
        List<String> has = new ArrayList<>();

        Loan(
                AllocationId id,
                String principal,
                Request request,
                long arrival,
                @Nullable Duration keepalive,
                Instant until) {
            this.id = id;
            this.principal = principal;
            this.request = request;
            this.arrival = arrival;
            this.keepalive = keepalive;
            this.until = until;
        }

        boolean isOver() {
            return state.startsWith("ended");
        }
    }

    final Map<String, Thing> things = new TreeMap<>();
    final Map<AllocationId, Loan> loans = new TreeMap<>(Comparator.comparing(AllocationId::value));
    final Map<String, Loan> keys = new TreeMap<>();
    private final Policy policy;
    private boolean listed = true;
    private long arrivals;
    private int unavailable;
    private @Nullable Instant openUntil;
    private Instant touched;
    private Instant now;
    private @Nullable Loan firstAtFirst;
    /** What the rules came to, for their free choices. */
    private final NaiveStore actual;

    NaiveModel(Policy policy, NaiveStore actual, Instant now) {
        this.policy = policy;
        this.actual = actual;
        this.now = now;
        touched = now;
    }

    /** What each command has to be answered, in the words of {@link Scenario}. */
    List<String> batch(List<Command> commands, List<Answer> answers, Instant at) {
        now = at;
        if ((things.values().stream().anyMatch(thing -> thing.state.equals("allocated"))
                        || !waiting().isEmpty())
                && (now.isAfter(touched.plusSeconds(6))
                        || commands.stream().anyMatch(Command.VoidClaims.class::isInstance))) {
            forgive(Duration.between(touched, now));
        }
        firstAtFirst = waiting().isEmpty() ? null : waiting().getFirst();
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
        serve();
        for (var loan : waiting()) {
            if (!loan.until.isAfter(now)) {
                end(loan, "wait-timeout");
            }
        }
        serve();
        for (int i = 0; i < commands.size(); i++) {
            if (commands.get(i) instanceof Command.Ask ask) {
                said.set(i, ask(ask));
            }
        }
        checks();
        for (int i = 0; i < commands.size(); i++) {
            if (commands.get(i) instanceof Command.ClaimWork claim) {
                said.set(i, claimed(claim, (Answer.Claimed) answers.get(i), commands.size() == 1));
            }
        }
        for (int i = 0; i < commands.size(); i++) { // an allocation is answered as it is in the end
            if (said.get(i).startsWith("loan ")) {
                said.set(i, state(loans.get(new AllocationId(said.get(i).substring(5)))));
            }
        }
        touched = now;
        return said;
    }

    private String first(Command command) {
        return switch (command) {
            case Command.Release release -> {
                var loan = visible(release.id(), release.caller());
                if (loan != null && !loan.isOver()) {
                    end(loan, loan.principal.equals(release.caller().principal()) ? "released" : "operator");
                }
                yield loan == null ? "no-such-allocation" : "loan " + loan.id;
            }
            case Command.KeepAlive keep -> {
                var loan = visible(keep.id(), keep.caller());
                if (loan == null || isOver(loan)) {
                    yield loan == null ? "no-such-allocation" : "lease-lost";
                }
                live(loan);
                yield "loan " + loan.id;
            }
            case Command.Extend extend -> {
                var loan = visible(extend.id(), extend.caller());
                if (loan == null || isOver(loan)) {
                    yield loan == null ? "no-such-allocation" : "lease-lost";
                }
                if (policy.maxSession() == null || !loan.state.equals("active")) {
                    yield "extend-not-allowed";
                }
                if (loan.expires != null && extend.until().isAfter(loan.expires)) {
                    if (extend.until().isAfter(loan.grantedAt.plus(policy.maxSession()))) {
                        yield "extend-too-far";
                    }
                    loan.expires = extend.until();
                    live(loan);
                }
                yield "loan " + loan.id;
            }
            case Command.Attend _, Command.Leave _, Command.Hold _, Command.Prioritise _ ->
                throw new IllegalArgumentException("not modelled: " + command);
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
            case Command.Enact _ -> {
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

    private String ask(Command.Ask ask) {
        var request = ask.request();
        var key = ask.principal() + "/" + request.key();
        var earlier = request.key() == null ? null : keys.get(key);
        if (earlier != null) {
            return !earlier.request.digest().equals(request.digest())
                    ? "idempotency-key-reused"
                    : earlier.isOver() ? "idempotency-key-spent" : "loan " + earlier.id;
        }
        if (!listed) {
            return "no-such-pool";
        }
        if (request.count() > total()) {
            return "unsatisfiable";
        }
        var loan = new Loan(
                ask.id(),
                ask.principal(),
                request,
                ++arrivals,
                request.keepalive() == null ? policy.keepalive() : request.keepalive(),
                now.plus(request.maxWait()));
        boolean granted = grant(loan);
        if (!granted && !request.maxWait().isPositive()) {
            return "no-environment-available";
        }
        if (!granted && waiting().size() >= policy.queue().max()) {
            return "queue-full";
        }
        loans.put(loan.id, loan);
        if (request.key() != null) {
            keys.put(key, loan);
        }
        return "loan " + loan.id;
    }

    private boolean grant(Loan loan) {
        var left = new ArrayList<String>();
        for (var name : things.keySet()) {
            boolean wanted = waiting().stream()
                    .anyMatch(before ->
                            before.arrival < loan.arrival && !isBlocked(before) && !before.avoid.contains(name));
            if (things.get(name).state.equals("available") && !loan.avoid.contains(name) && !wanted) {
                left.add(name);
            }
        }
        if (left.size() < loan.request.count()) {
            return false;
        }
        var real = actual.find(loan.id);
        var chosen = real == null
                ? left.subList(0, loan.request.count())
                : real.state().grants().stream()
                        .map(grant -> grant.environment().value())
                        .toList();
        if (chosen.size() != loan.request.count() || !left.containsAll(chosen)) {
            throw new AssertionError(
                    "%s should have %d of %s and has %s".formatted(loan.id, loan.request.count(), left, chosen));
        }
        loan.has = new ArrayList<>(chosen);
        boolean issues = policy.steps().contains(Step.ISSUE);
        for (var name : chosen) {
            var thing = things.get(name);
            thing.state = "allocated";
            thing.since = now;
            thing.epoch++;
            thing.loan = loan;
            work(thing, issues ? Step.ISSUE : null, 0);
            thing.due = now;
        }
        var limits = policy.limits(Step.ISSUE);
        loan.giveUp = now.plus(limits.timeout().multipliedBy(limits.attempts())).plusSeconds(120);
        if (issues) {
            loan.state = "granting";
        } else {
            activate(loan);
        }
        return true;
    }

    private void activate(Loan loan) {
        loan.state = "active";
        loan.grantedAt = now;
        var duration = loan.request.duration() == null ? policy.session() : loan.request.duration();
        loan.expires = duration == null ? null : now.plus(duration);
        live(loan);
    }

    private void live(Loan loan) {
        if (loan.state.equals("active") && loan.keepalive != null) {
            var by = now.plus(loan.keepalive);
            loan.keepaliveBy = loan.expires != null && by.isAfter(loan.expires) ? loan.expires : by;
        }
    }

    private void serve() {
        for (var loan : waiting()) {
            // Behind others it may go unnoticed for a while, and its wait may be over before.
            var real = actual.find(loan.id);
            var ended = real != null && real.state() instanceof AllocationState.Ended over ? over.reason() : null;
            boolean noticed = loan == firstAtFirst || !listed || ended == EndReason.UNSATISFIABLE;
            if ((!listed || loan.request.count() > total()) && noticed && ended != EndReason.WAIT_TIMEOUT) {
                end(loan, "unsatisfiable");
            }
        }
        waiting().forEach(this::grant);
    }

    private void expire(Loan loan) {
        if (loan.state.equals("granting") && !loan.giveUp.isAfter(now)) {
            end(loan, "access-failed");
        } else if (loan.state.equals("active") && loan.expires != null && !loan.expires.isAfter(now)) {
            end(loan, "session-expired");
        } else if (loan.state.equals("active") && loan.keepaliveBy != null && !loan.keepaliveBy.isAfter(now)) {
            end(loan, "keepalive-lost");
        }
    }

    private void forgive(Duration silence) {
        for (var loan : loans.values()) {
            loan.until = loan.until.plus(silence);
            if (loan.state.equals("granting")) {
                loan.giveUp = loan.giveUp.plus(silence);
            }
            live(loan);
        }
    }

    private void end(Loan loan, String why) {
        loan.state = "ended " + why;
        vacate(loan);
        if (List.of("wait-timeout", "access-failed", "unsatisfiable").contains(why) && loan.request.key() != null) {
            keys.remove(loan.principal + "/" + loan.request.key());
        }
    }

    private void vacate(Loan loan) {
        for (var name : loan.has) {
            var thing = things.get(name);
            var moving = thing.moving();
            enter(thing, Step.REVOKE, 0, moving);
        }
        loan.has = new ArrayList<>();
    }

    private List<Loan> waiting() {
        return loans.values().stream()
                .filter(loan -> loan.state.equals("pending"))
                .sorted(Comparator.comparingLong(loan -> loan.arrival))
                .toList();
    }

    private boolean isBlocked(Loan loan) {
        long usable = things.entrySet().stream()
                .filter(entry -> !List.of("dirty", "retired").contains(entry.getValue().state)
                        && entry.getValue().drain == null
                        && !loan.avoid.contains(entry.getKey()))
                .count();
        return loan.request.count() > usable;
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
        return loan.isOver() || (loan.state.equals("active") && loan.expires != null && !loan.expires.isAfter(now));
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
            loan.state = "pending";
            vacate(loan);
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
            if (waiting().isEmpty()
                    && openUntil == null
                    && checking < Math.max(1, free / 20)
                    && (free > 1 || overdue)) {
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
                thing = new Thing();
                things.put(name, thing);
            }
            var dirty = thing.state.equals("retired") ? thing.dirty : null;
            thing.byOperator = false;
            thing.digest = record.digest();
            thing.account = record.account();
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
        thing.digest = record.digest();
        thing.account = record.account();
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
