/**
 * The provider contract: which steps a kind of environment has, what each may assume and what it must guarantee. Imports
 * core and nothing of the server; each built-in kind has a package of its own below.
 */
@NullMarked
package dev.berth.providers;

import org.jspecify.annotations.NullMarked;
