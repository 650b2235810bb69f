package dev.berth.server.store;

/**
 * Where an event is.
 *
 * @param number within the pool
 */
record EventPlace(int pool, long number) {}
