/**
 * Answers why a request waits and when it may be granted, from what the store has and what happened lately. Reads only: it imports
 * neither the ledger's commands nor http.
 */
@NullMarked
package dev.berth.server.forecast;

import org.jspecify.annotations.NullMarked;
