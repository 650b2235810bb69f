package dev.berth.server.forecast;

import dev.berth.core.EnvironmentName;
import dev.berth.core.Event;
import dev.berth.core.ForecastPool;
import dev.berth.core.Pool;
import dev.berth.server.store.Store;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What happened lately in a pool, as its store tells it. */
final class Past {
    /** So many of the requests that were made last are looked at. */
    private static final int MOST_LOANS = 1_000;
    /** So many of the events that came last are looked at. */
    private static final int MOST_EVENTS = 2_000;

    private Past() {}

    static ForecastPool.History of(Store store, Pool pool) {
        var session = pool.policy().session();
        var ended = store.history(pool.number(), MOST_LOANS);
        return new ForecastPool.History(
                ended.stream()
                        .map(loan ->
                                new ForecastPool.Past(loan.lasted(), loan.asked() == null ? session : loan.asked()))
                        .toList(),
                pool.policy().steps().isEmpty() ? List.of() : upkeep(store, pool),
                ended.stream()
                        .map(loan -> new ForecastPool.Asked(
                                loan.askedAt(),
                                loan.principal(),
                                loan.sharer(),
                                loan.need(),
                                loan.priority(),
                                loan.asked()))
                        .toList());
    }

    /** From the end of each loan until its environments were available again. */
    private static List<Duration> upkeep(Store store, Pool pool) {
        var events = store.events(Map.of(pool.number(), Math.max(0, pool.events() - MOST_EVENTS)), MOST_EVENTS);
        Map<EnvironmentName, Instant> ended = new HashMap<>();
        var upkeep = new ArrayList<Duration>();
        for (var stored : events) {
            var event = stored.event();
            if (event.type() == Event.Type.ALLOCATION_ENDED) {
                for (var name : event.data().getOrDefault("environments", "").split(",", -1)) {
                    if (EnvironmentName.isValid(name)) {
                        ended.put(new EnvironmentName(name), event.at());
                    }
                }
            } else if (event.type() == Event.Type.ENVIRONMENT_AVAILABLE && event.environment() != null) {
                var since = ended.remove(event.environment());
                if (since != null && !event.at().isBefore(since)) {
                    upkeep.add(Duration.between(since, event.at()));
                }
            } else if (event.type() == Event.Type.ENVIRONMENT_DIRTY && event.environment() != null) {
                ended.remove(event.environment()); // how long a person took says nothing of upkeep
            }
        }
        return upkeep;
    }
}
