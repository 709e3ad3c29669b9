package ecsdeploy

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"deployer/internal/ecsservice"
)

// decided says for every field of a task definition whether a clone copies it. A
// field that a new SDK version adds fails TestEveryFieldIsDecided until it is added.
var decided = map[string]string{
	"Family": "copied", "ContainerDefinitions": "copied", "Cpu": "copied", "EnableFaultInjection": "copied",
	"EphemeralStorage": "copied",
	"ExecutionRoleArn": "copied", "InferenceAccelerators": "copied", "IpcMode": "copied", "Memory": "copied",
	"NetworkMode": "copied",
	"PidMode":     "copied", "PlacementConstraints": "copied", "ProxyConfiguration": "copied",
	"RequiresCompatibilities": "copied",
	"RuntimePlatform":         "copied", "TaskRoleArn": "copied", "TrustedExecutionConfiguration": "copied",
	"Volumes": "copied",

	"TaskDefinitionArn": "ECS's own", "Revision": "ECS's own", "Status": "ECS's own", "RequiresAttributes": "ECS's own",
	"Compatibilities": "ECS's own",
	"RegisteredAt":    "ECS's own", "RegisteredBy": "ECS's own", "DeregisteredAt": "ECS's own",
	"DeleteRequestedAt": "ECS's own",

	"noSmithyDocumentSerde": "not data",
}

func TestEveryFieldIsDecided(t *testing.T) {
	t.Parallel()
	has := reflect.TypeFor[types.TaskDefinition]()
	takes := reflect.TypeFor[ecs.RegisterTaskDefinitionInput]()
	for i := range has.NumField() {
		name := has.Field(i).Name
		_, registrable := takes.FieldByName(name)
		switch {
		case decided[name] == "":
			t.Errorf("types.TaskDefinition has the field %s, which is missing in decided", name)
		case registrable && decided[name] == "ECS's own":
			t.Errorf("RegisterTaskDefinition takes %s, and a clone loses it", name)
		case !registrable && decided[name] == "copied":
			t.Errorf("RegisterTaskDefinition does not take %s", name)
		}
	}
	for i := range takes.NumField() {
		if name := takes.Field(i).Name; decided[name] == "" && name != "Tags" {
			t.Errorf("RegisterTaskDefinition takes %s, which no task definition has: where would a clone get it from?",
				name)
		}
	}
}

// unions are the members that stand for a union of the SDK.
var unions = []any{&types.SharingStrategyMemberNvidiaMps{}}

// fill sets every field below v to something that is not its zero value.
func fill(v reflect.Value, name string) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), name)
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Field(i); f.CanSet() {
				fill(f, v.Type().Field(i).Name)
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), name)
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key, name)
		fill(value, name)
		v.SetMapIndex(key, value)
	case reflect.String:
		if values := v.MethodByName("Values"); values.IsValid() {
			v.Set(values.Call(nil)[0].Index(0)) // an enumeration
			return
		}
		v.SetString("a " + name)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int32, reflect.Int64:
		v.SetInt(7)
	case reflect.Float32, reflect.Float64:
		v.SetFloat(1.5)
	case reflect.Interface:
		for _, member := range unions {
			if m := reflect.New(reflect.TypeOf(member).Elem()); m.Type().Implements(v.Type()) {
				fill(m.Elem(), name)
				v.Set(m)
				return
			}
		}
		panic("add a member of the union " + v.Type().String() + " to unions")
	default:
		panic(fmt.Sprintf("%s is a %s", name, v.Kind()))
	}
}

