package ecsdeploy

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/ecsservice"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// lagging is an HTTP client to which ECS does not show a revision of the family report before a time.
type lagging struct {
	emulatortest.InProcess
	hidden string // the revision, such as "report:3"; "" if there is none
	newest string // what it shows as the newest one; "" if as it is
	until  time.Time
}

func (l *lagging) Do(r *http.Request) (*http.Response, error) {
	if l.hidden == "" || !time.Now().Before(l.until) ||
		!strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".DescribeTaskDefinition") {
		return l.InProcess.Do(r)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	body = bytes.Replace(body, []byte(l.hidden+`"`), []byte(`report:99"`), 1)
	if l.newest != "" {
		body = bytes.Replace(body, []byte(`"report"`), []byte(`"`+l.newest+`"`), 1)
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return l.InProcess.Do(r)
}

// newLaggingWorld is taskWorld on fake time, with a deployer that ECS shows revisions late.
func newLaggingWorld(t *testing.T) (*world, *Deployer, *lagging) {
	t.Helper()
	clock := func() time.Time { return time.Now().AddDate(26, 0, 0) }
	e := emulator.New(emulator.Options{Clock: clock, RolloutStep: time.Second})
	answers := &lagging{InProcess: emulatortest.InProcess{AWS: e}}
	w := &world{Emulator: e, Account: accounts.Connect("http://aws.invalid", "111111111111", "us-east-1").
		With(func(c *aws.Config) { c.HTTPClient = answers.InProcess })}
	must(t, w.Cluster(t.Context(), "c"))
	var err error
	w.digest, err = w.Push(t.Context(), "p_task_report", "v1", "v1")
	must(t, err)
	_, err = w.Family(t.Context(), "report", "p_container_report_dev", host+"/p_task_report:v0")
	must(t, err)
	e.CreateScheduleGroup("111111111111", "us-east-1", "jobs")
	must(t, w.Schedule(t.Context(), "nightly", w.held("report:1")))
	must(t, w.Rule(t.Context(), "uploads"))
	time.Sleep(time.Hour)
	d := New(ecsservice.New(w.With(func(c *aws.Config) { c.HTTPClient = answers }).Config))
	d.now = clock
	return w, d, answers
}

// held returns the schedule nightly, which holds a task definition.
func (w *world) held(definition string) string {
	return fmt.Sprintf(`{"FlexibleTimeWindow":{"Mode":"OFF"},"GroupName":"jobs",`+
		`"ScheduleExpression":"cron(0 3 * * ? *)","Target":{"Arn":`+
		`"arn:aws:ecs:us-east-1:111111111111:cluster/c","RoleArn":"r",`+
		`"EcsParameters":{"TaskDefinitionArn":%q}}}`, arn+definition)
}

// hold makes the schedule nightly hold a task definition, as another tool does.
func (w *world) hold(t *testing.T, definition string) {
	t.Helper()
	_, err := w.Send(t.Context(), "PUT", "scheduler", "schedules/nightly", "", w.held(definition))
	must(t, err)
}

// TestUnseenRevision checks that what another tool chose a moment ago is not undone because ECS does not show its
// revision yet: by a look, by an older event, and amid the deployment of an event. Of a revision that does not exist,
// the task is moved away after some seconds.
func TestUnseenRevision(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		lag   time.Duration
		does  func(t *testing.T, w *world, d *Deployer, choose func())
		holds string
	}{
		{"a look", 3 * time.Second, func(t *testing.T, _ *world, d *Deployer, choose func()) {
			choose()
			_, err := d.LookAtTask(t.Context(), report, Order{})
			must(t, err)
		}, "report:3"},
		{"an older event", 3 * time.Second, func(t *testing.T, w *world, d *Deployer, choose func()) {
			o := w.taskOrder()
			o.Cause.ID, o.Cause.Time, o.Image.Digest = "e2", d.now(), "sha256:"+strings.Repeat("b", 64)
			time.Sleep(2 * time.Second)
			choose()
			got := deployTask(t, d, o)
			if got.Status != Superseded {
				t.Errorf("%+v", got)
			}
		}, "report:3"},
		{"amid an event", 3 * time.Second, func(t *testing.T, w *world, d *Deployer, choose func()) {
			o := w.taskOrder()
			o.Cause.ID, o.Cause.Time, o.Image.Digest = "e2", d.now(), "sha256:"+strings.Repeat("b", 64)
			time.Sleep(2 * time.Second)
			d.ecs = &between{writer: d.ecs, beforeRegister: choose}
			got := deployTask(t, d, o)
			if got.Status != Superseded {
				t.Errorf("%+v", got)
			}
		}, "report:3"},
		{"one that never comes", time.Hour, func(t *testing.T, _ *world, d *Deployer, choose func()) {
			choose()
			began := time.Now()
			_, err := d.LookAtTask(t.Context(), report, Order{})
			must(t, err)
			if took := time.Since(began); took != 5*time.Second {
				t.Errorf("it took %s", took)
			}
		}, "report:4"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w, d, answers := newLaggingWorld(t)
				o := w.taskOrder()
				o.Cause.Time = d.now()
				deployTask(t, d, o)
				time.Sleep(time.Hour)
				tt.does(t, w, d, func() {
					made, err := w.Family(t.Context(), "report", "p_container_report_dev", host+"/p_task_report:tf")
					must(t, err)
					w.hold(t, strings.TrimPrefix(made, arn))
					answers.hidden, answers.newest = "report:3", "report:2"
					answers.until = time.Now().Add(tt.lag)
				})
				if diff := cmp.Diff(tt.holds, w.holds(t)[0]); diff != "" {
					t.Error(diff)
				}
			})
		})
	}
}

// deployTask deploys an order to the task report.
func deployTask(t *testing.T, d *Deployer, o Order) Deployment {
	t.Helper()
	s, err := d.Read(t.Context(), report)
	must(t, err)
	got, err := d.Deploy(t.Context(), s, o)
	must(t, err)
	return got
}
