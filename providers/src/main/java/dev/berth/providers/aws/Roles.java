package dev.berth.providers.aws;

import dev.berth.providers.Task;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.sts.StsClient;
import software.amazon.awssdk.services.sts.auth.StsAssumeRoleCredentialsProvider;
import software.amazon.awssdk.services.sts.model.AssumeRoleRequest;
import software.amazon.awssdk.services.sts.model.Credentials;
import software.amazon.awssdk.services.sts.model.StsException;
import software.amazon.awssdk.services.sts.model.Tag;

/** Assumes roles: for Berth's own work, and for those who borrow. */
final class Roles {
    /** What AWS allows where the caller has assumed a role itself, whatever the role says. */
    static final Duration CHAINED = Duration.ofHours(1);

    private static final int LONGEST_NAME = 64;
    /** As short as AWS makes one. */
    private static final Duration PROBE = Duration.ofMinutes(15);

    private final Settings settings;
    private final Memory memory;

    Roles(Settings settings, Memory memory) {
        this.settings = settings;
        this.memory = memory;
    }

    /** The name of the session of whoever holds an allocation. */
    static String holder(String allocation) {
        return named("berth-" + allocation);
    }

    /** The name of the session of Berth's own worker, which no holder's name can be. */
    static String worker(String claim) {
        return named("berth." + claim);
    }

    private static String named(String name) {
        if (name.length() > LONGEST_NAME) {
            throw new IllegalArgumentException("a session's name may have " + LONGEST_NAME + " characters: " + name);
        }
        return name;
    }

