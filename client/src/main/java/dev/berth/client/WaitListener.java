package dev.berth.client;

/** Is told how a wait for an allocation goes on; called on the waiting thread. */
public interface WaitListener {
    /** Listens to nothing. */
    WaitListener NONE = new WaitListener() {
        @Override
        public void waiting(Allocation pending) {}

        @Override
        public void trouble(RuntimeException cause) {}
    };

    /** The request is still waiting; {@code pending} is the newest answer about it. */
    void waiting(Allocation pending);

    /** The service could not be asked, or could not serve for now; the wait goes on. */
    void trouble(RuntimeException cause);
}
