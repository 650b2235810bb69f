package dev.berth.server.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.berth.core.Allocation;
import dev.berth.core.AllocationId;
import dev.berth.core.AllocationState;
import dev.berth.core.EnvironmentName;
import dev.berth.core.Grant;
import dev.berth.core.PoolName;
import dev.berth.providers.StepResult;
import dev.berth.server.store.Samples;
import dev.berth.server.store.SqliteStore;
import dev.berth.server.store.Store;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tokens, the first start and the vault, on a real store. */
class AuthTest {
    private static final EnvironmentName BOARD = new EnvironmentName("board");
    private static final AllocationId LOAN = AllocationId.create(1, Instant.EPOCH, new SplittableRandom(1));

    @TempDir
    Path folder;

    private final Store store = SqliteStore.inMemory();
    private final AtomicReference<Instant> now = new AtomicReference<>(Instant.parse("2026-07-01T12:00:00Z"));
    private final AtomicReference<Directory> directory = new AtomicReference<>(Directory.of(List.of()));
    private final Authenticator authenticator = new Authenticator(store, directory::get, now::get);
    private final TokenDesk desk = new TokenDesk(store, directory::get, authenticator, now::get, new SecureRandom());

    @AfterEach
    void close() {
        store.close();
    }

    private boolean knows(String token) {
        return authenticator.authenticate("Bearer " + token).isPresent();
    }

    @Test
    void theFirstStartLetsAnAdminIn() throws IOException {
        var file = folder.resolve("admin-token");
        assertThat(desk.welcome(file)).isTrue();
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
        var token = Files.readString(file).strip();
        assertThat(token).matches("berth_[0-9A-Za-z]{43}");
        assertThat(authenticator.authenticate("bearer " + token)).contains(Principal.ADMIN);
        assertThat(desk.welcome(file)).isFalse();
        assertThat(Files.readString(file).strip()).isEqualTo(token);
    }

