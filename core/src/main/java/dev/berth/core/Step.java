package dev.berth.core;

/**
 * One thing Berth itself does for an environment. A kind of environment declares which of them it has; a step that a kind does not
 * have costs no command.
 */
public enum Step {
    /** Makes access for a new holder. Its result is handed out only when it was committed under the grant's epoch. */
    ISSUE,
    /** Makes harmless all access of this epoch and of older ones, known or not. */
    REVOKE,
    /** Brings the environment back to its baseline. */
    CLEAN,
    /** Says, independently of the cleaner, whether the environment is at its baseline. */
    VERIFY
}