// TestEveryFieldSurvives deploys over a task definition in which every field that the
// SDK knows is set, at every level, and compares the new revision with it.
func TestEveryFieldSurvives(t *testing.T) {
	t.Parallel()
	var full ecs.RegisterTaskDefinitionInput
	w := newWorld(t, func(in *ecs.RegisterTaskDefinitionInput, _ *ecs.CreateServiceInput) {
		family := in.Family
		fill(reflect.ValueOf(in).Elem(), "")
		in.Family = family
		in.NetworkMode = types.NetworkModeAwsvpc
		in.RequiresCompatibilities = []types.Compatibility{types.CompatibilityFargate}
		in.Cpu, in.Memory = aws.String("256"), aws.String("512")
		in.ContainerDefinitions[0].Name = aws.String("app")
		in.ContainerDefinitions[0].Image = aws.String(host + "/p_service_web:v0")
		in.ContainerDefinitions[0].Environment = append(in.ContainerDefinitions[0].Environment,
			types.KeyValuePair{Name: aws.String("EMPTY"), Value: aws.String("")})
		in.ContainerDefinitions[0].DnsServers = []string{} // empty is not absent
		in.ContainerDefinitions = append(in.ContainerDefinitions,
			types.ContainerDefinition{Name: aws.String("xray-daemon"), Image: aws.String("amazon/aws-xray-daemon:3.x")})
		in.Tags = []types.Tag{{Key: aws.String("team"), Value: aws.String("")},
			{Key: aws.String("deployer:event-id"), Value: aws.String("an older event")}}
		full = *in
	})
	before, err := w.Runs(t.Context(), "c", target.Service)
	must(t, err)
	for i := range reflect.TypeFor[ecs.RegisterTaskDefinitionInput]().NumField() {
		field := reflect.TypeFor[ecs.RegisterTaskDefinitionInput]().Field(i)
		if field.IsExported() && reflect.ValueOf(full).Field(i).IsZero() {
			t.Errorf("the test leaves %s unset", field.Name)
		}
	}

	got, _, err := w.deploy(t, target, order(w.digest))
	must(t, err)
	if got.Status != Deployed {
		t.Fatalf("got %+v", got)
	}

	after, err := w.Runs(t.Context(), "c", target.Service)
	must(t, err)
	want := *before.TaskDefinition
	want.ContainerDefinitions = slices.Clone(want.ContainerDefinitions)
	want.ContainerDefinitions[0].Image = aws.String(host + "/p_service_web@" + w.digest)
	var own []string
	for name, what := range decided {
		if what != "copied" && name != "noSmithyDocumentSerde" {
			own = append(own, name)
		}
	}
	unexported := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".noSmithyDocumentSerde" },
		cmp.Ignore())
	if diff := cmp.Diff(want, *after.TaskDefinition, cmpopts.IgnoreFields(types.TaskDefinition{}, own...),
		unexported); diff != "" {
		t.Errorf("the clone is not the base with another image:\n%s", diff)
	}
	tags := map[string]string{}
	for _, tag := range after.Tags {
		tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	wantTags := map[string]string{
		"team": "", "deployer:event-id": "e1", "deployer:event-time": "2026-01-22T10:15:30Z",
		"deployer:source": "action.dev",
		"deployer:tag":    "v1", "deployer:digest": w.digest, "deployer:actor": "ada",
		"deployer:reason":   "because _of_ it",
		"deployer:previous": arn + target.Family + ":1", "deployer:service": "c/p_service_web_dev",
		"deployer:rule": "base=1 config=1",
	}
	if diff := cmp.Diff(wantTags, tags); diff != "" {
		t.Errorf("tags:\n%s", diff)
	}
}

// TestCloneCopiesEveryField checks the clone itself, which is also what is sent if ECS's
// own answer was not kept.
func TestCloneCopiesEveryField(t *testing.T) {
	t.Parallel()
	var td types.TaskDefinition
	fill(reflect.ValueOf(&td).Elem(), "")
	got := reflect.ValueOf(*clone(ecsservice.Revision{TaskDefinition: &td}))
	for name, what := range decided {
		if what != "copied" {
			continue
		}
		if from := reflect.ValueOf(td).FieldByName(name); !reflect.DeepEqual(from.Interface(),
			got.FieldByName(name).Interface()) {
			t.Errorf("a clone does not copy %s", name)
		}
	}
}

// TestCloneDropsEmptyRoles checks that no empty role is sent, which ECS may return, and
// does not accept.
func TestCloneDropsEmptyRoles(t *testing.T) {
	t.Parallel()
	td := types.TaskDefinition{TaskRoleArn: aws.String(""), ExecutionRoleArn: aws.String("")}
	if in := clone(ecsservice.Revision{TaskDefinition: &td}); in.TaskRoleArn != nil || in.ExecutionRoleArn != nil {
		t.Errorf("got roles %v and %v, want none", in.TaskRoleArn, in.ExecutionRoleArn)
	}
}

// TestOwnTags checks which tags a clone keeps. Only AWS may set tags that begin with
// "aws:", such as those of CloudFormation.
func TestOwnTags(t *testing.T) {
	t.Parallel()
	var tags []types.Tag
	for _, key := range []string{"team", "aws:cloudformation:stack-name", "AWS:x", "awsome", "deployer:tag",
		"deployed-by"} {
		tags = append(tags, types.Tag{Key: aws.String(key)})
	}
	var kept []string
	for _, tag := range OwnTags(tags) {
		kept = append(kept, aws.ToString(tag.Key))
	}
	if diff := cmp.Diff([]string{"team", "awsome", "deployed-by"}, kept); diff != "" {
		t.Error(diff)
	}
}

// TestReservedTagValues deploys for an event whose actor and reason begin with "aws:",
// which no tag value may.
func TestReservedTagValues(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := order(w.digest)
	o.Cause.Actor, o.Cause.Reason = "aws:cli", "AWS: rotate the keys"
	_, _, err := w.deploy(t, target, o)
	must(t, err)
	after, err := w.Runs(t.Context(), "c", target.Service)
	must(t, err)
	got := []string{tagOf(after.Tags, "deployer:actor"), tagOf(after.Tags, "deployer:reason")}
	if diff := cmp.Diff([]string{"_aws:cli", "_AWS: rotate the keys"}, got); diff != "" {
		t.Error(diff)
	}
}
