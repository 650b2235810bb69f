package dev.berth.providers.aws;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.cloudformation.CloudFormationClient;
import software.amazon.awssdk.services.cloudformation.model.CloudFormationException;
import software.amazon.awssdk.services.cloudformation.model.ResourceStatus;
import software.amazon.awssdk.services.cloudformation.model.Stack;
import software.amazon.awssdk.services.cloudformation.model.StackResourceSummary;

/**
 * Deletes stacks: the newest first, since what is imported is there before who imports it, and again for as long as that gets anywhere.
 * What would hinder it is done before: termination protection off, buckets and repositories emptied. Nested stacks are left to theirs.
 */
final class Stacks {
    static final String NESTED = "AWS::CloudFormation::Stack";
    private static final Duration FIRST_LOOK = Duration.ofMillis(200);
    private static final Duration LONGEST_BETWEEN = Duration.ofSeconds(5);

    private final Session session;
    private final Listing listing;
    private final Watch watch;

    Stacks(Session session, Listing listing, Watch watch) {
        this.session = session;
        this.listing = listing;
        this.watch = watch;
    }

    /**
     * One round over all stacks.
     *
     * @param kept the keys of those that stay
     * @return what is left and why, by name; empty when nothing is
     */
    Map<String, String> delete(Set<String> kept) throws InterruptedException {
        Map<String, String> left = new LinkedHashMap<>();
        List<Stack> begun = new ArrayList<>();
        for (Stack stack : doomed(kept)) {
            try {
                prepare(stack);
                watch.check();
                session.stacks().deleteStack(delete -> delete.stackName(stack.stackId()));
                begun.add(stack);
            } catch (SdkException | Buckets.NotDeletedException e) {
                left.put(stack.stackName(), reason(e));
            }
        }
        for (Stack stack : begun) {
            String why = await(stack);
            if (!why.isEmpty()) {
                left.put(stack.stackName(), why);
            }
        }
        return left;
    }

    private static String reason(RuntimeException e) {
        if (e instanceof SdkException sdk) {
            if (Faults.elsewhere(sdk)) {
                throw sdk;
            }
            return Faults.message(sdk);
        }
        return String.valueOf(e.getMessage());
    }

    private List<Stack> doomed(Set<String> kept) {
        Set<String> counted = new HashSet<>();
        listing.of(Catalogue.STACKS).forEach(thing -> counted.add(thing.key()));
        counted.removeAll(kept);
        return session.stacks().describeStacksPaginator(_ -> {}).stacks().stream()
                .filter(stack -> counted.contains(Catalogue.stack(stack).key()))
                .sorted(Comparator.comparing(Stack::creationTime).reversed())
                .toList();
    }

    private void prepare(Stack stack) {
        CloudFormationClient stacks = session.stacks();
        if (Boolean.TRUE.equals(stack.enableTerminationProtection())) {
            watch.check();
            stacks.updateTerminationProtection(
                    update -> update.stackName(stack.stackName()).enableTerminationProtection(false));
        }
        empty(stack.stackId());
    }

    /** Buckets and repositories that have content cannot be deleted, in nested stacks neither. */
    private void empty(String stackId) {
        for (StackResourceSummary resource : session.stacks()
                .listStackResourcesPaginator(list -> list.stackName(stackId))
                .stackResourceSummaries()) {
            String id = resource.physicalResourceId();
            if (id == null || id.isEmpty() || resource.resourceStatus() == ResourceStatus.DELETE_COMPLETE) {
                continue;
            }
            switch (resource.resourceType()) {
                case "AWS::S3::Bucket" -> {
                    watch.check();
                    Buckets.empty(session, id);
                }
                case "AWS::ECR::Repository" -> {
                    watch.check();
                    Repositories.empty(session, id);
                }
                case NESTED -> empty(id);
                default -> {
                    // CloudFormation deletes it as it is.
                }
            }
        }
    }

    /** Waits for the end of it; says what is in the way, or nothing where the stack is gone. */
    private String await(Stack stack) throws InterruptedException {
        Duration between = FIRST_LOOK;
        while (true) {
            Stack now = now(stack);
            switch (now.stackStatus()) {
                case DELETE_COMPLETE -> {
                    return "";
                }
                case DELETE_IN_PROGRESS -> {
                    watch.check();
                    watch.pause(between);
                    between = between.multipliedBy(2).compareTo(LONGEST_BETWEEN) < 0
                            ? between.multipliedBy(2)
                            : LONGEST_BETWEEN;
                }
                default -> {
                    return now.stackStatusAsString() + blocking(now);
                }
            }
        }
    }

    /** By its id, under which a deleted stack is still known. */
    private Stack now(Stack stack) {
        try {
            return session.stacks()
                    .describeStacks(describe -> describe.stackName(stack.stackId()))
                    .stacks()
                    .getFirst();
        } catch (CloudFormationException e) {
            if (Faults.code(e).equals("ValidationError") && Faults.message(e).contains("does not exist")) {
                return stack.toBuilder().stackStatus("DELETE_COMPLETE").build();
            }
            throw e;
        }
    }

    private String blocking(Stack stack) {
        StringBuilder text = new StringBuilder();
        for (StackResourceSummary resource : session.stacks()
                .listStackResourcesPaginator(list -> list.stackName(stack.stackId()))
                .stackResourceSummaries()) {
            if (resource.resourceStatus() == ResourceStatus.DELETE_FAILED) {
                text.append(text.isEmpty() ? ", because of " : "; ")
                        .append(resource.resourceType())
                        .append(' ')
                        .append(resource.physicalResourceId());
                if (resource.resourceStatusReason() != null) {
                    text.append(": ").append(resource.resourceStatusReason());
                }
            }
        }
        return text.isEmpty() && stack.stackStatusReason() != null ? ": " + stack.stackStatusReason() : text.toString();
    }
}
