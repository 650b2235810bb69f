package dev.berth.bench;

import io.helidon.webserver.WebServer;

/** The smallest service on the same HTTP server: what a start costs at least. */
final class Hello {
    private Hello() {}

    /** Arguments: the port; with a second one it ends as soon as it is up, which makes its start-up cache. */
    public static void main(String[] args) {
        var server = WebServer.builder()
                .host("127.0.0.1")
                .port(Integer.parseInt(args[0]))
                .routing(routing ->
                        routing.get(StartBench.READY, (request, response) -> response.send("{\"status\":\"ready\"}")))
                .build()
                .start();
        if (args.length > 1) {
            server.stop();
            System.exit(0);
        }
    }
}
