package dev.berth.server.http;

import java.util.HexFormat;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/** Names of requests, to find them in logs by. A name, not a secret. */
final class RequestIds {
    private static final int LONGEST = 64;

    private RequestIds() {}

    /** The caller's own where it is short and clean, or else a new one. */
    static String of(@Nullable String given) {
        return given != null && isClean(given)
                ? given
                : HexFormat.of().toHexDigits(ThreadLocalRandom.current().nextLong());
    }

    private static boolean isClean(String text) {
        if (text.isEmpty() || text.length() > LONGEST) {
            return false;
        }
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            boolean clean = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
            if (!clean && c != '-' && c != '_' && c != '.') {
                return false;
            }
        }
        return true;
    }
}
