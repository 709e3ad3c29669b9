package ecs_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/google/go-cmp/cmp"

	"deployer/testbed/aws/emulator"
	"deployer/testbed/aws/emulatortest"
)

// sorted returns the JSON with its members in order.
func sorted(t *testing.T, text string) string {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	out, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// TestTaskDefinitionKeepsWhatWasSent: members that the emulator does not know are kept too.
func TestTaskDefinitionKeepsWhatWasSent(t *testing.T) {
	t.Parallel()
	w := newEnv(t, emulator.Options{})
	const fields = `"family":"myproject_service_dev","networkMode":"awsvpc","requiresCompatibilities":["FARGATE"],"cpu":"256","memory":"512",
		"taskRoleArn":"arn:aws:iam::111111111111:role/myproject_backend_task_dev",
		"executionRoleArn":"arn:aws:iam::111111111111:role/myproject_backend_task_execution_dev",
		"runtimePlatform":{"cpuArchitecture":"ARM64","operatingSystemFamily":"LINUX"},"ephemeralStorage":{"sizeInGiB":21},
		"enableFaultInjection":true,"aMemberOfTheFuture":{"a":[1.50,null]},"volumes":[{"name":"v","host":{}}],"placementConstraints":[]`
	const sidecar = `{"name":"xray-daemon","image":"public.ecr.aws/xray/aws-xray-daemon:latest","cpu":32,"essential":false,"environment":[{"name":"EMPTY","value":""}],
		"mountPoints":[],"portMappings":[],"systemControls":[],"volumesFrom":[],"versionConsistency":"disabled","command":["sh","-c","a && b > c"]}`
	registered := w.Do(t, dev, "ecs:RegisterTaskDefinition", `{`+fields+`,"tags":[{"key":"a","value":"b"},{"key":"empty","value":""}],"containerDefinitions":[`+sidecar+`,
		{"name":"app","image":"111111111111.dkr.ecr.us-east-1.amazonaws.com/myproject_backend:latest","portMappings":[{"containerPort":8080}]}]}`)
	want := `{` + fields + `,"containerDefinitions":[` + sidecar + `,
		{"name":"app","image":"111111111111.dkr.ecr.us-east-1.amazonaws.com/myproject_backend:latest","cpu":0,"essential":true,"environment":[],
		 "mountPoints":[],"portMappings":[{"containerPort":8080,"hostPort":8080,"protocol":"tcp"}],"systemControls":[],"volumesFrom":[]}],
		"taskDefinitionArn":"arn:aws:ecs:us-east-1:111111111111:task-definition/myproject_service_dev:1","revision":1,"status":"ACTIVE",
		"compatibilities":["EC2","FARGATE"],"registeredAt":1769074200,"registeredBy":"arn:aws:iam::111111111111:root",
		"requiresAttributes":[{"name":"com.amazonaws.ecs.capability.docker-remote-api.1.18"},{"name":"com.amazonaws.ecs.capability.ecr-auth"},
		 {"name":"ecs.capability.execution-role-ecr-pull"},{"name":"com.amazonaws.ecs.capability.task-iam-role"},{"name":"ecs.capability.task-eni"}]}`
	const tags = `"tags":[{"key":"a","value":"b"},{"key":"empty","value":""}]`
	withTags := `{"taskDefinition":` + want + `,` + tags + `}`
	if diff := cmp.Diff(sorted(t, withTags), sorted(t, registered)); diff != "" {
		t.Errorf("registered (-want +got):\n%s", diff)
	}
	described := w.Do(t, dev, "ecs:DescribeTaskDefinition", `{"taskDefinition":"myproject_service_dev"}`)
	if diff := cmp.Diff(sorted(t, `{"taskDefinition":`+want+`}`), sorted(t, described)); diff != "" {
		t.Errorf("described (-want +got):\n%s", diff)
	}
	described = w.Do(t, dev, "ecs:DescribeTaskDefinition", `{"taskDefinition":"myproject_service_dev:1",`+
		`"include":["TAGS"]}`)
	if diff := cmp.Diff(sorted(t, withTags), sorted(t, described)); diff != "" {
		t.Errorf("described with tags (-want +got):\n%s", diff)
	}
}

func TestRegisterTaskDefinitionRefuses(t *testing.T) {
	t.Parallel()
	const app = `"containerDefinitions":[{"name":"app","image":"nginx","memory":128}]`
	tagged := func(tags string) string { return `{"family":"web",` + app + `,"tags":[` + tags + `]}` }
	fargate := func(more string) string {
		return `{"family":"web","requiresCompatibilities":["FARGATE"],` + more +
			`"containerDefinitions":[{"name":"app","image":"111111111111.dkr.ecr.us-east-1.amazonaws.com/web:latest",` +
			`"memory":128}]}`
	}
	fiftyOne := make([]string, 51)
	for i := range fiftyOne {
		fiftyOne[i] = fmt.Sprintf(`{"key":"k%d","value":""}`, i)
	}
	tests := []struct{ name, body, wantCode, want string }{
		{"no family", `{` + app + `}`, "ClientException", "Family can not be blank."},
		{"a family that is not valid", `{"family":"my web",` + app + `}`, "ClientException",
			"Family contains invalid characters."},
		{"no containers", `{"family":"web","containerDefinitions":[]}`, "ClientException",
			"Container list cannot be empty."},
		{"no name", `{"family":"web","containerDefinitions":[{"image":"nginx","memory":128}]}`, "ClientException",
			"Container.name should not be null or empty."},
		{"no image", `{"family":"web","containerDefinitions":[{"name":"app","memory":128}]}`, "ClientException",
			"Container.image should not be null or empty."},
		{"no memory", `{"family":"web","containerDefinitions":[{"name":"app","image":"nginx"}]}`, "ClientException",
			"Invalid setting for container 'app'. At least one of 'memory' or 'memoryReservation' must be specified."},
		{"too long", `{"family":"web","containerDefinitions":[{"name":"app","image":"nginx","memory":128,"command":["` +
			strings.Repeat("x", 65536) + `"]}]}`, "ClientException",
			"Actual length: '65636'. Max allowed length is '65536' bytes."},
		{"empty tags", tagged(``), "ClientException", "Tags can not be empty."},
		{"a reserved tag", tagged(`{"key":"aws:cloudformation:stack-name","value":"s"}`), "InvalidParameterException",
			"aws: prefixed tag key names are not allowed for external use."},
		{"a reserved tag value", tagged(`{"key":"k","value":"AWS: rotate"}`), "InvalidParameterException",
			"aws: prefixed tag values are not allowed for external use."},
		{"a tag value with other characters", tagged(`{"key":"k","value":"a\u000ab"}`), "InvalidParameterException",
			"Invalid tag value 'a\nb' for the key 'k'."},
		{"a tag value too long", tagged(`{"key":"k","value":"` + strings.Repeat("x", 257) + `"}`),
			"InvalidParameterException", "Invalid tag value '" + strings.Repeat("x", 257) + "' for the key 'k'."},
		{"a tag twice", tagged(`{"key":"k","value":"a"},{"key":"k","value":"b"}`), "InvalidParameterException",
			"Duplicate tag key 'k'."},
		{"too many tags", tagged(strings.Join(fiftyOne, ",")), "InvalidParameterException",
			"The maximum number of tags is 50."},
		{"Fargate on a bridge", fargate(``), "ClientException", "Fargate only supports network mode ‘awsvpc’."},
		{"Fargate without cpu", fargate(`"networkMode":"awsvpc",`), "ClientException",
			"Fargate requires that 'cpu' be defined at the task level."},
		{"Fargate without memory", fargate(`"networkMode":"awsvpc","cpu":"256",`), "ClientException",
			"Fargate requires that 'memory' be defined at the task level."},
		{"Fargate without an execution role", fargate(`"networkMode":"awsvpc","cpu":"256","memory":"512",`),
			"ClientException", "Fargate requires task definition to have execution role ARN to support ECR images."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newEnv(t, emulator.Options{})
			status, got := w.Raw(t, dev, "ecs:RegisterTaskDefinition", tt.body)
			want, err := json.Marshal(map[string]string{"__type": tt.wantCode, "message": tt.want})
			if err != nil {
				t.Fatal(err)
			}
			if status != 400 {
				t.Errorf("status %d, want 400", status)
			}
			if diff := cmp.Diff(sorted(t, string(want)), sorted(t, got)); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
			if listed := w.Do(t, dev, "ecs:ListTaskDefinitions", `{}`); listed != `{"taskDefinitionArns":[]}` {
				t.Errorf("there is now %s", listed)
			}
		})
	}
}

