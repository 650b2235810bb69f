package dev.berth.server.auth;

/** All that principals can ask for, by subject. */
public record Desks(
        AllocationDesk allocations,
        QueueDesk queues,
        PoolDesk pools,
        BaselineDesk baselines,
        EventDesk events,
        TokenDesk tokens,
        AccessKeyDesk accessKeys,
        Journal journal) {}
