/** Tests of the configuration, with the kinds that there really are. */
@NullMarked
package dev.berth.server.config;

import org.jspecify.annotations.NullMarked;
