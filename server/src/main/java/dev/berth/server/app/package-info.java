/** The composition root: makes the parts, joins them, starts and stops them. Nothing may import it but a program's entry. */
@NullMarked
package dev.berth.server.app;

import org.jspecify.annotations.NullMarked;
