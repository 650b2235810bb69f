package dev.berth.core;

import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * All that a decision needs of a pool, and no more: small whatever the pool's size.
 *
 * @param pool the pool's row, locked
 * @param allocations those that the batch or its keys name, those that are due, the heads of the queue, and after an outage all that
 *     live; ended ones too where they are named
 * @param environments those that the batch names (whatever pool they are in), those that the allocations above have and those that
 *     the heads of the queue avoid, those in the lists below; where the pool isolates accounts, all others of their accounts; the
 *     allocation that holds one of them is among the allocations
 * @param identities which environments have the physical identities that the batch registers, by identity
 * @param shapes every shape of the pool that some environment has which is not retired, by digest
 * @param fit of these shapes; what it remembers may be older than the slice
 * @param lines every line of the queue in which somebody waits
 * @param holders the principals, and the sharers of the pool, that the batch, the allocations above and the lines are of, by name
 * @param givenBack for principals of the batch who hold as many environments as their quota allows, when the first of them is given
 *     back at the latest; without those of whom that is not known
 * @param queue the heads of lines, as many of each as {@link Search#heads} says, in their order within the line
 * @param free free environments, first to be lent first, as {@link Search#free} says
 * @param places the allocations of callers who keep asking, for the requests of the batch
 * @param census for each special need of the batch and of the heads, what {@link Search#census} says
 * @param returns for needs whose heads gather, when environments that can serve them are back, the earliest first, as
 *     {@link Search#returns} says
 * @param due environments about which the rules have to do something by themselves
 * @param work environments with a step that can be claimed, issuing first, then those whose claim was lost, then the longest due; only
 *     where the batch claims
 * @param keys the keys that the batch names, where they were used before
 * @param busyAccounts provider accounts in which an upkeep step runs under a claim, with how many
 * @param complete false when some list was cut at its limit: another batch is to follow at once
 */
public record Slice(
        Pool pool,
        Map<AllocationId, Allocation> allocations,
        Map<EnvironmentName, Environment> environments,
        Map<String, EnvironmentName> identities,
        Map<String, ShapeCount> shapes,
        Fit fit,
        Map<Line.Key, Line> lines,
        Map<String, Holder> holders,
        Map<String, Instant> givenBack,
        List<AllocationId> queue,
        List<EnvironmentName> free,
        Map<Place, AllocationId> places,
        Map<Need, List<Candidate>> census,
        Map<NeedClass, List<Instant>> returns,
        List<EnvironmentName> due,
        List<EnvironmentName> work,
        Map<KeyUse.Key, KeyUse> keys,
        Map<String, Integer> busyAccounts,
        boolean complete) {

    /** By what a caller who keeps asking is known again: the same principal, requester and need. */
    public record Place(String principal, String requester, NeedClass need) {
        static Place of(Command.Ask ask) {
            return new Place(
                    ask.principal(), ask.request().requester(), ask.request().need());
        }

        /** Of one that is remembered. */
        public static Place of(Allocation allocation) {
            return new Place(
                    allocation.principal(),
                    allocation.request().requester(),
                    allocation.request().need());
        }

        /** What it is found by in a store, beside its pool. */
        public String digest() {
            return JsonText.digest(principal + "\n" + need.digest() + "\n" + requester);
        }
    }

    /**
     * An environment that can serve a need some time.
     *
     * @param lendable whether it is lent again without a person's doing
     */
    public record Candidate(EnvironmentName name, @Nullable String account, boolean lendable) {}

    /**
     * What is to be loaded for a batch.
     *
     * @param asks what it asks for
     * @param places of callers who may have asked before, without waiting
     * @param accounts of the records that it registers: where the pool isolates accounts, all environments of these are wanted
     * @param policy that it brings in force; null for none
     * @param work how many steps the batch could claim
     * @param claims whether every environment under a claim is wanted, in {@code environments}
     * @param all whether every environment of the pool is wanted that is not retired, in {@code environments}
     */
    public record Needs(
            Set<AllocationId> allocations,
            Set<KeyUse.Key> keys,
            Set<EnvironmentName> environments,
            Set<String> identities,
            List<Command.Ask> asks,
            Set<Place> places,
            Set<String> accounts,
            @Nullable Policy policy,
            int work,
            boolean claims,
            boolean all) {

        /** What these commands make necessary. */
        public static Needs of(List<Command> commands) {
            var allocations = new LinkedHashSet<AllocationId>();
            var keys = new LinkedHashSet<KeyUse.Key>();
            var environments = new LinkedHashSet<EnvironmentName>();
            var identities = new LinkedHashSet<String>();
            var asks = new ArrayList<Command.Ask>();
            var places = new LinkedHashSet<Place>();
            var accounts = new LinkedHashSet<String>();
            Policy policy = null;
            int work = 0;
            boolean claims = false;
            boolean all = false;
            for (var command : commands) {
                allocations.addAll(command.allocations());
                environments.addAll(command.environments());
                switch (command) {
                    case Command.Ask ask -> {
                        asks.add(ask);
                        if (ask.request().key() != null) {
                            keys.add(new KeyUse.Key(
                                    ask.principal(), ask.request().key()));
                        }
                        places.add(Place.of(ask));
                    }
                    case Command.Register register ->
                        register.records().forEach(record -> {
                            identities.add(record.identity());
                            if (record.account() != null) {
                                accounts.add(record.account());
                            }
                        });
                    case Command.Enact enact -> policy = enact.policy();
                    case Command.ClaimWork claim -> work += claim.ids().size();
                    case Command.VoidClaims _ -> claims = true;
                    case Command.Restored _ -> all = true;
                    case Command.Attend _,
                            Command.Leave _,
                            Command.Hold _,
                            Command.Prioritise _,
                            Command.KeepAlive _,
                            Command.Extend _,
                            Command.Release _,
                            Command.Act _,
                            Command.Delist _,
                            Command.Deregister _,
                            Command.RenewClaims _,
                            Command.Report _,
                            Command.Note _,
                            Command.Tick _ -> {}
                }
            }
            return new Needs(
                    allocations, keys, environments, identities, asks, places, accounts, policy, work, claims, all);
        }

        /** Whether every environment of a pool with this policy is wanted that is not retired: another policy may move them all. */
        public boolean wantsAll(Policy now) {
            return all || (policy != null && policy.isolates() != now.isolates());
        }
    }
}
