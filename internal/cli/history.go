package cli

import (
	"fmt"
	"slices"
	"strings"

	"deployer/internal/journal"
	"deployer/internal/rollout"
)

// history is `deployer history`: a service's revisions, by their journals.
func (c *cli) history() error {
	file := c.flags.String("f", "", "the environment `FILE`")
	most := c.flags.Int("n", 20, "how many revisions")
	asJSON := c.flags.Bool("json", false, "print one JSON document")
	args, err := c.parse("SERVICE")
	if err != nil {
		return err
	}
	if *most < 1 {
		return usageError(fmt.Sprintf("-n %d is less than one revision", *most))
	}
	ctx, cancel := contextWithPatience(c)
	defer cancel()
	env, d, target, err := c.target(ctx, *file, args[0])
	if err != nil {
		return err
	}
	h, err := d.History(ctx, target, *most)
	if err != nil {
		return err
	}
	if h.Why != nil {
		fmt.Fprintf(c.err, "deployer: which revision runs is not known: %v\n", h.Why)
	}
	if *asJSON {
		return printJSON(c.out, historyReport{env.Name, target.Workload, h.Family, h.Runs, h.Records})
	}
	_, err = fmt.Fprint(c.out, drawHistory(newCanvas(c.out), h))
	return err
}

// historyReport is what `deployer history` prints with -json.
type historyReport struct {
	Environment string           `json:"environment"`
	Service     string           `json:"service"`
	Family      string           `json:"family"`
	Runs        string           `json:"runs,omitempty"` // ARN of the revision that the service runs, or is being moved to
	Revisions   []journal.Record `json:"revisions"`      // newest first
}

// drawHistory returns the history as a table, in which a star is at what runs.
// It has a column for why a rollout failed only where one did.
func drawHistory(on canvas, h *rollout.History) string {
	head := []string{"REVISION", "WHEN", "TAG", "DIGEST", "BY", "OUTCOME", "REASON"}
	failed := slices.ContainsFunc(h.Records, func(r journal.Record) bool { return r.Why != "" })
	if failed {
		head = append(head, "WHY IT FAILED")
	}
	var t table
	t.head(head...)
	for _, r := range h.Records {
		revision := cell{text: fmt.Sprint(r.Revision)}
		if r.TaskDefinition == h.Runs {
			revision.text, revision.color = revision.text+" *", green
		}
		outcome := cell{string(r.Outcome), phaseColors[r.Outcome]}
		if r.Inactive {
			outcome.text = strings.TrimSpace(outcome.text + " (deregistered)")
		}
		row := []cell{revision, {text: moment(r.Registered)}, {text: r.Tag}, {text: shortDigest(r.Digest)}, {text: byOf(r)}, outcome, {text: r.Reason}}
		if failed {
			row = append(row, cell{text: r.Why})
		}
		t.add(row...)
	}
	return t.draw(on)
}
