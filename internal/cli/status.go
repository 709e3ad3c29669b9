package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"deployer/internal/environment"
	"deployer/internal/fleet"
)

// statusPermissions are the IAM actions that status needs.
var statusPermissions = []string{
	"ecs:DescribeServices", "ecs:DescribeTaskDefinition",
	"ecs:DescribeServiceDeployments (stages, pauses, blue/green)",
	"ecs:ListServiceDeployments (for blue/green, linear and canary deployments)",
	"ecs:ListTasks (optional: why tasks stop)", "ecs:DescribeTasks (optional: why tasks stop)",
	pointerReads[0], pointerReads[1], "ecr:BatchGetImage (optional: finds moved and deleted tags)",
	"ecr:DescribeImages (optional: by how many images an environment is behind)",
}

func (a *app) statusCommand() *cobra.Command {
	var asJSON, watch bool
	cmd := &cobra.Command{
		Use:   "status -e ENV [SERVICE...]",
		Short: "Show what services and tasks run, their rollouts, and drift",
		Long: `For each service, the command shows the image that runs, since when and by whom,
and the state of its rollout; for a task, the image of its next run and when that is
due. It shows drift too: a newer revision that does not run, or a tag that ECR has on
another image now. Without arguments, all services and tasks are shown. For a service
that is named, a rollout that failed is explained: why its tasks stopped, the last
lines of the container, the service's events. The exit code is 1 if a rollout failed,
or a service or what starts a task could not be read.

With several environments, a table has their services side by side, and below it
stands which environment is behind which: compared with the one before it. Each
account is read with its own credentials: the aws_profile of its file, unless those
that are named belong to it.`,
		Example: `deployer status -e prod
deployer status -e prod backend --watch
deployer status -e dev -e staging -e prod
deployer status -e all --json`,
		Annotations: permissions(append(slices.Clone(statusPermissions),
			"logs:GetLogEvents (optional, of a named service: the last lines of a container that failed)")...),
		Args: arguments("[SERVICE...]"),
	}
	files := filesFlag(cmd)
	how := lookFlags(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON document")
	cmd.Flags().BoolVar(&watch, "watch", false, "refresh every two seconds; off a terminal, print changes only")
	cmd.ValidArgsFunction = completeServices(nil, 0)
	cmd.RunE = func(cmd *cobra.Command, names []string) error {
		if watch && asJSON {
			return wrongUsage("--watch and --json exclude each other")
		}
		sources, err := a.sources(*files, names)
		if err != nil {
			return err
		}
		b := &board{fleet.New(sources...), len(sources) == 1, len(names) > 0 && !watch, how}
		if watch {
			return a.watch(cmd.Context(), b)
		}
		return a.status(cmd.Context(), b, asJSON)
	}
	return cmd
}

// board is what status shows, once or repeatedly.
type board struct {
	*fleet.Reader
	single   bool // one environment
	explains bool // why rollouts failed
	*look
}

// sources returns the environments in files with the services of the given names, of
// which each environment shows those that it has.
func (a *app) sources(files, names []string) (sources []fleet.Source, err error) {
	if len(files) == 0 {
		return nil, a.errNoEnvironment()
	}
	found := map[string]bool{}
	var first *environment.Environment
	for _, file := range files {
		env, err := a.load(file)
		if err != nil && len(files) == 1 {
			return nil, err
		}
		one := fleet.Source{Name: file, File: file}
		if err != nil {
			one.Open = func(context.Context) (fleet.Place, error) { return fleet.Place{}, err }
			sources = append(sources, one)
			continue
		}
		one.Name = env.Name
		if first == nil {
			first = env
		}
		var workloads []environment.Workload
		for _, w := range servicesOf(env, names) {
			workloads = append(workloads, w.Workload)
			found[w.name] = true
		}
		one.Open = func(ctx context.Context) (fleet.Place, error) { return a.open(ctx, env, workloads, len(files) > 1) }
		sources = append(sources, one)
	}
	for _, name := range names {
		if !found[name] && first != nil {
			_, err := a.service(first, name)
			return nil, err
		}
	}
	return sources, nil
}

// namedService is a service under the name by which it was asked for.
type namedService struct {
	environment.Workload
	name string
}

// servicesOf returns those of the named services and tasks that an environment has; without
// names, all of them.
func servicesOf(env *environment.Environment, names []string) (all []namedService) {
	if len(names) == 0 {
		for _, w := range env.Workloads {
			names = append(names, w.Label())
		}
	}
	for _, name := range names {
		w, ok := env.Find(name, environment.Services...)
		if !ok {
			w, ok = env.Find(name, environment.Tasks...)
		}
		if ok && !slices.ContainsFunc(all, func(n namedService) bool { return n.Label() == w.Label() }) {
			all = append(all, namedService{w, name})
		}
	}
	return all
}

// open connects to an environment's account. With several environments, credentials that
// are named cannot be those of all accounts: where they are not the account's, its
// aws_profile is used.
func (a *app) open(ctx context.Context, env *environment.Environment, workloads []environment.Workload, several bool) (
	fleet.Place, error) {
	s, err := a.connect(ctx, env)
	if err != nil && several && env.AWSProfile != "" && a.credentialsNamed() {
		if other, otherErr := a.connectAs(ctx, env, env.AWSProfile); otherErr == nil {
			s, err = other, nil
		}
	}
	if err != nil {
		return fleet.Place{}, err
	}
	return fleet.Place{Env: s.env, Config: s.config, Workloads: workloads}, nil
}

// status prints the status of services once.
func (a *app) status(ctx context.Context, b *board, asJSON bool) error {
	report, err := b.read(ctx)
	switch {
	case err != nil:
		return err
	case asJSON && b.single:
		err = printJSON(a.out, report.Environments[0])
	case asJSON:
		err = printJSON(a.out, report)
	default:
		c := b.on(a.out)
		_, err = fmt.Fprint(a.out, b.draw(c, report))
		a.noteCut(c)
		a.noteOthers(report)
	}
	if err == nil && !report.Healthy() {
		return errNotDone
	}
	return err
}

// noteOthers says how to see whether an environment that was named is behind the one before it.
// That one is not read here: it is another account with credentials of its own, which may ask
// for a login, and what is wrong there is no part of the status of this one.
func (a *app) noteOthers(f *fleet.Fleet) {
	others := allEnvironments()
	i := slices.IndexFunc(others, func(e found) bool { return e.file == f.Environments[0].File })
	if len(f.Environments) > 1 || a.byName[f.Environments[0].File] == "" || i < 1 {
		return
	}
	before, name := others[i-1].name, others[i].name
	a.note("how far %s is behind %s: %s", name, before, commandLine("status", "-e", before, "-e", name))
}

// read reads the status. That one environment alone cannot be read is an error.
func (b *board) read(ctx context.Context) (*fleet.Fleet, error) {
	ctx, cancel := withTimeout(ctx)
	defer cancel()
	f := b.Read(ctx)
	if b.explains {
		b.Explain(ctx, f)
	}
	if b.single {
		return f, f.Environments[0].Err()
	}
	return f, ctx.Err()
}

// draw returns the status as text.
func (b *board) draw(c canvas, f *fleet.Fleet) string {
	text := drawMatrix
	if b.single {
		text = func(c canvas, f *fleet.Fleet) string { return drawStatus(c, f.Environments[0]) }
	}
	var why strings.Builder
	for _, e := range f.Environments {
		for _, s := range e.Services {
			if s.Failure == nil {
				continue
			}
			name := s.Name
			if !b.single {
				name = e.Name + ": " + s.Name
			}
			why.WriteString("\n" + drawFailure(c, name, s.Failure))
		}
	}
	return text(c, f) + why.String()
}

// drawStatus returns the status of one environment as a table. Below it stands what is
// wrong with rollouts.
func drawStatus(c canvas, e fleet.Environment) string {
	t := table{optional: []string{"DIGEST", "REVISION", "BY"}, free: true}
	t.below = &below{least: leastFree, leave: []string{"SINCE"}, label: "drift: ", none: "none"}
	t.head("SERVICE", "TAG", "DIGEST", "REVISION", "SINCE", "BY", "ROLLOUT", "DRIFT")
	var problems strings.Builder
	for _, s := range e.Services {
		if s.Error != nil {
			t.add(cell{text: s.Name}, cell{"error: " + s.Error.String(), red})
			if c.columns > 0 { // the table has only its beginning
				fmt.Fprintf(&problems, "%s: error: %s\n", s.Name, printable(s.Error.String()))
			}
			continue
		}
		state := rolloutCell(c, s)
		if s.NextRun != "" {
			state = nextRunCell(c, s)
		}
		t.add(cell{text: s.Name}, cell{text: s.Running.Tag}, cell{text: fleet.ShortDigest(s.Running.Digest)},
			cell{text: fmt.Sprint(s.Running.Revision)}, cell{text: c.moment(s.Since)}, cell{text: actorOf(*s.Running)},
			state, driftCell(s.Drift))
		stopped := s.Stopped
		if s.Failure != nil && len(s.Failure.Tasks) > 0 {
			stopped = "" // the report below has them
		}
		problems.WriteString(problemLines(fmt.Sprintf("%s: revision %d", s.Name, s.Troubled), s.Why, stopped))
	}
	problems.WriteString(statusRunLines(e.Services))
	if problems.Len() > 0 {
		return t.draw(c) + "\n" + c.wrap(problems.String())
	}
	return t.draw(c)
}
