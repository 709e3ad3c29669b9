package ecsdeploy

import (
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"deployer/internal/ecsdeploy/converge"
	"deployer/internal/ecsservice"
	"deployer/internal/event"
	"deployer/internal/journal"
)

// externalSource is the source in the journal of a copy of an external deployment.
const externalSource = "external"

// copyEntry returns what the journal of a copy has about the choice that it copies: that
// of the original, or of an external rollout its id and time.
func (s *State) copyEntry(n converge.Registration) journal.Entry {
	r := s.target.Record(s.revisions[copyOf(n)])
	entry := journal.Entry{Cause: r.Cause, Tag: r.Tag, Digest: r.Digest, Restores: r.Restores, CopyOf: r.Revision}
	for of, d := range demands {
		if d == n.Copy.Demand {
			entry.Rule.Demand = of
		}
	}
	if n.Copy.External {
		entry.Restores = ""
		entry.Cause = event.Cause{
			ID: n.Copy.Event, Time: time.Unix(0, n.Copy.Key.Time).UTC(), Source: externalSource,
			Reason: fmt.Sprintf("restores revision %d, an external deployment that an older event replaced",
				r.Revision),
		}
	}
	return entry
}

// copyImages sets the images of the chosen containers to those of another revision: of
// its container with the same name, else of its first one that runs the workload.
func (s *State) copyImages(in *ecs.RegisterTaskDefinitionInput, chosen []int, of ecsservice.Revision) {
	others, err := s.target.Containers(of.TaskDefinition)
	if err != nil {
		return // the clone is of the same revision
	}
	all := of.TaskDefinition.ContainerDefinitions
	for _, i := range chosen {
		name := aws.ToString(in.ContainerDefinitions[i].Name)
		from := others[0]
		if j := slices.IndexFunc(others, func(j int) bool { return aws.ToString(all[j].Name) == name }); j >= 0 {
			from = others[j]
		}
		in.ContainerDefinitions[i].Image = all[from].Image
	}
}
