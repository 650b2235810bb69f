package dev.berth.providers.aws;

import dev.berth.providers.Kind;
import dev.berth.providers.Provider;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * AWS accounts and regions. {@code docs/aws.md} says which roles it needs and what it cleans. Berth's own credentials are found as the
 * AWS SDK finds them everywhere (variables, profile, container, instance), when first needed.
 */
public final class AwsKind implements Kind {
    private final Memory memory = new Memory(InstantSource.system());

    @Override
    public String name() {
        return "aws";
    }

    /** Operators provision accounts by hand first, and that is not to be deleted. */
    @Override
    public boolean adopts() {
        return true;
    }

    @Override
    public Provider create(String pool, Map<String, Object> settings, Map<String, Record> environments)
            throws InvalidSettings {
        List<Mistake> mistakes = new ArrayList<>();
        Settings parsed = Settings.parse(settings, mistakes);
        environments.forEach((name, record) -> Place.check(name, record, mistakes));
        if (!mistakes.isEmpty()) {
            throw new InvalidSettings(mistakes);
        }
        return new AwsProvider(parsed, memory);
    }
}
