package dev.berth.server.http;

import dev.berth.server.app.MadeCertificate;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.file.Path;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

/** The same where the connection is encrypted. */
class VanishedCallersOverTlsTest extends VanishedCallersTest {
    private static SSLContext context;

    @BeforeAll
    static void certificate(@TempDir Path folder) throws Exception {
        context = MadeCertificate.of(folder, "EC").context();
    }

    @Override
    Service begin() {
        return new Service(folder, context);
    }

    @Override
    Socket connect() throws IOException {
        return context.getSocketFactory().createSocket(InetAddress.getLoopbackAddress(), service.port());
    }
}
