package dev.berth.server.proof;

import dev.berth.server.proof.Journal.Entry;
import dev.berth.server.proof.Journal.Entry.Granted;
import dev.berth.server.proof.Journal.Entry.Kept;
import dev.berth.server.proof.Journal.Entry.Lost;
import dev.berth.server.proof.Journal.Entry.Released;
import dev.berth.server.proof.Journal.Entry.Releasing;
import dev.berth.server.proof.Journal.Entry.Seen;
import dev.berth.server.proof.Journal.Entry.Trampled;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;

/** Looks for broken promises in what clients know, in the events and in the store. Tells each that it finds, by promise. */
final class HistoryChecker {
    /** A deadline is kept by the service's clock, which is told in milliseconds and may be slewed. */
    private static final long MARGIN_NANOS = 50_000_000;
    /** Clients here ask for keepalives of seconds. A deadline that is further away was told by a clock that is wrong. */
    private static final long FARTHEST_NANOS = 60_000_000_000L;

    private final ToLongFunction<Instant> nanos;
    private final Set<String> late = new HashSet<>();
    private final List<String> violations = new ArrayList<>();

    /**
     * Checks histories.
     *
     * @param nanos tells which {@link System#nanoTime()} an instant of the service's clock was
     */
    HistoryChecker(ToLongFunction<Instant> nanos) {
        this.nanos = nanos;
    }

    /**
     * An event of one pool.
     *
     * @param allocation empty for none
     * @param environments that it is about
     * @param detail the step, or the reason of an end
     */
    record Happened(long number, String type, String allocation, List<String> environments, String detail) {}

    /**
     * A row of an environment.
     *
     * @param acts whether the rules or a worker have an instant at which they do something about it
     */
    record EnvironmentRow(
            String name,
            String state,
            boolean acts,
            @Nullable String reason) {}

    /**
     * A row of an allocation that lives.
     *
     * @param acts whether it has an instant at which it ends or goes on by itself
     */
    record AllocationRow(String id, String state, List<String> environments, boolean acts) {}

    /**
     * An allocation of the history.
     *
     * @param requester one for each time that a client wanted something, however often it had to ask
     * @param granted whether it was ever active
     */
    record Taken(String requester, String id, boolean granted) {}

    List<String> violations() {
        return List.copyOf(violations);
    }

    private void found(int promise, String what) {
        violations.add("promise " + promise + ": " + what);
    }

    // ---- what clients know

    /** All that is known of one allocation, in time. */
    private static final class Story {
        final List<Entry> entries = new ArrayList<>();

        @Nullable
        Granted granted;

        @Nullable
        Releasing releasing;

        @Nullable
        Released released;

        @Nullable
        Instant keepaliveBy;
    }

    /** Checks promises 1, 2, 3, 4, 7 and 8 as far as clients can see them. */
    void clients(List<Entry> entries) {
        var stories = new TreeMap<String, Story>();
        var keys = new HashMap<String, String>();
        for (var entry : entries) {
            var story = stories.computeIfAbsent(entry.id(), id -> new Story());
            story.entries.add(entry);
            follow(story, entry);
            if (entry instanceof Granted granted && granted.key() != null) {
                var before = keys.putIfAbsent(granted.key(), granted.id());
                if (before != null && !before.equals(granted.id())) {
                    found(7, "key %s got %s, and then %s".formatted(granted.key(), before, granted.id()));
                }
            }
        }
        holders(stories);
    }

