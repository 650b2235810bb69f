package dev.berth.providers.aws;

import dev.berth.providers.Inventory;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.NavigableSet;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.iam.model.NoSuchEntityException;

/** What is there and counts: without what AWS makes by itself, what the pool keeps and the roles that are lent. */
final class Listing {
    private static final Keep IGNORED = ignored();

    private final Session session;
    private final Place place;
    private final Keep keep;
    private @Nullable Set<String> ofStacksThatStay;

    Listing(Session session, Place place, Keep keep) {
        this.session = session;
        this.place = place;
        this.keep = keep;
    }

    private static Keep ignored() {
        try (InputStream rules = Listing.class.getResourceAsStream("ignored.txt")) {
            if (rules == null) {
                throw new IllegalStateException("ignored.txt is missing");
            }
            List<String> lines = new String(rules.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .filter(line -> !line.isBlank() && !line.startsWith("#"))
                    .toList();
            return new Keep(lines, Map.of());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The things of one type. It is not even listed where the pool keeps all of it: listing it may be forbidden. */
    List<Thing> of(Sweeper sweeper) {
        if (keep.all(sweeper.type())) {
            return List.of();
        }
        try (Stream<Thing> things = sweeper.lister().list(session)) {
            return things.filter(thing -> counts(sweeper, thing)).toList();
        }
    }

    private boolean counts(Sweeper sweeper, Thing thing) {
        if (staysByName(thing)) {
            return false;
        }
        if (!thing.type().equals(Catalogue.STACK) && isOfStackThatStays(thing)) {
            return false;
        }
        if (thing.type().equals(Iam.ROLE) && place.roles().stream().anyMatch(role -> isRole(thing, role))) {
            return false;
        }
        return !keep.asksForTags() || !keep.byTags(sweeper.tagger().tags(session, thing));
    }

    private boolean staysByName(Thing thing) {
        return IGNORED.byName(thing.type(), thing.name()) || keep.byName(thing.type(), thing.name());
    }

    /** What a stack owns stays with it, whatever it is called. */
    private boolean isOfStackThatStays(Thing thing) {
        Set<String> theirs = ofStacksThatStay;
        if (theirs == null) {
            theirs = new HashSet<>();
            try (Stream<Thing> stacks = Catalogue.STACKS.lister().list(session)) {
                for (Thing stack : stacks.filter(this::stackStays).toList()) {
                    addResources(stack.name(), theirs);
                }
            }
            ofStacksThatStay = theirs;
        }
        int slash = thing.key().lastIndexOf('/');
        return theirs.contains(thing.name())
                || theirs.contains(thing.key())
                || theirs.contains(thing.key().substring(0, Math.max(0, slash)));
    }

    private boolean stackStays(Thing stack) {
        return staysByName(stack) || keep.byTags(stack.tags());
    }

    private void addResources(String stack, Set<String> all) {
        session.stacks().listStackResourcesPaginator(list -> list.stackName(stack)).stackResourceSummaries().stream()
                .filter(resource -> resource.physicalResourceId() != null)
                .forEach(resource -> {
                    all.add(resource.physicalResourceId());
                    if (Stacks.NESTED.equals(resource.resourceType())) {
                        addResources(resource.physicalResourceId(), all);
                    }
                });
    }

    /** Whether it is the role; names are unique in an account, paths are only a part of what is shown. */
    private static boolean isRole(Thing thing, String roleArn) {
        return thing.key().startsWith(Place.nameOf(roleArn) + "/");
    }

    /**
     * Everything.
     *
     * @param shared whether what all regions of the account share is among it
     */
    Inventory all(boolean shared) {
        NavigableMap<String, NavigableSet<String>> things = new TreeMap<>();
        Types.of(keep).putInto(things);
        add(things, Catalogue.STACKS);
        for (Sweeper sweeper : Catalogue.SWEEPERS) {
            if (shared || !sweeper.shared()) {
                add(things, sweeper);
            }
        }
        for (String role : place.roles()) {
            try {
                add(things, Iam.lent(session, role));
            } catch (NoSuchEntityException e) {
                // One that the baseline has is missing then; a role that was never made belongs to nothing.
            }
        }
        return new Inventory(things);
    }

    private void add(NavigableMap<String, NavigableSet<String>> things, Sweeper sweeper) {
        of(sweeper).forEach(thing -> add(things, thing));
    }

    private static void add(NavigableMap<String, NavigableSet<String>> things, Thing thing) {
        things.computeIfAbsent(thing.type(), _ -> new TreeSet<>()).add(thing.line());
    }

    /** The keys of a type in a baseline: what has one of them is never deleted, whatever became of it. */
    static Set<String> keys(Inventory baseline, String type) {
        Set<String> keys = new HashSet<>();
        baseline.things().getOrDefault(type, new TreeSet<>()).forEach(line -> keys.add(Thing.keyOf(line)));
        return keys;
    }
}
