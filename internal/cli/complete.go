package cli

import (
	"context"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"deployer/internal/environment"
)

const (
	// completionTime limits what a completion asks AWS: a person waits for it.
	completionTime = time.Second
	// maxCompletions is how many tags a completion lists.
	maxCompletions = 50
)

// completeServices completes arguments with the services and tasks of the command's
// environments: the first limit arguments, all if limit is 0.
func completeServices(_ *string, limit int) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
		if limit > 0 && len(args) >= limit {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		list := "" // the names of a list before the last comma
		if i := strings.LastIndexByte(begun, ','); i >= 0 && slices.Contains(takeLists, cmd.Name()) {
			list = begun[:i+1]
		}
		var names []string
		for _, file := range filesOf(cmd) {
			env, err := environment.Load(file)
			if err != nil {
				continue
			}
			for _, name := range labels(env) {
				given := slices.Contains(args, name) || slices.Contains(strings.Split(list, ","), name)
				refused := refuses(cmd, name)
				name = list + name
				if !given && !refused && !slices.Contains(names, name) {
					names = append(names, name)
				}
			}
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

// takeLists are the commands whose argument SERVICE may be a list with commas.
var takeLists = []string{"deploy", "send", "redeploy", "rollback"}

// noServices and noTasks are the commands that refuse services, or tasks.
var (
	noServices = []string{"run"}
	noTasks    = []string{"continue", "stop"}
)

// refuses reports whether a command refuses each service, or each task, as its argument.
func refuses(cmd *cobra.Command, label string) bool {
	if strings.HasPrefix(label, environment.TaskPrefix) {
		return slices.Contains(noTasks, cmd.Name())
	}
	return slices.Contains(noServices, cmd.Name())
}

// completeNoFiles keeps files out of the completion of a command's flags whose value is none.
func completeNoFiles(cmd *cobra.Command) {
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		_, completes := cmd.GetFlagCompletionFunc(flag.Name)
		_, isFile := flag.Annotations[cobra.BashCompFilenameExt]
		value, _ := pflag.UnquoteUsage(flag)
		if !completes && !isFile && value != "FILE" && value != "DIRECTORY" {
			_ = cmd.RegisterFlagCompletionFunc(flag.Name, cobra.NoFileCompletions) // fails only for one that has it
		}
	})
}

// labels returns the names of an environment's services, and of its tasks as task:NAME.
func labels(env *environment.Environment) []string {
	names := env.Names(environment.Services...)
	for _, name := range env.Names(environment.Tasks...) {
		names = append(names, environment.TaskPrefix+name)
	}
	return names
}

// completeServiceAndTag completes the arguments SERVICE and TAG.
func (a *app) completeServiceAndTag() cobra.CompletionFunc {
	services := completeServices(nil, 1)
	return func(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
		if len(args) != 1 {
			return services(cmd, args, begun)
		}
		ctx, cancel := context.WithTimeout(cmd.Context(), completionTime)
		defer cancel()
		tags := a.tagsFor(ctx, cmd, args[0], begun)
		return tags, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
	}
}

// tagsFor returns tags of a service's repository, those of the newest image first; none
// without credentials, a right or an answer in time. It asks nothing and says nothing.
func (a *app) tagsFor(ctx context.Context, cmd *cobra.Command, service, begun string) (tags []string) {
	files := filesOf(cmd)
	if len(files) == 0 {
		return nil
	}
	env, err := environment.Load(files[0])
	if err != nil {
		return nil
	}
	service, _, _ = strings.Cut(service, ",")
	w, ok := env.Find(service, environment.Services...)
	if !ok {
		w, ok = env.Find(service, environment.Tasks...)
	}
	if !ok || w.Repository == "" {
		return nil
	}
	silence()
	silent := &app{out: io.Discard, err: io.Discard, profile: a.profile}
	for _, name := range []string{"from-profile", "profile"} { // promote reads its source
		if f := cmd.Flags().Lookup(name); f != nil && silent.profile == "" {
			silent.profile = f.Value.String()
		}
	}
	found := make(chan []string, 1)
	go func() { found <- silent.tagsOf(ctx, env, w) }() // a process for credentials may not end in time
	select {
	case all := <-found:
		for _, tag := range all {
			if strings.HasPrefix(tag, begun) && len(tags) < maxCompletions {
				tags = append(tags, tag)
			}
		}
	case <-ctx.Done():
	}
	return tags
}

// tagsOf returns the tags of a workload's repository with the credentials that there are.
func (a *app) tagsOf(ctx context.Context, env *environment.Environment, w environment.Workload) []string {
	if w.Registry.AccountID == "" { // it is the credentials' own
		s, err := a.enter(ctx, env, "")
		if err != nil {
			return nil
		}
		return newestTags(ctx, s.config, s.env, s.env.Current(w))
	}
	config, err := a.config(ctx, env)
	if err != nil {
		return nil
	}
	return newestTags(ctx, config, env, w)
}

// silence keeps processes that the AWS SDK starts for credentials from the terminal: they
// could ask for something in the middle of a command line.
func silence() {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err == nil {
		os.Stdin, os.Stderr = null, null
	}
}

// filesOf returns the environment files of a command line that is being completed.
func filesOf(cmd *cobra.Command) (files []string) {
	a := &app{err: io.Discard}
	if flag := cmd.Flags().Lookup("from"); cmd.Name() == "promote" && flag != nil && flag.Value.String() != "" {
		if file, err := a.fileOrEnvironment(flag.Value.String()); err == nil {
			return []string{file}
		}
		return nil
	}
	flag := cmd.Flags().Lookup("file")
	if flag == nil {
		return nil
	}
	chosen, _, err := a.chosen(cmd, flag)
	if err != nil {
		return nil
	}
	if value := flag.Value.String(); !isSeveral(cmd) && value != "" {
		return []string{value}
	}
	if several, ok := flag.Value.(interface{ GetSlice() []string }); ok {
		files = several.GetSlice()
	}
	for _, one := range chosen {
		files = append(files, one.file)
	}
	return files
}
