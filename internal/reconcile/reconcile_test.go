package reconcile

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"deployer/internal/ecsservice"
	"deployer/internal/environment"
	"deployer/internal/event"
	"deployer/internal/resolve"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
	"deployer/testbed/cloud"
)

var start = time.Date(2026, 1, 22, 10, 0, 0, 0, time.UTC)

// fixture is the project's AWS, with a reconciler of one environment. No image has
// the tag "latest", which deploys on push.
type fixture struct {
	aws        *emulator.Emulator
	clock      *emulator.Clock // an hour after everything was set up
	accounts   map[string]*accounts.Account
	env        *environment.Environment
	reconciler *Reconciler
}

func newFixture(t *testing.T, env string) *fixture {
	t.Helper()
	clock := emulator.NewClock(start)
	e, url := emulatortest.Start(t, emulator.Options{Clock: clock.Now})
	all, err := cloud.CentralizedDev(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	clock.Advance(time.Hour)
	loaded, err := environment.Load("../../examples/centralized-dev-ecr/" + env + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	// Without connections, a call that is cancelled is not recorded after the search returned.
	config := all[env].With(func(c *aws.Config) { c.HTTPClient = emulatortest.InProcess{AWS: e} }).Config
	f := &fixture{e, clock, all, loaded, New(resolve.New(config), ecsservice.New(config))}
	f.aws.ResetCalls()
	return f
}

// push pushes an image to dev's registry and returns its digest.
func (f *fixture) push(t *testing.T, repository, content string, tags ...string) string {
	t.Helper()
	digest, err := f.accounts["dev"].Push(t.Context(), repository, content, tags...)
	if err != nil {
		t.Fatal(err)
	}
	return digest
}

func (f *fixture) search(t *testing.T) Search {
	t.Helper()
	s, err := f.reconciler.LostPushes(t.Context(), f.env, "s1")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestLostPushes(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "dev")
	const none = "0 of 4 services and tasks run the image of their tag, or a newer one; " +
		"the others have no such image, or cannot be deployed to"
	services := cmpopts.IgnoreFields(Search{}, "Services") // see TestServices
	if diff := cmp.Diff(Search{Reason: none}, f.search(t), services); diff != "" {
		t.Errorf("no image has the tag (-want +got):\n%s", diff)
	}
	digest := f.push(t, "myproject_service_web-api", "v2", "latest")
	f.push(t, "myproject_backend", "backend v1", "latest") // the image that runs
	web, _ := f.env.Find("web-api", environment.Services...)
	want := Search{
		Reason: "1 of 4 services and tasks run the image of their tag, or a newer one; " +
			"the others have no such image, or cannot be deployed to",
		Requests: []event.Request{{
			Cause: event.Cause{
				ID: "reconcile-" + digest[len("sha256:"):][:16], Time: start.Add(time.Hour),
				Source: event.ReconcileSource, Reason: "the event of the push was lost; found by s1",
			},
			Workload: web, Tag: "latest", Digest: digest, Push: true,
		}},
	}
	if diff := cmp.Diff(want, f.search(t), services); diff != "" {
		t.Errorf("one lost push (-want +got):\n%s", diff)
	}
	f.push(t, "myproject_service_worker", "worker v1", "latest")
	got := f.search(t)
	if !strings.HasPrefix(got.Reason, "2 of 4 services and tasks run ") || len(got.Requests) != 1 {
		t.Errorf("all but the task compared: %+v", got)
	}
}

// TestLostPushesOfTask checks that a lost push of a task's image is found.
func TestLostPushesOfTask(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "dev")
	if err := cloud.CreateTasks(t.Context(), f.accounts); err != nil {
		t.Fatal(err)
	}
	f.clock.Advance(time.Minute)
	digest := f.push(t, "myproject_task_nightly-report", "v2", "latest")
	got := f.search(t)
	if len(got.Requests) != 1 || got.Requests[0].Workload.Name != "nightly-report" || got.Requests[0].Digest != digest {
		t.Errorf("%+v", got)
	}
}

// TestLostPushesOfNothing checks that a task that does not exist yet, and a repository
// that does not, are no errors.
func TestLostPushesOfNothing(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "dev")
	f.push(t, "myproject_task_nightly-report", "v2", "latest")
	f.env.Workloads = append(f.env.Workloads, environment.Workload{
		Kind: environment.Service, Name: "new", Repository: "myproject_service_new", Registry: f.env.Registry(),
		Pointer: environment.ECSService("myproject_service_new_dev"), Family: "myproject_service_new_dev",
	})
	if got := f.search(t); len(got.Requests) != 0 {
		t.Errorf("%+v", got)
	}
}

