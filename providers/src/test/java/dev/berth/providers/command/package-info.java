/** Tests of kind {@code command}, with real processes and files. They import nothing of the server. */
@NullMarked
package dev.berth.providers.command;

import org.jspecify.annotations.NullMarked;
