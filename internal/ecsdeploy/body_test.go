package ecsdeploy

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"

	"deployer/internal/ecsservice"
	"deployer/testbed/aws/emulator"
)

// TestBody checks that all of a task definition but the images, the tags and what ECS
// sets is sent as it came.
func TestBody(t *testing.T) {
	t.Parallel()
	in := &ecs.RegisterTaskDefinitionInput{
		ContainerDefinitions: []types.ContainerDefinition{{Image: aws.String("new@sha256:d")},
			{Image: aws.String("proxy")}},
		Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("")}},
	}
	const containers = `"containerDefinitions":[{"name":"app","image":"old"},{"image":"proxy"}]`
	const changed = `"containerDefinitions":[{"name":"app","image":"new@sha256:d"},{"image":"proxy"}]`
	const tags = `,"tags":[{"key":"team","value":""}]}`
	tests := []struct{ name, raw, want string }{
		{"the order of members", `{"z":1,` + containers + `,"a":2}`, `{"z":1,` + changed + `,"a":2` + tags},
		{"numbers", `{"n":9007199254740993,"f":1.0,"e":1E+2,` + containers + `}`,
			`{"n":9007199254740993,"f":1.0,"e":1E+2,` + changed + tags},
		{"null and empty", `{"n":null,"a":[],"o":{},"s":"",` + containers + `}`,
			`{"n":null,"a":[],"o":{},"s":"",` + changed + tags},
		{"escapes", `{"s":"\u00e9\u2028<&>\/é","<k>":1,` + containers + `}`,
			`{"s":"\u00e9\u2028<&>\/é","<k>":1,` + changed + tags},
		{"white space inside", `{"o": { "a" : [ 1 ] },` + containers + `}`, `{"o":{ "a" : [ 1 ] },` + changed + tags},
		{"members of containers", `{"containerDefinitions":[{"x":{"y":[1.0,null]},"image":"old","z":[]},` +
			`{"image":"pr\u006fxy", "n" : 1}]}`,
			`{"containerDefinitions":[{"x":{"y":[1.0,null]},"image":"new@sha256:d",` +
				`"z":[]},{"image":"pr\u006fxy", "n" : 1}]` + tags},
		{"members of ECS", `{"taskDefinitionArn":"a","revision":1,"status":"ACTIVE","requiresAttributes":[],` +
			`"compatibilities":[],"registeredAt":1.5,"registeredBy":"b","deregisteredAt":1,"deleteRequestedAt":1,` +
			containers + `}`, `{` + changed + tags},
		{"empty roles", `{"taskRoleArn":"","executionRoleArn":"",` + containers + `}`, `{` + changed + tags},
		{"roles", `{"taskRoleArn":"r",` + containers + `}`, `{"taskRoleArn":"r",` + changed + tags},
		{"tags are those of the clone", `{"tags":[{"key":"old"}],` + containers + `}`, `{` + changed + tags},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := body(ecsservice.Revision{TaskDefinition: &types.TaskDefinition{},
				Raw: json.RawMessage(tt.raw)}, in)
			must(t, err)
			if diff := cmp.Diff(tt.want, string(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
	for _, raw := range []string{`[]`, `{`, `{"containerDefinitions":[]}`, `{"containerDefinitions":{}}`} {
		r := ecsservice.Revision{TaskDefinition: &types.TaskDefinition{}, Raw: json.RawMessage(raw)}
		if got, err := body(r, in); err == nil {
			t.Errorf("%s: sends %s", raw, got)
		}
	}
}

// future is a task definition with members that the SDK does not know.
const future = `{"family":"p_service_web_dev","futureMember":{"big":9007199254740993,"f":1.0,"none":null,"empty":[]},` +
	`"networkMode":"awsvpc","requiresCompatibilities":["FARGATE"],"cpu":"256","memory":"512","taskRoleArn":"",` +
	`"executionRoleArn":"arn:aws:iam::111111111111:role/r","containerDefinitions":[{"name":"app","image":"` + host +
	`/p_service_web:v0","futureLimit":[1.50],"logConfiguration":{"logDriver":"awslogs","futureOption":{}}}]}`

// TestUnknownMembersSurvive deploys over a task definition with members that the SDK
// does not know, with a call that fails first: both attempts send them.
func TestUnknownMembersSurvive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, unknownMembersSurvive) // the retry waits
}

