package dev.berth.providers.command;

import dev.berth.core.Step;
import dev.berth.providers.Task;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The variables that a program starts with: a few that programs cannot do without, the operator's own, and what names the step. The
 * server's own environment is not handed on, since it holds secrets that are none of the program's business.
 */
final class Environment {
    /** Everything a program starts inherits it unless it clears its environment: how its tree is found again. */
    static final String CLAIM = "BERTH_CLAIM";

    private static final String DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin";

    private final Map<String, String> common;

    /**
     * @param server the server's own variables, of which {@code PATH}, {@code HOME}, {@code LANG} and {@code TMPDIR} are taken
     * @param variables the operator's
     */
    Environment(Map<String, String> server, Map<String, String> variables) {
        Map<String, String> all = new LinkedHashMap<>();
        all.put("PATH", DEFAULT_PATH);
        all.put("HOME", "/");
        all.put("LANG", "C.UTF-8");
        for (String name : new String[] {"PATH", "HOME", "LANG", "TMPDIR"}) {
            String value = server.get(name);
            if (value != null && !value.isEmpty()) {
                all.put(name, value);
            }
        }
        all.putAll(variables);
        common = Map.copyOf(all);
    }

    /** Where programs that are named without a slash are looked for. */
    String path() {
        return common.getOrDefault("PATH", DEFAULT_PATH);
    }

    Map<String, String> of(Step step, Task task) {
        Map<String, String> all = new LinkedHashMap<>(common);
        all.put(CLAIM, task.claim());
        all.put("BERTH_STEP", Settings.key(step));
        all.put("BERTH_ENVIRONMENT", task.environment());
        all.put("BERTH_EPOCH", Long.toString(task.epoch()));
        if (task.holder() != null && task.holder().profile() != null) {
            all.put("BERTH_PROFILE", task.holder().profile());
        }
        return all;
    }
}
