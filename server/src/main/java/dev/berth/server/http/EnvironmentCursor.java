package dev.berth.server.http;

import dev.berth.core.EnvironmentName;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/** A place in the list of environments: the last name seen. Opaque to clients, and told from the names that anybody could make up. */
final class EnvironmentCursor {
    private static final String VERSION = "1.";

    private EnvironmentCursor() {}

    static String encode(String lastName) {
        return Base64.getUrlEncoder()
                .withoutPadding()
                .encodeToString((VERSION + lastName).getBytes(StandardCharsets.US_ASCII));
    }

    /** The last name seen; null where the text is no cursor. */
    static @Nullable String decode(String cursor) {
        try {
            var text = new String(Base64.getUrlDecoder().decode(cursor), StandardCharsets.US_ASCII);
            if (!text.startsWith(VERSION)) {
                return null;
            }
            var name = text.substring(VERSION.length());
            return EnvironmentName.isValid(name) ? name : null;
        } catch (IllegalArgumentException _) {
            return null;
        }
    }
}
