package histories

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"deployer/internal/environment"
	"deployer/internal/iam"
	"deployer/internal/pipeline"
	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

const (
	cluster     = "p_cluster_dev"
	region      = accounts.Region
	account     = accounts.Dev
	registry    = account + ".dkr.ecr." + region + ".amazonaws.com/"
	functionARN = "arn:aws:lambda:" + region + ":" + account + ":function:deployer"
	rolloutStep = 10 * time.Second
)

// numbered matches the body of a DescribeTaskDefinition that names a revision, which never changes but for its tags.
var numbered = regexp.MustCompile(`"taskDefinition":"[^"]*:\d+"`)

// A world is one environment on emulated AWS, and the history that runs in it.
type world struct {
	history History
	aws     *emulator.Emulator
	env     *environment.Environment
	admin   *accounts.Account // sets up and checks; its calls are exact
	person  *accounts.Account
	infra   *accounts.Account
	record  *record
	running activity
	healed  atomic.Bool // all faults have ended

	mu       sync.Mutex
	idle     []*pipeline.Pipeline // of the function's processes
	faults   []disturbance
	readings map[string]*reading
	queue    []*invocation     // the failure queue
	digests  map[string]string // the image of a digest, see imageOf
	pushed   map[string]bool   // images
	numbers  int               // of invocations, for their ids
	problems []Problem
}

func serviceName(i int) string { return fmt.Sprintf("s%d", i) }

func (w *world) ecsName(i int) string { return "p_service_" + serviceName(i) + "_dev" }

func (w *world) family(i int) string {
	if w.history.OneFamily {
		return "app"
	}
	return w.ecsName(i)
}

func repository(i int) string { return "p_service_" + serviceName(i) }

// imageName is what the checks call an image: the service whose repository has it, and its version.
func imageName(service, version int) string { return fmt.Sprintf("s%d/v%d", service, version) }

// imageOf returns the name of the image that a reference refers to.
func (w *world) imageOf(reference string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, digest, ok := strings.Cut(reference, "@"); ok {
		return w.digests[digest]
	}
	rest := strings.TrimPrefix(reference, registry)
	name, tag, _ := strings.Cut(rest, ":")
	return strings.TrimPrefix(name, "p_service_") + "/v" + strings.TrimPrefix(tag, "git-")
}

// newWorld creates the environment of a history.
func newWorld(ctx context.Context, h History) (*world, error) {
	w := &world{
		history: h, readings: map[string]*reading{}, digests: map[string]string{}, pushed: map[string]bool{},
		aws:    emulator.New(emulator.Options{RolloutStep: rolloutStep}),
		record: &record{start: time.Now(), events: map[string]*requested{}, edited: map[string]bool{}},
	}
	const allow = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	all, err := iam.Parse([]byte(allow))
	if err != nil {
		return nil, err
	}
	for _, role := range []string{"deployer", "operator", "person", "terraform"} {
		w.aws.SetRolePolicy(account, role, all)
	}
	w.aws.DelayFailures(h.FailureDelay)
	w.admin = accounts.Connect("http://aws.invalid", account, region).With(func(c *aws.Config) {
		c.HTTPClient = emulatortest.InProcess{AWS: w.aws}
	})
	w.person, w.infra = w.connect("person", "person"), w.connect("terraform", "terraform")
	file, err := w.services(ctx)
	if err != nil {
		return nil, err
	}
	if w.env, err = environment.Parse("dev.yaml", []byte(file)); err != nil {
		return nil, err
	}
	return w, w.listen(ctx)
}

// connect returns the account as a role sees it.
func (w *world) connect(role, by string) *accounts.Account {
	return accounts.Connect("http://aws.invalid", account, region).With(func(c *aws.Config) {
		c.HTTPClient = transport{w, by}
		c.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: account + "-" + role, SecretAccessKey: "any"}, nil
		})
	})
}

