/** Tests of kind {@code fixed}, with real processes and files. They import nothing of the server. */
@NullMarked
package dev.berth.providers.fixed;

import org.jspecify.annotations.NullMarked;
