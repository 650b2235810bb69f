package dev.berth.client;

import java.util.List;

/**
 * The tokens that were created, without their secrets.
 *
 * @param tokens the tokens
 * @param json the answer as it came
 */
public record TokenList(List<TokenInfo> tokens, String json) {

    /** Takes a copy of the list. */
    public TokenList {
        tokens = List.copyOf(tokens);
    }
}
