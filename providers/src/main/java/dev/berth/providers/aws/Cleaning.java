package dev.berth.providers.aws;

import dev.berth.providers.Inventory;
import dev.berth.providers.StepResult;
import dev.berth.providers.StepResult.Done;
import dev.berth.providers.StepResult.Failed;
import dev.berth.providers.Task;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.core.exception.SdkException;

/**
 * Deletes everything that is neither the baseline's nor kept: stacks, then what no stack owns, again and again for as long as that gets
 * anywhere.
 */
final class Cleaning {
    /** So much of the step's time may pass without anything changing: interfaces of a function that is gone take minutes. */
    private static final int PATIENCE = 6;

    private static final Duration BETWEEN = Duration.ofMillis(500);
    private static final Duration LONGEST_BETWEEN = Duration.ofSeconds(15);
    private static final String UNDER_WAY = "is being deleted";
    private static final Inventory NOTHING = Inventory.of(Map.of());

    private final Settings settings;

    Cleaning(Settings settings) {
        this.settings = settings;
    }

    StepResult clean(Session session, Place place, Task task, Watch watch) throws InterruptedException {
        Inventory baseline = task.baseline() == null ? NOTHING : task.baseline();
        Listing listing = new Listing(session, place, settings.keep());
        Stacks stacks = new Stacks(session, listing, watch);
        Map<String, Integer> deleted = new TreeMap<>();
        Map<String, String> left = Map.of();
        long changed = System.nanoTime();
        long patience = task.timeout().dividedBy(PATIENCE).toNanos();
        Duration between = BETWEEN;
        while (true) {
            Map<String, String> before = left;
            left = new LinkedHashMap<>();
            for (var stuck :
                    stacks.delete(Listing.keys(baseline, Catalogue.STACK)).entrySet()) {
                left.put(Catalogue.STACK + " " + stuck.getKey(), stuck.getValue());
            }
            SdkException throttled =
                    settings.sweep() ? new Sweep(session, listing, watch, task).round(baseline, left, deleted) : null;
            if (left.isEmpty()) {
                return new Done(null, report(deleted), Duration.ZERO);
            }
            if (left.keySet().equals(before.keySet())) {
                if (watch.over() || System.nanoTime() - changed > patience) {
                    if (throttled != null) {
                        throw throttled;
                    }
                    return failed(left, deleted);
                }
                between = longer(between);
            } else {
                changed = System.nanoTime();
                between = BETWEEN;
            }
            watch.pause(between);
        }
    }

    private static Duration longer(Duration between) {
        Duration longer = between.multipliedBy(3);
        return longer.compareTo(LONGEST_BETWEEN) < 0 ? longer : LONGEST_BETWEEN;
    }

    private static Failed failed(Map<String, String> left, Map<String, Integer> deleted) {
        List<String> lines = new ArrayList<>();
        left.forEach((thing, why) -> lines.add(thing + ": " + why));
        return new Failed(
                "clean: %d %s cannot be deleted: %s"
                        .formatted(lines.size(), lines.size() == 1 ? "thing" : "things", lines.getFirst()),
                report(deleted) + "\n" + String.join("\n", lines));
    }

    private static String report(Map<String, Integer> deleted) {
        if (deleted.isEmpty()) {
            return "no things outside of stacks were deleted";
        }
        StringBuilder text = new StringBuilder("deleted outside of stacks:");
        deleted.forEach((type, count) ->
                text.append(' ').append(count).append(" x ").append(type).append(','));
        text.setLength(text.length() - 1);
        return text.toString();
    }

    /** One pass over the table. */
    private record Sweep(Session session, Listing listing, Watch watch, Task task) {

        /**
         * @param left where stacks that are left stand already; gets what else is
         * @param deleted counts by type
         * @return the last refusal for too many calls; null where there was none
         */
        @Nullable
        SdkException round(Inventory baseline, Map<String, String> left, Map<String, Integer> deleted) {
            boolean stacksAreGone = left.isEmpty();
            SdkException throttled = null;
            for (Sweeper sweeper : Catalogue.SWEEPERS) {
                // What stacks that are left use, their roles above all, is needed to delete them.
                if ((sweeper.shared() && !stacksAreGone) || !Types.of(baseline).has(sweeper.type())) {
                    continue;
                }
                Set<String> kept = Listing.keys(baseline, sweeper.type());
                List<Thing> doomed = listing.of(sweeper).stream()
                        .filter(thing -> !kept.contains(thing.key()))
                        .toList();
                // Listed before it is asked: what appears after that is another holder's.
                if (!doomed.isEmpty() && sweeper.shared() && !task.accountIdle().getAsBoolean()) {
                    continue;
                }
                for (Thing thing : doomed) {
                    SdkException refused = delete(sweeper, thing, left, deleted);
                    throttled = refused == null ? throttled : refused;
                }
            }
            return throttled;
        }

        /** Some things may be deleted only so often: APIs, one in 30 s. Null where that was not in the way. */
        private @Nullable SdkException delete(
                Sweeper sweeper, Thing thing, Map<String, String> left, Map<String, Integer> deleted) {
            watch.check();
            try {
                sweeper.remover().delete(session, thing);
                deleted.merge(sweeper.type(), 1, Integer::sum);
                // It is gone when it is listed no more, which takes some things minutes.
                left.put(sweeper.type() + " " + thing.name(), UNDER_WAY);
            } catch (Buckets.NotDeletedException e) {
                left.put(sweeper.type() + " " + thing.name(), String.valueOf(e.getMessage()));
            } catch (SdkException e) {
                if (Faults.elsewhere(e) && !Faults.throttled(e)) {
                    throw e;
                }
                left.put(sweeper.type() + " " + thing.name(), Faults.message(e));
                return Faults.throttled(e) ? e : null;
            }
            return null;
        }
    }
}
