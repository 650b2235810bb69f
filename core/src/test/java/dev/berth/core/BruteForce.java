package dev.berth.core;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Tries every way to serve a request. */
final class BruteForce {
    private BruteForce() {}

    /** Whether these environments are enough for all that is needed at once. */
    static boolean canServe(NeedClass need, List<Environment> environments) {
        return most(need, environments) == need.count();
    }

    /** How many of the units that are needed can be served at once. */
    static int most(NeedClass need, List<Environment> environments) {
        if (!need.isSpecial()) { // all are alike
            return (int) Math.min(
                    need.count(), environments.stream().filter(need::wants).count());
        }
        var units = new ArrayList<Need>();
        for (var each : need.needs()) {
            for (int i = 0; i < each.count(); i++) {
                units.add(each);
            }
        }
        return most(need, units, 0, environments, new HashSet<>());
    }

    private static int most(
            NeedClass need, List<Need> units, int next, List<Environment> environments, Set<String> taken) {
        if (next == units.size()) {
            return 0;
        }
        int best = 0;
        for (var environment : environments) {
            var place = need.distinctAccounts()
                    ? NaiveStore.accountOf(environment)
                    : environment.name().value();
            if (serves(units.get(next), environment) && taken.add(place)) {
                best = Math.max(best, 1 + most(need, units, next + 1, environments, taken));
                taken.remove(place);
                if (best == units.size() - next) {
                    return best;
                }
            }
        }
        return Math.max(best, most(need, units, next + 1, environments, taken));
    }

    static boolean serves(Need need, Environment environment) {
        return need.fits(environment.record().shape())
                && need.allows(environment.name(), environment.record().account());
    }
}
