/**
 * AWS accounts and regions: lent with credentials of a role, taken back by denying the session that got them, cleaned and compared with
 * what belonged there. Imports the provider contract and the AWS SDK, and nothing of the server.
 */
@NullMarked
package dev.berth.providers.aws;

import org.jspecify.annotations.NullMarked;
