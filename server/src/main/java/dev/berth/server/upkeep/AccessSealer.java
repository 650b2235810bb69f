package dev.berth.server.upkeep;

import dev.berth.core.AllocationId;
import dev.berth.core.EnvironmentName;
import dev.berth.core.Sealed;
import dev.berth.providers.StepResult;

/** Encrypts what was issued, bound to the grant that it was issued for, so that it is of no use in another one's place. */
@FunctionalInterface
public interface AccessSealer {
    Sealed seal(AllocationId allocation, EnvironmentName environment, long epoch, StepResult.Access access);
}
