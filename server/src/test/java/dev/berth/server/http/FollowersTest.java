package dev.berth.server.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.core.PoolName;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class FollowersTest {
    private static final PoolName ONE = new PoolName("one");
    private static final PoolName OTHER = new PoolName("other");

    private final Followers followers = new Followers();

    @Test
    void whoFollowsOnePoolIsWokenByThatPoolAlone() {
        var follower = followers.follow(ONE);
        followers.wake(OTHER);
        assertThat(follower.await(Duration.ZERO)).isFalse();
        followers.wake(ONE);
        assertThat(follower.await(Duration.ZERO)).isTrue();
        assertThat(follower.await(Duration.ZERO)).isFalse();
    }

    @Test
    void whoFollowsAllIsWokenByEveryPoolAndOnceForAllThatHappened() {
        var follower = followers.follow(null);
        followers.wake(ONE);
        followers.wake(OTHER);
        assertThat(follower.await(Duration.ZERO)).isTrue();
        assertThat(follower.await(Duration.ZERO)).isFalse();
    }

    @Test
    void everybodyIsWokenAtTheEndAndNobodyWhoHasLeft() {
        var left = followers.follow(ONE);
        left.close();
        var stays = followers.follow(ONE);
        followers.wakeAll();
        assertThat(left.await(Duration.ZERO)).isFalse();
        assertThat(stays.await(Duration.ZERO)).isTrue();
    }
}
