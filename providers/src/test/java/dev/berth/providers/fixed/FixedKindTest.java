package dev.berth.providers.fixed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.berth.core.Step;
import dev.berth.providers.Kind;
import dev.berth.providers.Kind.InvalidSettings;
import dev.berth.providers.Kind.Mistake;
import dev.berth.providers.Kind.Secrets;
import dev.berth.providers.Provider;
import dev.berth.providers.Task;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

class FixedKindTest {
    private final Provider lab = provider();

    private static Provider provider() {
        try {
            return new FixedKind()
                    .create(
                            "lab",
                            Map.of(),
                            Map.of(
                                    "board-7",
                                            new Kind.Record(
                                                    Map.of(),
                                                    new Secrets(
                                                            Map.of("password", "hunter2"),
                                                            Map.of(
                                                                    "guest", Map.of("key", "k"),
                                                                    "same", Map.of("password", "hunter2"),
                                                                    "none", Map.of()))),
                                    "board-8", new Kind.Record(Map.of(), Secrets.NONE)));
        } catch (InvalidSettings e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void hasNoStepAndNothingToFence() throws InterruptedException {
        assertThat(lab.steps()).isEmpty();
        assertThat(lab.fence("claim-1")).isTrue();
    }

    @Test
    void handsOutTheSecretsOfTheRecord() {
        assertThat(lab.standingCredentials("board-7", null)).isEqualTo(Map.of("password", "hunter2"));
        assertThat(lab.standingCredentials("board-8", null)).isNull();
        assertThat(lab.standingCredentials("board-9", null)).isNull();
    }

    @Test
    void handsOutTheSecretsOfTheProfileAlone() {
        assertThat(lab.standingCredentials("board-7", "guest")).isEqualTo(Map.of("key", "k"));
        assertThat(lab.standingCredentials("board-7", "same")).isEqualTo(Map.of("password", "hunter2"));
        assertThat(lab.standingCredentials("board-7", "none")).isNull();
        assertThat(lab.standingCredentials("board-7", "gone"))
                .as("never those of another one")
                .isNull();
    }

    @Test
    void refusesWhatAProfileCannotHave() {
        var facts = Map.<String, Object>of(
                "access", Map.of("guest", Map.of("connection", Map.of(), "role", "x"), "plain", Map.of()));
        assertThatExceptionOfType(InvalidSettings.class)
                .isThrownBy(() -> new FixedKind()
                        .create("lab", Map.of(), Map.of("board-7", new Kind.Record(facts, Secrets.NONE))))
                .satisfies(e -> assertThat(e.mistakes())
                        .containsExactly(new Mistake(
                                "environments.board-7.access.guest.role",
                                "is not known; a profile of provider fixed has connection, secrets")));
    }

    @Test
    void refusesEverySettingByName() {
        assertThatExceptionOfType(InvalidSettings.class)
                .isThrownBy(() -> new FixedKind().create("lab", Map.of("wipe", true, "host", "x"), Map.of()))
                .satisfies(
                        e -> assertThat(e.mistakes()).extracting(Mistake::field).containsExactly("host", "wipe"));
    }

    @Test
    void refusesToRunAStepItDoesNotHave() {
        Task task = new Task("board-7", Map.of(), 1, null, "claim-1", Duration.ofSeconds(1), () -> true);
        assertThatIllegalArgumentException().isThrownBy(() -> lab.run(Step.CLEAN, task));
    }
}