func TestTaskDefinitionReferences(t *testing.T) {
	t.Parallel()
	w := newEnv(t, emulator.Options{})
	const arn = "arn:aws:ecs:us-east-1:111111111111:task-definition/"
	for range 4 {
		w.Register(t, dev, "web", "nginx")
	}
	w.Do(t, dev, "ecs:DeregisterTaskDefinition", `{"taskDefinition":"web:4"}`)
	w.Do(t, dev, "ecs:DeregisterTaskDefinition", `{"taskDefinition":"`+arn+`web:1"}`)
	tests := []struct{ name, reference, want, wantStatus string }{
		{"a family is its latest ACTIVE revision", "web", arn + "web:3", "ACTIVE"},
		{"a family by ARN", arn + "web", arn + "web:3", "ACTIVE"},
		{"a revision", "web:2", arn + "web:2", "ACTIVE"},
		{"an INACTIVE revision", "web:4", arn + "web:4", "INACTIVE"},
		{"a revision by ARN", arn + "web:1", arn + "web:1", "INACTIVE"},
		{"a revision that does not exist yet", "web:5", "", ""},
		{"a part of a family", "we", "", ""},
		{"another account's", "arn:aws:ecs:us-east-1:333333333333:task-definition/web:2", "", ""},
		{"another region's", "arn:aws:ecs:eu-west-1:111111111111:task-definition/web:2", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := w.ECS(dev).DescribeTaskDefinition(t.Context(),
				&ecs.DescribeTaskDefinitionInput{TaskDefinition: &tt.reference})
			if tt.want == "" {
				emulatortest.WantError(t, err, "ClientException", "Unable to describe task definition.")
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if *got.TaskDefinition.TaskDefinitionArn != tt.want || string(got.TaskDefinition.Status) != tt.wantStatus {
				t.Errorf("got %s %s, want %s %s", *got.TaskDefinition.TaskDefinitionArn, got.TaskDefinition.Status,
					tt.want, tt.wantStatus)
			}
			if inactive := got.TaskDefinition.DeregisteredAt != nil; inactive != (tt.wantStatus == "INACTIVE") {
				t.Errorf("deregisteredAt is there: %v", inactive)
			}
		})
	}
}

