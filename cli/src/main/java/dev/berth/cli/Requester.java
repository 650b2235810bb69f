package dev.berth.cli;

import java.util.Map;

/** Who asks, when the command line does not say: the CI job's address, or the user and the machine. */
final class Requester {
    private Requester() {}

    static String of(Map<String, String> env) {
        String repository = env.get("GITHUB_REPOSITORY");
        String run = env.get("GITHUB_RUN_ID");
        if (repository != null && run != null) {
            return env.getOrDefault("GITHUB_SERVER_URL", "https://github.com") + "/" + repository + "/actions/runs/"
                    + run;
        }
        for (String name : new String[] {"CI_JOB_URL", "BUILD_URL"}) {
            String url = env.get(name);
            if (url != null && !url.isEmpty()) {
                return url;
            }
        }
        String user = env.getOrDefault("USER", System.getProperty("user.name", "unknown"));
        String host = env.get("HOSTNAME");
        return host == null || host.isEmpty() ? user : user + "@" + host;
    }
}
