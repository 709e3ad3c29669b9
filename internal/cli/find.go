package cli

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"deployer/internal/environment"
	"deployer/internal/migrate"
)

// projectDir is the directory in which projects keep their environment files.
const projectDir = "project"

// extensions are those of environment files, the usual one first.
var extensions = []string{".yaml", ".yml"}

// place is a directory in which environment files are searched for, as people write it.
type place struct {
	dir string // relative to the working directory: ".", "..", "../.."
}

// placesFrom returns the directories from dir upwards to the root of its repository:
// the directory that has .git. Outside a repository it is dir alone.
func placesFrom(dir string) []place {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return []place{{dir}}
	}
	var all []place
	for at, name := absolute, dir; ; at, name = filepath.Dir(at), filepath.Join(name, "..") {
		all = append(all, place{name})
		if _, err := os.Stat(filepath.Join(at, ".git")); err == nil {
			return all
		}
		if filepath.Dir(at) == at {
			return all[:1]
		}
	}
}

// candidates returns where the file of an environment may be in a place, in the order
// of precedence.
func (p place) candidates(name string) (files []string) {
	for _, extension := range extensions {
		for _, dir := range []string{filepath.Join(p.dir, projectDir), p.dir} {
			files = append(files, filepath.Join(dir, name+extension))
		}
	}
	return files
}

// found is an environment file: by its key `env`, or by its name if it has faults.
type found struct{ name, file string }

// environments returns the environment files of a place: those of its directory project,
// else its own. They are in the order of a release: dev first, production last.
func (p place) environments() []found {
	for _, dir := range []string{filepath.Join(p.dir, projectDir), p.dir} {
		if all := environmentsIn(dir); len(all) > 0 {
			return all
		}
	}
	return nil
}

// environmentsIn returns the environment files of a directory.
func environmentsIn(dir string) (all []found) {
	files, err := migrate.Files(dir)
	if err != nil {
		return nil
	}
	rank := map[string]int{}
	for _, file := range files[:min(len(files), maxCandidates)] {
		env, err := environment.Load(file)
		name, faults := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)), environment.Faults(nil)
		switch {
		case err == nil:
			name = env.Name
		case errors.Is(err, environment.ErrNotEnvironment) || !errors.As(err, &faults) || !mentionsEnv(file):
			continue
		}
		rank[file] = 1
		if name == "dev" {
			rank[file] = 0
		}
		if env != nil && env.Production != "" {
			rank[file] = 2
		}
		all = append(all, found{name, file})
	}
	slices.SortStableFunc(all, func(x, y found) int {
		return cmp.Or(cmp.Compare(rank[x.file], rank[y.file]), cmp.Compare(x.name, y.name))
	})
	return all
}

// mentionsEnv reports whether a file that cannot be read as an environment file is
// probably meant to be one: it has a line with the key env.
func mentionsEnv(file string) bool {
	data, err := os.ReadFile(file)
	return err == nil && slices.ContainsFunc(strings.Split(string(data), "\n"), func(line string) bool {
		return strings.HasPrefix(line, "env:")
	})
}

// allEnvironments returns the environments of the nearest place that has some.
func allEnvironments() []found {
	for _, p := range placesFrom(".") {
		if all := p.environments(); len(all) > 0 {
			return all
		}
	}
	return nil
}

