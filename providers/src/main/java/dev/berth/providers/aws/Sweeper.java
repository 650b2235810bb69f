package dev.berth.providers.aws;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One type of things: how they are listed and how one is deleted.
 *
 * @param type how rules, reports and baselines call it
 * @param shared whether all regions of an account share them
 * @param lister all that are there, in the session's region where they are not shared; what AWS makes by itself may be among them
 * @param remover deletes one, or begins to; one that is gone already is no error it throws but AWS's
 * @param tagger reads the tags of one, for types whose listing does not tell them
 */
record Sweeper(String type, boolean shared, Lister lister, Remover remover, Tagger tagger) {

    /** Lists things. */
    interface Lister {
        Stream<Thing> list(Session session);
    }

    /** Deletes a thing. */
    interface Remover {
        void delete(Session session, Thing thing);
    }

    /** Reads the tags of a thing. */
    interface Tagger {
        Map<String, String> tags(Session session, Thing thing);
    }

    static Sweeper regional(String type, Lister lister, Remover remover, Tagger tagger) {
        return new Sweeper(type, false, lister, remover, tagger);
    }

    /** Of things whose listing tells their tags, or that have none. */
    static Sweeper regional(String type, Lister lister, Remover remover) {
        return new Sweeper(type, false, lister, remover, (_, thing) -> thing.tags());
    }

    static Sweeper shared(String type, Lister lister, Remover remover, Tagger tagger) {
        return new Sweeper(type, true, lister, remover, tagger);
    }

    /** Of things whose listing tells their tags, or that have none. */
    static Sweeper shared(String type, Lister lister, Remover remover) {
        return new Sweeper(type, true, lister, remover, (_, thing) -> thing.tags());
    }

    /** All pages of a listing for which the SDK has no paginator. */
    static <R> Stream<R> pages(Function<@Nullable String, R> call, Function<R, @Nullable String> next) {
        List<R> pages = new ArrayList<>();
        String token = null;
        do {
            R page = call.apply(token);
            pages.add(page);
            token = next.apply(page);
        } while (token != null && !token.isEmpty());
        return pages.stream();
    }
}
