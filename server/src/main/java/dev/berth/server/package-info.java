/**
 * The service, in packages by feature. This package itself holds nothing: {@code app} assembles the parts.
 */
@NullMarked
package dev.berth.server;

import org.jspecify.annotations.NullMarked;
