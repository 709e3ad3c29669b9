package main

import (
	"context"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/fleet"
	"deployer/testbed/lambdahost"
)

// crowdSize is how many services run the image that is pushed.
const crowdSize = 200

// crowd is what one push costs that deploys many services.
type crowd struct {
	handshakes, megabytes, seconds, registrations float64
	failed                                        bool
}

// crowdOf is a kind of crowd: the memory whose processor share the function has, and whether ECS limits rates.
type crowdOf struct {
	megabytes int
	limited   bool
}

// crowdFigures measures one figure of a push that deploys many services, in one process: of three pushes, or of one if
// ECS limits rates, which takes minutes. There is no floor.
func crowdFigures(of crowdOf, figure func(crowd) float64) measurement {
	return func(ctx context.Context, b *bench, _ int) (product, _ []float64, err error) {
		if b.crowds == nil {
			b.crowds = map[crowdOf][]crowd{}
		}
		pushes := 3
		if of.limited {
			pushes = 1
		}
		for range pushes - len(b.crowds[of]) { // a row after the first uses the same
			c, err := b.pushToMany(ctx, of)
			if err != nil {
				return nil, nil, err
			}
			b.crowds[of] = append(b.crowds[of], c)
		}
		for _, c := range b.crowds[of] {
			product = append(product, figure(c))
		}
		return product, nil, nil
	}
}

// pushToMany pushes one image to a repository that many services use, and measures until the last service is updated.
func (b *bench) pushToMany(ctx context.Context, of crowdOf) (c crowd, err error) {
	group, err := newGroup(of.megabytes)
	if err != nil {
		return crowd{}, err
	}
	defer group.remove()
	// AWS's clock is slow, so that the event is newer than the revisions that exist.
	aws := emulator.New(emulator.Options{Clock: func() time.Time { return time.Now().Add(-2 * time.Minute) }})
	var handshakes atomic.Int64
	server := httptest.NewUnstartedServer(aws)
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			handshakes.Add(1)
		}
	}
	server.StartTLS()
	defer server.Close()
	plain := httptest.NewServer(aws)
	defer plain.Close()
	event, file, err := b.crowdEvents(ctx, fleet.Connect(plain.URL, nil))
	if err != nil {
		return crowd{}, err
	}
	certificate := filepath.Join(b.dir, "crowd.pem")
	block := &pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}
	if err := os.WriteFile(certificate, pem.EncodeToMemory(block), 0o644); err != nil {
		return crowd{}, err
	}
	host, err := b.start(ctx, product, server.URL, func(o *lambdahost.Options) {
		o.Env["SSL_CERT_FILE"], o.Env["DEPLOYER_ENVIRONMENT_FILE"] = certificate, file
		o.MemorySize, o.Timeout, o.Initialized = of.megabytes, 4*time.Minute, group.add
	})
	if err != nil {
		return crowd{}, err
	}
	defer host.Close()
	if of.limited {
		aws.LimitRates()
	}
	aws.ResetCalls()
	response, err := host.Invoke(ctx, event.Raw)
	if err != nil {
		return crowd{}, err
	}
	if _, err := host.Invoke(ctx, []byte(ignored)); err != nil { // the peak is read when the process asks for an event
		return crowd{}, err
	}
	c.handshakes, c.failed = float64(handshakes.Load()), response.FunctionError != ""
	c.megabytes = float64(host.Stats().Processes[0].PeakRSS) / (1 << 20)
	if updated := c.count(aws.Calls(), response.Begun); updated < crowdSize || c.failed {
		return crowd{}, fmt.Errorf("%d services were updated, want %d: %s", updated, crowdSize, response.Payload)
	}
	return c, nil
}

// count counts the registrations of a push that began at a time, and measures the time to the last update. It returns
// the number of updates.
func (c *crowd) count(calls []emulator.Call, begun time.Time) (updated int) {
	for _, call := range calls {
		switch call.Operation {
		case "RegisterTaskDefinition":
			c.registrations++
		case "UpdateService":
			updated++
			c.seconds = max(c.seconds, call.Start.Sub(begun).Seconds())
		}
	}
	return updated
}

// crowdEvents creates the services, and returns the event of the push and the environment file.
func (b *bench) crowdEvents(ctx context.Context, a *accounts.Account) (event fleet.Event, file string, err error) {
	s := fleet.Services{Count: crowdSize, Shared: true, AutoDeploy: "latest"}
	text, err := s.Create(ctx, a)
	if err != nil {
		return event, "", err
	}
	file = filepath.Join(b.dir, "crowd.yaml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return event, "", err
	}
	log := fleet.NewEventLog(s, a)
	if err := log.Push(ctx, 0); err != nil {
		return event, "", err
	}
	all := log.Events(time.Now())
	i := slices.IndexFunc(all, func(e fleet.Event) bool { return e.Tag == "latest" })
	return all[i], file, nil
}