func TestRevisionsOnlyGrow(t *testing.T) {
	t.Parallel()
	w := newEnv(t, emulator.Options{})
	w.Register(t, dev, "web", "nginx")
	w.Do(t, dev, "ecs:DeregisterTaskDefinition", `{"taskDefinition":"web:1"}`)
	_, err := w.ECS(dev).DescribeTaskDefinition(t.Context(),
		&ecs.DescribeTaskDefinitionInput{TaskDefinition: new("web")})
	emulatortest.WantError(t, err, "ClientException", "Unable to describe task definition.")
	const want = "arn:aws:ecs:us-east-1:111111111111:task-definition/web:2"
	if got := w.Register(t, dev, "web", "nginx"); got != want {
		t.Errorf("the next revision is %s, want %s", got, want)
	}
}

func TestListTaskDefinitions(t *testing.T) {
	t.Parallel()
	w := newEnv(t, emulator.Options{})
	const arn = `"arn:aws:ecs:us-east-1:111111111111:task-definition/`
	for range 2 {
		w.Register(t, dev, "web-api", "nginx")
		w.Register(t, dev, "web", "nginx")
	}
	w.Register(t, prod, "web", "nginx")
	w.Do(t, dev, "ecs:DeregisterTaskDefinition", `{"taskDefinition":"web:1"}`)
	tests := []struct{ name, body, want string }{
		{"all", `{}`, `{"taskDefinitionArns":[` + arn + `web:2",` + arn + `web-api:1",` + arn + `web-api:2"]}`},
		{"one family only", `{"familyPrefix":"web"}`, `{"taskDefinitionArns":[` + arn + `web:2"]}`},
		{"no prefix of a family", `{"familyPrefix":"we"}`, `{"taskDefinitionArns":[]}`},
		{"from the newest", `{"familyPrefix":"web-api","sort":"DESC"}`, `{"taskDefinitionArns":[` + arn +
			`web-api:2",` + arn + `web-api:1"]}`},
		{"the newest", `{"familyPrefix":"web-api","sort":"DESC","maxResults":1}`,
			`{"nextToken":"MQ==","taskDefinitionArns":[` + arn + `web-api:2"]}`},
		{"the one before", `{"familyPrefix":"web-api","sort":"DESC","maxResults":1,"nextToken":"MQ=="}`,
			`{"taskDefinitionArns":[` + arn + `web-api:1"]}`},
		{"INACTIVE ones", `{"status":"INACTIVE"}`, `{"taskDefinitionArns":[` + arn + `web:1"]}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, w.Do(t, dev, "ecs:ListTaskDefinitions", tt.body)); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTags(t *testing.T) {
	t.Parallel()
	w := newEnv(t, emulator.Options{})
	arn := w.Register(t, dev, "web", "nginx")
	list := func() string { return w.Do(t, dev, "ecs:ListTagsForResource", `{"resourceArn":"`+arn+`"}`) }
	steps := []struct{ call, more, want string }{
		{"ecs:ListTagsForResource", ``, `{"tags":[]}`},
		{"ecs:TagResource", `,"tags":[{"key":"a","value":"1"},{"key":"b","value":"2"}]`,
			`{"tags":[{"key":"a","value":"1"},{"key":"b","value":"2"}]}`},
		{"ecs:TagResource", `,"tags":[{"key":"a","value":"3"}]`, `{"tags":[{"key":"a","value":"3"},{"key":"b",` +
			`"value":"2"}]}`},
	}
	for _, s := range steps {
		w.Do(t, dev, s.call, `{"resourceArn":"`+arn+`"`+s.more+`}`)
		if diff := cmp.Diff(s.want, list()); diff != "" {
			t.Errorf("after %s%s (-want +got):\n%s", s.call, s.more, diff)
		}
	}
}
