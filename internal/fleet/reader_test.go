package fleet

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"

	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulatortest"
)

// steady counts the services that run as they should.
func steady(f *Fleet) (n int) {
	for _, e := range f.Environments {
		for _, s := range e.Services {
			if lines, _ := s.Drift.Lines(); s.Error == nil && s.Condition == "steady" && len(lines) == 0 {
				n++
			}
		}
	}
	return n
}

// TestManyServices limits what the status of 100 services costs, on fake time: the calls,
// how many at once, and how long it takes at 50 ms a call.
func TestManyServices(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 100, accounts.Dev)
		r := New(w.sources...)
		begin := time.Now()
		f := r.Read(t.Context())
		took := time.Since(begin)
		if n := steady(f); n != 100 || !f.Healthy() {
			t.Errorf("%d are steady: %+v", n, f)
		}
		for operation, want := range map[string]struct{ calls, atOnce int }{
			"DescribeServices": {10, 8}, "DescribeTaskDefinition": {100, 8}, "BatchGetImage": {100, 8},
		} {
			all, atOnce := emulatortest.Count(w.Calls(), operation)
			if all != want.calls || atOnce != want.atOnce {
				t.Errorf("%s: %d calls, %d at once, want %d and %d", operation, all, atOnce, want.calls, want.atOnce)
			}
		}
		if took > 2*time.Second || len(w.Calls()) != 210 {
			t.Errorf("%d calls in %s", len(w.Calls()), took)
		}

		// The next reading describes only the services, and the revisions of services
		// that have changed. After half a minute all is read again.
		w.ResetCalls()
		r.Read(t.Context())
		_, err := w.accounts[0].ECS.UpdateService(t.Context(), &ecs.UpdateServiceInput{
			Cluster: aws.String("p_cluster_dev"), Service: aws.String("p_service_s7_dev"), ForceNewDeployment: true})
		must(t, err)
		r.Read(t.Context())
		services, _ := emulatortest.Count(w.Calls(), "DescribeServices")
		revisions, _ := emulatortest.Count(w.Calls(), "DescribeTaskDefinition")
		tags, _ := emulatortest.Count(w.Calls(), "BatchGetImage")
		if services != 20 || revisions != 1 || tags != 0 {
			t.Errorf("twice more: %d DescribeServices, %d DescribeTaskDefinition, %d BatchGetImage",
				services, revisions, tags)
		}
		time.Sleep(30 * time.Second)
		w.ResetCalls()
		r.Read(t.Context())
		if n := len(w.Calls()); n != 210 {
			t.Errorf("half a minute later: %d calls", n)
		}
		if unknown := w.UnknownOperations(); unknown != nil {
			t.Errorf("the emulator does not have %v", unknown)
		}
	})
}

// TestThreeEnvironments limits what the status of three environments with 30 services
// each costs, all of which differ: on fake time, at 50 ms a call.
func TestThreeEnvironments(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 30, accounts.Dev, accounts.Staging, accounts.Prod)
		for i := range 30 {
			_, err := w.accounts[0].Push(t.Context(), fmt.Sprint("p_service_s", i), "v2", "v2")
			must(t, err)
			// Prod runs what staging does not have.
			_, err = w.accounts[2].Push(t.Context(), fmt.Sprint("p_service_s", i), "v3", "latest")
			must(t, err)
		}
		time.Sleep(time.Minute)
		w.ResetCalls()
		begin := time.Now()
		f := New(w.sources...).Read(t.Context())
		took := time.Since(begin)
		if took > time.Second || len(f.Environments) != 3 || !f.Healthy() {
			t.Errorf("%d calls in %s: %+v", len(w.Calls()), took, f.Environments)
		}
		t.Logf("3 environments with 30 services: %d calls in %s", len(w.Calls()), took)
	})
}

// TestOneCannotBeRead checks that an environment that cannot be read, or opened, does not
// hide the others, and is opened again by the next reading.
func TestOneCannotBeRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 3, accounts.Dev, accounts.Staging)
		open, tries := w.sources[1].Open, 0
		w.sources[1].Open = func(ctx context.Context) (Place, error) {
			if tries++; tries == 1 {
				return Place{}, errors.New("no credentials")
			}
			return open(ctx)
		}
		r := New(w.sources...)
		f := r.Read(t.Context())
		if e := f.Environments[1]; steady(f) != 3 || f.Healthy() || e.Name != "staging" || e.Error == nil ||
			e.Error.Message != "no credentials" || e.Err() == nil {
			t.Errorf("%+v", f)
		}
		if f = r.Read(t.Context()); steady(f) != 6 || !f.Healthy() {
			t.Errorf("again: %+v", f)
		}
	})
}
