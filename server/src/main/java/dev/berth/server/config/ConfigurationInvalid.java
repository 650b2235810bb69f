package dev.berth.server.config;

import java.util.List;
import java.util.stream.Collectors;

/** A configuration that cannot be used, with its mistakes in the order of the file. */
public final class ConfigurationInvalid extends Exception {
    private static final long serialVersionUID = 1L;

    private final transient List<Mistake> mistakes;
    private final int untold;

    /**
     * @param mistakes the first of them, at least one
     * @param untold how many there are besides
     */
    ConfigurationInvalid(List<Mistake> mistakes, int untold) {
        super(mistakes.stream().map(Mistake::toString).collect(Collectors.joining("\n"))
                + (untold == 0 ? "" : "\nand " + untold + " more"));
        this.mistakes = List.copyOf(mistakes);
        this.untold = untold;
    }

    /** In the order of the file; at least one. */
    public List<Mistake> mistakes() {
        return mistakes;
    }

    /** How many mistakes there are besides these: a file of a million records can have a million. */
    public int untold() {
        return untold;
    }
}
