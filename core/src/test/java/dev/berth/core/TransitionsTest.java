package dev.berth.core;

import static dev.berth.core.EnvironmentState.Name.AVAILABLE;
import static dev.berth.core.EnvironmentState.Name.WITHHELD;
import static dev.berth.core.Transitions.Trigger.CHECK_DUE;
import static dev.berth.core.Transitions.Trigger.CLAIMED;
import static dev.berth.core.Transitions.Trigger.DRAINED;
import static dev.berth.core.Transitions.Trigger.GRANTED;
import static dev.berth.core.Transitions.Trigger.OPERATOR_CLEAN;
import static dev.berth.core.Transitions.Trigger.OPERATOR_VERIFY;
import static dev.berth.core.Transitions.Trigger.QUARANTINED;
import static dev.berth.core.Transitions.Trigger.RECORDED;
import static dev.berth.core.Transitions.Trigger.REGISTERED;
import static dev.berth.core.Transitions.Trigger.SEPARATED;
import static dev.berth.core.Transitions.Trigger.STEP_DONE;
import static dev.berth.core.Transitions.Trigger.STEP_FAILED;
import static dev.berth.core.Transitions.Trigger.STORE_RESTORED;
import static dev.berth.core.Transitions.Trigger.VACATED;
import static org.assertj.core.api.Assertions.assertThat;

import dev.berth.core.Transitions.Trigger;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Holds the table of transitions against what the rules do with an environment in every state, and the page against the table. */
final class TransitionsTest {
    private static final EnvironmentName E1 = new EnvironmentName("e1");
    private static final Path PAGE = Path.of("..", "docs", "states.md");

    private static final List<String> POOLS = List.of(
            "pool steps=none verify=1h attempts=1",
            "pool steps=clean,verify verify=1h attempts=1",
            "pool steps=clean,verify verify=1h attempts=3",
            "pool steps=issue,clean,verify verify=1h attempts=3");

    private static final List<String> ISOLATING_POOLS = List.of(
            "pool env=3 account=a isolate steps=clean,verify verify=1h attempts=3",
            "pool env=3 account=a isolate steps=none verify=1h attempts=3");

    /** Ways into the states, from available on. */
    private static final List<List<String>> WAYS = List.of(
            List.of(),
            List.of("ask A"),
            List.of("ask A", "claim 1"),
            List.of("act clean e1"),
            List.of("act clean e1", "claim 1"),
            List.of("act clean e1", "claim 1", "done e1", "claim 1"),
            List.of("act verify e1"),
            List.of("act verify e1", "claim 1"),
            List.of("act quarantine e1"),
            List.of("act quarantine e1", "act verify e1", "claim 1"),
            List.of("deregister e1"),
            List.of("act retire e1"),
            List.of("act quarantine e1", "deregister e1"));

    private static final List<List<String>> ISOLATING_WAYS =
            List.of(List.of(), List.of("ask C need=/name:e2"), List.of("act quarantine e2"));

    private static final List<List<String>> MARKS = List.of(
            List.of(),
            List.of("deregister e1"),
            List.of("act quarantine e1"),
            List.of("act quarantine e1", "deregister e1"));

    private static final List<List<String>> POLICIES = List.of(List.of(), List.of("set steps=none verify=1h"));

    private static final Map<String, Trigger> PUSHES = new LinkedHashMap<>();

    static {
        PUSHES.put("register e1 digest=new", RECORDED);
        PUSHES.put("gap 75m", RECORDED);
        PUSHES.put("gap 5h", CHECK_DUE);
        PUSHES.put("ask B", GRANTED);
        PUSHES.put("release A", VACATED);
        PUSHES.put("claim 1", CLAIMED);
        PUSHES.put("renew e1", CLAIMED);
        PUSHES.put("unavailable e1", CLAIMED);
        PUSHES.put("done e1", STEP_DONE);
        PUSHES.put("done e1 settle=5s", STEP_DONE);
        PUSHES.put("fail e1", STEP_FAILED);
        PUSHES.put("act clean e1", OPERATOR_CLEAN);
        PUSHES.put("act verify e1", OPERATOR_VERIFY);
        PUSHES.put("act quarantine e1", QUARANTINED);
        PUSHES.put("act retire e1", DRAINED);
        PUSHES.put("deregister e1", DRAINED);
        PUSHES.put("restored 1", STORE_RESTORED);
        PUSHES.put("act quarantine e3", SEPARATED);
        PUSHES.put("release C", SEPARATED);
    }

