package dev.berth.server.auth;

/** Who sent a request, or why nobody knows. */
public sealed interface Verdict {
    /** It is from this principal. */
    record Known(Principal principal) implements Verdict {}

    /**
     * Who sent it cannot be found out now.
     *
     * @param why a sentence for the caller; tells no secret
     */
    record Unsure(String why) implements Verdict {}

    /**
     * It may be from anybody.
     *
     * @param why a sentence for the caller; tells no secret
     */
    record Unknown(String why) implements Verdict {}
}
