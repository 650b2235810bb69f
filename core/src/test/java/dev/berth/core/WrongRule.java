package dev.berth.core;

import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A rule that is not as it should be, in the rules or in what the model takes them for: the comparison has to find each. */
enum WrongRule {
    /** Waiting counts for less. */
    SLOWER_AGING {
        @Override
        Policy believed(Policy policy) {
            var queue = policy.queue();
            return with(
                    policy, queue(queue, queue.order(), queue.aging().multipliedBy(50), queue.liveness(), queue.max()));
        }
    },
    /** Who used less of the pool goes first where that was not asked for, and the other way round. */
    OTHER_ORDER {
        @Override
        Policy believed(Policy policy) {
            var queue = policy.queue();
            var other = queue.order() == Policy.Queueing.Order.FAIR
                    ? Policy.Queueing.Order.FIFO
                    : Policy.Queueing.Order.FAIR;
            return with(policy, queue(queue, other, queue.aging(), queue.liveness(), queue.max()));
        }
    },
    /** Interest lasts a second longer. */
    LONGER_LIVENESS {
        @Override
        Policy believed(Policy policy) {
            var queue = policy.queue();
            return with(
                    policy,
                    queue(queue, queue.order(), queue.aging(), queue.liveness().plusSeconds(1), queue.max()));
        }
    },
    /** One more may wait. */
    LONGER_QUEUE {
        @Override
        Policy believed(Policy policy) {
            var queue = policy.queue();
            return with(policy, queue(queue, queue.order(), queue.aging(), queue.liveness(), queue.max() + 1));
        }
    },
    /** Quotas bind nobody. */
    NO_QUOTAS {
        @Override
        Policy believed(Policy policy) {
            return with(policy, policy.queue(), Policy.Quota.NONE, Map.of(), policy.retryAfter());
        }
    },
    /** Principals have the quota that all have. */
    ONE_QUOTA {
        @Override
        Policy believed(Policy policy) {
            return with(policy, policy.queue(), policy.quota(), Map.of(), policy.retryAfter());
        }
    },
    /** What is kept for who keeps asking is kept longer. */
    LONGER_KEEPING {
        @Override
        Policy believed(Policy policy) {
            return with(
                    policy,
                    policy.queue(),
                    policy.quota(),
                    policy.quotas(),
                    policy.retryAfter().plusSeconds(1));
        }
    },
    /** Nothing that is gathered is lent. */
    NO_LOANS(54) {
        @Override
        Slice seen(Slice slice) {
            return with(slice, slice.queue(), slice.lines(), slice.free(), slice.places(), Map.of());
        }
    },
    /** Who asks again has no place. */
    NO_PLACES {
        @Override
        Slice seen(Slice slice) {
            return with(slice, slice.queue(), slice.lines(), slice.free(), Map.of(), slice.returns());
        }
    },
    /** What was given back first is not lent. */
    NOT_THE_FIRST_FREE {
        @Override
        Slice seen(Slice slice) {
            var free = slice.free();
            var rest = free.size() > 1 ? free.subList(1, free.size()) : free;
            return with(slice, slice.queue(), slice.lines(), rest, slice.places(), slice.returns());
        }
    },
    /** One of the lines is never looked at. */
    A_LINE_OVERLOOKED {
        @Override
        Slice seen(Slice slice) {
            var lines = new LinkedHashMap<>(slice.lines());
            lines.keySet()
                    .removeIf(
                            key -> !key.equals(slice.lines().keySet().iterator().next()));
            var heads = slice.queue().stream()
                    .filter(id -> lines.containsKey(slice.allocations().get(id).line()))
                    .toList();
            return with(slice, heads, lines, slice.free(), slice.places(), slice.returns());
        }
    };

    /** The first of the ways on which it makes a difference, or 0. */
    final int from;

    WrongRule() {
        this(0);
    }

    WrongRule(int from) {
        this.from = from;
    }

    /** What the model takes a policy for. */
    Policy believed(Policy policy) {
        return policy;
    }

    /** What the rules see. */
    Slice seen(Slice slice) {
        return slice;
    }

    private static Policy.Queueing queue(
            Policy.Queueing queue, Policy.Queueing.Order order, Duration aging, Duration liveness, int max) {
        return new Policy.Queueing(
                max, queue.maxWait(), order, queue.shareBy(), queue.halfLife(), aging, liveness, queue.maxPriority());
    }

    private static Policy with(Policy policy, Policy.Queueing queue) {
        return with(policy, queue, policy.quota(), policy.quotas(), policy.retryAfter());
    }

    private static Policy with(
            Policy policy,
            Policy.Queueing queue,
            Policy.Quota quota,
            Map<String, Policy.Quota> quotas,
            Duration retryAfter) {
        return new Policy(
                policy.provider(),
                policy.settings(),
                policy.steps(),
                policy.session(),
                policy.maxSession(),
                policy.keepalive(),
                retryAfter,
                policy.adopt(),
                policy.limits(),
                policy.verifyEvery(),
                queue,
                quota,
                quotas,
                policy.hold(),
                policy.parallel(),
                policy.perAccount(),
                false);
    }

    private static Slice with(
            Slice slice,
            List<AllocationId> queue,
            Map<Line.Key, Line> lines,
            List<EnvironmentName> free,
            Map<Slice.Place, AllocationId> places,
            Map<NeedClass, List<Instant>> returns) {
        return new Slice(
                slice.pool(),
                slice.allocations(),
                slice.environments(),
                slice.identities(),
                slice.shapes(),
                slice.fit(),
                lines,
                slice.holders(),
                slice.givenBack(),
                queue,
                free,
                places,
                slice.census(),
                returns,
                slice.due(),
                slice.work(),
                slice.keys(),
                slice.busyAccounts(),
                slice.complete());
    }
}
