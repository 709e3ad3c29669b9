package cli

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"deployer/internal/outcome"
)

// serviceOutput is one service in the output `services`. Its members are called as the outputs of one deployment.
type serviceOutput struct {
	Service  string `json:"service"`
	Status   string `json:"status"`
	Outcome  string `json:"outcome"` // "" if there was no rollout to follow
	EventID  string `json:"event-id"`
	Revision string `json:"revision"`
	Previous string `json:"previous-tag"`
	Digest   string `json:"digest"`
}

// rank orders deployments by what a workflow has to know first: what did not succeed, then what changed something.
func (d deployed) rank() int {
	switch {
	case !d.succeeded():
		return 0
	case d.Status != unchanged:
		return 1
	}
	return 2
}

// outputs writes NAME=VALUE lines for $GITHUB_OUTPUT: of several deployments those of the first one of the lowest rank,
// and in `services` a JSON list of all, by name. No value has a line break, which would begin another output.
func outputs(w io.Writer, all []deployed) {
	if len(all) == 0 {
		return
	}
	chosen := slices.MinFunc(all, func(a, b deployed) int { return cmp.Compare(a.rank(), b.rank()) })
	services := []serviceOutput{}
	for _, d := range all {
		for name := range strings.SplitSeq(d.Service, serviceSeparator) { // several of which none was deployed
			services = append(services, outputOf(name, d))
		}
	}
	slices.SortStableFunc(services, func(x, y serviceOutput) int { return cmp.Compare(x.Service, y.Service) })
	list, err := json.Marshal(services)
	if err != nil { // it has only texts
		list = []byte("[]")
	}
	one := outputOf(chosen.Service, chosen)
	for _, o := range [][2]string{
		{"status", one.Status}, {"outcome", one.Outcome}, {"event-id", one.EventID},
		{"revision", one.Revision}, {"previous-tag", one.Previous}, {"digest", one.Digest},
		{"services", string(list)},
	} {
		fmt.Fprintf(w, "%s=%s\n", o[0], o[1])
	}
}

// outputOf returns a deployment's outputs, each on one line.
func outputOf(service string, d deployed) serviceOutput {
	line := func(text string) string { return outcome.Line(text, maxCell) }
	return serviceOutput{service, line(d.Status), line(d.Result), line(d.EventID), line(d.Revision), line(d.Previous),
		line(d.Digest)}
}
