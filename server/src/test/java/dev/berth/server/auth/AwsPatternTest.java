package dev.berth.server.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class AwsPatternTest {
    private static AwsCaller caller(String arn) {
        return AwsCaller.of(arn).orElseThrow();
    }

    @ParameterizedTest
    @CsvSource({
        "ci,      ci,          true",
        "ci,      ci-2,        false",
        "ci-*,    ci-2,        true",
        "ci-*,    my-ci-2,     false",
        "*-ci,    my-ci,       true",
        "*-ci,    my-ci-2,     false",
        "a*c*e,   abcde,       true",
        "a.c,     abc,         false",
        "*,       x,           true"
    })
    void starsStandForAnything(String pattern, String role, boolean fits) {
        var principal = new AwsPattern(Set.of("222222222222"), List.of("other", pattern), List.of());
        assertThat(principal.matches(caller("arn:aws:sts::222222222222:assumed-role/" + role + "/session")))
                .isEqualTo(fits);
    }

    /** The path of a user may have any characters: whoever owns an account says what follows its number. */
    @ParameterizedTest
    @CsvSource({
        "arn:aws*:iam::222222222222:user/ann,  arn:aws:iam::222222222222:user/ann,                         true",
        "arn:aws*:iam::222222222222:user/ann,  arn:aws:iam::333333333333:user/:iam::222222222222:user/ann, false",
        "arn:aws:*::222222222222:user/ann,     arn:aws:iam::333333333333:user/x::222222222222:user/ann,    false",
        "arn:aws:iam::222222222222:user/*,     arn:aws:iam::222222222222:user/a:b/ann,                     true",
        "arn:aws:iam::222222222222:*,          arn:aws:iam::222222222222:root,                             true",
        "arn:aws:sts::*:assumed-role/ci/*,     arn:aws:sts::333333333333:assumed-role/ci/x,                true",
        "arn:aws:sts::*:assumed-role/ci/*,     arn:aws:sts::333333333333:assumed-role/ci-2/x,              false"
    })
    void noStarReachesIntoAnotherPartOfAnArn(String pattern, String arn, boolean fits) {
        var principal = new AwsPattern(Set.of("222222222222", "333333333333"), List.of(), List.of(pattern));
        assertThat(principal.matches(caller(arn))).isEqualTo(fits);
    }

    @Test
    void everythingThatIsSaidHasToFit() {
        var user = caller("arn:aws:iam::222222222222:user/team/ann");
        var arns = List.of("arn:aws:iam::222222222222:user/team/*");
        assertThat(new AwsPattern(Set.of(), List.of(), arns).matches(user)).isTrue();
        assertThat(new AwsPattern(Set.of("333333333333"), List.of(), arns).matches(user))
                .isFalse();
        assertThat(new AwsPattern(Set.of(), List.of("*"), arns).matches(user))
                .as("it has no role")
                .isFalse();
        assertThatThrownBy(() -> new AwsPattern(Set.of(), List.of("*"), List.of()))
                .isInstanceOf(IllegalArgumentException.class);
    }
}
