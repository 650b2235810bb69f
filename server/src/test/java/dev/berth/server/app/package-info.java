/** Starts the whole service as tests need it: on a made-up machine, or as a process that can be killed. */
@NullMarked
package dev.berth.server.app;

import org.jspecify.annotations.NullMarked;
