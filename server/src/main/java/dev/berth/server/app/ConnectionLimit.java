package dev.berth.server.app;

import com.sun.management.UnixOperatingSystemMXBean;
import java.lang.management.ManagementFactory;

/** How many connections this process can serve at once, by the files that it may open and by its memory. */
final class ConnectionLimit {
    private static final int MOST = 20_000;
    private static final int LEAST = 16;
    /** What else it opens: the database, programs of providers, its own jars. */
    private static final long OTHER_FILES = 256;
    /** One that is held takes about a third of it: there is as much heap for the rest. */
    private static final long BYTES_EACH = 64 << 10;
    /** Records are read and written whole, of 16 KiB each, encrypted and not. */
    private static final long BYTES_FOR_TLS = 128 << 10;

    private ConnectionLimit() {}

    static int ofThisProcess(boolean tls) {
        long files = ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean unix
                ? unix.getMaxFileDescriptorCount()
                : Long.MAX_VALUE;
        return of(files, Runtime.getRuntime().maxMemory(), tls);
    }

    static int of(long files, long heapBytes, boolean tls) {
        long byFiles = (files - OTHER_FILES) / 4 * 3; // those who are refused take one too
        long byMemory = heapBytes / (tls ? BYTES_EACH + BYTES_FOR_TLS : BYTES_EACH);
        return Math.clamp(Math.min(byFiles, byMemory), LEAST, MOST);
    }
}
