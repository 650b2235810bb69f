package dev.berth.server.app;

import io.helidon.logging.common.spi.LoggingProvider;

/**
 * Tells Helidon that there is logging and that it need not set any up: what it says through the JDK's goes to SLF4J. Without a provider it
 * prints a complaint at each start.
 */
public final class LoggingLeftAlone implements LoggingProvider {
    /** For the service loader. */
    public LoggingLeftAlone() {}

    @Override
    public void initialization() {}

    @Override
    public void runTime() {}
}
