package dev.berth.server.config;

import java.net.InetAddress;
import java.util.Optional;

/**
 * Addresses that begin alike, as CIDR writes them (RFC 4632): {@code 10.0.0.0/8}, {@code 2001:db8::/32}, or a single one.
 *
 * @param bits how many of the first address' bits count
 */
public record Network(InetAddress first, int bits) {
    /** Nothing for what is no address in digits: names are not looked up. */
    public static Optional<Network> parse(String text) {
        int slash = text.indexOf('/');
        var address = address(slash < 0 ? text : text.substring(0, slash));
        if (address.isEmpty()) {
            return Optional.empty();
        }
        int all = address.get().getAddress().length * Byte.SIZE;
        if (slash < 0) {
            return Optional.of(new Network(address.get(), all));
        }
        var digits = text.substring(slash + 1);
        if (!digits.matches("[0-9]{1,3}") || Integer.parseInt(digits) > all) {
            return Optional.empty();
        }
        return Optional.of(new Network(address.get(), Integer.parseInt(digits)));
    }

    /** An address in digits; nothing for anything else. */
    public static Optional<InetAddress> address(String text) {
        if (text.isEmpty() || text.length() > 50 || text.indexOf('%') >= 0) {
            return Optional.empty();
        }
        try {
            return Optional.of(InetAddress.ofLiteral(text));
        } catch (IllegalArgumentException _) {
            return Optional.empty();
        }
    }

    public boolean has(InetAddress address) {
        var one = first.getAddress();
        var other = address.getAddress();
        if (one.length != other.length) {
            return false;
        }
        for (int bit = 0; bit < bits; bit += Byte.SIZE) {
            int beyond = Math.max(0, bit + Byte.SIZE - bits);
            if ((one[bit / Byte.SIZE] & 0xFF) >> beyond != (other[bit / Byte.SIZE] & 0xFF) >> beyond) {
                return false;
            }
        }
        return true;
    }
}
