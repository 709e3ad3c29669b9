package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"deployer/internal/ecsdeploy"
	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/shell"
)

// callersAccount is the shell's expression for the account of the credentials.
const callersAccount = `"$(aws sts get-caller-identity --query Account --output text)"`

func (a *app) explainCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "explain -e ENV {EVENT.json | --push NAME:TAG}",
		Short: "Explain what an event would do in an environment (offline)",
		Long: `The command reads the event as the function does, and prints the verdict with its
reason. The verdict is accepted, ignored or rejected. For an event of ECS about a
rollout it is followed; about the end of a task's run, ran; for the schedule that
searches for lost pushes, due. The exit code is 1 if the event would be rejected.

With --push, it is the event of a push of that tag to the repository of a service, or of
a task as task:NAME.

EVENT.json may be "-" for standard input, and may have the detail of a DEPLOY event
alone, what "deployer send --dry-run" prints, or the input of "aws events put-events".
With --json, one document is printed, as docs/reference/results.md describes.`,
		Example: `deployer explain -e dev --push backend:latest
deployer explain -e prod events/deploy-backend.json
deployer send -e prod backend git-abc123f --dry-run | deployer explain -e prod -
echo '{"service":"backend","tag":"git-abc123f"}' | deployer explain -e prod -`,
		Args: func(cmd *cobra.Command, args []string) error {
			named := cmd.Flags().Changed("file") || cmd.Flags().Changed("env") || a.withEnvFlag(cmd) != ""
			if !named && len(args) == 2 {
				return &usageError{"the environment file is missing: name it with -f",
					commandLine("explain", "-f", args[0], args[1])}
			}
			if cmd.Flags().Changed("push") {
				return arguments()(cmd, args)
			}
			return arguments("EVENT.json")(cmd, args)
		},
	}
	file := fileFlag(cmd)
	account := accountFlag(cmd)
	asJSON := cmd.Flags().Bool("json", false, "print one JSON document")
	push := cmd.Flags().String("push", "", "explain a push of `NAME:TAG` in place of a file")
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		env, err := a.loadIn(*file, *account)
		if err != nil {
			return err
		}
		var raw []byte
		if len(args) == 0 {
			args = []string{"--push", *push}
			raw, err = a.pushEvent(env, *push)
		} else {
			raw, err = a.readEvent(env, args[0])
		}
		if err != nil {
			return err
		}
		if env.AccountID == "" {
			return hinted(env.Command("explain", append(args, "--account")...)+" "+callersAccount,
				"%s does not name the environment's account, which decides whether it obeys a push: "+
					"add account_id to it, or use --account", *file)
		}
		return a.explain(env, raw, *asJSON)
	}
	return cmd
}

// explain prints what an event would do, for people or as JSON.
func (a *app) explain(env *environment.Environment, raw []byte, asJSON bool) error {
	reading := event.Read(raw, env, time.Now())
	show := a.printExplanation
	if asJSON {
		show = func(env *environment.Environment, reading event.Reading) error {
			return printJSON(a.out, explanationOf(env, reading))
		}
	}
	if err := show(env, reading); err != nil {
		return err
	}
	refused := func(r event.Request) bool {
		status, _ := refusal(r)
		return status == ecsdeploy.Rejected
	}
	if explainedVerdict(reading) == event.Rejected || slices.ContainsFunc(reading.Requests, refused) {
		return errNotDone // nothing was rejected: the command says what would be
	}
	return nil
}

// explainedVerdict is [verdictOf] as it is printed: an event about changed configuration is
// accepted, because it asks for redeployments.
func explainedVerdict(reading event.Reading) event.Verdict {
	if verdict := verdictOf(reading); verdict != event.Changed {
		return verdict
	}
	return event.Accepted
}

// printExplanation prints what an event would do for people.
func (a *app) printExplanation(env *environment.Environment, reading event.Reading) error {
	a.line("%s by %s: %s", explainedVerdict(reading), env.Name, printable(reading.Reason))
	if len(reading.Requests) > 0 && reading.Requests[0].Together {
		a.line("  all of these are deployed, or none: %s is checked first",
			checkedFirst(reading.Requests))
	}
	for _, r := range reading.Requests {
		fmt.Fprintf(a.out, "\n%s\n", titleOf(r.Workload))
		if status, reason := refusal(r); status != "" {
			a.line("  %-9s %s", status, reason)
			continue
		}
		a.explainRequest(env, r)
	}
	if reading.Verdict == event.Changed {
		fmt.Fprint(a.out, "  services  those whose running revision refers to exactly that, as ECS has it then\n"+
			"  then      one to two minutes after the event, each is redeployed with the image that it runs, unless\n"+
			"            one of its rollouts began after the change\n")
	}
	if reading.Verdict == event.Ran {
		fmt.Fprint(a.out, "  if it is the first run of a revision that the deployer registered, its end is reported\n")
	}
	if reading.Verdict == event.Followed {
		a.line("  the state of the rollout is read from ECS, and each outcome is reported once")
	}
	return nil
}