func unknownMembersSurvive(t *testing.T) {
	w, d := newInstantWorld(t)
	o := w.event(t, "e", 600, "v2")
	before, err := w.Runs(t.Context(), "c", target.Service)
	must(t, err)
	in := clone(ecsservice.Revision{TaskDefinition: before.TaskDefinition})
	_, err = w.ECS.RegisterTaskDefinition(t.Context(), in, sending([]byte(future)))
	must(t, err)
	w.Inject(emulator.Fault{Operation: "ecs:RegisterTaskDefinition", Times: 1, Error: emulator.ErrThrottled})
	w.ResetCalls()
	state, err := d.Read(t.Context(), target)
	must(t, err)
	got, err := d.Deploy(t.Context(), state, o)
	must(t, err)
	if got.Status != Deployed {
		t.Fatalf("got %+v", got)
	}
	var sent []string
	for _, c := range w.Calls() {
		if c.Operation == "RegisterTaskDefinition" {
			sent = append(sent, string(c.Body))
		}
	}
	if len(sent) != 2 || sent[0] != sent[1] {
		t.Fatalf("sent %q, want the same body twice", sent)
	}
	for _, member := range []string{`"futureMember":{"big":9007199254740993,"f":1.0,"none":null,"empty":[]}`,
		`"futureLimit":[1.50]`, `"futureOption":{}`, `"image":"` + host + `/p_service_web@` + o.Image.Digest + `"`} {
		if !strings.Contains(sent[0], member) {
			t.Errorf("%s\nlacks %s", sent[0], member)
		}
	}
	for _, member := range []string{`"taskRoleArn"`, `"taskDefinitionArn"`, `"registeredBy"`} {
		if strings.Contains(sent[0], member) {
			t.Errorf("%s\nhas %s", sent[0], member)
		}
	}
	var raw json.RawMessage
	_, err = w.ECS.DescribeTaskDefinition(t.Context(),
		&ecs.DescribeTaskDefinitionInput{TaskDefinition: aws.String(got.TaskDefinition)},
		ecsservice.KeepTaskDefinition(&raw))
	must(t, err)
	if !strings.Contains(string(raw), `"futureMember"`) {
		t.Errorf("the new revision has no futureMember: %s", raw)
	}
}

// TestNoActiveRevision deploys to a service all of whose family's revisions are
// deregistered: the one that runs is cloned, also if the first registration fails with an
// unknown result, after which the family is read again.
func TestNoActiveRevision(t *testing.T) {
	t.Parallel()
	unknown := emulator.Fault{Operation: "ecs:RegisterTaskDefinition", Times: 2, Drop: emulator.DropBefore}
	for _, tt := range []struct {
		name   string
		force  bool
		faults []emulator.Fault
	}{{"a new image", false, nil}, {"forced", true, nil}, {"an unknown result", false, []emulator.Fault{unknown}}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.deregister(t, target.Family+":1")
			for _, f := range tt.faults {
				w.Inject(f)
			}
			o := order(w.digest)
			o.Force = tt.force
			got, calls, err := w.deploy(t, target, o)
			must(t, err)
			if got.Status != Deployed || got.TaskDefinition != arn+target.Family+":2" ||
				got.PreviousTaskDefinition != arn+target.Family+":1" {
				t.Errorf("got %+v after %v", got, calls)
			}
		})
	}
}

// TestTaskWithoutActiveRevision is TestNoActiveRevision for a task.
func TestTaskWithoutActiveRevision(t *testing.T) {
	t.Parallel()
	w := taskWorld(t, arn+"report:1")
	w.deregister(t, "report:1")
	got, calls, err := w.deploy(t, report, w.taskOrder())
	must(t, err)
	if got.Status != Deployed || got.TaskDefinition != arn+"report:2" ||
		got.PreviousTaskDefinition != arn+"report:1" || w.holds(t)[0] != "report:2" {
		t.Errorf("got %+v after %v", got, calls)
	}
}

// deregister deregisters a revision, as another tool does.
func (w *world) deregister(t *testing.T, revision string) {
	t.Helper()
	_, err := w.ECS.DeregisterTaskDefinition(t.Context(),
		&ecs.DeregisterTaskDefinitionInput{TaskDefinition: aws.String(revision)})
	must(t, err)
}
