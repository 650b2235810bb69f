package dev.berth.server.auth;

import java.util.List;

/** A request as it was sent, for whoever checks its signature. */
public interface SentRequest {
    String method();

    /** Still encoded, with its first slash and all others. */
    String path();

    /** Still encoded; empty where there is none. */
    String query();

    /** A header's values in their order; empty where it has none. */
    List<String> header(String name);

    /** The whole body, which is read when this is first called. */
    byte[] body();
}