    @Test
    void theRulesDoAllThatTheTableAllowsAndNothingElse() {
        var seen = new TreeSet<String>();
        push(POOLS, WAYS, seen);
        push(ISOLATING_POOLS, ISOLATING_WAYS, seen);
        var legal = new TreeSet<String>();
        for (var trigger : Trigger.values()) {
            Transitions.targets(trigger, null).forEach(to -> legal.add(said(trigger, null, to)));
            for (var from : EnvironmentState.Name.values()) {
                Transitions.targets(trigger, from).forEach(to -> legal.add(said(trigger, from, to)));
            }
        }
        assertThat(seen).isEqualTo(legal);
    }

    private static void push(List<String> pools, List<List<String>> ways, Set<String> seen) {
        for (var pool : pools) {
            seen.add(said(REGISTERED, null, state(List.of(pool + " raw"))));
            for (var way : ways) {
                for (var mark : MARKS) {
                    for (var policy : POLICIES) {
                        var lines = new ArrayList<>(List.of(pool));
                        lines.addAll(way);
                        lines.addAll(mark);
                        lines.addAll(policy);
                        PUSHES.forEach((push, trigger) -> push(lines, push, trigger, seen));
                    }
                }
            }
        }
    }

    private static void push(List<String> lines, String push, Trigger trigger, Set<String> seen) {
        var scenario = new Scenario();
        lines.forEach(scenario::line);
        var before = scenario.store.environments.get(E1);
        boolean timed = push.startsWith("gap");
        if (timed && !(before.state() instanceof EnvironmentState.Idle)) {
            return; // time moves others too, by what they hold or wait for
        }
        scenario.line(push);
        var after = scenario.store.environments.get(E1);
        if (after.equals(before)) {
            return;
        }
        boolean returns = before.state() instanceof EnvironmentState.Retired && trigger == RECORDED;
        boolean starts = timed && after.state() instanceof EnvironmentState.Checking;
        boolean waits = timed && after.state() instanceof EnvironmentState.Idle;
        var cause = returns ? REGISTERED : starts ? CHECK_DUE : waits ? RECORDED : trigger;
        var from = before.state().name();
        var to = after.state().name();
        if (cause != SEPARATED && cause != RECORDED && to == WITHHELD) { // free, but for its neighbour
            seen.add(said(SEPARATED, AVAILABLE, to));
            if (cause == GRANTED) {
                return; // which was granted
            }
            to = AVAILABLE;
        } else if (cause == RECORDED && from != to && from == WITHHELD) { // in an account of its own now
            seen.add(said(SEPARATED, from, to));
            to = from;
        }
        seen.add(said(cause, from, to));
    }

    private static EnvironmentState.Name state(List<String> lines) {
        var scenario = new Scenario();
        lines.forEach(scenario::line);
        return scenario.store.environments.get(E1).state().name();
    }

    private static String said(Trigger trigger, EnvironmentState.@Nullable Name from, EnvironmentState.Name to) {
        return trigger + " " + (from == null ? "new" : from) + " -> " + to;
    }

    @Test
    void thePageShowsTheTable() throws IOException {
        if (Boolean.getBoolean("berth.update")) {
            Files.writeString(PAGE, page());
        }
        assertThat(Files.readString(PAGE))
                .as("run the tests of core with -Dberth.update=true to write it anew")
                .isEqualTo(page());
    }

    private static String page() {
        var edges = new TreeMap<String, List<String>>();
        var stays = new TreeMap<String, List<String>>();
        for (var trigger : Trigger.values()) {
            var froms = new ArrayList<EnvironmentState.Name>(List.of(EnvironmentState.Name.values()));
            froms.addFirst(null);
            for (var from : froms) {
                for (var to : Transitions.targets(trigger, from)) {
                    if (from == to) {
                        stays.computeIfAbsent(low(to), _ -> new ArrayList<>()).add(low(trigger));
                    } else {
                        var edge = (from == null ? "[*]" : low(from)) + " --> " + low(to);
                        edges.computeIfAbsent(edge, _ -> new ArrayList<>()).add(low(trigger));
                    }
                }
            }
        }
        var page = new StringBuilder("""
                # The states of an environment

                Written by a test of `core` from the table in `Transitions`: change that, then run `mvn test -pl core -Dberth.update=true`.
                Another test drives the rules through every state and sees that they do all of this and nothing else.

                ```mermaid
                stateDiagram-v2
                """);
        edges.forEach((edge, triggers) -> page.append("    ")
                .append(edge)
                .append(" : ")
                .append(String.join(", ", triggers))
                .append('\n'));
        page.append(
                "```\n\nWhat leaves the state as it is, and changes what belongs to it:\n\n| state | by |\n| --- | --- |\n");
        stays.forEach((state, triggers) -> page.append("| ")
                .append(state)
                .append(" | ")
                .append(String.join(", ", triggers))
                .append(" |\n"));
        return page.toString();
    }

    private static String low(Enum<?> name) {
        return name.name().toLowerCase(Locale.ROOT).replace('_', ' ');
    }
}
