package dev.berth.providers.aws;

import dev.berth.providers.Inventory;
import dev.berth.providers.StepResult;
import dev.berth.providers.StepResult.Done;
import dev.berth.providers.StepResult.Failed;
import dev.berth.providers.StepResult.Unavailable;
import dev.berth.providers.Task;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.NavigableSet;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Says whether an environment is at its baseline, by what AWS lists and by nothing else. It takes two listings that are equal, since
 * what is being made or deleted shows in one and not in the other.
 */
final class Verification {
    private static final int MOST_LISTINGS = 6;
    private static final Duration BETWEEN = Duration.ofSeconds(1);
    private static final int MOST_NAMED = 5;

    private static final Set<String> SHARED = Catalogue.SWEEPERS.stream()
            .filter(Sweeper::shared)
            .map(Sweeper::type)
            .collect(Collectors.toUnmodifiableSet());

    private final Settings settings;

    Verification(Settings settings) {
        this.settings = settings;
    }

    StepResult verify(Session session, Place place, Task task, Watch watch) throws InterruptedException {
        Listing listing = new Listing(session, place, settings.keep());
        Inventory found = settled(listing, watch);
        if (found == null) {
            return new Failed("verify: no two listings of what is there are equal: something is still changing", null);
        }
        Inventory baseline = task.baseline();
        // Listed before it is asked: who borrows a neighbour after that did not make what was listed.
        boolean shared = task.accountIdle().getAsBoolean();
        if (baseline == null) {
            return shared
                    ? new Done(null, "%d things belong here".formatted(found.size()), Duration.ZERO, found)
                    : new Unavailable(
                            "verify: what belongs to account %s cannot be told while another environment of it is lent"
                                    .formatted(place.account()),
                            null);
        }
        Inventory seen = shared ? found : Types.without(SHARED, found);
        Inventory compared = Types.known(seen, baseline);
        List<String> residue = residue(Types.known(baseline, seen), compared);
        return residue.isEmpty()
                ? new Done(
                        null,
                        compared.size() + " things, as the baseline says"
                                + (shared
                                        ? ""
                                        : "; what the account's regions share was left out: a neighbour is lent"),
                        Duration.ZERO,
                        Types.grown(baseline, seen))
                : failed(residue, shared ? found : withShared(found, baseline), task.holder());
    }

    /** Null where it does not settle in time. */
    private static @Nullable Inventory settled(Listing listing, Watch watch) throws InterruptedException {
        Inventory before = listing.all(true);
        for (int i = 1; i < MOST_LISTINGS && !watch.over(); i++) {
            Inventory now = listing.all(true);
            if (now.equals(before)) {
                return now;
            }
            before = now;
            watch.pause(BETWEEN);
        }
        return null;
    }

    /** What a person may accept: what a neighbour's borrower is doing meanwhile is not to become the baseline. */
    private static Inventory withShared(Inventory found, Inventory baseline) {
        return Types.grown(Types.without(SHARED, found), baseline);
    }

    /** What is there and should not be, is not there and should, or is not as it was: a line each. */
    private static List<String> residue(Inventory baseline, Inventory found) {
        NavigableMap<String, NavigableSet<String>> extra =
                found.without(baseline).things();
        NavigableMap<String, NavigableSet<String>> missing =
                baseline.without(found).things();
        NavigableSet<String> types = new TreeSet<>(extra.keySet());
        types.addAll(missing.keySet());
        List<String> residue = new ArrayList<>();
        for (String type : types) {
            Set<String> gone = keys(missing, type);
            Set<String> there = keys(extra, type);
            there.stream()
                    .map(key -> (gone.contains(key) ? "changed: " : "left: ") + type + " " + key)
                    .forEach(residue::add);
            gone.stream()
                    .filter(key -> !there.contains(key))
                    .map(key -> "missing: " + type + " " + key)
                    .forEach(residue::add);
        }
        return residue;
    }

    private static NavigableSet<String> keys(Map<String, NavigableSet<String>> things, String type) {
        return things.getOrDefault(type, new TreeSet<>()).stream()
                .map(Thing::keyOf)
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static Failed failed(List<String> residue, Inventory found, Task.@Nullable Holder holder) {
        String some = residue.stream().limit(MOST_NAMED).collect(Collectors.joining("; "));
        String more = residue.size() > MOST_NAMED ? "; and " + (residue.size() - MOST_NAMED) + " more" : "";
        String whose = holder == null
                ? ""
                : " (last held by %s, allocation %s)".formatted(holder.requester(), holder.allocation());
        return new Failed(
                "verify: not as the baseline says: " + some + more + whose, String.join("\n", residue), found);
    }
}
