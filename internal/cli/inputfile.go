package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"deployer/internal/environment"
	"deployer/internal/shell"
)

// What people give for a file: none, a directory, an empty one, or a file of another
// kind. The errors here say what was given and what was wanted, with a command that
// works.

// wrongEnvironment explains why an environment file could not be read. It returns err
// itself for a file that is one, but has faults.
func (a *app) wrongEnvironment(file string, err error) error {
	var wrong string
	dirs := []string{filepath.Dir(file), ".", "project"}
	switch info, statErr := os.Stat(file); {
	case errors.Is(statErr, fs.ErrNotExist):
		wrong = fmt.Sprintf("the environment file %s does not exist", file)
	case statErr != nil:
		return err
	case info.IsDir():
		wrong = fmt.Sprintf("%s is a directory, not an environment file", file)
		dirs = []string{file, filepath.Join(file, "project")}
	case isEvent(file):
		return a.eventAsEnvironment(file, dirs)
	case isEmpty(file):
		return hinted(sampleFile(file), "%s is empty: an environment file has at least project, env and region", file)
	default:
		return err
	}
	files := environmentFiles(dirs...)
	var there []string // with those that have faults
	for _, dir := range dirs {
		for _, one := range environmentsIn(dir) {
			if path := filepath.Clean(one.file); !slices.Contains(there, path) {
				there = append(there, path)
			}
		}
	}
	return &usageError{wrong + thereAre(there), a.withFile(file, files, "find . -name '*.yaml'")}
}

// thereAre says which files there are; "" for none.
func thereAre(files []string) string {
	switch len(files) {
	case 0:
		return ""
	case 1:
		return "; there is " + files[0]
	}
	return "; there are " + listed(files)
}

// eventAsEnvironment is the error for an event that was given as environment file.
func (a *app) eventAsEnvironment(event string, dirs []string) error {
	all := environmentFiles(dirs...)
	hint := a.withFile(event, all, "find . -name '*.yaml'")
	last := a.args[len(a.args)-1]
	switch {
	case a.args[0] == "explain" && isEnvironment(last): // the two in the wrong order
		hint = commandLine("explain", "-f", last, event)
	case len(all) > 0 && slices.Contains([]string{"validate", "migrate"}, a.args[0]):
		hint = commandLine("explain", "-f", all[0], event)
	}
	return &usageError{event + " is an EventBridge event, not an environment file", hint}
}

// readEvent reads an event from a file, or from standard input if it is "-".
func (a *app) readEvent(env *environment.Environment, file string) ([]byte, error) {
	if file == "-" {
		raw, err := io.ReadAll(io.LimitReader(a.in, 1<<20))
		return asEvent(env, raw), err
	}
	raw, err := a.readEventFile(env, file)
	return asEvent(env, raw), err
}

// readEventFile reads the file of an event.
func (a *app) readEventFile(env *environment.Environment, file string) ([]byte, error) {
	raw, err := os.ReadFile(file)
	info, statErr := os.Stat(file)
	wrong, dirs := "", []string{filepath.Dir(file), ".", "events"}
	switch {
	case errors.Is(statErr, fs.ErrNotExist):
		wrong = fmt.Sprintf("the event's file %s does not exist", file)
	case statErr == nil && info.IsDir():
		wrong, dirs = fmt.Sprintf("%s is a directory, not the file of an event", file), []string{file}
	case err != nil:
		return nil, fmt.Errorf("reading the event: %w", err)
	case len(bytes.TrimSpace(raw)) == 0:
		return nil, &usageError{file + " is empty: an event is a JSON object as EventBridge delivers it",
			sampleEvent(env)}
	case isEnvironment(file):
		return nil, &usageError{file + " is an environment file, not an event", commandLine("validate", file)}
	case !json.Valid(raw) && slices.Contains([]string{".yaml", ".yml"}, filepath.Ext(file)):
		return nil, &usageError{file + " is YAML: an event is a JSON object as EventBridge delivers it",
			sampleEvent(env)}
	default:
		return raw, nil
	}
	files := eventFiles(dirs...)
	return nil, &usageError{wrong + thereAre(files), a.withFile(file, files, sampleEvent(env))}
}