    private void follow(Story story, Entry entry) {
        switch (entry) {
            case Granted granted -> {
                if (granted.epochs().size() != granted.asked()) {
                    found(2, "%s asked for %d, and got %s".formatted(entry.id(), granted.asked(), granted.epochs()));
                }
                if (story.granted == null) {
                    story.granted = granted;
                } else if (!story.granted.epochs().equals(granted.epochs())) {
                    found(
                            7,
                            "%s was answered with %s and then %s"
                                    .formatted(entry.id(), story.granted.epochs(), granted.epochs()));
                }
                deadline(story, granted, granted.keepaliveBy());
            }
            case Kept kept -> deadline(story, kept, kept.keepaliveBy());
            case Lost lost -> {
                if (story.releasing == null
                        && story.keepaliveBy != null
                        && lost.wall().isBefore(story.keepaliveBy)) {
                    found(
                            3,
                            "%s was lost (%s) before its deadline %s"
                                    .formatted(lost.id(), lost.how(), story.keepaliveBy));
                }
            }
            case Releasing releasing -> {
                if (story.releasing == null) {
                    story.releasing = releasing;
                }
            }
            case Released released -> {
                if (story.released == null) {
                    story.released = released;
                    if (isLate(story, released.at())) {
                        late.add(released.id());
                    }
                }
            }
            case Trampled trampled -> {
                if (!isLate(story, trampled.at())) {
                    found(4, "%s: %s".formatted(trampled.id(), trampled.what()));
                }
            }
            case Seen seen -> look(story, seen);
        }
    }

    /** Whether its last known deadline was over by then. */
    private boolean isLate(Story story, long at) {
        return story.keepaliveBy != null && at - surely(story.keepaliveBy) >= 0;
    }

    private long surely(Instant deadline) {
        return nanos.applyAsLong(deadline) - MARGIN_NANOS;
    }

    /** A release that was answered late may have come to an allocation whose keepalive had run out. */
    private boolean isLapse(String id, @Nullable String reason) {
        return late.contains(id) && "keepalive-lost".equals(reason);
    }

    private void deadline(Story story, Entry told, @Nullable Instant by) {
        if (by == null) {
            return;
        }
        if (nanos.applyAsLong(by) - told.at() > FARTHEST_NANOS) {
            found(5, "the deadline of %s was told to be %s, which is far away".formatted(told.id(), by));
        }
        if (story.keepaliveBy != null && by.isBefore(story.keepaliveBy)) {
            found(3, "the deadline of %s went back from %s to %s".formatted(told.id(), story.keepaliveBy, by));
        }
        story.keepaliveBy = by;
    }

    private void look(Story story, Seen seen) {
        var granted = story.granted;
        if (granted == null) {
            return;
        }
        if (story.released != null) {
            var outcome = story.releasing == null ? "" : story.releasing.outcome();
            if (!seen.state().equals("ended")) {
                found(3, "%s was released, and is %s".formatted(seen.id(), seen.state()));
            } else if (!isLapse(seen.id(), seen.endReason())
                    && (!seen.endReason().equals("released") || !seen.outcome().equals(outcome))) {
                found(
                        7,
                        "%s was released as %s, and ended by %s as %s"
                                .formatted(seen.id(), outcome, seen.endReason(), seen.outcome()));
            }
        } else if (seen.state().equals("active")) {
            if (!seen.epochs().equals(granted.epochs())) {
                found(3, "%s has %s, and was granted %s".formatted(seen.id(), seen.epochs(), granted.epochs()));
            }
            deadline(story, seen, seen.keepaliveBy());
        } else if (story.releasing == null
                && !(seen.endReason().equals("keepalive-lost") && isLate(story, seen.at()))) {
            found(3, "%s was active, and is %s (%s)".formatted(seen.id(), seen.state(), seen.endReason()));
        }
    }

    /** How long a client was sure to hold an environment. */
    private record Hold(String id, long epoch, long from, long until) {}

