/**
 * The whole service, simulated in one thread: real ledgers, upkeep and store under a virtual clock, with faults between any two
 * effects, and the promises checked after every commit. It imports nothing of HTTP or configuration.
 */
@NullMarked
package dev.berth.server.simulation;

import org.jspecify.annotations.NullMarked;
