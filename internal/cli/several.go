package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"unicode"

	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/event"

	"github.com/spf13/cobra"
)

// severalHelp is the part of a command's help about its argument SERVICE.
const severalHelp = `SERVICE is a service, or a task as task:NAME. It may be several names with commas
between them: every image, service and schedule is checked before anything is
changed, and each then has its own result.`

// chosen is what the argument SERVICE of a command names.
type chosen struct {
	workloads []environment.Workload
	several   bool // the argument may name more than one
	all       bool // it is event.AllWorkloads
}

// chooseServices returns what an argument SERVICE names: a service, several with commas between
// them, or all.
func (a *app) chooseServices(env *environment.Environment, arg string) (chosen, error) {
	switch {
	case arg == event.AllWorkloads:
		all := event.All(env)
		if len(all) == 0 {
			return chosen{}, fmt.Errorf("no workload of %s that can be deployed has an image in ECR", env.File)
		}
		return chosen{all, true, true}, nil
	case !strings.Contains(arg, ","):
		w, err := a.service(env, arg)
		return chosen{workloads: []environment.Workload{w}}, err
	}
	names := strings.Split(arg, ",")
	for i, name := range names {
		names[i] = strings.TrimSpace(name)
		_, isService := env.Find(names[i], environment.Services...)
		if task, ok := env.Find(names[i], environment.Tasks...); ok && !isService {
			names[i] = task.Label()
		}
	}
	hint := a.asList(env, arg)
	if slices.Contains(names, event.AllWorkloads) {
		return chosen{}, &usageError{"the list " + arg + " has '*' among its names: write '*' alone for all services",
			hint}
	}
	workloads, wrong := event.Named(env, names)
	var errs []error
	for _, fault := range slices.Compact(wrong) {
		errs = append(errs, a.wrongName(env, names, arg, fault, hint))
	}
	if len(errs) == 1 {
		return chosen{}, errs[0]
	}
	return chosen{workloads: workloads, several: true}, errors.Join(errs...)
}

// wrongName returns the error for a fault that event.Named found in a list of names. Hint is
// the command line with the list that was probably meant, "" if that is not known.
func (a *app) wrongName(env *environment.Environment, names []string, list, fault, hint string) error {
	fault, _, tagged := strings.Cut(fault, "; "+event.OneTag)
	e := &usageError{what: strings.ReplaceAll(fault, `"services"`, "the list "+list)}
	if tagged {
		e.what += "; the last argument is the tag of all"
	}
	for _, name := range names {
		bare, isTask := strings.CutPrefix(name, environment.TaskPrefix)
		if fault == event.Unknown(env, "service", name) || isTask && fault == event.Unknown(env, "task", bare) {
			e = a.noWorkload(env, name)
		}
	}
	e.hint = cmp.Or(hint, e.hint)
	return e
}

// asList returns the command line with the list that an argument was probably meant to be:
// with commas between the names, each of them once. It returns "" if that is not known.
func (a *app) asList(env *environment.Environment, arg string) string {
	var names []string
	isBetween := func(r rune) bool { return r == ',' || r == ';' || unicode.IsSpace(r) }
	for name := range strings.FieldsFuncSeq(arg, isBetween) {
		label := nearestWorkload(env, name)
		for _, kinds := range [][]environment.Kind{environment.Tasks, environment.Services} {
			if w, ok := env.Find(name, kinds...); ok {
				label = w.Label()
			}
		}
		if label == "" {
			return ""
		}
		if !slices.Contains(names, label) {
			names = append(names, label)
		}
	}
	list := strings.Join(names, ",")
	if list == "" || list == arg {
		return ""
	}
	return a.corrected(arg, list)
}

// loadChosen reads an environment file and finds what an argument SERVICE names in it.
func (a *app) loadChosen(file, arg string) (*environment.Environment, chosen, error) {
	env, err := a.load(file)
	if err != nil {
		return nil, chosen{}, err
	}
	c, err := a.chooseServices(env, arg)
	return env, c, err
}

// loadChosenAndTag is [app.loadChosen] for a command with the arguments SERVICE and TAG.
func (a *app) loadChosenAndTag(file string, args []string) (*environment.Environment, chosen, string, error) {
	if args[0] != event.AllWorkloads && !strings.Contains(args[0], ",") {
		env, w, tag, err := a.loadServiceAndTag(file, args)
		return env, chosen{workloads: []environment.Workload{w}}, tag, err
	}
	env, c, err := a.loadChosen(file, args[0])
	if wrong := event.CheckTag(args[1]); wrong != "" {
		err = errors.Join(err, wrongUsage("%s", wrong))
	}
	return env, c, args[1], err
}

// severalAndTag checks the arguments SERVICE and TAG. People write several services with
// spaces, and a shell writes the names of files for a star without quotes.
func severalAndTag(cmd *cobra.Command, args []string) error {
	if len(args) > 2 {
		return wrongUsage("%q is one argument too many: several services have commas between them, like "+
			"worker,web-api, and '*' is in quotes", args[2])
	}
	return arguments("SERVICE", "TAG")(cmd, args)
}

// requests returns a request like the given one for each workload.
func (c chosen) requests(like event.Request) []event.Request {
	all := make([]event.Request, len(c.workloads))
	for i, w := range c.workloads {
		all[i] = like
		all[i].Workload, all[i].Together, all[i].Optional = w, c.several, c.all
	}
	return all
}

// in returns the choice with its workloads as env has them.
func (c chosen) in(env *environment.Environment) chosen {
	c.workloads = slices.Clone(c.workloads)
	for i, w := range c.workloads {
		c.workloads[i] = env.Current(w)
	}
	return c
}

// names returns the names of the workloads.
func (c chosen) names() []string {
	names := make([]string, len(c.workloads))
	for i, w := range c.workloads {
		names[i] = w.Label()
	}
	return names
}

// list returns the names of the workloads for people.
func (c chosen) list() string { return strings.Join(c.names(), ", ") }

// followed is a rollout to follow.
type followed struct {
	target   ecsservice.Target
	revision string
}

// followAll shows several rollouts at the same time until all have ended, and returns the
// error of each; nil of one that succeeded.
func (a *app) followAll(ctx context.Context, s *session, all []followed) []error {
	errs := make([]error, len(all))
	_ = a.atOnce(len(all), func(a *app, i int) error {
		errs[i] = a.follow(ctx, s, all[i].target, all[i].revision)
		return nil
	})
	return errs
}

// atOnce calls f for several rollouts at the same time, and joins the errors. If there is more
// than one, what they print is a line for each change, because bars would overwrite each other.
func (a *app) atOnce(count int, f func(a *app, i int) error) error {
	if count == 1 {
		return f(a, 0)
	}
	shared := *a
	shared.err = &lines{to: a.err}
	errs := make([]error, count)
	var all sync.WaitGroup
	for i := range count {
		all.Go(func() { errs[i] = f(&shared, i) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// lines is a writer of whole lines for concurrent use.
type lines struct {
	mu sync.Mutex
	to io.Writer
}

// Write writes lines.
func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.to.Write(p)
}
