package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"deployer/internal/fleet"
	"deployer/internal/journal"
	"deployer/internal/rollout"
)

// historyPermissions are the IAM actions that history needs.
var historyPermissions = []string{
	"ecs:DescribeServices", "ecs:ListTaskDefinitions", "ecs:DescribeTaskDefinition",
	"ecs:ListServiceDeployments and ecs:DescribeServiceDeployments (optional: for blue/green)",
	pointerReads[0], pointerReads[1],
}

func (a *app) historyCommand() *cobra.Command {
	var limit int
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "history -e ENV SERVICE",
		Short: "List the deployments of SERVICE: when, by whom, and how they ended",
		Long: `The revisions of the service's or the task's task definition are listed, newest first,
with what their journals record. A star marks the revision that runs, or that the task
runs next. "unchanged" are revisions that are only records of their events: the image
ran already. Several of them are one row.`,
		Example: `deployer history -e prod backend
deployer history -e prod backend --max 5 --json`,
		Annotations: permissions(historyPermissions...),
		Args:        arguments("SERVICE"),
	}
	file := fileFlag(cmd)
	how := lookFlags(cmd)
	cmd.Flags().IntVarP(&limit, "max", "n", 20, "list at most `N` revisions")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	cmd.ValidArgsFunction = completeServices(file, 1)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if limit < 1 {
			return wrongUsage("--max %d is less than one revision", limit)
		}
		ctx, cancel := withTimeout(cmd.Context())
		defer cancel()
		s, target, err := a.connectTo(ctx, *file, args[0])
		if err != nil {
			return err
		}
		h, err := s.rollouts().History(ctx, target, limit)
		if err != nil {
			return err
		}
		if h.Why != nil {
			a.note("which revision runs is not known: %v", h.Why)
		}
		if asJSON {
			return printJSON(a.out, historyReport{s.env.Name, target.Workload, h.Family, h.Runs, h.Records})
		}
		c := how.on(a.out)
		_, err = fmt.Fprint(a.out, drawHistory(c, h, target.Task))
		a.noteCut(c)
		return err
	}
	return cmd
}

// historyReport is what history prints with --json.
type historyReport struct {
	Environment string           `json:"environment"`
	Service     string           `json:"service"`
	Family      string           `json:"family"`
	Runs        string           `json:"runs,omitempty"` // ARN of the revision that the service runs or rolls out
	Revisions   []journal.Record `json:"revisions"`      // newest first
}

// drawHistory returns the history as a table, in which a star marks what runs.
// Below it stands why rollouts failed: such texts are too long for a column.
func drawHistory(on canvas, h *rollout.History, task bool) string {
	t := table{optional: []string{"DIGEST", "BY"}, free: true}
	t.head("REVISION", "WHEN", "TAG", "DIGEST", "BY", "OUTCOME", "REASON")
	for i, r := range h.Records {
		if i > 0 && folds(h.Records[i-1], r) {
			continue
		}
		revision := cell{text: fmt.Sprint(r.Revision)}
		if oldest := oldestFolded(h.Records[i:]); oldest < r.Revision {
			revision.text = fmt.Sprintf("%d-%d", oldest, r.Revision)
		}
		if r.TaskDefinition == h.Runs {
			revision.text, revision.color = revision.text+" *", green
		}
		outcome := cell{string(r.Outcome), phaseColors[r.Outcome]}
		if r.Inactive {
			outcome.text = strings.TrimSpace(outcome.text + " (deregistered)")
		}
		t.add(
			revision, cell{text: on.moment(r.Registered)}, cell{text: r.Tag}, cell{text: fleet.ShortDigest(r.Digest)},
			cell{text: actorOf(r)}, outcome, cell{text: r.Reason},
		)
	}
	problems := problemsOf(h.Records)
	if task {
		problems += firstRunLines(h.Records)
	}
	if problems != "" {
		return t.draw(on) + "\n" + on.wrap(problems)
	}
	return t.draw(on)
}

// folds reports whether two revisions, of which the second is the next older one, are one row of
// the history: both are only records of events, and were asked for in the same way.
func folds(newer, older journal.Record) bool {
	return newer.Outcome == journal.Unchanged && older.Outcome == journal.Unchanged &&
		newer.Revision == older.Revision+1 && newer.Tag == older.Tag && newer.Digest == older.Digest &&
		newer.Inactive == older.Inactive && newer.Actor == older.Actor && newer.Reason == older.Reason
}

// oldestFolded returns the number of the oldest revision in the row of the first.
func oldestFolded(records []journal.Record) int {
	i := 0
	for i+1 < len(records) && folds(records[i], records[i+1]) {
		i++
	}
	return records[i].Revision
}

// problemsOf returns lines that say why rollouts failed or are impaired, and why their tasks
// stopped, the newest first; of those that have the same reasons once. What was overcome is left
// out.
func problemsOf(records []journal.Record) (lines string) {
	type reasons struct{ why, stopped string }
	revisions, order := map[reasons][]string{}, []reasons{}
	for _, r := range records {
		why := reasons{r.Why, r.Stopped}
		overcome := r.Outcome == journal.Succeeded || r.Outcome == journal.Superseded || r.FirstRun() != ""
		if overcome || why == (reasons{}) {
			continue
		}
		if revisions[why] == nil {
			order = append(order, why)
		}
		revisions[why] = append(revisions[why], fmt.Sprint(r.Revision))
	}
	for _, why := range order {
		which := "revision " + revisions[why][0]
		if len(revisions[why]) > 1 {
			which = "revisions " + strings.Join(revisions[why], ", ")
		}
		lines += problemLines(which, why.why, why.stopped)
	}
	return lines
}

// problemLines returns a line for each known reason of a trouble; which says of what.
func problemLines(which, why, stopped string) (lines string) {
	if why != "" {
		lines = fmt.Sprintf("%s: %s\n", which, why)
	}
	if stopped != "" {
		lines += fmt.Sprintf("%s: stopped tasks: %s\n", which, stopped)
	}
	return lines
}
