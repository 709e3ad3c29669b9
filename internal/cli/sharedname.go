package cli

import (
	"fmt"
	"path/filepath"
	"slices"

	"deployer/internal/environment"
	"deployer/internal/migrate"
	"deployer/internal/stack"
)

// neighbours returns the environments of files, and of the files beside them. Files that cannot be read are left out.
func neighbours(files ...string) (all []*environment.Environment) {
	looked := map[string]bool{}
	for _, file := range files {
		beside, err := migrate.Files(filepath.Dir(file))
		if err != nil {
			beside = nil
		}
		for _, one := range append([]string{file}, beside[:min(len(beside), maxCandidates)]...) {
			one = filepath.Clean(one)
			if looked[one] {
				continue
			}
			looked[one] = true
			if env, err := environment.Load(one); err == nil {
				all = append(all, env)
			}
		}
	}
	return all
}

// sharedNames returns a fault for each other environment whose stacks would give a name that the stacks of env give. It
// is a warning if the environments may be in different accounts.
func sharedNames(env *environment.Environment, others []*environment.Environment) (faults environment.Faults) {
	for _, other := range others {
		shared := stack.Shared(env, other)
		if len(shared) == 0 {
			continue
		}
		f := environment.Fault{File: env.File, Fix: "choose another env or project for one of them"}
		f.Warning = env.AccountID == "" || other.AccountID == ""
		where := "account " + env.AccountID
		if f.Warning {
			where = "one account"
		}
		f.What = fmt.Sprintf("in %s, the stack of %s and that of %s (%s) would both have the %s %s, so the second "+
			"cannot be created", where, labelOf(env, other), labelOf(other, env), other.File, shared[0].What,
			shared[0].Name)
		if !slices.ContainsFunc(shared, func(m stack.Made) bool { return m.What != "stack" }) {
			f.What = fmt.Sprintf("in %s, the stack of %s and that of %s (%s) would both be called %s: installing one "+
				"replaces the other", where, labelOf(env, other), labelOf(other, env), other.File, shared[0].Name)
		}
		faults = append(faults, f)
	}
	return faults
}

// labelOf returns what distinguishes an environment from another: its name, project or region.
func labelOf(env, other *environment.Environment) string {
	switch {
	case env.Name != other.Name && env.Project == other.Project:
		return env.Name
	case env.Project != other.Project:
		return env.Name + " of " + env.Project
	}
	return env.Name + " in " + env.Region
}