// TestLostPushesOfOptedOut checks that the search brings no push to a workload that no push
// deploys, or that is disabled.
func TestLostPushesOfOptedOut(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "dev")
	for _, repository := range []string{"backend", "service_web-api", "service_worker"} {
		f.push(t, "myproject_"+repository, "v2", "latest")
	}
	for _, tt := range []struct{ name, workloads, want string }{
		{"none", "services: [{name: web-api}, {name: worker}]", "backend web-api worker"},
		{"services", "services: [{name: web-api, auto_deploy: false}, {name: worker, enabled: false}]", "backend"},
		{"backend", "workload: {backend_auto_deploy: false}\nservices: [{name: worker}]", "worker"},
	} {
		env, err := environment.Parse("dev.yaml", []byte("schema_version: 22\nproject: myproject\nenv: dev\n"+
			"region: us-east-1\naccount_id: \"111111111111\"\necr_strategy: local\n"+tt.workloads+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		f.env = env
		var got []string
		for _, request := range f.search(t).Requests {
			got = append(got, request.Workload.Name)
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: it deploys %v, want %s", tt.name, got, tt.want)
		}
	}
}

// TestDenied checks that repositories without the permission are not asked again, and
// that it is said why.
func TestDenied(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "dev")
	f.aws.Inject(emulator.Fault{Operation: "ecr:DescribeImages", Error: emulator.AccessDenied("no")})
	first := f.search(t)
	if !first.Off || first.Denied != 4 || len(first.Requests) != 0 ||
		!strings.HasPrefix(first.Reason, "reconciling is off: looking for tag \"latest\" in ECR repository ") ||
		!strings.Contains(first.Reason, `"Action":["ecr:DescribeImages"]`) {
		t.Errorf("%+v", first)
	}
	f.aws.ResetCalls()
	if diff := cmp.Diff(first, f.search(t)); diff != "" || len(f.aws.Calls()) != 0 {
		t.Errorf("%d calls once it is off (-want +got):\n%s", len(f.aws.Calls()), diff)
	}
}

// TestOneDenied checks that the other repositories are searched.
func TestOneDenied(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "dev")
	f.push(t, "myproject_service_web-api", "v2", "latest")
	f.push(t, "myproject_service_worker", "v2", "latest")
	f.push(t, "myproject_backend", "v2", "latest")
	f.aws.Inject(emulator.Fault{Operation: "ecr:DescribeImages", Error: emulator.AccessDenied("no"), Times: 1})
	for range 2 {
		got := f.search(t)
		if got.Off || got.Denied != 1 || len(got.Requests) < 2 ||
			!strings.Contains(got.Reason, "; reconciling is off for 1 of 4 repositories: looking for tag ") {
			t.Errorf("%+v", got)
		}
	}
	later := time.Now().Add(time.Hour) // the permission was added meanwhile
	f.reconciler.now = func() time.Time { return later }
	if got := f.search(t); got.Denied != 0 || len(got.Requests) != 3 {
		t.Errorf("an hour later: %+v", got)
	}
}

// TestError checks that the search is tried again after an error of ECS.
func TestError(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "dev")
	f.aws.Inject(emulator.Fault{Operation: "ecs:DescribeServices", Error: emulator.AccessDenied("no"), Times: 1})
	if s, err := f.reconciler.LostPushes(t.Context(), f.env, "s1"); err == nil || s.Off {
		t.Errorf("%+v, %v", s, err)
	}
	if got := f.search(t); got.Off {
		t.Errorf("it stays off: %+v", got)
	}
}

// TestLost is the rule on its own.
func TestLost(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "dev")
	digest := f.push(t, "myproject_backend", "v2", "latest")
	backend, _ := f.env.Find("backend", environment.Services...)
	ref := backend.Reference("latest")
	ref.Digest = digest
	for _, tt := range []struct {
		name           string
		running        *ecsservice.RunningImage
		noImage        bool
		pushed         time.Time
		lost, compared int
	}{
		{"pushed after the event", &ecsservice.RunningImage{Since: start}, false, start.Add(time.Second), 1, 1},
		{"pushed before the event", &ecsservice.RunningImage{Since: start}, false, start.Add(-time.Second), 0, 1},
		{"pushed in the second of the event", &ecsservice.RunningImage{Since: start}, false,
			start.Add(999 * time.Millisecond), 0, 1},
		{"pushed at the time of the event", &ecsservice.RunningImage{Since: start}, false, start, 0, 1},
		{"no image has the tag", &ecsservice.RunningImage{Since: start}, true, start.Add(time.Second), 0, 0},
		{"no service", nil, false, start.Add(time.Second), 0, 0},
	} {
		c := candidate{workload: backend, tag: "latest", image: ref, pushed: tt.pushed}
		if tt.noImage {
			c.image.Digest = ""
		}
		requests, compared := lost([]candidate{c}, []*ecsservice.RunningImage{tt.running}, "s1")
		if len(requests) != tt.lost || compared != tt.compared {
			t.Errorf("%s: %d lost of %d compared, want %d of %d", tt.name, len(requests), compared,
				tt.lost, tt.compared)
		}
	}
}

// TestServices checks that a search returns the services that it read, each once, though there are two tags.
func TestServices(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "dev")
	f.env.AutoDeploy = append(f.env.AutoDeploy, "stable")
	var got []string
	for _, s := range f.search(t).Services {
		got = append(got, s.Workload.Name+" "+aws.ToString(s.Service.ServiceName)+" "+s.Running.TaskDefinition)
	}
	const arn = "arn:aws:ecs:us-east-1:111111111111:task-definition/"
	want := []string{"backend myproject_service_dev " + arn + "myproject_service_dev:1",
		"web-api myproject_service_web-api_dev " + arn + "myproject_service_web-api_dev:1",
		"worker myproject_service_worker_dev " + arn + "myproject_service_worker_dev:1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