    /** The account is not the one that was registered: nothing may be done there. */
    static final class WrongAccountException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        WrongAccountException(String message) {
            super(message, null, false, false);
        }
    }

    /**
     * A session of Berth's own, renewed for as long as it is used. Who it is was asked of AWS before it is returned.
     *
     * @throws WrongAccountException where it is in another account than the environment
     * @throws SdkException where the role cannot be assumed
     */
    Session work(Place place, Task task) {
        Duration longest = task.timeout();
        StsClient sts = Sdk.client(StsClient.builder(), Sdk.own(), place.region(), settings.endpoint(), longest);
        var credentials = StsAssumeRoleCredentialsProvider.builder()
                .stsClient(sts)
                .asyncCredentialUpdateEnabled(false)
                .refreshRequest(request -> {
                    request.roleArn(place.adminRole())
                            .roleSessionName(worker(task.claim()))
                            .durationSeconds((int) CHAINED.toSeconds());
                    if (settings.externalId() != null) {
                        request.externalId(settings.externalId());
                    }
                })
                .build();
        Session session = new Session(credentials, place.region(), settings.endpoint(), longest)
                .owning(credentials)
                .owning(sts);
        try {
            String account = session.sts().getCallerIdentity().account();
            if (!place.account().equals(account)) {
                throw new WrongAccountException("%s is in account %s, the environment in %s: nothing was done"
                        .formatted(place.adminRole(), account, place.account()));
            }
            return session;
        } catch (RuntimeException e) {
            session.close();
            throw e;
        }
    }

    /** Whether AWS knows Berth's own credentials. */
    boolean ownCredentialsWork(Place place, Duration longest) {
        try (StsClient sts = Sdk.client(StsClient.builder(), Sdk.own(), place.region(), settings.endpoint(), longest)) {
            return sts.getCallerIdentity().account() != null;
        } catch (SdkException e) {
            return false;
        }
    }

    /**
     * Finds out what sessions of the environment's roles may carry, where the pool wants that and it was not found out lately.
     *
     * @param claim names the sessions with which it is tried
     * @param longest how long each call for it may take
     */
    void probe(Place place, String claim, Duration longest) {
        try (StsClient sts = Sdk.client(StsClient.builder(), Sdk.own(), place.region(), settings.endpoint(), longest)) {
            place.roles().forEach(role -> marks(sts, role, worker(claim)));
        }
    }

    private Settings.Marks marks(StsClient sts, String role, String session) {
        Settings.Marks wanted = settings.marks();
        Settings.Marks known = wanted.any() ? memory.marks(role) : Settings.Marks.NONE;
        if (known != null) {
            return known;
        }
        Settings.Marks allowed = wanted;
        if (!allows(sts, role, session, wanted)) {
            var tags = new Settings.Marks(true, false);
            var identity = new Settings.Marks(false, true);
            boolean both = wanted.sessionTags() && wanted.sourceIdentity();
            allowed = both && allows(sts, role, session, tags)
                    ? tags
                    : both && allows(sts, role, session, identity) ? identity : Settings.Marks.NONE;
        }
        memory.marks(role, allowed);
        return allowed;
    }

    /** Tries it: nobody may be let look at a trust policy, and not all that counts stands there. */
    private boolean allows(StsClient sts, String role, String session, Settings.Marks marks) {
        try {
            sts.assumeRole(request(role, session, PROBE, marks, session, "berth"));
            return true;
        } catch (StsException e) {
            if (!Faults.denied(e)) {
                throw e;
            }
            return false;
        }
    }

    /**
     * Credentials of a role for a holder, as long as the role and AWS allow.
     *
     * @param role its ARN
     * @param longest how long each call for it may take
     */
    Credentials lend(Place place, String role, Task.Holder holder, Duration longest) {
        try (StsClient sts = Sdk.client(StsClient.builder(), Sdk.own(), place.region(), settings.endpoint(), longest)) {
            Settings.Marks marks = marks(sts, role, holder(holder.allocation()));
            try {
                return lend(sts, role, holder, marks);
            } catch (StsException e) {
                if (!marks.any() || !Faults.denied(e)) {
                    throw e;
                }
                // Its trust policy was changed since it was tried, or it refuses the role altogether, which the next
                // call tells.
                memory.forgetMarks(role);
                return lend(sts, role, holder, marks(sts, role, holder(holder.allocation())));
            }
        }
    }

    /** How long credentials of a role can last at most, as far as is known. */
    Duration longest(String role) {
        Duration known = memory.longest(role);
        return known == null || known.compareTo(settings.session()) > 0 ? settings.session() : known;
    }

    private Credentials lend(StsClient sts, String role, Task.Holder holder, Settings.Marks marks) {
        Duration wanted = longest(role);
        while (true) {
            Duration asked = wanted;
            try {
                return sts.assumeRole(request(
                                role,
                                holder(holder.allocation()),
                                asked,
                                marks,
                                holder.allocation(),
                                holder.principal()))
                        .credentials();
            } catch (StsException e) {
                wanted = shorter(e, asked);
                if (wanted == null) {
                    throw e;
                }
                memory.longest(role, wanted);
            }
        }
    }

    /** What to ask for in place of what AWS found too long; null where it complains of something else. */
    private static @Nullable Duration shorter(StsException e, Duration asked) {
        String said = Faults.message(e).toLowerCase(Locale.ROOT);
        boolean tooLong = said.contains("durationseconds") || said.contains("session limit");
        if (!tooLong || !Faults.code(e).equals("ValidationError")) {
            return null;
        }
        if (said.contains("chaining")) {
            return asked.compareTo(CHAINED) > 0 ? CHAINED : null;
        }
        // The role says in MaxSessionDuration what it allows, in whole hours as people write it.
        Duration less = asked.minusHours(1);
        return less.compareTo(CHAINED) >= 0 ? less : asked.compareTo(CHAINED) > 0 ? CHAINED : null;
    }

    private Consumer<AssumeRoleRequest.Builder> request(
            String role, String session, Duration duration, Settings.Marks marks, String allocation, String principal) {
        return request -> {
            request.roleArn(role).roleSessionName(session).durationSeconds((int) duration.toSeconds());
            if (settings.externalId() != null) {
                request.externalId(settings.externalId());
            }
            if (settings.sessionPolicy() != null) {
                request.policy(settings.sessionPolicy());
            }
            if (!settings.sessionPolicies().isEmpty()) {
                request.policyArns(settings.sessionPolicies().stream()
                        .map(arn -> software.amazon.awssdk.services.sts.model.PolicyDescriptorType.builder()
                                .arn(arn)
                                .build())
                        .toList());
            }
            if (marks.sessionTags()) {
                request.tags(List.of(
                        Tag.builder().key("berth-allocation").value(allocation).build(),
                        Tag.builder()
                                .key("berth-principal")
                                .value(tagValue(principal))
                                .build()));
            }
            if (marks.sourceIdentity()) {
                request.sourceIdentity(session);
            }
        };
    }

    private static String tagValue(String text) {
        String clean = text.replaceAll("[^\\p{L}\\p{Z}\\p{N}_.:/=+@-]", "_");
        return clean.length() <= 256 ? clean : clean.substring(0, 256);
    }
}
