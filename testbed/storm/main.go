// Command storm pushes an image to many services at once, against ECS's own rate limits on emulated AWS: first one
// image for each service, then one image that all services run. It prints how long the deployments took, and fails if
// one is missing or if they took too long.
package main

import (
	"context"
	"flag"

	"deployer/testbed/fleet"
)

func main() {
	services := flag.Int("services", 50, "the number of services")
	fleet.Command("storm", func(ctx context.Context, root string) error {
		for _, shared := range []bool{false, true} {
			if err := fleet.Print(runStorm(ctx, root, *services, shared)); err != nil {
				return err
			}
		}
		return nil
	})
}
