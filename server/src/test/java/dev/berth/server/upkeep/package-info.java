/** Tests of upkeep over a ledger that is stepped by hand. They import nothing of the server but the ledger and the store. */
@NullMarked
package dev.berth.server.upkeep;

import org.jspecify.annotations.NullMarked;