// findEnvironment returns the file of the environment with a name: of the nearest place
// with a file of that name, else the only one there whose key `env` is the name. A file
// of that name whose key `env` is another is an error: the caller would deploy to an
// environment that they did not name.
func (a *app) findEnvironment(name string) (string, error) {
	if strings.ContainsAny(name, `/\`) || slices.Contains(extensions, filepath.Ext(name)) {
		return "", a.fileAsEnvironment(name)
	}
	for _, p := range placesFrom(".") {
		for _, file := range p.candidates(name) {
			if info, err := os.Stat(file); err != nil || info.IsDir() {
				continue
			}
			if env, err := environment.Load(file); err == nil && env.Name != name {
				return "", &usageError{fmt.Sprintf("%s is environment %s, not %s: name the file, if it is meant", file,
					env.Name, name), a.withEnv(name, "-f", file)}
			}
			return file, nil
		}
		var named []string
		for _, one := range p.environments() {
			if one.name == name {
				named = append(named, one.file)
			}
		}
		switch len(named) {
		case 0:
		case 1:
			return named[0], nil
		default:
			return "", wrongUsage("%s are all environment %s: name the file with -f", strings.Join(named, " and "),
				name)
		}
	}
	return "", a.unknownEnvironment(name)
}

// fileOrEnvironment returns the file that a flag names, by itself or as an environment.
func (a *app) fileOrEnvironment(value string) (string, error) {
	_, err := os.Stat(value)
	if err == nil || strings.ContainsAny(value, `/\`) || slices.Contains(extensions, filepath.Ext(value)) {
		return value, nil
	}
	file, err := a.findEnvironment(value)
	if err == nil && a.byName[file] == "" {
		a.noteChosen([]found{{value, file}}, "")
		a.remember(found{value, file})
	}
	return file, err
}

// searched says where environment files were searched for.
func searched() string {
	if len(placesFrom(".")) > 1 {
		return "from here up to the root of the repository"
	}
	return "here"
}

// noFiles is the error for "all" where no environment file is.
func (a *app) noFiles() error {
	return &usageError{"no environment file is " + searched() + ", nor in a directory " + projectDir + " there",
		"cd to the project's directory, or make a file: " + commandLine("init")}
}

// unknownEnvironment is the error for an environment without a file. It says which there
// are, and its hint has the one that was probably meant.
func (a *app) unknownEnvironment(name string) error {
	all := allEnvironments()
	if len(all) == 0 {
		where := searched()
		return &usageError{fmt.Sprintf("there is no environment %q: no %s/%s.yaml and no %[3]s.yaml is %[4]s", name,
			projectDir, printable(name), where), "find . -name '*.yaml' # then name the file with -f"}
	}
	e := &usageError{what: fmt.Sprintf("there is no environment %q: %s", name, list(all))}
	if near := nearest(name, namesOf(all)); near != "" {
		e.hint = a.withEnv(name, "-e", near)
	}
	if near := longNames[nearest(name, slices.Sorted(maps.Keys(longNames)))]; slices.Contains(namesOf(all), near) &&
		e.hint == "" {
		e.hint = a.withEnv(name, "-e", near)
	}
	for _, short := range namesOf(all) { // production for prod, development for dev
		if e.hint == "" && len(short) > 2 && strings.HasPrefix(name, short) {
			e.hint = a.withEnv(name, "-e", short)
		}
	}
	return e
}

// longNames are what environments are called in full.
var longNames = map[string]string{"production": "prod", "development": "dev", "stage": "staging"}

// fileAsEnvironment is the error for -e with a path, which -f is for.
func (a *app) fileAsEnvironment(file string) error {
	return &usageError{fmt.Sprintf("-e %s is a file, not the name of an environment", printable(file)),
		a.withEnv(file, "-f", file)}
}

// withEnv returns the command line with another flag and value in place of -e NAME.
func (a *app) withEnv(name, flag, value string) string {
	corrected := slices.Clone(a.args)
	long := map[string]string{"-e": "--env", "-f": "--file"}[flag]
	for i, arg := range corrected {
		switch {
		case (arg == "-e" || arg == "--env") && i+1 < len(corrected) && corrected[i+1] == name:
			corrected[i], corrected[i+1] = flag, value
			return commandLine(corrected...)
		case (arg == "--from" || arg == "--to") && i+1 < len(corrected) && corrected[i+1] == name:
			corrected[i+1] = value
			return commandLine(corrected...)
		case arg == "-e"+name, arg == "-e="+name, arg == "--env="+name:
			corrected[i] = long + "=" + value
			return commandLine(corrected...)
		}
	}
	return commandLine(append(corrected, flag, value)...)
}

// namesOf returns the names of environments, each once.
func namesOf(all []found) (names []string) {
	for _, one := range all {
		if !slices.Contains(names, one.name) {
			names = append(names, one.name)
		}
	}
	return names
}

// list says which environments there are, and in which directory.
func list(all []found) string {
	dir := filepath.Dir(all[0].file)
	if dir == "." {
		dir = "this directory"
	}
	verb := "there are "
	if len(namesOf(all)) == 1 {
		verb = "there is "
	}
	return verb + strings.Join(namesOf(all), ", ") + " in " + dir
}
