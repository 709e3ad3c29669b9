// Command burst sends many events for one service at once to the function's real bootstraps on emulated AWS, against
// ECS's own rate limits, as a replay of an event archive or `docker push --all-tags` does. It prints how often the
// service ended on another image than that of the newest event, how often it was moved, and how many calls were made.
package main

import (
	"context"
	"flag"
	"fmt"
	"time"

	"deployer/testbed/fleet"
)

// rolloutStep is longer than a burst moves the service, so that ECS lists the rollouts that were replaced.
const rolloutStep = 5 * time.Second

func main() {
	runs := flag.Int("runs", 1, "the number of bursts of each size")
	most := flag.Int("deliveries", 100, "the size of the largest burst")
	limits := flag.Bool("limits", true, "ECS throttles as it does in AWS")
	seed := flag.Uint64("seed", 1, "the seed of the order of the deliveries")
	fleet.Command("burst", func(ctx context.Context, root string) error {
		wrong := 0
		for _, deliveries := range []int{8, 20, 40, 100} {
			for _, warm := range []bool{true, false} {
				if deliveries > *most {
					continue
				}
				all := result{deliveries: deliveries, warm: warm}
				for n := range *runs {
					r, err := runBurst(ctx, options{
						root: root, deliveries: deliveries, warm: warm, limits: *limits, seed: *seed + uint64(n),
						rolloutStep: rolloutStep,
					})
					if err != nil {
						return err
					}
					all.add(r)
				}
				fmt.Println(all)
				wrong += all.wrong
			}
		}
		if wrong > 0 {
			return fmt.Errorf("%d bursts ended on a wrong image", wrong)
		}
		return nil
	})
}
