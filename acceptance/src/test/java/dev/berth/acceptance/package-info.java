/**
 * Tests with clients that others wrote, against the service as a process of its own. What they need of other toolchains they install
 * below the build's folder; they import nothing of the server but start its command.
 */
@NullMarked
package dev.berth.acceptance;

import org.jspecify.annotations.NullMarked;
