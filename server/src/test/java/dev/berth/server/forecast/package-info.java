@NullMarked
package dev.berth.server.forecast;

import org.jspecify.annotations.NullMarked;
