package cli

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"deployer/internal/ecsdeploy"
	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/pipeline"
)

// callersAccount is the shell's expression for the account of the credentials.
const callersAccount = `"$(aws sts get-caller-identity --query Account --output text)"`

func (a *app) explainCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "explain -f FILE EVENT.json",
		Short: "Explain what an event would do in an environment (offline)",
		Long: `The event is read as the function reads it, and the verdict is printed with its
reason: accepted, ignored or rejected; followed, for an event of ECS about a
rollout; due, for the schedule that searches for lost pushes. The exit code is 1
if it is rejected.`,
		Example: `deployer explain -f project/prod.yaml events/deploy-backend.json`,
		Args:    arguments("EVENT.json"),
	}
	file := fileFlag(cmd)
	account := accountFlag(cmd)
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		env, err := a.loadIn(*file, *account)
		if err != nil {
			return err
		}
		raw, err := os.ReadFile(args[0])
		if err != nil {
			return fmt.Errorf("reading the event: %w", err)
		}
		if env.AccountID == "" {
			return hinted(commandLine("explain", "-f", *file, args[0], "--account")+" "+callersAccount,
				"%s does not name the environment's account, which decides whether it obeys a push: "+
					"add account_id to it, or use --account", *file)
		}
		return a.explain(env, raw)
	}
	return cmd
}

// explain prints what an event would do.
func (a *app) explain(env *environment.Environment, raw []byte) error {
	reading := event.Read(raw, env, time.Now())
	fmt.Fprintf(a.out, "%s by %s: %s\n", reading.Verdict, env.Name, reading.Reason)
	rejected := reading.Verdict == event.Rejected
	for _, r := range reading.Requests {
		if answer, ok := pipeline.Unsupported(r); ok {
			fmt.Fprintf(a.out, "\n%s %s\n  %-9s %s\n", r.Workload.Kind, r.Workload.Name, answer.Status, answer.Reason)
			rejected = rejected || answer.Status == ecsdeploy.Rejected
			continue
		}
		if r.Workload.External != "" {
			fmt.Fprintf(a.out, "\n%s %s\n  %-9s its image %s is from outside ECR\n", r.Workload.Kind, r.Workload.Name,
				ecsdeploy.Rejected, r.Workload.External)
			rejected = true
			continue
		}
		a.explainRequest(env, r)
	}
	if reading.Verdict == event.Followed {
		fmt.Fprintf(a.out, "  the state of the rollout is read from ECS, and each outcome is reported once\n")
	}
	if rejected {
		return errNotDone
	}
	return nil
}

// explainRequest prints what one request would deploy, and where.
func (a *app) explainRequest(env *environment.Environment, r event.Request) {
	w := r.Workload
	fmt.Fprintf(a.out, "\n%s %s\n", w.Kind, w.Name)
	line := func(key, format string, args ...any) {
		fmt.Fprintf(a.out, "  %-9s %s\n", key, fmt.Sprintf(format, args...))
	}
	if r.Rollback {
		line("image", "that of the last revision whose rollout succeeded, if ECR still has it")
	} else {
		line("image", "%s, if ECR has it", w.Reference(r.Tag))
	}
	if w.RegistryReason == env.Strategy.String() {
		line("strategy", "%s: %s", env.Strategy.Name, env.Strategy.Why)
	} else {
		line("registry", "%s: %s", w.Registry, w.RegistryReason)
	}
	line("cluster", "%s", env.Cluster)
	line("service", "%s", w.Pointer.Name())
	line("family", "%s, cloned from the %s revision, unless the service runs another family", w.Family, env.Base)
	if named := w.Containers.Names(); len(named) > 0 {
		line("container", "%s, which the file names", strings.Join(named, " and "))
	} else {
		line("container", "the one that runs %s, else %s", w.Repository, w.Container)
	}
	if r.DryRun {
		line("then", "dry_run: it would report what would change, and change nothing")
	}
	if r.Push {
		line("policy", "pushes of %s deploy %s", env.AutoDeploy, env.Name)
	}
}
