package stack

import (
	"fmt"
	"slices"
	"strings"

	"deployer/internal/environment"
)

// forwarding is the setting of the buses that receive a registry's pushes.
const forwarding = "ForwardPushesTo="

// maxForwarded is how many buses the template accepts: it has three rules of at most
// five targets (Amazon EventBridge quotas, "Targets per rule").
const maxForwarded = 15

// forwards returns the default buses of ecr_trusted_accounts, which run images of the
// environment's own registry, without those of production, which no push deploys.
func forwards(env *environment.Environment) (buses []string) {
	for _, t := range env.TrustedAccounts {
		bus := t.Bus()
		receives := !t.IsProduction() && env.Strategy.Name == environment.Local && t.ID != env.AccountID
		if receives && !slices.Contains(buses, bus) {
			buses = append(buses, bus)
		}
	}
	return buses
}

// NotForwarded returns a sentence about the trusted accounts to which pushes are not
// forwarded by default, because they are of production; "" if there are none.
func NotForwarded(env *environment.Environment) string {
	var names []string
	for _, t := range env.TrustedAccounts {
		if t.IsProduction() && env.Strategy.Name == environment.Local {
			names = add(names, t.ID+" ("+t.Env+")")
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "pushes are not forwarded to " + strings.Join(names, ", ") + " of ecr_trusted_accounts, because no push " +
		"deploys production by default; where one does, name every bus: " + forwarding + "ARNS"
}

// checkForwarding returns an error if pushes are to be forwarded to more buses than
// the template accepts: none is left out silently.
func checkForwarding(env *environment.Environment, settings []Parameter) error {
	i := slices.IndexFunc(settings, func(p Parameter) bool { return p.Name+"=" == forwarding })
	buses := strings.Split(settings[i].Value, ",")
	if len(buses) <= maxForwarded {
		return nil
	}
	return fmt.Errorf("pushes would be forwarded to %d event buses, and the stack forwards to %d at most: without %s "+
		"(name those where pushes deploy: deployer params -f %s %s%s)", len(buses), maxForwarded,
		strings.Join(buses[maxForwarded:], ", "), env.File, forwarding, buses[0]+",…")
}

// extraRegistries returns the parameters for registries whose pushes deploy besides the
// strategy's: those of images and repositories that the file names by hand.
func extraRegistries(env *environment.Environment) []Parameter {
	var accounts, regions []string
	strategy := env.Registry()
	for _, r := range env.PushRegistries() {
		if r.AccountID != strategy.AccountID {
			accounts = add(accounts, r.AccountID)
		}
		if r.Region != strategy.Region {
			regions = add(regions, r.Region)
		}
	}
	return []Parameter{
		{"ExtraRegistryAccounts", strings.Join(accounts, ",")}, {"ExtraRegistryRegions", strings.Join(regions, ",")},
	}
}
