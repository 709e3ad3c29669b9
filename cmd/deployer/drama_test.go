package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	ecstypes "github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"deployer/testbed/accounts"
	"deployer/testbed/aws/emulator"
	"deployer/testbed/cloud"
)

// planted is a secret that stands in the webhook, in the environment of a
// container and elsewhere in the task definition: it may come out nowhere else.
const planted = "s3cr3t-planted"

const (
	prodCluster = "myproject_cluster_prod"
	prodBackend = "myproject_service_prod"
	rolloutStep = 10 * time.Second
)

// drama is prod on a stage whose clock the test moves, with everything that the
// deployer lets out collected.
type drama struct {
	*cloud.Stage
	clock *emulator.Clock
	start time.Time
	logs  *log
	prod  *accounts.Account
	dev   *accounts.Account
	topic string // ARN
	heard int    // messages of the topic before the play

	mu    sync.Mutex
	slack []string // the requests
	down  bool     // Slack answers nothing
}

// newDrama brings up the stage; the services of prod run v1 by somebody else's doing.
func newDrama(t *testing.T) *drama {
	t.Helper()
	d := &drama{logs: &log{}, start: time.Now().Truncate(time.Second)}
	d.clock = emulator.NewClock(d.start.Add(-time.Minute))
	slack := httptest.NewServer(http.HandlerFunc(d.hear))
	t.Cleanup(slack.Close)
	d.Stage = newTheatre(t, func(o *cloud.Options) {
		o.Clock, o.RolloutStep, o.Files = d.clock.Now, rolloutStep, withNotify(t)
		o.Logs = func(env string) io.Writer {
			if env == "prod" {
				return d.logs
			}
			return io.Discard
		}
	})
	d.prod, d.dev = d.Accounts["prod"], d.Accounts["dev"]
	d.AWS.PutParameter(accounts.Prod, accounts.Region, "/myproject/slack", slack.URL+"/services/"+planted)
	d.topic = d.AWS.CreateTopic(accounts.Prod, accounts.Region, "deployments")
	d.plant(t)
	d.pass(t, 6*rolloutStep)
	d.AWS.ResetCalls()
	d.mu.Lock()
	d.slack = nil
	d.mu.Unlock()
	d.logs.reset()
	d.heard = len(d.AWS.Published(d.topic))
	return d
}

// hear is Slack.
func (d *drama) hear(_ http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	d.mu.Lock()
	down := d.down
	d.slack = append(d.slack, string(body))
	d.mu.Unlock()
	if down {
		<-r.Context().Done()
	}
}

// withNotify returns a directory with the guide's files, of which prod's names
// who hears of deployments.
func withNotify(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, env := range accounts.Environments {
		text, err := os.ReadFile("../../examples/centralized-dev-ecr/" + env.Name + ".yaml")
		must(t, err)
		if env.Name == "prod" {
			text = append(text, "\ndeployer:\n  notify: {slack: /myproject/slack, topic: 'arn:aws:sns:us-east-1:333333333333:deployments'}\n"...)
		}
		must(t, os.WriteFile(filepath.Join(dir, env.Name+".yaml"), text, 0o644))
	}
	return dir
}

// plant puts the secret into the backend's task definition.
func (d *drama) plant(t *testing.T) {
	t.Helper()
	d.byHand(t, func(c *ecstypes.ContainerDefinition) {
		c.Environment = append(c.Environment, keyValue("PASSWORD", planted))
		c.Command = []string{"serve", "--token", planted}
	})
}

