package main

import (
	"context"
	"fmt"
	"math/rand/v2"

	"deployer/testbed/fleet"
)

// moveServices moves some services in a phase, as a person and Terraform do: to a revision that the service ran in an
// earlier phase, to a copy of one, or to a new revision.
func (p *player) moveServices(ctx context.Context, phase int) error {
	if !p.foreign {
		return nil
	}
	random := rand.New(rand.NewPCG(p.seed, uint64(1000+phase)))
	begin := p.clock.Now()
	for i := range p.services {
		if random.IntN(3) > 0 {
			continue
		}
		var ran []int
		for _, u := range p.updates.all(fleet.ECSName(i)) {
			if begin.Sub(u.at) > phaseGap/2 {
				ran = append(ran, u.revision)
			}
		}
		if len(ran) == 0 {
			continue
		}
		revision := fmt.Sprintf("%s:%d", fleet.ECSName(i), ran[random.IntN(len(ran))])
		role, err := fleet.Person, error(nil)
		switch random.IntN(3) {
		case 1:
			revision, err = p.Copy(ctx, role, revision, "")
		case 2:
			role = fleet.Terraform
			revision, err = p.Copy(ctx, role, revision, p.generator.services.Image(i, "v0"))
		}
		if err != nil {
			return err
		}
		if err := p.Move(ctx, role, i, revision); err != nil {
			return err
		}
	}
	return nil
}