    @Test
    void noTokenIsMadeWherePrincipalsAreConfigured() throws IOException {
        directory.set(Directory.of(
                List.of(new Directory.Listed(new Principal("ci", Set.of(Role.VIEWER), null), List.of()))));
        assertThat(desk.welcome(folder.resolve("admin-token"))).isFalse();
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void aTokenEndsAtItsTimeWithItsPrincipalAndWhenRevoked() {
        var listed = new Directory.Listed(new Principal("ci", Set.of(Role.VIEWER), null), List.of());
        assertThat(desk.create("ci", null)).isEmpty();
        directory.set(Directory.of(List.of(listed)));
        var token = desk.create("ci", Duration.ofDays(1)).orElseThrow();
        assertThat(token.toString()).doesNotContain(token.secret());
        assertThat(knows(token.secret())).isTrue();

        directory.set(Directory.of(List.of()));
        assertThat(knows(token.secret())).isFalse();
        directory.set(Directory.of(List.of(listed)));
        assertThat(knows(token.secret())).isTrue();

        now.set(now.get().plus(Duration.ofDays(1)));
        assertThat(knows(token.secret())).isFalse();

        var other = desk.create("ci", null).orElseThrow();
        assertThat(knows(other.secret())).isTrue();
        assertThat(desk.revoke(other.token().id())).isTrue();
        assertThat(knows(other.secret())).isFalse();
        assertThat(desk.revoke(other.token().id())).isFalse();
    }

    @Test
    void aTokenThatAnotherProcessRevokedIsNotTrustedForLong() {
        var token = desk.create("admin", null).orElseThrow();
        assertThat(knows(token.secret())).isTrue();
        store.removeToken(token.token().id());
        now.set(now.get().plus(Duration.ofSeconds(6)));
        assertThat(knows(token.secret())).isFalse();
    }

    @Test
    void aUseIsNotedAtMostOnceAMinute() {
        var token = desk.create("admin", null).orElseThrow();
        var first = now.get();
        for (int seconds = 0; seconds < 59; seconds += 7) {
            now.set(first.plusSeconds(seconds));
            assertThat(knows(token.secret())).isTrue();
            assertThat(desk.list().getFirst().lastUsedAt()).isEqualTo(first);
        }
        now.set(first.plusSeconds(61));
        assertThat(knows(token.secret())).isTrue();
        assertThat(desk.list().getFirst().lastUsedAt()).isEqualTo(first.plusSeconds(61));
    }

    @Test
    void onlyTheHashIsStored() {
        var token = desk.create("admin", null).orElseThrow();
        assertThat(store.tokens().getFirst().toString()).doesNotContain(token.secret());
        assertThat(store.tokens().getFirst().hash()).isEqualTo(BearerToken.hash(token.secret()));
    }

    @Test
    void aHeaderThatIsNoBearerTokenIsNobody() {
        for (var header :
                new String[] {"", "Bearer", "Bearer ", "Basic YTpi", "Bearer " + "x".repeat(2_000), "berth_x"}) {
            assertThat(authenticator.authenticate(header)).isEmpty();
        }
        assertThat(authenticator.authenticate(null)).isEmpty();
    }

    @Test
    void aConfiguredTokenIsKnownByItsHash() {
        var principal = new Principal("ci", Set.of(Role.CONSUMER), Set.of());
        directory.set(Directory.of(List.of(new Directory.Listed(principal, BearerToken.hash("from a file")))));
        assertThat(authenticator.authenticate("Bearer from a file")).contains(principal);
        assertThat(knows("from a file?")).isFalse();
    }

    @Test
    void aConfiguredPrincipalMayHaveTwoTokensWhileOneTakesThePlaceOfTheOther() {
        var principal = new Principal("ci", Set.of(Role.CONSUMER), Set.of());
        var hashes = List.of(BearerToken.hash("the old one"), BearerToken.hash("the new one"));
        directory.set(Directory.of(List.of(new Directory.Listed(principal, hashes))));
        assertThat(knows("the old one")).isTrue();
        assertThat(knows("the new one")).isTrue();
        directory.set(Directory.of(List.of(new Directory.Listed(principal, hashes.getLast()))));
        assertThat(knows("the old one")).isFalse();
        assertThat(knows("the new one")).isTrue();
    }

    // ---- the vault

    private static StepResult.Access access() {
        return new StepResult.Access(Map.of("password", "hunter2", "n", 5), null, Map.of("A", "b"));
    }

    @Test
    void whatWasSealedOpensForItsGrantAlone() throws Exception {
        var vault = AccessVault.open(folder.resolve("access.key"));
        var sealed = vault.seal(LOAN, BOARD, 7, access());
        assertThat(sealed.text()).doesNotContain("hunter2");
        var again = AccessVault.open(folder.resolve("access.key"));
        assertThat(again.open(sealed, LOAN, BOARD, 7))
                .isEqualTo(new HolderAccess(Map.of("password", "hunter2", "n", 5), null, Map.of("A", "b")));

        assertThat(vault.open(sealed, LOAN, BOARD, 8)).isNull();
        assertThat(vault.open(sealed, LOAN, new EnvironmentName("other"), 7)).isNull();
        var another = AllocationId.create(1, Instant.EPOCH, new SplittableRandom(2));
        assertThat(vault.open(sealed, another, BOARD, 7)).isNull();
        var stranger = AccessVault.open(folder.resolve("stranger.key"));
        assertThat(stranger.open(sealed, LOAN, BOARD, 7)).isNull();
        assertThat(vault.open(new dev.berth.core.Sealed("not base64!"), LOAN, BOARD, 7))
                .isNull();
    }

    @Test
    void theKeyFileIsPrivateAndABrokenOneIsRefused() throws Exception {
        var file = folder.resolve("access.key");
        AccessVault.open(file);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
        var text = Files.readString(file);
        Files.writeString(file, text.substring(0, text.length() / 2));
        assertThatThrownBy(() -> AccessVault.open(file))
                .isInstanceOf(AccessVault.UnusableKey.class)
                .hasMessageContaining("access.key");
    }

    @Test
    void afterARotationWhatWasSealedStillOpens() throws Exception {
        var file = folder.resolve("access.key");
        var before = AccessVault.open(file);
        var old = before.seal(LOAN, BOARD, 7, access());
        assertThat(AccessVault.rotate(file, false)).isEqualTo(AccessVault.Rotation.ROTATED);
        var after = AccessVault.open(file);
        assertThat(after.open(old, LOAN, BOARD, 7).credentials()).containsEntry("password", "hunter2");
        var fresh = after.seal(LOAN, BOARD, 8, access());
        assertThat(before.open(fresh, LOAN, BOARD, 8)).isNull();
        assertThat(after.fit(before.check())).isEqualTo(AccessVault.Fit.NEWER);
        assertThat(after.fit(after.check())).isEqualTo(AccessVault.Fit.SAME);
        assertThat(before.fit(after.check())).isEqualTo(AccessVault.Fit.NONE);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");
        assertThat(folder).isDirectoryNotContaining(path -> path.toString().endsWith(".part"));
    }

    @Test
    void whoHasAKeyThatWasPreparedOpensWhatIsSealedOnceItIsUsed() throws Exception {
        var file = folder.resolve("access.key");
        var before = AccessVault.open(file);
        assertThat(AccessVault.rotate(file, true)).isEqualTo(AccessVault.Rotation.PREPARED);
        var text = Files.readString(file);
        assertThat(AccessVault.rotate(file, true)).isEqualTo(AccessVault.Rotation.PREPARED_BEFORE);
        assertThat(file).content().isEqualTo(text);
        var prepared = AccessVault.open(file);
        assertThat(prepared.fit(before.check())).isEqualTo(AccessVault.Fit.SAME);
        assertThat(before.fit(prepared.check())).isEqualTo(AccessVault.Fit.SAME);

        assertThat(AccessVault.rotate(file, false)).isEqualTo(AccessVault.Rotation.ROTATED);
        var rotated = AccessVault.open(file);
        assertThat(rotated.fit(prepared.check())).isEqualTo(AccessVault.Fit.NEWER);
        var sealed = rotated.seal(LOAN, BOARD, 7, access());
        assertThat(prepared.open(sealed, LOAN, BOARD, 7).credentials()).containsEntry("password", "hunter2");
        assertThat(before.open(sealed, LOAN, BOARD, 7)).isNull();
    }

    /** Killed between the two files that it takes: what is left of the first is no obstacle. */
    @Test
    void aRotationThatWasKilledHalfWayChangedNothing() throws Exception {
        var file = folder.resolve("access.key");
        var before = AccessVault.open(file);
        Files.writeString(folder.resolve("access.key.part"), "{\"half");
        assertThat(AccessVault.open(file).fit(before.check())).isEqualTo(AccessVault.Fit.SAME);
        assertThat(AccessVault.rotate(file, false)).isEqualTo(AccessVault.Rotation.ROTATED);
        assertThat(AccessVault.open(file).fit(before.check())).isEqualTo(AccessVault.Fit.NEWER);
    }

    @Test
    void nothingIsMadeWhereThereIsNoKeyToRotate() {
        var file = folder.resolve("nowhere.key");
        assertThatThrownBy(() -> AccessVault.rotate(file, false)).isInstanceOf(AccessVault.UnusableKey.class);
        assertThat(file).doesNotExist();
    }

    @Test
    void whoseAccessCanBeReadNoMoreIsAnsweredWithoutIt() throws Exception {
        var lost = AccessVault.open(folder.resolve("lost.key"));
        var grant = new Grant(BOARD, 7, "{}", null, lost.seal(LOAN, BOARD, 7, access()));
        var loan = new Allocation(
                LOAN,
                new PoolName("lab"),
                "alice",
                Samples.request(),
                "alice",
                1,
                1,
                Instant.EPOCH,
                null,
                new AllocationState.Active(List.of(grant), Instant.EPOCH, null, null, null, false, null));
        StandingAccess nothing = new StandingAccess() {
            @Override
            public @Nullable Map<String, Object> credentials(
                    PoolName pool, EnvironmentName environment, @Nullable String profile) {
                return null;
            }

            @Override
            public Map<String, String> variables(PoolName pool) {
                return Map.of();
            }
        };
        assertThat(new AccessDesk(lost, nothing).of(loan, grant).credentials()).containsEntry("password", "hunter2");
        var other = AccessVault.open(folder.resolve("other.key"));
        assertThat(new AccessDesk(other, nothing).of(loan, grant)).isEqualTo(HolderAccess.NONE);
    }
}
