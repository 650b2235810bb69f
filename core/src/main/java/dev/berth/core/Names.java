package dev.berth.core;

/** What names are made of. Checked by hand, since names are made of text for every row that is read. */
final class Names {
    private Names() {}

    /** Whether it begins with an ASCII letter or digit, goes on with those or these others, and is not longer than this. */
    static boolean isValid(String text, String others, int longest) {
        if (text.isEmpty() || text.length() > longest || !isLetterOrDigit(text.charAt(0))) {
            return false;
        }
        for (int i = 1; i < text.length(); i++) {
            char c = text.charAt(i);
            if (!isLetterOrDigit(c) && others.indexOf(c) < 0) {
                return false;
            }
        }
        return true;
    }

    private static boolean isLetterOrDigit(char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    }
}
