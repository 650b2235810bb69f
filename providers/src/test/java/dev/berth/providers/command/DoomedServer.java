package dev.berth.providers.command;

import dev.berth.core.Step;
import java.nio.file.Path;

/** The main class of a process that tests kill while it runs a step. */
final class DoomedServer {
    private DoomedServer() {}

    public static void main(String[] args) throws InterruptedException {
        new Lab(Path.of(args[0])).shell(Step.CLEAN, args[1], Lab.task(args[2]));
    }
}
