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
    private static final Duration MARKS_REFUSED = Duration.ofHours(1);

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
     * Credentials of a role for a holder, as long as the role and AWS allow.
     *
     * @param role its ARN
     * @param longest how long each call for it may take
     */
    Credentials lend(Place place, String role, Task.Holder holder, Duration longest) {
        try (StsClient sts = Sdk.client(StsClient.builder(), Sdk.own(), place.region(), settings.endpoint(), longest)) {
            if (settings.marks().any() && !memory.refusesMarks(role)) {
                try {
                    return lend(sts, role, holder, true);
                } catch (StsException e) {
                    if (!Faults.denied(e)) {
                        throw e;
                    }
                    // Either it refuses the marks or the role altogether, which the next call tells.
                    memory.refusesMarks(role, MARKS_REFUSED);
                }
            }
            return lend(sts, role, holder, false);
        }
    }

    /** How long credentials of a role can last at most, as far as is known. */
    Duration longest(String role) {
        Duration known = memory.longest(role);
        return known == null || known.compareTo(settings.session()) > 0 ? settings.session() : known;
    }

    private Credentials lend(StsClient sts, String role, Task.Holder holder, boolean marked) {
        Duration wanted = longest(role);
        while (true) {
            Duration asked = wanted;
            try {
                return sts.assumeRole(request(role, holder, asked, marked)).credentials();
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
            String role, Task.Holder holder, Duration duration, boolean marked) {
        return request -> {
            request.roleArn(role).roleSessionName(holder(holder.allocation())).durationSeconds((int)
                    duration.toSeconds());
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
            if (marked && settings.marks().sessionTags()) {
                request.tags(List.of(
                        Tag.builder()
                                .key("berth-allocation")
                                .value(holder.allocation())
                                .build(),
                        Tag.builder()
                                .key("berth-principal")
                                .value(tagValue(holder.principal()))
                                .build()));
            }
            if (marked && settings.marks().sourceIdentity()) {
                request.sourceIdentity(holder(holder.allocation()));
            }
        };
    }

    private static String tagValue(String text) {
        String clean = text.replaceAll("[^\\p{L}\\p{Z}\\p{N}_.:/=+@-]", "_");
        return clean.length() <= 256 ? clean : clean.substring(0, 256);
    }
}
