package dev.berth.providers.aws;

import dev.berth.providers.StepResult;
import dev.berth.providers.StepResult.Done;
import dev.berth.providers.StepResult.Failed;
import dev.berth.providers.StepResult.Unavailable;
import dev.berth.providers.Task;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.iam.model.NoSuchEntityException;

/**
 * Takes the access of an allocation away, and proves it: with the old credentials calls are made that worked before, until all of them
 * are refused again and again. Who one is can be asked with any credentials, so that is no proof of anything.
 */
final class Revocation {
    /** IAM is read by many machines, of which some know of a change before others. */
    private static final int DENIALS_IN_A_ROW = 3;

    private static final Duration BETWEEN = Duration.ofMillis(250);
    /** What may still be issued while this runs is covered too, and two clocks may differ. */
    private static final Duration MARGIN = Duration.ofMinutes(15);

    private static final List<Consumer<Session>> CALLS = List.of(
            session -> session.iam().listAccountAliases(),
            session -> session.stacks().listStacks(),
            session -> session.s3().listBuckets());

    private final Settings settings;
    private final Roles roles;
    private final Denials denials;
    private final Memory memory;

    Revocation(Settings settings, Roles roles, Denials denials, Memory memory) {
        this.settings = settings;
        this.roles = roles;
        this.denials = denials;
        this.memory = memory;
    }

    private enum Answer {
        WORKS,
        DENIED,
        /** By a policy that says so: the difference between one who lost a right and one who never had it. */
        EXPLICITLY_DENIED,
        /** The credentials are over. */
        EXPIRED
    }

    StepResult revoke(Session worker, Place place, Task task, Watch watch) throws InterruptedException {
        if (task.holder() == null) {
            return Done.plain();
        }
        String session = Roles.holder(task.holder().allocation());
        AwsSessionCredentials old = memory.issued(session);
        if (old == null) {
            StepResult refused = deny(worker, place, session, watch);
            return refused != null
                    ? refused
                    : new Done(
                            null,
                            "session " + session + " is denied; its credentials are not known here, so IAM is given "
                                    + settings.propagation().toSeconds() + " s to make that known",
                            settings.propagation());
        }
        try (Session theirs = new Session(
                StaticCredentialsProvider.create(old), place.region(), settings.endpoint(), task.timeout())) {
            List<Consumer<Session>> telling = CALLS.stream()
                    .filter(call -> {
                        Answer answer = answer(theirs, call);
                        return answer == Answer.WORKS || answer == Answer.EXPLICITLY_DENIED;
                    })
                    .toList();
            StepResult refused = deny(worker, place, session, watch);
            if (refused != null) {
                return refused;
            }
            if (telling.isEmpty()) {
                return new Done(
                        null,
                        "session " + session + " is denied; it could not do what would prove it, so IAM is given "
                                + settings.propagation().toSeconds() + " s to make that known",
                        settings.propagation());
            }
            return prove(theirs, telling, session, watch);
        }
    }

    private StepResult prove(Session theirs, List<Consumer<Session>> telling, String session, Watch watch)
            throws InterruptedException {
        int inARow = 0;
        while (inARow < DENIALS_IN_A_ROW) {
            if (watch.over()) {
                return new Failed("revoke: session " + session + " was denied, and its credentials still work", null);
            }
            boolean all = true;
            for (Consumer<Session> call : telling) {
                all = all && answer(theirs, call) != Answer.WORKS;
            }
            inARow = all ? inARow + 1 : 0;
            watch.pause(BETWEEN);
        }
        memory.forget(session);
        return new Done(
                null,
                "session " + session + " is denied, as its own credentials were told " + inARow + " times",
                Duration.ZERO);
    }

    /** Denies the last holder again where its denial is gone: who was lent a neighbour may have dropped it. Null for done. */
    @Nullable
    StepResult confirm(Session worker, Place place, Task.@Nullable Holder holder, Watch watch) {
        if (holder == null) {
            return null;
        }
        String session = Roles.holder(holder.allocation());
        return denials.has(worker.iam(), place.adminRole(), place.environment(), session)
                ? null
                : deny(worker, place, session, watch);
    }

    /** Denies the session in every role it may be one of; null for done. */
    private @Nullable StepResult deny(Session worker, Place place, String session, Watch watch) {
        for (String role : place.roles()) {
            watch.check();
            try {
                denials.add(
                        worker.iam(),
                        role,
                        place.environment(),
                        new Denials.Entry(
                                session, memory.now().plus(roles.longest(role)).plus(MARGIN)));
            } catch (NoSuchEntityException e) {
                // Of a role that is gone no session can do anything. Berth's own is there, since it works with it.
            } catch (Denials.NoRoomException e) {
                return new Unavailable("revoke: " + e.getMessage(), null);
            }
        }
        return null;
    }

    private static Answer answer(Session theirs, Consumer<Session> call) {
        try {
            call.accept(theirs);
            return Answer.WORKS;
        } catch (SdkException e) {
            if (Faults.explicitlyDenied(e)) {
                return Answer.EXPLICITLY_DENIED;
            }
            if (Faults.denied(e)) {
                return Answer.DENIED;
            }
            if (Faults.expired(e)) {
                return Answer.EXPIRED;
            }
            throw e;
        }
    }
}
