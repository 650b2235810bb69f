package dev.berth.server.http;

import io.helidon.common.buffers.BufferData;
import io.helidon.common.concurrency.limits.Limit;
import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.spi.ServerConnection;
import io.helidon.webserver.spi.ServerConnectionSelector;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Set;
import java.util.function.Function;

/**
 * Answers what does not begin as HTTP/1.1 does, and closes: HTTP/1.0 of a probe or of a proxy that was not set up, a request line that
 * is none. The HTTP server would close without a word.
 */
final class OtherProtocols implements ServerConnectionSelector {
    private static final String SERVED = " HTTP/1.1\r";
    private static final int LONGEST_LINE = 8 << 10;
    private final Function<String, byte[]> answers;

    /**
     * @param answers gives the whole answer to a first line
     */
    OtherProtocols(Function<String, byte[]> answers) {
        this.answers = answers;
    }

    @Override
    public int bytesToIdentifyConnection() {
        return 0;
    }

    @Override
    public Support supports(BufferData data) {
        int end = data.indexOf((byte) '\n');
        boolean other =
                end >= 0 && !data.readString(end, StandardCharsets.ISO_8859_1).endsWith(SERVED);
        return other ? Support.SUPPORTED : Support.UNSUPPORTED;
    }

    @Override
    public Set<String> supportedApplicationProtocols() {
        return Set.of();
    }

    @Override
    public ServerConnection connection(ConnectionContext context) {
        return new ServerConnection() {
            @Override
            public void handle(Limit limit) {
                var reader = context.dataReader();
                int seen = Math.min(reader.available(), LONGEST_LINE);
                var line = reader.getBuffer(seen)
                        .readString(seen, StandardCharsets.ISO_8859_1)
                        .lines()
                        .findFirst();
                context.dataWriter().writeNow(BufferData.create(answers.apply(line.orElse(""))));
            }

            @Override
            public Duration idleTime() {
                return Duration.ZERO;
            }

            @Override
            public void close(boolean interrupt) {
                // it closes by itself once it has answered
            }
        };
    }
}
