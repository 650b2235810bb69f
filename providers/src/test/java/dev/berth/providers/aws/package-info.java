/** Tests of what the aws kind makes of its settings; what it does is tried in the acceptance module, against an emulator. */
@NullMarked
package dev.berth.providers.aws;

import org.jspecify.annotations.NullMarked;