// refusal returns the status of a request that deploys nothing whatever AWS has, and
// why; "" if it may deploy.
func refusal(r event.Request) (ecsdeploy.Status, string) {
	if r.Workload.External != "" {
		return ecsdeploy.Rejected, "its image " + r.Workload.External + " is from outside ECR"
	}
	return "", ""
}

// verdictOf returns the verdict on an event: that of its reading, unless every request
// is refused, or one of an event that deploys all or none.
func verdictOf(reading event.Reading) event.Verdict {
	verdict := reading.Verdict
	for _, r := range reading.Requests {
		switch status, _ := refusal(r); status {
		case "":
			if !r.Together {
				return reading.Verdict
			}
		case ecsdeploy.Rejected:
			verdict = event.Rejected
			if r.Together {
				return verdict
			}
		default:
			if verdict != event.Rejected {
				verdict = event.Ignored
			}
		}
	}
	return verdict
}

// checkedFirst returns what is checked of an event's requests before any is carried out.
func checkedFirst(requests []event.Request) string {
	for _, r := range requests {
		if !r.Workload.HasService() {
			return "each image, and each service, schedule or rule,"
		}
	}
	return "each image and each service"
}

// titleOf returns the name of a workload with its kind, each once.
func titleOf(w environment.Workload) string {
	kind := string(w.Kind)
	if w.Name == kind || strings.HasPrefix(w.Name, kind+":") {
		return w.Name
	}
	return kind + " " + w.Name
}

// explainIndent is where the values of an explanation begin.
const explainIndent = 12

// explainRequest prints what one request would deploy, and where.
func (a *app) explainRequest(env *environment.Environment, r event.Request) {
	w := r.Workload
	line := func(key, format string, args ...any) {
		text := printable(fmt.Sprintf(format, args...))
		fmt.Fprint(a.out, newCanvas(a.out).item(fmt.Sprintf("  %-9s ", key), text, explainIndent))
	}
	switch {
	case r.Rollback:
		line("image", "the previous one whose rollout succeeded, if ECR still has it")
	case r.Redeploy:
		line("image", "the image that runs, with the family's newest configuration, if ECR still has it")
	default:
		line("image", "%s, if ECR has it", w.Reference(r.Tag))
	}
	switch {
	case r.Optional && r.Redeploy:
		line("skipped", "if the image that runs is not from ECR")
	case r.Optional:
		line("skipped", "if ECR does not have the image")
	}
	if r.Replicated {
		line("waits", "until %.0f minutes after the event, if ECR does not have the image yet: %s",
			environment.ReplicationTime.Minutes(), whyWaits(env, w))
	}
	if w.RegistryReason == env.Strategy.String() {
		line("strategy", "%s: %s", env.Strategy.Name, env.Strategy.Why)
	} else {
		line("registry", "%s: %s", w.Registry, w.RegistryReason)
	}
	line("cluster", "%s", env.Cluster)
	otherwise := ", unless the service runs another family"
	if w.HasService() {
		line("service", "%s", w.Pointer.Name())
	} else {
		line("starts by", "%s", cmp.Or(strings.ReplaceAll(string(w.Pointers), ",", ", "),
			"nothing that is known, so it cannot be deployed: deployer validate "+shell.Quote(env.File)))
		otherwise = "; what starts the task has to hold this family"
	}
	cloned := "with the family's newest external configuration"
	if env.Base == environment.BaseService {
		cloned = "from the revision that runs"
	}
	line("family", "%s, cloned %s%s", w.Family, cloned, otherwise)
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

// whyWaits says why an event of a workload waits for its image.
func whyWaits(env *environment.Environment, w environment.Workload) string {
	if env.IsReplicated(w) {
		return "deployer.replicated is true"
	}
	return "ECR reports a copy, which may not be readable at once"
}