// byHand moves the backend to a revision of somebody else's making: the newest
// one with its container changed.
func (d *drama) byHand(t *testing.T, change func(*ecstypes.ContainerDefinition)) {
	t.Helper()
	out, err := d.prod.ECS.DescribeTaskDefinition(t.Context(), &ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String(prodBackend)})
	must(t, err)
	one := out.TaskDefinition.ContainerDefinitions[0]
	change(&one)
	registered, err := d.prod.ECS.RegisterTaskDefinition(t.Context(), &ecs.RegisterTaskDefinitionInput{
		Family: out.TaskDefinition.Family, ContainerDefinitions: append(out.TaskDefinition.ContainerDefinitions[:0], one),
		NetworkMode: out.TaskDefinition.NetworkMode, Cpu: out.TaskDefinition.Cpu, Memory: out.TaskDefinition.Memory, RequiresCompatibilities: out.TaskDefinition.RequiresCompatibilities,
		TaskRoleArn: out.TaskDefinition.TaskRoleArn, ExecutionRoleArn: out.TaskDefinition.ExecutionRoleArn,
	})
	must(t, err)
	_, err = d.prod.ECS.UpdateService(t.Context(), &ecs.UpdateServiceInput{Cluster: aws.String(prodCluster), Service: aws.String(prodBackend), TaskDefinition: registered.TaskDefinition.TaskDefinitionArn})
	must(t, err)
}

// pass lets time pass, and everything arrive that was sent meanwhile.
func (d *drama) pass(t *testing.T, by time.Duration) {
	t.Helper()
	must(t, d.Settle(t.Context()))
	for ; by > 0; by -= rolloutStep / 2 {
		d.clock.Advance(min(by, rolloutStep/2))
		d.AWS.Tick()
		must(t, d.Settle(t.Context()))
	}
}

// send puts a DEPLOY for prod on its bus.
func (d *drama) send(t *testing.T, detail string) {
	t.Helper()
	out, err := eventbridge.NewFromConfig(d.prod.Config).PutEvents(t.Context(), &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{{
		Source: aws.String("action.production"), DetailType: aws.String("DEPLOY"), Detail: aws.String(detail), Time: aws.Time(d.clock.Now()),
	}}})
	must(t, err)
	if out.FailedEntryCount != 0 {
		t.Fatalf("put-events: %+v", out.Entries)
	}
	must(t, d.Settle(t.Context()))
}

// push puts an image of its own under a tag of the backend.
func (d *drama) push(t *testing.T, tag string) (digest string) {
	t.Helper()
	digest, err := d.dev.Push(t.Context(), "myproject_backend", "content of "+tag, tag)
	must(t, err)
	return digest
}

// report is everything that came out, in the order of a reader's interest.
func (d *drama) report(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintln(&b, "-- events --")
	for _, e := range d.outcomes(t) {
		fmt.Fprintln(&b, indented(t, e))
	}
	fmt.Fprintln(&b, "-- kept --")
	for _, m := range d.AWS.Queue("arn:aws:sqs:us-east-1:333333333333:myproject_deployer_failed_prod") {
		var e struct {
			Type   string `json:"detail-type"`
			Detail struct{ Event json.RawMessage }
		}
		must(t, json.Unmarshal(m.Body, &e))
		fmt.Fprintf(&b, "%s: %s\n", e.Type, e.Detail.Event)
	}
	fmt.Fprintln(&b, "-- journals --")
	b.WriteString(d.journals(t))
	fmt.Fprintln(&b, "-- metrics --")
	for line := range strings.Lines(d.logs.String()) {
		if strings.Contains(line, "CloudWatchMetrics") {
			b.WriteString(line)
		}
	}
	fmt.Fprintln(&b, "-- sns --")
	for _, message := range slices.Sorted(slices.Values(d.AWS.Published(d.topic)[d.heard:])) { // those of one event are sent together
		fmt.Fprintln(&b, indented(t, json.RawMessage(message)))
	}
	fmt.Fprintln(&b, "-- slack --")
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, request := range slices.Sorted(slices.Values(d.slack)) {
		fmt.Fprintln(&b, indented(t, json.RawMessage(request)))
	}
	return d.steady(b.String())
}

// outcomes returns the events that the function put.
func (d *drama) outcomes(t *testing.T) (all []json.RawMessage) {
	t.Helper()
	for _, c := range d.AWS.Calls() {
		if c.Operation != "PutEvents" || c.Role == "" {
			continue
		}
		var in struct{ Entries []json.RawMessage }
		must(t, json.Unmarshal(c.Body, &in))
		for _, raw := range in.Entries {
			var e map[string]any
			must(t, json.Unmarshal(raw, &e))
			detail, err := jsonschema.UnmarshalJSON(strings.NewReader(e["Detail"].(string)))
			must(t, err)
			if err := contract().Validate(detail); err != nil {
				t.Errorf("an outcome is not as its contract says: %v\n%s", err, e["Detail"])
			}
			e["Detail"] = json.RawMessage(e["Detail"].(string))
			encoded, err := json.Marshal(e)
			must(t, err)
			all = append(all, encoded)
		}
	}
	return all
}

