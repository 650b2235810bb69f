package dev.berth.server.simulation;

import dev.berth.core.AllocationId;
import dev.berth.core.Step;
import dev.berth.providers.Provider;
import dev.berth.providers.StepResult;
import dev.berth.providers.Task;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The environments as they really are, whatever anybody believes: what access works, and what its holders left behind. */
final class World {
    private final Timeline timeline;
    private final Invariants invariants;
    private final Map<String, Thing> things = new HashMap<>();
    /** Claims whose programs were killed, and where that was asked for: nothing of them moves any more. */
    private final Map<String, String> fenced = new HashMap<>();
    /** Until when nothing that a pool's provider needs is to be reached. */
    private final Map<String, Long> unreachableUntil = new HashMap<>();

    boolean faulty = true;
    boolean forgetsToRevoke;
    private long tokens;

    World(Timeline timeline, Invariants invariants) {
        this.timeline = timeline;
        this.invariants = invariants;
    }

    /** One environment. */
    static final class Thing {
        /** What works, with the epoch it was issued for. */
        final Map<String, Long> access = new LinkedHashMap<>();
        /** Which allocations left something here. */
        final Set<String> dirt = new LinkedHashSet<>();
    }

    Thing thing(String name) {
        return things.computeIfAbsent(name, missing -> new Thing());
    }

    void beUnreachable(String pool, long millis) {
        unreachableUntil.put(pool, timeline.millis() + millis);
    }

    /** Somebody tries to get in, and leaves something behind where that works. */
    boolean use(String name, String token, AllocationId allocation) {
        var thing = thing(name);
        if (!thing.access.containsKey(token)) {
            return false;
        }
        thing.dirt.add(allocation.value());
        invariants.used(name, allocation.value());
        return true;
    }

    /** The holder leaves something behind in an environment that needs no access, and cleans itself after a while. */
    void litter(String name, AllocationId allocation) {
        if (invariants.isHeldBy(name, allocation)) {
            thing(name).dirt.add(allocation.value());
            cleanItself(name, allocation);
        }
    }

    private void cleanItself(String name, AllocationId allocation) {
        timeline.after(timeline.between(500, 5_000), () -> {
            if (invariants.isHeldBy(name, allocation)) {
                cleanItself(name, allocation);
            } else {
                thing(name).dirt.remove(allocation.value());
            }
        });
    }

    // ---- what providers do

    /** Where a step runs: the process may be gone, and a sleeper passes time. */
    interface Site {
        String id();

        boolean isAlive();

        /** For how long the process is stopped; 0 when it is not. */
        long frozenFor();

        @Nullable
        Sleeper sleeper();
    }

    /**
     * The provider of a pool.
     *
     * @param programs whether its steps are programs: those outlive their process, and can be killed from elsewhere
     */
    Provider provider(String pool, Set<Step> steps, boolean programs, Site site) {
        return new Provider() {
            @Override
            public Set<Step> steps() {
                return steps;
            }

            @Override
            public StepResult run(Step step, Task task) throws InterruptedException {
                var result = perform(step, task);
                invariants.finished(task.environment(), task.claim(), result);
                return result;
            }

            private StepResult perform(Step step, Task task) throws InterruptedException {
                if (!task.claimHeld().getAsBoolean()) {
                    return new StepResult.Unavailable("the claim was lost", null);
                }
                if (fenced.containsKey(task.claim()) && !site.id().equals(fenced.get(task.claim()))) {
                    return new StepResult.Failed(
                            "killed", null); // what its own process fenced and did not begin is for that to know
                }
                long begun = timeline.millis();
                if (timeline.millis() < unreachableUntil.getOrDefault(pool, 0L)) {
                    return new StepResult.Unavailable("nothing answers", null);
                }
                var sleeper = site.sleeper();
                if (sleeper != null) {
                    sleeper.sleep(timeline.between(1, timeline.chance(300) ? 150_000 : 20_000));
                    while (!programs && site.isAlive() && site.frozenFor() > 0) {
                        sleeper.sleep(site.frozenFor());
                    }
                    if (!programs && !site.isAlive()) {
                        throw new InterruptedException();
                    }
                    if (programs && fenced.containsKey(task.claim())) {
                        return new StepResult.Failed("killed", null);
                    }
                    if (!programs && !task.claimHeld().getAsBoolean()) {
                        return new StepResult.Unavailable("the claim was lost", null);
                    }
                    if (timeline.millis() - begun >= task.timeout().toMillis()) {
                        return new StepResult.Failed("ran out of time", null);
                    }
                }
                boolean fails = faulty && timeline.chance(25);
                if (fails && timeline.chance(500)) {
                    return new StepResult.Failed("at once", "report");
                }
                var done = change(step, task);
                return fails ? new StepResult.Failed("in the end", "report") : done;
            }

            private StepResult change(Step step, Task task) {
                var thing = thing(task.environment());
                invariants.acts(task.environment(), step, task.epoch());
                var settle = timeline.chance(30) ? Duration.ofMillis(timeline.between(1, 20_000)) : Duration.ZERO;
                switch (step) {
                    case ISSUE -> {
                        var token = task.environment() + "#" + task.epoch() + "#" + ++tokens;
                        thing.access.put(token, task.epoch());
                        return new StepResult.Done(
                                new StepResult.Access(Map.of("token", token), null, Map.of()), null, settle);
                    }
                    case REVOKE -> {
                        if (!(forgetsToRevoke && timeline.chance(50))) {
                            thing.access.values().removeIf(epoch -> epoch <= task.epoch());
                        }
                    }
                    case CLEAN -> {
                        // a cleaner that says it is done and is not: what verification is there for
                        if (!(faulty && steps.contains(Step.VERIFY) && timeline.chance(20))) {
                            thing.dirt.clear();
                        }
                    }
                    case VERIFY -> {
                        if (!thing.dirt.isEmpty()) {
                            return new StepResult.Failed("it is not clean", thing.dirt.toString());
                        }
                    }
                }
                return new StepResult.Done(null, null, settle);
            }

            @Override
            public @Nullable Map<String, Object> standingCredentials(String environment, @Nullable String profile) {
                return null;
            }

            @Override
            public boolean fence(String claim) {
                if (programs) {
                    fenced.put(claim, site.id());
                }
                return programs;
            }
        };
    }
}