// sampleEvent returns a command that makes a DEPLOY event for an environment and
// explains it.
func sampleEvent(env *environment.Environment) string {
	source, service := "action."+env.Name, environment.BackendName
	if len(env.DeploySources) > 0 {
		source = env.DeploySources[0]
	}
	if names := env.Names(environment.Services...); len(names) > 0 {
		service = names[0]
	}
	event := fmt.Sprintf(`{"id":"1","detail-type":"DEPLOY","source":%q,"time":%q,"detail":{"project":%q,"service":%q,`+
		`"tag":"git-abc123f"}}`, source, time.Now().UTC().Format(time.RFC3339), env.Project, service)
	return "echo " + shell.Quote(event) + " > event.json; " + env.Command("explain", "event.json")
}

// changing are the commands that change something: a hint must not lead them to an
// environment that the person may not mean.
var changing = []string{"deploy", "redeploy", "rollback", "send", "redrive", "stop", "continue", "migrate"}

// withFile returns the command line with another file in place of one: of the
// candidates, that of the nearest name, else the first. It returns otherwise if there
// is none, or none of a similar name for a command that changes something.
func (a *app) withFile(file string, candidates []string, otherwise string) string {
	if len(candidates) == 0 {
		return otherwise
	}
	distance := func(c string) int { return edits(filepath.Base(c), filepath.Base(file)) }
	best := slices.MinFunc(candidates, func(x, y string) int { return distance(x) - distance(y) })
	const similar = 2
	if slices.Contains(changing, a.args[0]) && distance(best) > similar {
		return otherwise
	}
	corrected := slices.Clone(a.args)
	for i, arg := range corrected {
		if name, value, ok := strings.Cut(arg, "="); ok && value == file && strings.HasPrefix(name, "-") {
			corrected[i] = name + "=" + best
		}
		if arg == file {
			corrected[i] = best
		}
	}
	return commandLine(corrected...)
}

// isEmpty reports whether a file has nothing but white space. A pipe can be read once
// only, so it is not looked at.
func isEmpty(file string) bool {
	info, err := os.Stat(file)
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	data, err := os.ReadFile(file)
	return err == nil && len(bytes.TrimSpace(data)) == 0
}

// sampleFile returns a command that makes an environment file and checks it. The name
// of the file is that of the environment, as in the examples.
func sampleFile(file string) string {
	name := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	if !shell.IsPlain(name) {
		name = "dev"
	}
	return `printf 'project: myproject\nenv: ` + name + `\nregion: us-east-1\n' > ` + shell.Quote(file) + "; " +
		commandLine("validate", file)
}

// maxCandidates is how many files of a directory are looked at.
const maxCandidates = 50

// environmentFiles returns the environment files without faults in directories.
func environmentFiles(dirs ...string) []string {
	return filesIn(dirs, isEnvironment, "*.yaml", "*.yml")
}

// eventFiles returns the files in directories that hold an event.
func eventFiles(dirs ...string) []string { return filesIn(dirs, isEvent, "*.json") }

// filesIn returns the files in directories that match a pattern and pass a check.
func filesIn(dirs []string, check func(file string) bool, patterns ...string) (found []string) {
	looked := 0
	for _, dir := range dirs {
		for _, pattern := range patterns {
			names, err := filepath.Glob(filepath.Join(dir, pattern))
			if err != nil {
				continue
			}
			for _, name := range names {
				if looked++; looked > maxCandidates {
					return found
				}
				if !slices.Contains(found, name) && check(name) {
					found = append(found, name)
				}
			}
		}
	}
	return found
}

// isEnvironment reports whether a file is an environment file without faults.
func isEnvironment(file string) bool {
	_, err := environment.Load(file)
	return err == nil
}

// isEvent reports whether a file holds an event as EventBridge delivers it.
func isEvent(file string) bool {
	const maxEvent = 1 << 20
	info, err := os.Stat(file)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxEvent {
		return false
	}
	raw, err := os.ReadFile(file)
	var event struct {
		DetailType *string `json:"detail-type"`
	}
	return err == nil && json.Unmarshal(raw, &event) == nil && event.DetailType != nil
}