    private void holders(Map<String, Story> stories) {
        var holds = new TreeMap<String, List<Hold>>();
        stories.forEach((id, story) -> {
            var granted = story.granted;
            if (granted != null) {
                long until = surelyUntil(story);
                if (until - granted.at() < 0) {
                    return; // it was told of it when it might have been taken back already
                }
                granted.epochs()
                        .forEach((environment, epoch) -> holds.computeIfAbsent(environment, name -> new ArrayList<>())
                                .add(new Hold(id, epoch, granted.at(), until)));
            }
        });
        holds.forEach((environment, all) -> {
            all.sort(Comparator.comparingLong(Hold::from));
            var last = all.getFirst();
            for (var hold : all.subList(1, all.size())) {
                if (hold.from() - last.until() < 0) {
                    found(1, "%s was held by %s and %s at once".formatted(environment, last.id(), hold.id()));
                }
                last = hold.until() - last.until() > 0 ? hold : last;
            }
            all.sort(Comparator.comparingLong(Hold::epoch));
            for (int i = 1; i < all.size(); i++) {
                var earlier = all.get(i - 1);
                var later = all.get(i);
                if (earlier.epoch() == later.epoch()) {
                    found(
                            1,
                            "%s and %s have %s in epoch %d"
                                    .formatted(earlier.id(), later.id(), environment, later.epoch()));
                } else if (later.until() - earlier.from() < 0) {
                    found(1, "%s: epoch %d came after %d".formatted(environment, earlier.epoch(), later.epoch()));
                }
            }
        });
    }

    /** Until its release went out, or it was told to be lost, or its deadline; else until the last that was heard of it. */
    private long surelyUntil(Story story) {
        long end = end(story);
        return isLate(story, end) ? surely(story.keepaliveBy) : end;
    }

    private static long end(Story story) {
        for (var entry : story.entries) {
            if (entry instanceof Releasing || entry instanceof Lost) {
                return entry.at();
            }
        }
        return story.entries.getLast().at();
    }

    // ---- events

    /**
     * Checks promises 1, 3 and 4 against what happened in one pool.
     *
     * @param steps that each environment of the pool must go through between two grants, in their order
     */
    void events(List<Happened> events, List<String> steps) {
        long expected = 1;
        var holders = new HashMap<String, String>();
        var done = new HashMap<String, List<String>>();
        var seen = new HashSet<String>();
        for (var event : events) {
            if (event.number() != expected) {
                found(3, "event %d comes where %d should".formatted(event.number(), expected));
            }
            expected = event.number() + 1;
            switch (event.type()) {
                case "allocation-granted" -> granted(event, holders, done, seen, steps);
                case "allocation-undone" -> // of one that could not be issued, and so of all
                    List.copyOf(holders.keySet()).forEach(environment -> {
                        if (holders.remove(environment, event.allocation())) {
                            done.put(environment, new ArrayList<>());
                        }
                    });
                case "allocation-ended" -> {
                    for (var environment : event.environments()) {
                        if (!holders.remove(environment, event.allocation())) {
                            found(
                                    1,
                                    "event %d ends what %s did not hold".formatted(event.number(), event.allocation()));
                        }
                        done.put(environment, new ArrayList<>());
                    }
                }
                case "step-done" ->
                    event.environments()
                            .forEach(environment -> done.computeIfAbsent(environment, name -> new ArrayList<>())
                                    .add(event.detail()));
                default -> {}
            }
        }
    }

    private void granted(
            Happened event,
            Map<String, String> holders,
            Map<String, List<String>> done,
            Set<String> seen,
            List<String> steps) {
        for (var environment : event.environments()) {
            var holder = holders.put(environment, event.allocation());
            if (holder != null) {
                found(1, "event %d grants %s, which %s holds".formatted(event.number(), environment, holder));
            }
            var ready = done.getOrDefault(environment, List.of());
            // Nobody had it before: then there is nothing to revoke.
            var needed = seen.add(environment)
                    ? steps.stream().filter(step -> !step.equals("revoke")).toList()
                    : steps;
            if (!needed.isEmpty() && !endsWith(ready, needed)) {
                found(4, "event %d grants %s after %s alone".formatted(event.number(), environment, ready));
            }
            done.put(environment, new ArrayList<>());
        }
    }

    private static boolean endsWith(List<String> all, List<String> last) {
        return all.size() >= last.size()
                && all.subList(all.size() - last.size(), all.size()).equals(last);
    }

