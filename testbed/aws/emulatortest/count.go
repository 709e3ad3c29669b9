package emulatortest

import "deployer/testbed/aws/emulator"

// Count returns how many of the calls were of an operation, and how many of these ran at the same time at most.
func Count(calls []emulator.Call, operation string) (all, atOnce int) {
	for _, c := range calls {
		if c.Operation != operation {
			continue
		}
		all++
		now := 0
		for _, other := range calls {
			if other.Operation == operation && !other.Start.After(c.Start) && other.End.After(c.Start) {
				now++
			}
		}
		atOnce = max(atOnce, now)
	}
	return all, atOnce
}