// services creates the services, each with a revision of image version 0, and returns the environment file.
func (w *world) services(ctx context.Context) (file string, err error) {
	if err := w.admin.Cluster(ctx, cluster); err != nil {
		return "", err
	}
	var text, families strings.Builder
	fmt.Fprintf(&text, "project: p\nenv: dev\nregion: %s\naccount_id: %q\nservices:\n", region, account)
	for i := range w.history.Services {
		fmt.Fprintf(&text, "  - name: %s\n", serviceName(i))
		fmt.Fprintf(&families, "    %s: {family: %s, container: app}\n", serviceName(i), w.family(i))
		if _, err := w.push(ctx, i, 0); err != nil {
			return "", err
		}
		if err := w.admin.PushConfig(ctx, repository(i), "amd64"); err != nil { // commands read it
			return "", err
		}
		image := registry + repository(i) + ":git-0"
		_, err := w.admin.Service(ctx, cluster, w.ecsName(i), image,
			func(d *ecs.RegisterTaskDefinitionInput, s *ecs.CreateServiceInput) {
				d.Family = aws.String(w.family(i))
				d.ContainerDefinitions[0].Name = aws.String("app")
				d.ContainerDefinitions[0].Environment = []types.KeyValuePair{
					{Name: aws.String("CONFIG"), Value: aws.String("0")},
				}
				breaker := s.DeploymentConfiguration.DeploymentCircuitBreaker
				breaker.Enable, breaker.Rollback = w.history.Breakers[i], w.history.Breakers[i]
			})
		if err != nil {
			return "", err
		}
		first := w.revision(i, len(w.record.registered)+1)
		if !w.history.OneFamily {
			first = w.revision(i, 1)
		}
		w.record.registered = append(w.record.registered, registration{
			at: time.Now(), revision: first, image: imageName(i, 0), config: "0", by: "terraform",
		})
		w.record.moves = append(w.record.moves, move{
			at: time.Now(), service: i, revision: first, image: imageName(i, 0), by: "terraform", completed: true,
		})
	}
	text.WriteString("deployer:\n  auto_deploy: [latest]\n  workloads:\n" + families.String())
	return text.String(), nil
}

func (w *world) revision(service, number int) string {
	return fmt.Sprintf("%s:%d", w.family(service), number)
}

// push pushes an image, if it is not there, under the tag git-VERSION, and under others.
func (w *world) push(ctx context.Context, service, version int, tags ...string) (digest string, err error) {
	name := imageName(service, version)
	digest, err = w.admin.PushManifest(ctx, "amd64", repository(service), name,
		append([]string{fmt.Sprintf("git-%d", version)}, tags...)...)
	if err != nil {
		return "", err
	}
	w.mu.Lock()
	known := w.pushed[name]
	w.pushed[name], w.digests[digest] = true, name
	w.mu.Unlock()
	if w.history.Broken[version] && version > 0 && !known {
		w.aws.FailImage(digest)
		w.aws.FailImage(fmt.Sprintf("%s:git-%d", repository(service), version))
	}
	return digest, nil
}

// listen makes the function receive ECS's events.
func (w *world) listen(ctx context.Context) error {
	rules := eventbridge.NewFromConfig(w.admin.Config)
	_, err := rules.PutRule(ctx, &eventbridge.PutRuleInput{
		Name: aws.String("rollouts"), EventPattern: aws.String(`{"source":["aws.ecs"]}`),
	})
	if err != nil {
		return err
	}
	_, err = rules.PutTargets(ctx, &eventbridge.PutTargetsInput{
		Rule: aws.String("rollouts"), Targets: []ebtypes.Target{{Id: aws.String("f"), Arn: aws.String(functionARN)}},
	})
	if err != nil {
		return err
	}
	w.aws.HandleLambda(functionARN, func(_ context.Context, raw []byte) error {
		w.rolloutEvent(raw)
		return nil
	})
	return nil
}

// rolloutEvent records an event of ECS, and delivers it once or twice.
func (w *world) rolloutEvent(raw []byte) {
	var e struct {
		ID        string
		Time      time.Time
		Type      string `json:"detail-type"`
		Resources []string
		Detail    struct {
			Name       string `json:"eventName"`
			Deployment string `json:"deploymentId"`
			Reason     string
		}
	}
	if json.Unmarshal(raw, &e) != nil || len(e.Resources) != 1 {
		panic(fmt.Sprintf("an event of ECS that the histories do not know: %s", raw))
	}
	service := -1
	for i := range w.history.Services {
		if strings.HasSuffix(e.Resources[0], "/"+w.ecsName(i)) {
			service = i
		}
	}
	w.recordRollout(service, e.Detail.Name, e.Detail.Deployment, e.Detail.Reason, e.Time)
	key := e.Detail.Name + " " + e.Detail.Deployment
	copies := 1
	if w.draw(5, key, "copies") == 0 {
		copies = 2
	}
	for n := range copies {
		most := 1500 * time.Millisecond
		if late := w.history.LateRollouts; late > 0 && w.draw(3, key, n, "late") > 0 {
			most = late
		}
		delay := time.Duration(w.draw(int64(most), key, n, "delay"))
		w.running.Go(func() {
			time.Sleep(delay)
			name := fmt.Sprintf("%s %s/%d", shortName(e.Detail.Name), e.Detail.Deployment, n)
			w.deliver(&invocation{key: name, raw: raw})
		})
	}
}

// shortName returns the name of a rollout event without its prefix.
func shortName(name string) string {
	return strings.ToLower(strings.TrimPrefix(strings.TrimPrefix(name, "SERVICE_"), "DEPLOYMENT_"))
}

// newPipeline returns the pipeline of a new process of the function.
func (w *world) newPipeline() *pipeline.Pipeline {
	p := pipeline.NewFunction(w.env, w.connect("deployer", "function").Config, io.Discard)
	if w.history.Principals {
		p.SetRole("deployer")
	}
	return p
}
