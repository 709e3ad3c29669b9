package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"deployer/testbed/cloud"
)

// pushTask pushes a new image of the project's task.
func pushTask(ctx context.Context, d *demo) error {
	_, err := d.cloud.Accounts["dev"].Push(ctx, cloud.Project+"_task_"+cloud.Task, "report v2", "latest")
	return err
}

// printSchedules prints what the task's schedule holds in every environment. It returns an error unless that is
// revision 2, and in prod inProd.
func (d *demo) printSchedules(ctx context.Context, out io.Writer, inProd string) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ENVIRONMENT\tSCHEDULE\tHOLDS")
	for _, env := range cloud.Environments {
		account := d.cloud.Accounts[env.Name]
		raw, err := account.ReadSchedule(ctx, cloud.ScheduleGroup(env.Name), cloud.Schedule(env.Name))
		if err != nil {
			return err
		}
		var schedule struct {
			Target struct {
				EcsParameters struct{ TaskDefinitionArn string }
			}
		}
		if err := json.Unmarshal(raw, &schedule); err != nil {
			return fmt.Errorf("reading schedule %q: %w", cloud.Schedule(env.Name), err)
		}
		_, holds, _ := strings.Cut(schedule.Target.EcsParameters.TaskDefinitionArn, "/")
		want := cloud.Task + ":2"
		if env.Name == "prod" {
			want = inProd
		}
		if holds != want {
			return fmt.Errorf("schedule %q holds %s, want %s", cloud.Schedule(env.Name), holds, want)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", env.Name, cloud.Schedule(env.Name), holds)
	}
	return w.Flush()
}
