package dev.berth.providers.command;

/** Text of programs, made safe to print. */
final class Text {
    private Text() {}

    /**
     * The text with everything escaped that could change how a terminal or a page shows what stands around it: control characters
     * but the line feed and the tab, and marks that turn the direction of writing.
     */
    static String printable(String text) {
        StringBuilder safe = new StringBuilder(text.length());
        String lines = text.replace("\r\n", "\n");
        lines.codePoints().forEach(point -> {
            int type = Character.getType(point);
            boolean odd = type == Character.CONTROL || type == Character.FORMAT || type == Character.SURROGATE;
            if (odd && point != '\n' && point != '\t') {
                safe.append(String.format("\\u{%x}", point));
            } else {
                safe.appendCodePoint(point);
            }
        });
        return safe.toString();
    }
}
