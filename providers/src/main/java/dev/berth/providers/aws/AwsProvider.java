package dev.berth.providers.aws;

import dev.berth.core.Step;
import dev.berth.providers.Provider;
import dev.berth.providers.StepResult;
import dev.berth.providers.StepResult.Access;
import dev.berth.providers.StepResult.Done;
import dev.berth.providers.StepResult.Failed;
import dev.berth.providers.StepResult.Unavailable;
import dev.berth.providers.Task;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.core.exception.AbortedException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.sts.model.Credentials;

/** The provider of one pool: says who does what of a step, and what an error in it means. */
final class AwsProvider implements Provider {
    private static final Set<Step> STEPS = Set.of(Step.ISSUE, Step.REVOKE, Step.CLEAN, Step.VERIFY);

    private final Settings settings;
    private final Memory memory;
    private final Roles roles;
    private final Denials denials;

    AwsProvider(Settings settings, Memory memory) {
        this.settings = settings;
        this.memory = memory;
        this.roles = new Roles(settings, memory);
        this.denials = new Denials(memory);
    }

    @Override
    public Set<Step> steps() {
        return STEPS;
    }

    @Override
    public boolean keepsBaseline() {
        return true;
    }

    @Override
    public StepResult run(Step step, Task task) throws InterruptedException {
        Place place = Place.of(task);
        String name = step.name().toLowerCase(Locale.ROOT);
        try {
            return switch (step) {
                case ISSUE -> issue(place, task);
                case REVOKE, CLEAN, VERIFY -> work(step, place, task);
            };
        } catch (AbortedException e) {
            throw interrupted(e);
        } catch (SdkException e) {
            if (Thread.interrupted()) {
                throw interrupted(e);
            }
            return Faults.result(name, e, () -> roles.ownCredentialsWork(place, task.timeout()));
        } catch (Watch.StoppedException | Roles.WrongAccountException e) {
            return new Failed(name + ": " + e.getMessage(), null);
        }
    }

    private static InterruptedException interrupted(SdkException e) {
        var interrupted = new InterruptedException("stopped while AWS was called");
        interrupted.initCause(e);
        return interrupted;
    }

    private StepResult work(Step step, Place place, Task task) throws InterruptedException {
        var watch = new Watch(task);
        var revocation = new Revocation(settings, roles, denials, memory);
        try (Session session = roles.work(place, task)) {
            return switch (step) {
                case REVOKE -> revocation.revoke(session, place, task, watch);
                case CLEAN -> {
                    StepResult refused = revocation.confirm(session, place, task.holder(), watch);
                    yield refused != null ? refused : new Cleaning(settings).clean(session, place, task, watch);
                }
                case VERIFY -> verify(session, place, task, watch);
                case ISSUE -> throw new IllegalArgumentException("issuing needs no session of Berth's own");
            };
        }
    }

    private StepResult verify(Session session, Place place, Task task, Watch watch) throws InterruptedException {
        if (task.baseline() == null) {
            roles.probe(place, task.claim(), task.timeout());
        }
        watch.check();
        for (String role : place.roles()) {
            denials.tidy(session.iam(), role, place.environment());
        }
        return new Verification(settings).verify(session, place, task, watch);
    }

    private StepResult issue(Place place, Task task) {
        Task.Holder holder = holder(task);
        String role = place.role(holder.profile());
        if (role == null) {
            return new Failed("issue: there is no access profile " + holder.profile(), null);
        }
        StepResult full = full(place, task);
        if (full != null) {
            return full;
        }
        return new Done(access(place, role, holder, task.timeout()), null, Duration.ZERO);
    }

    /** Nobody is to be let in who could not be put out again. Null where there is room for a denial. */
    private @Nullable StepResult full(Place place, Task task) {
        if (place.roles().stream().allMatch(denials::hasMuchRoom)) {
            return null;
        }
        try (Session session = roles.work(place, task)) {
            for (String role : place.roles()) {
                denials.requireRoom(session.iam(), role);
            }
            return null;
        } catch (Denials.NoRoomException e) {
            return new Unavailable("issue: " + e.getMessage(), null);
        }
    }

    private static Task.Holder holder(Task task) {
        if (task.holder() == null) {
            throw new IllegalArgumentException("nobody holds " + task.environment());
        }
        return task.holder();
    }

    private Access access(Place place, String role, Task.Holder holder, Duration longest) {
        Credentials credentials = roles.lend(place, role, holder, longest);
        memory.issued(Roles.holder(holder.allocation()), credentials);
        return new Access(
                Map.of(
                        "accessKeyId", credentials.accessKeyId(),
                        "secretAccessKey", credentials.secretAccessKey(),
                        "sessionToken", credentials.sessionToken(),
                        "expiration", credentials.expiration().toString()),
                null,
                Map.of(
                        "AWS_ACCESS_KEY_ID", credentials.accessKeyId(),
                        "AWS_SECRET_ACCESS_KEY", credentials.secretAccessKey(),
                        "AWS_SESSION_TOKEN", credentials.sessionToken(),
                        "AWS_REGION", place.region(),
                        "AWS_DEFAULT_REGION", place.region()));
    }

    /** What is issued after the session was denied is denied too: its name is the same. */
    @Override
    public Access refresh(Task task) throws RefreshFailed {
        Place place = Place.of(task);
        Task.Holder holder = holder(task);
        String role = place.role(holder.profile());
        if (role == null) {
            throw new RefreshFailed("there is no access profile " + holder.profile());
        }
        try {
            return access(place, role, holder, task.timeout());
        } catch (SdkException e) {
            throw new RefreshFailed(Faults.message(e));
        }
    }

    @Override
    public @Nullable Map<String, Object> standingCredentials(String environment, @Nullable String profile) {
        return null;
    }

    /** Which account its sessions are in is not known. */
    @Override
    public boolean fence(String claim) {
        return false;
    }

    /** Denies the sessions of the worker, and waits until that is known everywhere: its credentials are not there to try it with. */
    @Override
    public boolean fence(String claim, Task task) throws InterruptedException {
        Place place = Place.of(task);
        Watch watch = new Watch(task);
        try (Session session = roles.work(place, task)) {
            watch.check();
            denials.add(
                    session.iam(),
                    place.adminRole(),
                    place.environment(),
                    new Denials.Entry(Roles.worker(claim), memory.now().plus(Roles.CHAINED.multipliedBy(2))));
        } catch (AbortedException e) {
            throw interrupted(e);
        } catch (SdkException | Denials.NoRoomException | Roles.WrongAccountException | Watch.StoppedException e) {
            return false;
        }
        return watch.pause(settings.propagation());
    }
}