    /** Checks promise 3: what clients were told is among the events of the pools. And 5, once all is over: what began has ended. */
    void told(List<Entry> entries, List<Happened> events, boolean over) {
        var granted = new HashMap<String, Set<String>>();
        var ended = new HashMap<String, String>();
        for (var event : events) {
            switch (event.type()) {
                case "allocation-granted" -> granted.put(event.allocation(), Set.copyOf(event.environments()));
                case "allocation-ended" -> {
                    if (ended.put(event.allocation(), event.detail()) != null) {
                        found(7, "%s ended twice".formatted(event.allocation()));
                    }
                }
                default -> {}
            }
        }
        for (var entry : entries) {
            if (entry instanceof Granted grant && !grant.epochs().keySet().equals(granted.get(grant.id()))) {
                found(
                        3,
                        "%s was answered with %s, and events say %s"
                                .formatted(grant.id(), grant.epochs(), granted.get(grant.id())));
            } else if (entry instanceof Released
                    && !"released".equals(ended.get(entry.id()))
                    && !isLapse(entry.id(), ended.get(entry.id()))) {
                found(3, "%s was released, and events say %s".formatted(entry.id(), ended.get(entry.id())));
            }
        }
        if (over) {
            granted.keySet().stream()
                    .filter(id -> !ended.containsKey(id))
                    .forEach(id -> found(5, "%s never ended".formatted(id)));
        }
    }

    /** Checks promise 7 against all allocations there ever were: who was refused took nothing, and who asked again nothing more. */
    void taken(Set<String> refused, List<Taken> all) {
        var granted = new TreeMap<String, List<String>>();
        all.stream()
                .filter(Taken::granted)
                .forEach(taken -> granted.computeIfAbsent(taken.requester(), requester -> new ArrayList<>())
                        .add(taken.id()));
        granted.forEach((requester, ids) -> {
            if (refused.contains(requester)) {
                found(7, "%s was refused, and had %s".formatted(requester, ids));
            } else if (ids.size() > 1) {
                found(7, "%s asked for one, and had %s".formatted(requester, ids));
            }
        });
    }

    // ---- rows

    /** Checks that nobody holds or waits for anything any more. */
    void atRest(List<AllocationRow> allocations) {
        for (var allocation : allocations) {
            if (!allocation.state().equals("polling")) {
                found(5, "%s is %s though everybody has gone".formatted(allocation.id(), allocation.state()));
            }
        }
    }

    /** Checks promises 1, 2 and 5 against the rows of one instant. */
    void rows(List<EnvironmentRow> environments, List<AllocationRow> allocations) {
        var holders = new HashMap<String, String>();
        for (var allocation : allocations) {
            if (!allocation.acts()) {
                found(5, "%s is %s and never ends".formatted(allocation.id(), allocation.state()));
            }
            if (allocation.state().equals("pending")
                    && !allocation.environments().isEmpty()) {
                found(2, "%s waits, and holds %s".formatted(allocation.id(), allocation.environments()));
            }
            for (var environment : allocation.environments()) {
                var other = holders.put(environment, allocation.id());
                if (other != null) {
                    found(1, "%s is held by %s and %s".formatted(environment, other, allocation.id()));
                }
            }
        }
        for (var environment : environments) {
            var holder = holders.remove(environment.name());
            if ((holder != null) != environment.state().equals("allocated")) {
                found(5, "%s is %s, held by %s".formatted(environment.name(), environment.state(), holder));
            }
            switch (environment.state()) {
                case "available", "allocated" -> {}
                case "cleaning", "checking" -> {
                    if (!environment.acts()) {
                        found(5, "%s is %s and nobody ever acts".formatted(environment.name(), environment.state()));
                    }
                }
                case "dirty" -> {
                    if (environment.reason() == null || environment.reason().isEmpty()) {
                        found(5, "%s is dirty without a reason".formatted(environment.name()));
                    }
                }
                default -> found(5, "%s is %s".formatted(environment.name(), environment.state()));
            }
        }
        holders.forEach((environment, holder) -> found(5, "%s is lost, and held by %s".formatted(environment, holder)));
    }
}
