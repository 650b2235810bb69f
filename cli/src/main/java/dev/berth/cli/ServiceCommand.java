package dev.berth.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Mixin;

/** A command that calls a service. */
abstract class ServiceCommand implements Callable<Integer> {
    final Surroundings around;

    @Mixin
    final ServiceOptions service;

    ServiceCommand(Surroundings around) {
        this.around = around;
        this.service = new ServiceOptions(around);
    }
}