// contract is docs/reference/outcome.schema.json.
var contract = sync.OnceValue(func() *jsonschema.Schema {
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	return c.MustCompile("../../docs/reference/outcome.schema.json")
})

// journals returns the deployer's tags of every revision of the backend.
func (d *drama) journals(t *testing.T) string {
	t.Helper()
	list, err := d.prod.ECS.ListTaskDefinitions(t.Context(), &ecs.ListTaskDefinitionsInput{FamilyPrefix: aws.String(prodBackend)})
	must(t, err)
	var b strings.Builder
	for _, arn := range list.TaskDefinitionArns {
		out, err := d.prod.ECS.ListTagsForResource(t.Context(), &ecs.ListTagsForResourceInput{ResourceArn: aws.String(arn)})
		must(t, err)
		var tags []string
		for _, tag := range out.Tags {
			tags = append(tags, "  "+*tag.Key+" = "+*tag.Value)
		}
		slices.Sort(tags)
		fmt.Fprintln(&b, arn[strings.LastIndexByte(arn, '/')+1:])
		for _, tag := range tags {
			fmt.Fprintln(&b, tag)
		}
	}
	return b.String()
}

var (
	anyTime  = regexp.MustCompile(`20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z`)
	anyStamp = regexp.MustCompile(`("Timestamp":|"Time":\s*)(\d+(?:\.\d+)?)`)
	anyPart  = regexp.MustCompile(`("seconds": |Took: )(` + "`?" + `)(\d+\.\d+|\ds)`)
	anyID    = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}|ecs-svc/\d{19}`)
	anyURL   = regexp.MustCompile(`127\.0\.0\.1:\d+`)
)

// steady replaces what differs from run to run: times by what they are after
// the start, ids by their number. Of rejections, which the function's own clock
// times, the fractions of seconds go too.
func (d *drama) steady(s string) string {
	s = anyTime.ReplaceAllStringFunc(s, func(text string) string {
		at, _ := time.Parse(time.RFC3339Nano, text)
		return "T" + at.Sub(d.start).Round(time.Second).String()
	})
	s = anyStamp.ReplaceAllString(s, `$1"…"`)
	s = anyPart.ReplaceAllString(s, `${1}${2}0`)
	ids := map[string]string{}
	return anyID.ReplaceAllStringFunc(anyURL.ReplaceAllString(s, "HOST"), func(id string) string {
		if ids[id] == "" {
			ids[id] = fmt.Sprintf("ID-%d", len(ids)+1)
		}
		if strings.HasPrefix(id, "ecs-svc/") {
			return "ecs-svc/" + ids[id]
		}
		return ids[id]
	})
}

func indented(t *testing.T, v json.RawMessage) string {
	t.Helper()
	var b bytes.Buffer
	must(t, json.Indent(&b, v, "", "  "))
	return b.String()
}

// golden holds the report against its file, and that no secret came out.
// UPDATE_GOLDEN=1 rewrites the file.
func (d *drama) golden(t *testing.T, name string) {
	t.Helper()
	got := d.report(t)
	if strings.Contains(got+d.logs.String(), planted) {
		t.Errorf("the secret came out:\n%s\n%s", got, d.logs)
	}
	for _, request := range d.AWS.UnknownOperations() {
		t.Errorf("the emulator does not know %s", request)
	}
	file := filepath.Join("testdata", "rollouts", name+".golden")
	if os.Getenv("UPDATE_GOLDEN") != "" {
		must(t, os.MkdirAll(filepath.Dir(file), 0o755))
		must(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	must(t, err)
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s\nlog:\n%s", file, diff, d.logs)
	}
}
