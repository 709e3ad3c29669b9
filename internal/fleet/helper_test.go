package fleet

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"deployer/internal/environment"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
	"deployer/testbed/cloud"
)

// world is emulated AWS on fake time, on which calls take 50 ms.
type world struct {
	*emulator.Emulator
	accounts []*accounts.Account
	sources  []Source
}

// newWorld returns accounts with one environment each, with the same services.
func newWorld(t *testing.T, services int, ids ...string) *world {
	t.Helper()
	// Fake time begins in 2000, when no event can have happened.
	time.Sleep(time.Until(time.Date(2026, time.January, 22, 10, 15, 0, 0, time.UTC)))
	w := &world{Emulator: emulator.New(emulator.Options{})}
	inProcess := func(c *aws.Config) { c.HTTPClient = emulatortest.InProcess{AWS: w.Emulator} }
	for _, id := range ids {
		a := accounts.Connect("http://aws.invalid", id, accounts.Region).With(inProcess)
		file, err := cloud.ManyServices(t.Context(), a, services, true)
		must(t, err)
		name := map[string]string{accounts.Dev: "dev", accounts.Staging: "staging", accounts.Prod: "prod"}[id]
		file = strings.Replace(file, "env: dev\n", "env: "+name+"\ndeployer: {cluster: p_cluster_dev}\n", 1)
		w.accounts = append(w.accounts, a)
		w.sources = append(w.sources, sourceOf(t, file, a))
	}
	time.Sleep(time.Minute)
	w.ResetCalls()
	w.Inject(emulator.Fault{Operation: "*", Latency: 50 * time.Millisecond})
	return w
}

// sourceOf returns the environment of a file, whose services are called as dev's.
func sourceOf(t *testing.T, file string, a *accounts.Account) Source {
	t.Helper()
	env, err := environment.Parse("env.yaml", []byte(file))
	must(t, err)
	var workloads []environment.Workload
	for _, w := range env.Workloads {
		if w.Kind == environment.Service {
			w.Pointer = environment.ECSService("p_service_" + w.Name + "_dev")
			workloads = append(workloads, w)
		}
	}
	env.Workloads = workloads
	return Source{Name: env.Name, File: "env.yaml", Open: func(context.Context) (Place, error) {
		return Place{Env: env, Config: a.Config, Workloads: workloads}, nil
	}}
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}
