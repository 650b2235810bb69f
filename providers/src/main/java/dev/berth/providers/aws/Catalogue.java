package dev.berth.providers.aws;

import static dev.berth.providers.aws.Sweeper.regional;

import java.util.List;
import java.util.NavigableSet;
import java.util.TreeSet;
import java.util.stream.Stream;
import software.amazon.awssdk.services.cloudformation.model.Stack;
import software.amazon.awssdk.services.cloudformation.model.Tag;

/**
 * All types of things that are listed, compared and swept, in the order in which they are deleted: what uses others comes before them.
 * What is deleted too early all the same is tried again.
 */
final class Catalogue {
    static final String STACK = "cloudformation stack";
    /** The roles that are lent, with all that says who may assume them and what they may do. */
    static final String LENT_ROLE = "lent role";

    private Catalogue() {}

    /** Of stacks, which own others of this list, {@link Stacks} takes care. */
    static final Sweeper STACKS = regional(STACK, Catalogue::stacks, (_, stack) -> {
        throw new IllegalArgumentException("a stack is not swept: " + stack);
    });

    /** The table. */
    static final List<Sweeper> SWEEPERS = Stream.of(
                    Compute.SWEEPERS, Services.SWEEPERS, Stores.SWEEPERS, Network.SWEEPERS, Iam.SWEEPERS)
            .flatMap(List::stream)
            .toList();

    /** The names of all types. */
    static final NavigableSet<String> TYPES = new TreeSet<>(
            Stream.concat(Stream.of(STACK, LENT_ROLE), SWEEPERS.stream().map(Sweeper::type))
                    .toList());

    private static Stream<Thing> stacks(Session session) {
        return session.stacks().describeStacksPaginator(_ -> {}).stacks().stream()
                .filter(stack -> stack.parentId() == null)
                .map(Catalogue::stack);
    }

    static Thing stack(Stack stack) {
        String id = stack.stackId();
        return new Thing(
                STACK,
                stack.stackName(),
                stack.stackName() + id.substring(id.lastIndexOf('/')),
                stack.lastUpdatedTime() == null ? "" : "updated " + stack.lastUpdatedTime(),
                Thing.tags(stack.tags(), Tag::key, Tag::value));
    }
}
