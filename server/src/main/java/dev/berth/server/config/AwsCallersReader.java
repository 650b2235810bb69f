package dev.berth.server.config;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads {@code aws-callers}. */
final class AwsCallersReader {
    private static final List<String> PARTITIONS = List.of("aws", "aws-cn", "aws-us-gov");
    private static final Pattern SERVICE = Pattern.compile("[A-Za-z0-9][A-Za-z0-9._:\\[\\]-]{0,199}");
    private static final int LONGEST = 300;

    private AwsCallersReader() {}

    static AwsCallers read(Section top) {
        var section = top.section("aws-callers", Keys.AWS_CALLERS);
        if (section == null) {
            return AwsCallers.USUAL;
        }
        var service = section.text("service", LONGEST);
        if (service != null && !SERVICE.matcher(service).matches()) {
            section.mistake("service", "must be a name, best the host of the service's URL, like ci.example");
        }
        return new AwsCallers(
                service, endpoint(section), section.word("partition", PARTITIONS, AwsCallers.USUAL.partition()));
    }

    private static @Nullable URI endpoint(Section section) {
        var text = section.text("endpoint", LONGEST);
        if (text == null) {
            return null;
        }
        try {
            var uri = new URI(text);
            var path = String.valueOf(uri.getRawPath());
            boolean web = "https".equals(uri.getScheme()) || "http".equals(uri.getScheme());
            if (web
                    && uri.getHost() != null
                    && uri.getRawUserInfo() == null
                    && uri.getRawQuery() == null
                    && uri.getRawFragment() == null
                    && (path.isEmpty() || path.equals("/"))) {
                return uri;
            }
        } catch (URISyntaxException e) {
            // Said below, as for every other that is none.
        }
        section.mistake("endpoint", "must be a URL without a path, like https://sts.eu-west-1.amazonaws.com");
        return null;
    }
}
