/**
 * Keeps pools, environments, allocations, history, tokens and the configuration in force in a SQL database. Must not import anything
 * of the server but itself.
 */
@NullMarked
package dev.berth.server.store;

import org.jspecify.annotations.NullMarked;
