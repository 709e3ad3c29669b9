package stack

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"deployer/internal/environment"
)

// SplitError is the error of repositories that one stack cannot have.
type SplitError struct {
	what  string
	Parts []string // values of Repositories, one for each of the stacks that can have them
}

func (e *SplitError) Error() string {
	return fmt.Sprintf("%s: make %d stacks, each with some of the names (%s=NAMES)", e.what, len(e.Parts), repositories)
}

// LogicalID returns the logical id that deploy/registry.yaml gives a repository: Fn::ForEach leaves out what is neither
// a letter nor a digit.
func LogicalID(repository string) string {
	return "Repository" + notAlphanumeric.ReplaceAllString(repository, "")
}

var notAlphanumeric = regexp.MustCompile(`[^A-Za-z0-9]`)

// parts divides repositories among stacks: as few as possible, in none of which two have one logical id, and whose
// names fit into a parameter. Most environments need one.
func parts(names []string) (all [][]string) {
	fits := func(part []string, name string) bool {
		return !slices.ContainsFunc(part, func(other string) bool { return LogicalID(other) == LogicalID(name) }) &&
			len(strings.Join(part, ","))+len(",")+len(name) <= maxParameter
	}
	for _, name := range names {
		i := slices.IndexFunc(all, func(part []string) bool { return fits(part, name) })
		if i < 0 {
			i, all = len(all), append(all, nil)
		}
		all[i] = append(all[i], name)
	}
	return all
}

// checkNames returns an error for repositories that are not the environment's, and a [SplitError] for those that one
// stack cannot have.
func checkNames(env *environment.Environment, all, names []string) error {
	by := map[string]string{}
	for _, name := range names {
		id := LogicalID(name)
		switch {
		case !slices.Contains(all, name):
			return fmt.Errorf("%s has %q, which is no repository of %s: choose from %s", repositories, name, env.File,
				strings.Join(all, ","))
		case by[id] == name:
			return fmt.Errorf("%s has %s twice", repositories, name)
		case by[id] != "":
			return inStacks(fmt.Sprintf("CloudFormation would give the repositories %s and %s one logical id, %s",
				by[id], name, id), names)
		}
		by[id] = name
	}
	if length := len(strings.Join(names, ",")); length > maxParameter {
		return inStacks(fmt.Sprintf("the names of %d repositories have %d characters, and a parameter of "+
			"CloudFormation at most %d", len(names), length, maxParameter), names)
	}
	return nil
}

func inStacks(what string, names []string) error {
	e := &SplitError{what: what}
	for _, part := range parts(names) {
		e.Parts = append(e.Parts, strings.Join(part, ","))
	}
	return e
}

// registryStack returns the name of the stack of some of an environment's repositories: a number follows the
// conventional name if only a later one of its stacks can have them.
func registryStack(env *environment.Environment, names []string) string {
	all, err := ownRepositories(env)
	if err != nil {
		return RegistryName(env)
	}
	for i, part := range parts(all) {
		others := func(name string) bool { return !slices.Contains(part, name) }
		if i > 0 && !slices.ContainsFunc(names, others) {
			return partName(env, i)
		}
	}
	return RegistryName(env)
}

// partName returns the name of the i-th stack of an environment's repositories.
func partName(env *environment.Environment, i int) string {
	if i == 0 {
		return RegistryName(env)
	}
	return fmt.Sprintf("%s-%d", RegistryName(env), i+1)
}

// maxProcessed is the largest template in bytes that can be passed to CloudFormation directly, after its transforms,
// and not as an object of S3 (CloudFormation user guide, "Troubleshoot the processed template").
const maxProcessed = 51200

// processedSize returns about how many bytes deploy/registry.yaml has as JSON after Fn::ForEach: never fewer, and at
// most 5% more.
func processedSize(names []string) int {
	size := 4400
	for _, name := range names {
		size += 2200 + 2*len(name)
	}
	return size
}

// TooLarge reports whether the template of the repositories has to be passed to CloudFormation as an object of S3.
func TooLarge(names []string) bool { return processedSize(names) > maxProcessed }
