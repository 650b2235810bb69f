/**
 * Tries to break the promises with real processes: kills, stops, full disks, wrong clocks, hostile programs. Each runs a whole service
 * over HTTP; nothing here reaches into its parts but the test that stops a worker, which needs two on one store.
 */
@NullMarked
package dev.berth.server.proof;

import org.jspecify.annotations.NullMarked;
