package dev.berth.core;

import java.util.ArrayList;
import java.util.List;

/**
 * All that a request needs. Requests with the same one wait in one line.
 *
 * @param needs each unlike the others
 * @param distinctAccounts whether every environment has to be in an account of its own; one without an account is its own
 * @param digest of the above: two are equal where their digests are
 */
public record NeedClass(List<Need> needs, boolean distinctAccounts, String digest) {
    /** One environment, whichever it is. */
    public static final NeedClass ONE = of(List.of(Need.any(1)), false);

    public NeedClass {
        needs = List.copyOf(needs);
    }

    /** The class of these needs; like ones are put together. */
    public static NeedClass of(List<Need> needs, boolean distinctAccounts) {
        if (needs.isEmpty()) {
            throw new IllegalArgumentException("needs: at least one");
        }
        var merged = new ArrayList<Need>();
        for (var need : needs) {
            int like = 0;
            while (like < merged.size() && !merged.get(like).isLike(need)) {
                like++;
            }
            if (like < merged.size()) {
                merged.set(like, merged.get(like).times(need.count()));
            } else {
                merged.add(need);
            }
        }
        int count = merged.stream().mapToInt(Need::count).sum();
        boolean distinct = distinctAccounts && count > 1;
        return new NeedClass(merged, distinct, JsonText.digest(json(merged, distinct)));
    }

    /** How many environments. */
    public int count() {
        int count = 0;
        for (var need : needs) {
            count += need.count();
        }
        return count;
    }

    /** Whether shapes alone do not tell what can serve it: such requests wait in one line of the pool. */
    public boolean isSpecial() {
        return needs.size() > 1 || distinctAccounts || needs.getFirst().isPinned();
    }

    /** Whether an environment can serve one of the needs. */
    public boolean wants(Environment environment) {
        for (var need : needs) {
            if (need.wants(environment)) {
                return true;
            }
        }
        return false;
    }

    /** The same in accounts that differ. */
    public NeedClass inDifferentAccounts() {
        return of(needs, true);
    }

    /** As JSON text: {@code {"needs":[…],"distinctAccounts":…}}, as it is stored. */
    public String json() {
        return json(needs, distinctAccounts);
    }

    private static String json(List<Need> needs, boolean distinct) {
        var text = new StringBuilder("{\"needs\":");
        JsonText.array(text, needs, (out, need) -> need.json(out));
        return text.append(",\"distinctAccounts\":")
                .append(distinct)
                .append('}')
                .toString();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof NeedClass that && digest.equals(that.digest);
    }

    @Override
    public int hashCode() {
        return digest.hashCode();
    }
}
