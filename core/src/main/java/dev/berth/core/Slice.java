package dev.berth.core;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * All that a decision needs of a pool, and no more: small whatever the pool's size.
 *
 * @param pool the pool's row, locked
 * @param allocations those that the batch or its keys name, those that are due, the heads of the queue, and after an outage all that
 *     live; ended ones too where they are named
 * @param environments those that the batch names (whatever pool they are in), those that the allocations above have and those that
 *     the heads of the queue avoid, those in the lists below; the allocation that holds one of them is among the allocations
 * @param identities which environments have the physical identities that the batch registers, by identity
 * @param free free environments, first to be lent first: as many as the batch could use, and as many more as it names, since those may be
 *     taken out before
 * @param queue the heads of the queue, in order: one more than could come free in the batch, or, where something is free although
 *     somebody waits, as many as a slice may have at all
 * @param due environments about which the rules have to do something by themselves
 * @param work environments with a step that can be claimed, issuing first, then the longest due; only where the batch claims
 * @param keys the keys that the batch names, where they were used before
 * @param busyAccounts provider accounts in which an upkeep step runs under a claim, with how many
 * @param complete false when some list was cut at its limit: another batch is to follow at once
 */
public record Slice(
        Pool pool,
        Map<AllocationId, Allocation> allocations,
        Map<EnvironmentName, Environment> environments,
        Map<String, EnvironmentName> identities,
        List<EnvironmentName> free,
        List<AllocationId> queue,
        List<EnvironmentName> due,
        List<EnvironmentName> work,
        Map<KeyUse.Key, KeyUse> keys,
        Map<String, Integer> busyAccounts,
        boolean complete) {

    /**
     * What is to be loaded for a batch.
     *
     * @param asked how many environments the batch asks for
     * @param work how many steps the batch could claim
     * @param claims whether every environment under a claim is wanted, in {@code environments}
     */
    public record Needs(
            Set<AllocationId> allocations,
            Set<KeyUse.Key> keys,
            Set<EnvironmentName> environments,
            Set<String> identities,
            int asked,
            int work,
            boolean claims) {

        /** What these commands make necessary. */
        public static Needs of(List<Command> commands) {
            var allocations = new LinkedHashSet<AllocationId>();
            var keys = new LinkedHashSet<KeyUse.Key>();
            var environments = new LinkedHashSet<EnvironmentName>();
            var identities = new LinkedHashSet<String>();
            long asked = 0;
            int work = 0;
            boolean claims = false;
            for (var command : commands) {
                allocations.addAll(command.allocations());
                environments.addAll(command.environments());
                switch (command) {
                    case Command.Ask ask -> {
                        asked += ask.request().count();
                        if (ask.request().key() != null) {
                            keys.add(new KeyUse.Key(
                                    ask.principal(), ask.request().key()));
                        }
                    }
                    case Command.Register register ->
                        register.records().forEach(record -> identities.add(record.identity()));
                    case Command.ClaimWork claim -> work += claim.ids().size();
                    case Command.VoidClaims _ -> claims = true;
                    case Command.KeepAlive _,
                            Command.Extend _,
                            Command.Release _,
                            Command.Act _,
                            Command.Enact _,
                            Command.Delist _,
                            Command.Deregister _,
                            Command.RenewClaims _,
                            Command.Report _,
                            Command.Note _,
                            Command.Tick _ -> {}
                }
            }
            return new Needs(
                    allocations,
                    keys,
                    environments,
                    identities,
                    (int) Math.min(asked, Integer.MAX_VALUE),
                    work,
                    claims);
        }
    }
}
