package dev.berth.cli;

import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Takes signals in place of the JVM, whose own answer (shutdown hooks and a fixed exit code) leaves no way to end with
 * the wrapped command's code.
 *
 * <p>The JDK's only interface for this is {@code sun.misc.Signal} of the supported module {@code jdk.unsupported}; it is
 * reached by reflection because naming it is a warning that cannot be switched off.
 */
final class Signals {
    private Signals() {}

    /** Calls {@code handler}, on a thread of the JVM's, whenever one of {@link Sig} comes. */
    static void handle(Consumer<Sig> handler) {
        for (Sig signal : Sig.values()) {
            handle(signal, handler);
        }
    }

    @SuppressWarnings("ReferenceEquality") // What equals means for a handler that has no other identity.
    private static void handle(Sig signal, Consumer<Sig> handler) {
        try {
            Class<?> signalType = Class.forName("sun.misc.Signal");
            Class<?> handlerType = Class.forName("sun.misc.SignalHandler");
            Object proxy = Proxy.newProxyInstance(
                    Signals.class.getClassLoader(),
                    new Class<?>[] {handlerType},
                    (self, method, args) -> switch (method.getName()) {
                        case "handle" -> {
                            handler.accept(signal);
                            yield null;
                        }
                        case "hashCode" -> System.identityHashCode(self);
                        case "equals" -> self == args[0];
                        default -> "handler of " + signal;
                    });
            Object named = signalType.getConstructor(String.class).newInstance(signal.name());
            signalType.getMethod("handle", signalType, handlerType).invoke(null, named, proxy);
        } catch (InvocationTargetException e) {
            // The JVM was told to leave this signal alone (-Xrs), or it is ignored since before we started (nohup).
            if (!(e.getCause() instanceof IllegalArgumentException)) {
                throw new IllegalStateException("cannot handle " + signal, e);
            }
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("cannot handle " + signal, e);
        }
    }

    /** Sends a signal to a process; Java itself can send only TERM and KILL. */
    static void send(Sig signal, ProcessHandle process) {
        if (signal == Sig.TERM) {
            process.destroy();
            return;
        }
        try {
            ProcessBuilder kill =
                    new ProcessBuilder("/bin/sh", "-c", "kill -s \"$SIG\" \"$VICTIM\"").redirectErrorStream(true);
            Map<String, String> env = kill.environment();
            env.put("SIG", signal.name());
            env.put("VICTIM", Long.toString(process.pid()));
            Process sent = kill.redirectOutput(ProcessBuilder.Redirect.DISCARD).start();
            if (!sent.waitFor(5, TimeUnit.SECONDS)) {
                sent.destroyForcibly();
            }
        } catch (IOException e) {
            // Without a shell the nearest thing to INT and HUP is TERM.
            process.destroy();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
